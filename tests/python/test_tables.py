"""Every table of the real files through the program, judged by astropy and pyarrow: values, units, headers, sums."""

import warnings

import numpy as np
import pyarrow.feather
import pyarrow.parquet
import pytest
from astropy.io import fits

POLICY = """
datasets:
  table:
    template: "tables/%(number)d.fits"
    python: Table
    storage: FitsStorage
  columns:
    template: "columns/%(number)d.parq"
    python: Table
    storage: ParquetStorage
  feather:
    template: "feather/%(number)d.arrow"
    python: Table
    storage: ArrowStorage
  image:
    template: "images/%(number)d.fits"
    python: Image
    storage: FitsStorage
"""

FITS = [
    "catalogs/refcat_sdss/903253.fits",
    "catalogs/refcat_sdss/903281.fits",
    "catalogs/refcat_sdss/903283.fits",
    "catalogs/refcat_sdss/903285.fits",
    "catalogs/refcat_sdss/903287.fits",
    "catalogs/refcat_sdss/master_schema.fits",
    "catalogs/multiband/meas_g.fits",
    "catalogs/multiband/meas_r.fits",
    "catalogs/multiband/det_g.fits",
    "catalogs/multiband/det_r.fits",
    "catalogs/multiband/det_merge.fits",
    "catalogs/exposure_catalog_v1.fits",
    "catalogs/sourceCatalog-hsc-v2.fits",
    "catalogs/sourceTable-v1.fits",
    "catalogs/sourceTable-v2.fits",
    "catalogs/ticket42210_zero_rows.fits",
    "catalogs/chandra_region.fits",
    "catalogs/cfht_src_schema.fits",
    "exposures/cfht/SRC-849375-12.fits",
    "exposures/cfht/visitSummary-849375.fits",
    "misc/chandra_time.fits",
    "misc/tdim.fits",
    "misc/variable_length_table.fits",
]
PARQUET = [
    "catalogs/testSSObjects.parq",
    "catalogs/injection/injection_catalog_g_231858.parq",
    "catalogs/injection/ci_hsc_injection_catalog_i_189584.parq",
    "exposures/cfht/sourceTable-849375.parq",
]

# What says how a file is laid out, which is the writer's own.
ABOUT_FILE = {"XTENSION", "BITPIX", "PCOUNT", "GCOUNT", "CHECKSUM", "DATASUM", "EXTLEVEL", "LONGSTRN"}


def said(header, key):
    """The values of all cards with a keyword."""
    return [card.value for card in header.cards if card.keyword == key]


@pytest.fixture
def repository(tmp_path, pantler):
    """An empty repository for tables of each kind."""
    policy = tmp_path / "policy.yaml"
    policy.write_text(POLICY)
    pantler("init", tmp_path / "repo", "--policy", policy)
    return tmp_path / "repo"


def table_hdu(hdus):
    """The first table that belongs to no archive."""
    kinds = (fits.BinTableHDU, fits.TableHDU)
    return next(hdu for hdu in hdus if isinstance(hdu, kinds) and "ARCHIVE" not in hdu.header.get("EXTTYPE", ""))


def opened(path):
    """A file of others, whatever its faults."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return fits.open(path, memmap=False)


def column_values(hdu, number):
    """One column, every row as a list of plain values; flags as booleans, text without filling."""
    name = hdu.columns[number].name
    return [plain(value) for value in hdu.data.field(number)], name


def plain(value):
    """A value of a table as plain Python, so that two libraries' values can be compared."""
    if isinstance(value, (list, tuple, np.ndarray)):
        return [plain(item) for item in np.asarray(value).tolist()]
    if isinstance(value, (bytes, np.bytes_)):
        return value.decode("latin-1").rstrip(" \0")
    if isinstance(value, str):
        return value.rstrip(" \0")
    value = value.item() if isinstance(value, np.generic) else value
    return "NaN" if isinstance(value, float) and np.isnan(value) else value


