"""Tables as those of astropy, pandas, polars, pyarrow and numpy, and back."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

from pantler._pantler import Table
from pantler.convert import scratch
from pantler.convert.files import in_bytes
from pantler.convert.pixels import header_of, unit_text
from pantler.errors import PantlerError
from pantler.later import Later

if TYPE_CHECKING:
    import numpy as np
else:
    np = Later("numpy")


def to_qtable(table: Table, /) -> Any:
    """Return an astropy.table.QTable: columns with a unit are quantities; copies.

    Examples
    --------
    >>> butler.get("src", visit=903334, ccd=16).to_qtable()["flux"].to("uJy")[0]
    <Quantity 0.0015 uJy>
    """
    from astropy.table import QTable

    return QTable(table.to_astropy())


def to_pandas(table: Table, /) -> Any:
    """Return a pandas.DataFrame; pandas' own rules say what becomes of missing values.

    Examples
    --------
    >>> butler.get("src", visit=903334, ccd=16).to_pandas()["flux"].max()
    np.float64(4.5)
    """
    return table.to_arrow().to_pandas()


def to_polars(table: Table, /) -> Any:
    """Return a polars.DataFrame on the same memory.

    Examples
    --------
    >>> butler.get("src", visit=903334, ccd=16).to_polars()["flux"].sum()
    12.0
    """
    import polars

    return polars.DataFrame(table)


def to_numpy(table: Table, /) -> np.ndarray[Any, Any]:
    """Return a structured array of numpy: one field a column, copied; a masked array where values are missing.

    Examples
    --------
    >>> butler.get("src", visit=903334, ccd=16, columns=["id", "flux"]).to_numpy()[0]
    np.void((0, 1.5), dtype=[('id', '<i8'), ('flux', '<f8')])
    """
    columns = {name: table[name] for name in table.columns}
    dtype = [(name, array.dtype, array.shape[1:]) for name, array in columns.items()]
    has_gaps = any(isinstance(array, np.ma.MaskedArray) for array in columns.values())
    made: Any = (np.ma if has_gaps else np).empty(len(table), dtype)
    for name, array in columns.items():
        made[name] = array
    filled: np.ndarray[Any, Any] = made
    return filled


def from_numpy(array: np.ndarray[Any, Any], **options: Any) -> Table:
    """Return a Table of a structured array of one dimension.

    Parameters
    ----------
    array
        The structured array.
    **options
        Those of `Table`: metadata, units.

    Examples
    --------
    >>> from pantler import Table
    >>> rows = np.array([(1, 1.5), (2, 2.5)], dtype=[("id", "i8"), ("flux", "f8")])
    >>> Table.from_numpy(rows, units={"flux": "nJy"})["flux"]
    array([1.5, 2.5])
    """
    names = array.dtype.names
    if names is None or array.ndim != 1:
        raise PantlerError(
            "a table is made of a structured array of one dimension",
            hints=["pantler.Table({name: array}) takes columns one by one"],
        )
    return Table({name: _plain(array[name]) for name in names}, **options)


def from_astropy_table(theirs: Any) -> Table:
    """Return a Table of an astropy Table or QTable: values, missing values, units, descriptions, and what of `meta` a header can hold.

    Parameters
    ----------
    theirs
        The Table or QTable.

    Examples
    --------
    >>> from astropy.table import QTable
    >>> from pantler import Table
    >>> Table.from_astropy(QTable({"flux": [1.5, 2.5]}, units={"flux": "nJy"})).unit("flux")
    'nJy'
    """
    described = any(getattr(theirs[name].info, "description", None) for name in theirs.colnames)
    if described or any(theirs[name].ndim != 1 for name in theirs.colnames):
        # The constructor takes columns of single values; a file has all.
        return _through_file(theirs)
    columns, units = {}, {}
    for name in theirs.colnames:
        column = theirs[name]
        unit = _unit(column)
        if unit:
            units[name] = unit
        columns[name] = _plain(_values(column))
    return Table(columns, units=units, metadata=header_of(theirs.meta))


def _through_file(theirs: Any) -> Table:
    try:
        import pyarrow
    except ImportError:
        return _through_fits(theirs)
    fields, arrays = [], []
    for name in theirs.colnames:
        column = theirs[name]
        values = _plain(_values(column))
        mask = np.ma.getmaskarray(values)
        said = {"unit": _unit(column), "description": getattr(column.info, "description", None)}
        flat = np.ascontiguousarray(np.ma.getdata(values))
        flat = flat.astype(flat.dtype.newbyteorder("="), copy=False)
        if flat.ndim == 1:
            array = pyarrow.array(flat, mask=mask if mask.any() else None)
        else:
            array = _lists(flat.reshape(len(flat), -1))
        fields.append(pyarrow.field(name, array.type, metadata={key: value for key, value in said.items() if value}))
        arrays.append(array)
    made = from_arrow(pyarrow.Table.from_arrays(arrays, schema=pyarrow.schema(fields)))
    return made.with_metadata(header_of(theirs.meta))


def _lists(values: np.ndarray[Any, Any]) -> Any:
    """An array of rows as a column of lists of one length."""
    import pyarrow

    return pyarrow.FixedSizeListArray.from_arrays(pyarrow.array(values.ravel()), values.shape[1])


def _unit(column: Any) -> str | None:
    unit = getattr(column, "unit", None)
    return unit_text(unit) if unit is not None and unit.to_string() else None


def _through_fits(theirs: Any) -> Table:
    from astropy.io import fits
    from astropy.table import Table as AstropyTable

    hdus = fits.HDUList([fits.PrimaryHDU(), fits.table_to_hdu(AstropyTable(theirs))])
    table: Table = scratch.read(in_bytes(hdus), "Table")
    return table


def _values(column: Any) -> Any:
    """The plain values of a column or of a quantity."""
    if hasattr(column, "to_value"):
        values = column.to_value(column.unit)
        mask = getattr(column, "mask", None)
        return values if mask is None else np.ma.masked_array(np.asarray(column.unmasked.value), mask)
    return column if isinstance(column, np.ma.MaskedArray) else np.asarray(column)


def _plain(array: Any) -> Any:
    """Text in bytes as text: what FITS and HDF5 hold."""
    return np.char.decode(array, "utf-8") if array.dtype.kind == "S" else array


def from_arrow(theirs: Any) -> Table:
    """Return a Table of a pyarrow Table or RecordBatch, or of anything that hands over Arrow's; units and descriptions are fields'.

    Parameters
    ----------
    theirs
        What has the PyCapsule interface.

    Examples
    --------
    >>> import pyarrow
    >>> from pantler import Table
    >>> Table.from_arrow(pyarrow.table({"id": [1, 2]}))["id"]
    array([1, 2])
    """
    import pyarrow
    from pyarrow import parquet

    table = theirs if isinstance(theirs, pyarrow.Table) else pyarrow.table(theirs)
    if len(set(table.column_names)) != table.num_columns:
        raise PantlerError("two columns of the table have one name")
    # A file holds what the constructor does not take: lists, times, descriptions.
    file = io.BytesIO()
    parquet.write_table(_in_large(table), file)
    made: Table = scratch.read(file.getvalue(), "Table", "ParquetStorage")
    return made


def _in_large(table: Any) -> Any:
    """The table without dictionaries of values and without views, which are ways to lie in memory and no other values."""
    import pyarrow

    fields = []
    for field in table.schema:
        kind = field.type
        if pyarrow.types.is_dictionary(kind):
            kind = kind.value_type
        if kind in (pyarrow.string_view(), pyarrow.large_string()):
            kind = pyarrow.string()
        fields.append(field.with_type(kind))
    return table.cast(pyarrow.schema(fields, metadata=table.schema.metadata))


def from_pandas(frame: Any) -> Table:
    """Return a Table of a pandas.DataFrame; an index that has a name, or is no plain count, becomes a column.

    Parameters
    ----------
    frame
        The DataFrame.

    Examples
    --------
    >>> import pandas
    >>> from pantler import Table
    >>> Table.from_pandas(pandas.DataFrame({"id": [1, 2]})).columns
    ['id']
    """
    import pandas
    import pyarrow

    keeps = frame.index.name is not None or not isinstance(frame.index, pandas.RangeIndex)
    table = pyarrow.Table.from_pandas(frame, preserve_index=keeps)
    # What pandas says of itself would come back as if the astronomer had said it.
    return from_arrow(table.replace_schema_metadata(None))


def from_polars(frame: Any) -> Table:
    """Return a Table of a polars.DataFrame.

    Parameters
    ----------
    frame
        The DataFrame.

    Examples
    --------
    >>> import polars
    >>> from pantler import Table
    >>> Table.from_polars(polars.DataFrame({"id": [1, 2]})).columns
    ['id']
    """
    return from_arrow(frame.to_arrow())
