"""Objects as bytes of a file, through a repository that lives for one call.

The engine knows the formats; this asks it in the way that everybody asks it. Conversions that go through a file
are its callers. It promises that an object comes back with equal values, and that nothing stays on disk.
"""

from __future__ import annotations

import os
import tempfile
from typing import Any

from pantler import _pantler

# Where Linux has files in memory, and what is taken of it: containers often have 64 MB.
_MEMORY = "/dev/shm"
_SMALL = 4 << 20
_ENDINGS = {"FitsStorage": "fits", "ParquetStorage": "parquet"}


def written(obj: Any, python: str, storage: str = "FitsStorage") -> bytes:
    """Return the bytes of the file that holds an object of the class `python`."""
    with _folder(obj.nbytes) as folder:
        engine = _engine(folder, python, storage)
        report = engine.put(obj, "it", {"n": 0}, False, False, [], [])
        with open(os.path.join(folder, report["written"][0]), "rb") as file:
            return file.read()


def read(data: bytes, python: str, storage: str = "FitsStorage") -> Any:
    """Return the object of the class `python` that the bytes of a file hold."""
    with _folder(len(data)) as folder:
        engine = _engine(folder, python, storage)
        path = os.path.join(folder, f"0.{_ENDINGS[storage]}")
        with open(path, "wb") as file:
            file.write(data)
        failed = engine.ingest("it", [path], {"n": 0}, "in-place", False, [])[3]
        for _, error in failed:
            raise error
        return engine.get("it", {"n": 0}, None, None, None, False)


def _folder(size: int) -> tempfile.TemporaryDirectory[str]:
    """A folder for one call: in memory for what is small, since a disk takes a hundred times as long to promise that it has it."""
    is_in_memory = size < _SMALL and os.access(_MEMORY, os.W_OK)
    return tempfile.TemporaryDirectory(prefix="pantler-", dir=_MEMORY if is_in_memory else None)


def _engine(folder: str, python: str, storage: str) -> _pantler.Engine:
    # JSON strings are YAML's, and neither value needs an escape.
    policy = (
        f'{{"datasets": {{"it": {{"template": "%(n)d.{_ENDINGS[storage]}", "python": "{python}", "storage": "{storage}"}}}}}}'
    )
    _pantler.init(folder, [("policy.yaml", policy)], [], [])
    return _pantler.Engine(
        inputs=[],
        outputs=[folder],
        tags=[],
        who=("", ""),
        add_parents=False,
        inputs_in_order=False,
        cache_bytes=0,
    )
