"""Types of what callers hand in, for annotations alone."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeAlias

from pantler._pantler import Bbox
from pantler.results import DatasetRef

Path: TypeAlias = str | os.PathLike[str]
DataId: TypeAlias = Mapping[str, Any] | DatasetRef
Names: TypeAlias = str | Iterable[str]
Box: TypeAlias = Bbox | Sequence[int]
# A range, a pair (first, end), or a list of these.
Rows: TypeAlias = slice | range | tuple[int, int] | Sequence[slice | range | tuple[int, int]]
# A reference, or a pair of name and data ID.
Dataset: TypeAlias = DatasetRef | tuple[str, Mapping[str, Any]]
Precursors: TypeAlias = Dataset | Iterable[Dataset] | Mapping[str, Dataset | Iterable[Dataset]]
# True for a bar, or a function of what is done and how much there is, as far as that is known.
Progress: TypeAlias = bool | Callable[[int, int | None], object] | None
Notes: TypeAlias = Mapping[str, Any]
# A policy: a file, a dictionary, or a list of these.
Policy: TypeAlias = Path | Mapping[str, Any] | Sequence[Path | Mapping[str, Any]]