def assert_same_columns(got, expected, name):
    """Every column of a table of others stands in ours, with the same values and unit."""
    assert len(got.data) == len(expected.data), name
    units = {column.name: column.unit for column in got.columns}
    for number, column in enumerate(expected.columns):
        values, title = column_values(expected, number)
        at = [known.name for known in got.columns].index(title) if title else number
        ours, _ = column_values(got, at)
        # One number in axes of length 1 is that number.
        assert [flat(value) for value in ours] == [flat(value) for value in values], f"{name}: {title}"
        if title:
            assert units[title] == column.unit, f"{name}: {title}"


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("name", FITS)
def test_a_fits_table_keeps_values_units_and_header(name, real_file, repository, tmp_path, pantler):
    source = real_file(name)
    pantler("ingest", repository, "table", source, "number=1", "--mode", "copy")
    out = tmp_path / "out.fits"
    pantler("get", repository, "table", "number=1", "--out", out)
    with opened(source) as theirs, fits.open(out, memmap=False, checksum=True) as ours:
        ours.verify("exception")
        expected, got = table_hdu(theirs), table_hdu(ours)
        assert_same_columns(got, expected, name)
        flags = {key: value for key, value in expected.header.items() if key.startswith(("TFLAG", "TFDOC"))}
        assert {key: got.header.get(key) for key in flags} == flags
        for key in expected.header:
            about_layout = key.startswith(("T", "NAXIS", "AR_", "FLAGCOL")) or key in fits.Card._commentary_keywords
            if not about_layout and key not in ABOUT_FILE:
                assert said(got.header, key) == said(expected.header, key), f"{name}: {key}"
        for hdu in ours:
            assert {"CHECKSUM", "DATASUM"} <= set(hdu.header), name


@pytest.mark.parametrize("name", FITS)
def test_a_fits_table_is_the_same_in_parquet_and_arrow(name, real_file, repository, tmp_path, pantler):
    pantler("ingest", repository, "table", real_file(name), "number=1", "--mode", "copy")
    for extension in ("fits", "parquet", "arrow"):
        pantler("get", repository, "table", "number=1", "--out", tmp_path / f"out.{extension}")
    parquet = pyarrow.parquet.read_table(tmp_path / "out.parquet")
    arrow = pyarrow.feather.read_table(tmp_path / "out.arrow", memory_map=False)
    arrow.validate(full=True)
    assert parquet.column_names == arrow.column_names
    with fits.open(tmp_path / "out.fits", memmap=False) as hdus:
        hdu = table_hdu(hdus)
        compared = 0
        for number, column in enumerate(hdu.columns):
            if column.name not in arrow.column_names or column.null is not None:
                continue
            values, title = column_values(hdu, number)
            for table in (parquet, arrow):
                ours = [flat(value) for value in table[title].to_pylist()]
                assert ours == [flat(value) for value in values], f"{name}: {title}"
            unit = arrow.field(title).metadata or {}
            assert unit.get(b"unit", b"").decode() == (column.unit or ""), f"{name}: {title}"
            compared += 1
        assert compared > 0


def flat(value):
    """Lists of lists as one list, as columns of Arrow hold them."""
    if not isinstance(value, list):
        return [plain(value)]
    return [part for item in value for part in flat(item)]


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("name", PARQUET)
def test_a_parquet_table_is_the_same_in_every_format(name, real_file, repository, tmp_path, pantler):
    source = real_file(name)
    pantler("ingest", repository, "columns", source, "number=1", "--mode", "copy")
    for extension in ("parquet", "arrow"):
        pantler("get", repository, "columns", "number=1", "--out", tmp_path / f"out.{extension}")
    theirs = pyarrow.parquet.read_table(source)
    for ours in (
        pyarrow.parquet.read_table(tmp_path / "out.parquet"),
        pyarrow.feather.read_table(tmp_path / "out.arrow", memory_map=False),
    ):
        assert ours.column_names == theirs.column_names
        for title in theirs.column_names:
            assert plain(ours[title].to_pylist()) == plain(theirs[title].to_pylist()), title
    answer = pantler("get", repository, "columns", "number=1", "--out", tmp_path / "out.fits", status=None)
    if answer.status != 0:
        assert "FITS" in answer.err, str(answer)
        return
    with fits.open(tmp_path / "out.fits", memmap=False, checksum=True) as hdus:
        hdu = table_hdu(hdus)
        assert len(hdu.data) == theirs.num_rows
        for number, column in enumerate(hdu.columns):
            if column.name in theirs.column_names and column.null is None:
                values, title = column_values(hdu, number)
                expected = ["NaN" if item is None else plain(item) for item in theirs[title].to_pylist()]
                assert values == expected, title


