"""Datasets that are got later: handles for pipelines whose steps run elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pantler.results import DatasetRef
from pantler.tokens import token


@dataclass(frozen=True, eq=False)
class DeferredDataset:
    """A dataset that is got when `get` is called, here or in the process to which the handle travels.

    Nothing is looked up before. `butler.get(…, deferred=True)` makes it.

    Attributes
    ----------
    name, data_id
        What was asked for.
    butler
        Who gets it.
    parameters : dict
        Those of the `Butler.get` that made it, with `version` and `tag` where they were said; a call's own go before them.

    Examples
    --------
    >>> later = butler.get("src", visit=903334, ccd=16, deferred=True)
    >>> later
    DeferredDataset(name='src', data_id={'visit': 903334, 'ccd': 16}, parameters={})
    >>> later.get(columns="flux")["flux"].sum()
    np.float64(12.0)
    """

    name: str
    data_id: dict[str, Any]
    butler: Any = field(repr=False)
    parameters: Mapping[str, Any] = field(default_factory=dict)

    def get(self, component: str | None = None, **parameters: Any) -> Any:
        """Return the object, or a component of it.

        Parameters
        ----------
        component : str, optional
            The component's name.
        **parameters
            Those of `Butler.get`.

        Examples
        --------
        >>> later = butler.get("calexp:sfm", visit=903334, ccd=16, deferred=True)
        >>> later.get("wcs")
        Wcs(tangent point ...)
        >>> later.get(bbox=(0, 0, 10, 5)).image.array.shape
        (5, 10)
        """
        name = self.name if component is None else f"{self.name}.{component}"
        return self.butler.get(name, self.data_id, **{**self.parameters, **parameters})

    @property
    def ref(self) -> DatasetRef:
        """The dataset as a reference."""
        return DatasetRef(self.name, dict(self.data_id), butler=self.butler)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, DeferredDataset) and token(self) == token(other)

    def __hash__(self) -> int:
        return hash(token(self))

    def __dask_tokenize__(self) -> str:
        return token("DeferredDataset", self.name, self.data_id, dict(self.parameters), self.butler)
