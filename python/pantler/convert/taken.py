"""What `Butler.put` takes beside pantler's own objects: which class stands for which, by name, so that nothing is imported."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from pantler.convert import coordinates, files, pixels, scratch, tables
from pantler.errors import PantlerError

Result = TypeVar("Result")
Way = Callable[[Any], Any]

_REFUSALS = ("request", "unsupported")


def _nddata_as(python: str) -> Way:
    return lambda obj: pixels.from_nddata(obj, python)


def _file_as(python: str) -> Way:
    return lambda hdus: scratch.read(files.in_bytes(hdus), python)


_NDDATA = [_nddata_as("Exposure"), _nddata_as("MaskedImage"), _nddata_as("Image")]

_ARRAY: list[Way] = [tables.from_numpy]

# By package and name of a class, or of one of its ancestors: the ways to make an object of it, the one that keeps most first.
CONVERTERS: dict[tuple[str, str], list[Way]] = {
    ("astropy", "NDData"): _NDDATA,
    ("astropy", "Table"): [tables.from_astropy_table],
    ("astropy", "BaseHighLevelWCS"): [coordinates.from_astropy_wcs],
    ("astropy", "BaseLowLevelWCS"): [coordinates.from_astropy_wcs],
    ("astropy", "HDUList"): [_file_as(name) for name in ("Exposure", "MaskedImage", "Image", "Table", "Wcs", "PhotoCalib")],
    ("pandas", "DataFrame"): [tables.from_pandas],
    ("polars", "DataFrame"): [tables.from_polars],
    ("pyarrow", "Table"): [tables.from_arrow],
    ("pyarrow", "RecordBatch"): [tables.from_arrow],
    ("numpy", "ndarray"): _ARRAY,
}


def ways(obj: Any) -> list[Way]:
    """Return the ways to make an object of pantler of another package's; none for what the engine takes itself."""
    for ancestor in type(obj).__mro__:
        found = CONVERTERS.get((ancestor.__module__.partition(".")[0], ancestor.__name__))
        if found:
            # An array is a table only where its values have fields.
            is_plain = found is _ARRAY and obj.dtype.names is None
            return [] if is_plain else found
    return []


def candidates(obj: Any) -> Iterator[Any]:
    """Return an iterator over the objects of pantler that stand for another package's object.

    Where none of several ways succeeds, the first one's error says why.
    """
    first, succeeded = None, False
    for way in ways(obj):
        try:
            candidate = way(obj)
        except PantlerError as error:
            first = first or error
            continue
        succeeded = True
        yield candidate
    if first is not None and not succeeded:
        raise first


def put_as(obj: Any, put: Callable[[Any], Result]) -> Result:
    """Put an object as it is where its dataset type takes that, else the first candidate that is of the type's class.

    The engine refuses what it does not take before it writes anything, with an error of the kind `request` or `unsupported`; each
    other error ends it. Where all are refused, the first refusal of a candidate is what is said.
    """
    try:
        return put(obj)
    except PantlerError as error:
        if error.kind not in _REFUSALS or not ways(obj):
            raise
    first = None
    for candidate in candidates(obj):
        try:
            return put(candidate)
        except PantlerError as error:
            if error.kind not in _REFUSALS:
                raise
            first = first or error
    assert first is not None, "candidates end with an error where there is none"
    raise first