def test_some_rows_and_columns_are_those_that_astropy_has(real_file, repository, tmp_path, pantler):
    source = real_file("catalogs/refcat_sdss/903287.fits")
    pantler("ingest", repository, "table", source, "number=1", "--mode", "copy")
    asked = ["--rows", "3:5,100:110", "--columns", "coord_dec,id"]
    whole = pantler("get", repository, "table", "number=1", "--out", tmp_path / "all.fits", "--stats").stats()
    some = pantler("get", repository, "table", "number=1", "--out", tmp_path / "some.fits", *asked, "--stats").stats()
    assert some["bytes_read"] < whole["bytes_read"]
    with opened(source) as theirs, fits.open(tmp_path / "some.fits") as ours:
        expected, got = table_hdu(theirs).data, table_hdu(ours)
        assert got.columns.names == ["coord_dec", "id"]
        rows = np.r_[3:5, 100:110]
        for title in got.columns.names:
            assert (got.data[title] == expected[title][rows]).all()
    wrong = pantler("get", repository, "table", "number=1", "--out", tmp_path / "x.fits", "--rows", "5:3", status=2)
    assert "end before they start" in wrong.err
    wrong = pantler("get", repository, "table", "number=1", "--out", tmp_path / "x.fits", "--rows", "0:999", status=2)
    assert "0:255" in wrong.err


def test_an_image_is_the_same_in_npy(real_file, repository, tmp_path, pantler):
    source = real_file("exposures/HSC-0908120-056-small.fits")
    pantler("ingest", repository, "image", source, "number=1", "--mode", "copy")
    pantler("get", repository, "image", "number=1", "--out", tmp_path / "out.npy")
    with opened(source) as hdus:
        expected = hdus[1].data
    got = np.load(tmp_path / "out.npy", allow_pickle=False)
    assert got.dtype == np.dtype("<f4")
    assert got.tobytes() == expected.astype("<f4").tobytes()
    refused = pantler("get", repository, "image", "number=1", "--out", tmp_path / "out.arrow", status=2)
    assert ".npy" in refused.err


@pytest.mark.parametrize("compression", ["snappy", "gzip", "lz4", "zstd", "none"])
def test_parquet_files_of_every_usual_compression_are_read(compression, repository, tmp_path, pantler):
    table = pyarrow.table({"id": range(5000), "flux": [number / 7 for number in range(5000)]})
    pyarrow.parquet.write_table(table, tmp_path / "in.parquet", compression=compression)
    pantler("ingest", repository, "columns", tmp_path / "in.parquet", "number=1", "--mode", "copy")
    pantler("get", repository, "columns", "number=1", "--columns", "flux", "--out", tmp_path / "out.arrow")
    got = pyarrow.feather.read_table(tmp_path / "out.arrow", memory_map=False)
    assert got.equals(table.select(["flux"]))


@pytest.mark.parametrize("compression", ["lz4", "zstd", "uncompressed"])
def test_arrow_files_of_every_compression_are_read(compression, repository, tmp_path, pantler):
    table = pyarrow.table({"id": range(5000), "flux": [number / 7 for number in range(5000)]})
    pyarrow.feather.write_feather(table, tmp_path / "in.arrow", compression=compression)
    pantler("ingest", repository, "feather", tmp_path / "in.arrow", "number=1", "--mode", "copy")
    pantler("get", repository, "feather", "number=1", "--rows", "10:4000", "--out", tmp_path / "out.parquet")
    assert pyarrow.parquet.read_table(tmp_path / "out.parquet").equals(table.slice(10, 3990))
