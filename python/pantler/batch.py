"""Many puts and links that become durable and visible together."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from pantler.butler import Butler
from pantler.errors import PantlerError
from pantler.later import Later

if TYPE_CHECKING:
    from pantler import results
    from pantler.results import PutResult
else:
    results = Later("pantler.results")


class Batch:
    """Many puts and links that become durable and visible together, at the end of a `with`.

    Each is judged as if those before it had happened: the same dataset once more is unchanged, and a link finds parts of the
    batch. Nobody else sees any of it before the end, a get of the butler's own included. Where the `with` ends by an exception,
    nothing of it stays.

    Parameters
    ----------
    begin : callable
        What begins it: `butler.batch()` makes a batch.

    Attributes
    ----------
    results : list of PutResult
        After the end, what each put and link has done.

    Examples
    --------
    >>> with butler.batch() as batch:
    ...     for visit in (1, 2, 3):
    ...         _ = batch.put({"seeing": 0.7}, "note", visit=visit)
    >>> [result.data_id["visit"] for result in batch.results]
    [1, 2, 3]
    >>> butler.get("note", visit=2)["seeing"]
    0.7
    """

    def __init__(self, begin: Callable[[], Any]) -> None:
        self._begin = begin
        self._begun: Any = None
        self.results: list[PutResult] = []

    # They sort their arguments for whatever puts and links.
    put = Butler.put
    link = Butler.link
    _read = Butler._read

    @property
    def _engine(self) -> Any:
        if self._begun is None:
            raise PantlerError("a batch is used inside its `with`", hints=["with butler.batch() as batch: batch.put(…)"])
        return self._begun

    def __enter__(self) -> Batch:
        if self._begun is not None:
            raise PantlerError("the batch has begun already")
        self._begun = self._begin()
        return self

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        begun, self._begun = self._engine, None
        if kind is None:
            self.results = [results.PutResult(**result) for result in begun.commit()]
        else:
            begun.discard()
