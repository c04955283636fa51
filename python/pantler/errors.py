"""Exceptions: what was wanted, where it was looked for, and what to do next.

Each is also an exception of Python's own, so that code that knows nothing of pantler can catch it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any


class PantlerError(Exception):
    """Anything that went wrong; the classes below it say what.

    Parameters
    ----------
    message : str
        What went wrong, in one line.
    kind : str
        The same as a word for programs.
    facts : dict
        Lines by label: what was asked for, where it was looked for.
    hints : list of str
        What to do.
    trail : list of dict
        Where was looked: for each place `repository`, `dataset` and `outcome`.

    Examples
    --------
    >>> import pantler
    >>> try:
    ...     butler.get("calexp:jointcal", visit=903342, ccd=15, tract=0)
    ... except pantler.PantlerError as error:
    ...     print(error.kind, "|", error.message)
    not_found | component `wcs` of `calexp:jointcal` was not found in any repository
    """

    def __init__(
        self,
        message: str,
        kind: str = "request",
        facts: Mapping[str, Iterable[str]] | None = None,
        hints: Iterable[str] = (),
        trail: Iterable[Mapping[str, str]] = (),
    ) -> None:
        super().__init__(message)
        self.message = message
        self.kind = kind
        self.facts = {label: list(lines) for label, lines in (facts or {}).items()}
        self.hints = list(hints)
        self.trail = [dict(step) for step in trail]

    def __str__(self) -> str:
        lines = [self.message]
        for label, facts in self.facts.items():
            for index, fact in enumerate(facts):
                lines.append(f"  {label if index == 0 else '':<9}  {fact}")
        hints = [f"hint: {hint}" for hint in self.hints[:3]]
        return "\n".join(lines + ([""] if hints else []) + hints)

    def __reduce__(self) -> tuple[Any, ...]:
        state = {name: value for name, value in vars(self).items() if name not in _ARGUMENTS}
        return type(self), tuple(getattr(self, name) for name in _ARGUMENTS), state or None


_ARGUMENTS = ("message", "kind", "facts", "hints", "trail")


class NotFoundError(PantlerError, LookupError):
    """There is nothing by that name or data ID; a LookupError.

    Examples
    --------
    >>> butler.get("note", visit=1)
    Traceback (most recent call last):
    pantler.NotFoundError: ...
    """


class AmbiguousError(PantlerError, LookupError):
    """More than one thing fits; a LookupError.

    Examples
    --------
    >>> butler.get("calexp:jointcal", visit=903334, ccd=16)
    Traceback (most recent call last):
    pantler.AmbiguousError: `calexp:jointcal` needs the key `tract`, and 2 values match
    ...
    """


class ConflictError(PantlerError, FileExistsError):
    """Something else stands there already; a FileExistsError.

    Examples
    --------
    >>> butler.put({"seeing": 3.0}, "note", visit=903334)
    Traceback (most recent call last):
    pantler.ConflictError: ...
    """


class PolicyError(PantlerError, ValueError):
    """A policy is wrong; a ValueError.

    Examples
    --------
    >>> import pantler
    >>> pantler.Butler(outputs="new", policy={"datasets": {"note": {"tamplate": "note/%(visit)d.json"}}})
    Traceback (most recent call last):
    pantler.PolicyError: ...
    """


class DataIdError(PantlerError, KeyError):
    """A data ID is wrong; a KeyError.

    Examples
    --------
    >>> butler.get("note", visit="the first")
    Traceback (most recent call last):
    pantler.DataIdError: ...
    """


class ReadOnlyError(PantlerError, TypeError):
    """It can only be read; a TypeError.

    Examples
    --------
    The pixels of `calexp:jointcal` are those of `calexp:sfm`, and are not written. Changed ones would be lost:

    >>> exposure = butler.get("calexp:jointcal", visit=903334, ccd=16, tract=0)
    >>> brighter = exposure.with_image(exposure.image.array + 1)
    >>> butler.put(brighter, "calexp:jointcal", visit=903334, ccd=16, tract=7)
    Traceback (most recent call last):
    pantler.ReadOnlyError: component `calexp` of `calexp:jointcal` is only read, and it is not as stored
    ...
    """


class CorruptError(PantlerError, OSError):
    """An artifact or a registry is damaged or gone; an OSError.

    Examples
    --------
    >>> import os
    >>> os.remove("mine/note/0903334.json")
    >>> butler.get("note", visit=903334)
    Traceback (most recent call last):
    pantler.CorruptError: ...
    """


class UntrustedError(PantlerError, PermissionError):
    """Code that is not trusted would have to run; a PermissionError.

    Examples
    --------
    Reading a pickle runs whatever code stands in it:

    >>> from pantler import Butler
    >>> policy = {"datasets": {"model": {"template": "%(n)d.pickle", "python": "dict", "storage": "PickleStorage"}}}
    >>> _ = Butler(outputs="models", policy=policy, allow_pickle=True).put({"slope": 2}, "model", n=1)
    >>> Butler.open("models").get("model", n=1)
    Traceback (most recent call last):
    pantler.UntrustedError: ...
    """


class UnsupportedError(PantlerError, NotImplementedError):
    """This version of pantler, or this storage, cannot do it; a NotImplementedError.

    Examples
    --------
    >>> from pantler import Butler
    >>> policy = {"datasets": {"model": {"template": "%(n)d.hdf5", "python": "dict", "storage": "HdfStorage"}}}
    >>> Butler(outputs="models", policy=policy).put({"slope": 2}, "model", n=1)
    Traceback (most recent call last):
    pantler.UnsupportedError: ...
    """


_CLASSES = {
    "not_found": NotFoundError,
    "ambiguous": AmbiguousError,
    "conflict": ConflictError,
    "policy": PolicyError,
    "data_id": DataIdError,
    "read_only": ReadOnlyError,
    "corrupt": CorruptError,
    "untrusted": UntrustedError,
    "unsupported": UnsupportedError,
}

for _class in [PantlerError, *_CLASSES.values()]:
    # Tracebacks and pickles name them as people import them.
    _class.__module__ = "pantler"


def made(
    kind: str,
    message: str,
    facts: Mapping[str, Iterable[str]],
    hints: Iterable[str],
    trail: Iterable[Mapping[str, str]],
) -> PantlerError:
    """Return the exception of a report of the engine."""
    return _CLASSES.get(kind, PantlerError)(message, kind, facts, hints, trail)
