"""Tables that say the data IDs of files: what they are, and how their rows are read."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import Any

from pantler import _pantler
from pantler.errors import PantlerError
from pantler.repositories import path_of

# A file, and its keys as they would be typed.
Row = tuple[str, list[tuple[str, str]]]

# The column that names the files; else it is the first.
_FILE = "file"

# What packages write where there is no value.
_NOTHING = ("NAType", "NaTType", "MaskedConstant")


def values_of(table: Any) -> str | list[Row]:
    """Return the path of a table in a file, or the rows of any other."""
    return path_of(table) if isinstance(table, (str, os.PathLike)) else _rows(table)


def _rows(table: Any) -> list[Row]:
    """Return the rows of a table of any kind; names of files are relative to the current folder."""
    records = [{str(column): _text(value) for column, value in record.items()} for record in _records(table)]
    column = _FILE if any(_FILE in record for record in records) else next(iter(records[0]), _FILE) if records else _FILE
    found: list[Row] = []
    for number, cells in enumerate(records, 1):
        file = cells.pop(column, None)
        if not file:
            raise PantlerError(
                f"row {number} of the table names no file",
                hints=["its column `file`, or else its first one, names the files; every other column is a key"],
            )
        found.append((os.path.expanduser(file), [(key, value) for key, value in cells.items() if value]))
    return found


def _records(table: Any) -> Iterable[Mapping[Any, Any]]:
    if isinstance(table, Mapping):
        return _of_columns({name: _listed(values) for name, values in table.items()})
    if isinstance(table, _pantler.Table):
        return _of_columns({name: _listed(table[name]) for name in table.columns})
    if hasattr(table, "colnames"):  # astropy
        return _of_columns({name: _listed(table[name]) for name in table.colnames})
    if hasattr(table, "to_dicts"):  # polars
        return list(table.to_dicts())
    if hasattr(table, "to_pylist"):  # pyarrow
        return list(table.to_pylist())
    if hasattr(table, "to_dict") and hasattr(table, "columns"):  # pandas
        return list(table.to_dict("records"))
    if isinstance(table, (list, tuple)) and all(isinstance(each, Mapping) for each in table):
        return list(table)
    raise PantlerError(
        f"a {type(table).__name__} is no table of data IDs",
        hints=[
            "it is a file (CSV, FITS, Parquet), a table of pantler, astropy, pandas, polars or pyarrow, a dictionary of columns, "
            "or a list of dictionaries"
        ],
    )


def _listed(values: Any) -> list[Any]:
    return list(values.tolist()) if hasattr(values, "tolist") else list(values)


def _of_columns(columns: dict[Any, list[Any]]) -> list[dict[Any, Any]]:
    lengths = {len(values) for values in columns.values()}
    if len(lengths) > 1:
        raise PantlerError(f"the columns of the table have {' and '.join(map(str, sorted(lengths)))} rows")
    return [dict(zip(columns, values)) for values in zip(*columns.values())]


def _text(value: Any) -> str | None:
    """A value as it would be typed; the key decides its type. Nothing for what is missing."""
    if value is None or type(value).__name__ in _NOTHING:
        return None
    if hasattr(value, "item"):
        value = value.item()
    if isinstance(value, bytes):
        value = value.decode(errors="replace")
    if isinstance(value, float):
        if value != value:
            return None
        # Whole numbers beside missing ones are often kept as floating point numbers.
        return str(int(value)) if value.is_integer() else repr(value)
    if isinstance(value, os.PathLike):
        value = os.fspath(value)
    return str(value).strip()
