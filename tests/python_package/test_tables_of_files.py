"""Ingest with a table that says the data ID of each file, in whatever form the table is at hand."""

import datetime
from pathlib import Path

import numpy as np
import pytest

import pantler

POLICY = {
    "datasets": {
        "note": {
            "template": "note/%(visit)d-%(filter)s.json",
            "python": "dict",
            "storage": "JsonStorage",
        }
    }
}

NAMES = ["a.json", "b.json", "c.json"]
VISITS = [10, 20, 30]
FILTERS = ["g", "r", "i"]
COLUMNS = {"file": NAMES, "visit": VISITS, "filter": FILTERS}


@pytest.fixture
def butler(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in NAMES:
        Path(name).write_text(f'{{"name": "{name}"}}')
    return pantler.Butler(outputs="repo", policy=POLICY)


def a_csv():
    Path("table.csv").write_text("file,visit,filter\n" + "".join(map("{},{},{}\n".format, NAMES, VISITS, FILTERS)))
    return "table.csv"


def a_fits():
    astropy = pytest.importorskip("astropy.table")
    astropy.Table(COLUMNS).write("table.fits")
    return Path("table.fits")


def a_pandas():
    return pytest.importorskip("pandas").DataFrame(COLUMNS)


def a_polars():
    return pytest.importorskip("polars").DataFrame(COLUMNS)


def an_arrow():
    return pytest.importorskip("pyarrow").table(COLUMNS)


def an_astropy():
    return pytest.importorskip("astropy.table").Table(COLUMNS)


TABLES = {
    "csv": a_csv,
    "fits": a_fits,
    "dictionary": lambda: COLUMNS,
    "arrays": lambda: {name: np.array(values) for name, values in COLUMNS.items()},
    "rows": lambda: [dict(zip(COLUMNS, row)) for row in zip(*COLUMNS.values())],
    "pantler": lambda: pantler.Table(COLUMNS),
    "pandas": a_pandas,
    "polars": a_polars,
    "pyarrow": an_arrow,
    "astropy": an_astropy,
}


@pytest.mark.parametrize("kind", TABLES)
def test_every_kind_of_table_says_the_same(butler, kind):
    assert butler.ingest("note", table=TABLES[kind]()).ingested == 3
    for name, visit, band in zip(NAMES, VISITS, FILTERS):
        assert butler.get("note", visit=visit, filter=band).value == {"name": name}


def test_only_the_files_that_are_named_are_taken(butler):
    assert butler.ingest("note", ["b.json"], table=COLUMNS).ingested == 1
    assert [ref.data_id["visit"] for ref in butler.query("note")] == [20]


def test_the_first_column_names_files_where_none_is_called_so(butler):
    butler.ingest("note", table={"path": [Path(name).resolve() for name in NAMES], "visit": VISITS, "filter": FILTERS})
    assert len(butler.query("note", "visit > 10")) == 2


def with_gaps(kind):
    columns = {"file": NAMES, "visit": [10, None, 30], "filter": ["g", None, "i"]}
    if kind == "rows":
        return [{"file": "a.json", "visit": 10, "filter": "g"}, {"file": "b.json"}, {"file": "c.json", "visit": 30, "filter": "i"}]
    if kind == "pandas":
        # Whole numbers beside a missing one are floating point numbers there.
        return pytest.importorskip("pandas").DataFrame(columns)
    if kind == "polars":
        return pytest.importorskip("polars").DataFrame(columns)
    if kind == "astropy":
        table = pytest.importorskip("astropy.table")
        column = table.MaskedColumn(VISITS, mask=[False, True, False])
        bands = table.MaskedColumn(FILTERS, mask=[False, True, False])
        return table.Table({"file": NAMES, "visit": column, "filter": bands})
    return columns


@pytest.mark.parametrize("kind", ["dictionary", "rows", "pandas", "polars", "astropy"])
def test_what_a_table_leaves_open_others_say(butler, kind):
    report = butler.ingest("note", table=with_gaps(kind))
    assert report.ingested == 2 and [Path(file).name for file, _ in report.failed] == ["b.json"]
    assert butler.get("note", visit=30, filter="i").value == {"name": "c.json"}
    again = butler.ingest("note", ["b.json"], table=with_gaps(kind), visit=20, filter="r")
    assert again.ingested == 1 and butler.exists("note", visit=20, filter="r")


def test_what_is_wrong_with_a_table_is_said(butler):
    with pytest.raises(pantler.PantlerError, match="row 2 of the table names no file"):
        butler.ingest("note", table=[{"file": "a.json", "visit": 1}, {"visit": 2}])
    with pytest.raises(pantler.PantlerError, match="a.json stands in two rows"):
        butler.ingest("note", table={"file": ["a.json", "a.json"], "visit": [1, 2]})
    with pytest.raises(pantler.PantlerError, match="have 2 and 3 rows"):
        butler.ingest("note", table={"file": NAMES, "visit": [1, 2]})
    with pytest.raises(pantler.PantlerError, match="a date is no table of data IDs"):
        butler.ingest("note", table=datetime.date(2026, 1, 1))
    with pytest.raises(pantler.PantlerError, match="no file to ingest is named"):
        butler.ingest("note")
    assert len(butler.query("note")) == 0


def test_in_place_without_files_takes_what_lies_there(butler):
    Path("repo/note").mkdir()
    for visit in VISITS:
        Path(f"repo/note/{visit}-g.json").write_text("{}")
    assert butler.ingest("note", mode="in-place").ingested == 3
    assert [ref.data_id["visit"] for ref in butler.query("note")] == VISITS
