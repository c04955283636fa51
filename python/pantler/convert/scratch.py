"""Objects as bytes of a file, through a repository that lives for one call.

The engine knows the formats; this asks it in the way that everybody asks it. Conversions that go through a file
are its callers. It promises that an object comes back with equal values, and that nothing stays on disk.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from pantler.later import Later

if TYPE_CHECKING:
    import tempfile

    from pantler.butler import Butler
else:
    tempfile = Later("tempfile")

# Where Linux has files in memory, and what is taken of it: containers often have 64 MB.
_MEMORY = "/dev/shm"
_SMALL = 4 << 20
_ENDINGS = {"FitsStorage": "fits", "ParquetStorage": "parquet"}


def written(obj: Any, python: str, storage: str = "FitsStorage") -> bytes:
    """Return the bytes of the file that holds an object of the class `python`."""
    with _folder(obj.nbytes) as folder:
        report = _butler(folder, python, storage).put(obj, "it", n=0)
        with open(os.path.join(folder, report.written[0]), "rb") as file:
            return file.read()


def read(data: bytes, python: str, storage: str = "FitsStorage") -> Any:
    """Return the object of the class `python` that the bytes of a file hold."""
    with _folder(len(data)) as folder:
        butler = _butler(folder, python, storage)
        path = os.path.join(folder, f"0.{_ENDINGS[storage]}")
        with open(path, "wb") as file:
            file.write(data)
        for _, error in butler.ingest("it", path, mode="in-place", n=0).failed:
            raise error
        return butler.get("it", n=0)


def _folder(size: int) -> tempfile.TemporaryDirectory[str]:
    """A folder for one call: in memory for what is small, since a disk takes a hundred times as long to promise that it has it."""
    is_in_memory = size < _SMALL and os.access(_MEMORY, os.W_OK)
    return tempfile.TemporaryDirectory(prefix="pantler-", dir=_MEMORY if is_in_memory else None)


def _butler(folder: str, python: str, storage: str) -> Butler:
    # It is made when it is needed, since a butler's puts convert by what imports this.
    from pantler.butler import Butler

    definition = {"template": f"%(n)d.{_ENDINGS[storage]}", "python": python, "storage": storage}
    return Butler.open(folder, policy={"datasets": {"it": definition}}, cache_bytes=0)
