"""How far a call is: functions, bars of tqdm's, lines on a terminal."""

import io
import sys
import time
import types

import pytest

import pantler

POLICY = {"datasets": {"note": {"template": "note/%(n)05d.json", "python": "dict", "storage": "JsonStorage"}}}

COUNT = 40


@pytest.fixture
def files(tmp_path):
    (tmp_path / "note").mkdir()
    paths = [tmp_path / "note" / f"{n:05d}.json" for n in range(COUNT)]
    for path in paths:
        path.write_text("{}")
    return paths


@pytest.fixture
def butler(tmp_path):
    return pantler.Butler(outputs=tmp_path / "repo", policy=POLICY)


CALLS = {
    "ingest": lambda butler, files, progress: butler.ingest("note", files, progress=progress),
    "fsck": lambda butler, files, progress: butler.fsck(deep=True, progress=progress),
    "get_many": lambda butler, files, progress: list(butler.get_many("note", butler.query("note"), progress=progress)),
}


@pytest.fixture(params=CALLS)
def call(request, butler, files):
    if request.param != "ingest":
        butler.ingest("note", files)
    return lambda progress: CALLS[request.param](butler, files, progress)


def test_a_function_is_told_how_much_is_done_and_at_last_all(call):
    told = []
    call(lambda done, total: told.append((done, total)))
    assert told[-1] == (COUNT, COUNT)
    assert told == sorted(told) and {total for _, total in told} == {COUNT}


def test_nobody_is_told_unasked(call, capsys):
    call(None)
    call(False)
    assert capsys.readouterr() == ("", "")


def test_what_it_raises_ends_the_call(call):
    class Enough(Exception):
        pass

    def progress(done, total):
        raise Enough

    with pytest.raises(Enough):
        call(progress)
    call(lambda done, total: None)


def test_true_is_a_bar_of_tqdms(call, monkeypatch):
    bars = []

    class Bar:
        def __init__(self, desc, leave):
            self.desc, self.n, self.total, self.closed = desc, 0, None, False
            bars.append(self)

        def update(self, steps):
            self.n += steps

        def close(self):
            self.closed = True

    module = types.ModuleType("tqdm.auto")
    module.tqdm = Bar
    monkeypatch.setitem(sys.modules, "tqdm", types.ModuleType("tqdm"))
    monkeypatch.setitem(sys.modules, "tqdm.auto", module)
    call(True)
    [bar] = bars
    assert (bar.n, bar.total, bar.closed) == (COUNT, COUNT, True)


@pytest.mark.parametrize("is_terminal", [True, False])
def test_without_tqdm_it_is_a_line_where_somebody_watches(call, monkeypatch, is_terminal):
    class Screen(io.StringIO):
        def isatty(self):
            return is_terminal

    monkeypatch.setitem(sys.modules, "tqdm", None)
    monkeypatch.setitem(sys.modules, "tqdm.auto", None)
    screen = Screen()
    monkeypatch.setattr(sys, "stderr", screen)
    call(True)
    assert (f" {COUNT}/{COUNT}" in screen.getvalue()) == is_terminal
    # Nothing of it stays: the last of what stands there is written over with spaces.
    *before, blank, end = screen.getvalue().split("\r") if is_terminal else ["", "", ""]
    assert (blank.strip(), end) == ("", "") and len(blank) >= max(map(len, before))


def test_how_many_there_are_need_not_be_known(butler, files):
    butler.ingest("note", files)
    told = []
    data_ids = ({"n": n} for n in range(COUNT))
    assert len(list(butler.get_many("note", data_ids, progress=lambda *each: told.append(each)))) == COUNT
    assert told[-1] == (COUNT, COUNT)
    assert all(total is None for _, total in told[:-1])


def test_large_and_long_works_tell_on_the_way_and_not_too_often(butler, tmp_path):
    """Of thousands of files it is told a few times, not for each."""
    (tmp_path / "many").mkdir()
    (tmp_path / "many" / "note").mkdir()
    paths = [tmp_path / "many" / "note" / f"{n:05d}.json" for n in range(5000)]
    for path in paths:
        path.write_bytes(b"{}")
    told, begin = [], time.monotonic()
    butler.ingest("note", paths, progress=lambda *each: told.append(each))
    seconds = time.monotonic() - begin
    assert told[-1] == (5000, 5000) and len(told) <= seconds / 0.05 + 1


def test_anything_else_is_refused(butler, files):
    with pytest.raises(pantler.PantlerError, match="progress cannot be a int"):
        butler.ingest("note", files, progress=3)
    assert len(butler.query("note")) == 0
