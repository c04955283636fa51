"""Batches: many puts and links that become durable and visible together."""

import multiprocessing

import pytest

import pantler
from conftest import CCD, JOINTCAL, TRACT, VISIT, new_calib, new_wcs

# How long a child may take that does in no time what it is asked for, unless it hangs.
LONGEST_SECONDS = 120

NOTES = {
    "datasets": {
        "note": {"template": "note/%(visit)d.json", "python": "dict", "storage": "JsonStorage"},
        "seeing": {"template": "seeing/%(visit)d.json", "python": "dict", "storage": "JsonStorage"},
        "night": {
            "python": "dict",
            "assembler": "pantler.container",
            "composite": {"note": {"datasetType": "note"}, "seeing": {"datasetType": "seeing"}},
        },
    }
}


@pytest.fixture
def root(tmp_path):
    return tmp_path / "repo"


@pytest.fixture
def butler(root):
    return pantler.Butler(outputs=root, policy=NOTES)


def staged(root):
    folder = root / ".pantler" / "staging"
    return sorted(folder.iterdir()) if folder.exists() else []


def test_a_batch_is_there_when_it_ends(butler, root):
    with butler.batch() as batch:
        results = [batch.put({"visit": visit}, "note", visit=visit) for visit in range(20)]
        assert len(staged(root)) == 20
        assert not butler.exists("note", visit=3)
        assert not pantler.Butler.open(root).exists("note", visit=3)
        assert batch.results == []
    assert [result.id for result in batch.results] == [result.id for result in results]
    assert list(batch.results[3].written) == ["note/3.json"]
    assert butler.get("note", visit=3)["visit"] == 3
    assert len(butler.query("note")) == 20
    assert staged(root) == []
    assert butler.fsck(deep=True).clean


def test_a_link_finds_parts_of_the_batch(butler):
    with butler.batch() as batch:
        batch.put({"a": 1}, "note", visit=1, notes={"observer": "Caroline"})
        batch.put({"b": 2}, "seeing", {"visit": 1})
        assert batch.link("night", visit=1).recorded
    assert butler.explain("night", visit=1).origin == "recorded"


def test_composites_of_a_batch_are_judged_over_those_before_them(single_visit, tmp_path):
    butler = pantler.Butler(inputs=single_visit, outputs=tmp_path / "joint", policy=JOINTCAL)
    key = {"visit": VISIT, "ccd": CCD}
    exposure = butler.get("calexp:sfm", key).with_wcs(new_wcs()).with_photo_calib(new_calib())
    with butler.batch() as batch:
        batch.put(new_wcs(), "jointcal_wcs", key, tract=TRACT)
        result = batch.put(exposure, "calexp:jointcal", key, tract=TRACT)
        assert (list(result.unchanged), list(result.input_only)) == (["wcs"], ["calexp"])
        assert len(result.written) == 1
    found = butler.get("calexp:jointcal", key, tract=TRACT)
    assert found.wcs.pixel_to_sky(3.0, 4.0) == pytest.approx(new_wcs().pixel_to_sky(3.0, 4.0), rel=1e-12)


def test_a_batch_that_ends_by_an_exception_was_never_there(butler, root):
    with pytest.raises(RuntimeError, match="clouds"), butler.batch() as batch:
        batch.put({"a": 1}, "note", visit=1)
        assert len(staged(root)) == 1
        raise RuntimeError("clouds")
    assert staged(root) == []
    assert not butler.exists("note", visit=1)
    assert batch.results == []


def test_a_put_that_is_refused_leaves_the_batch_as_it_was(butler):
    butler.put({"a": 0}, "note", visit=0)
    with butler.batch() as batch:
        first = batch.put({"a": 1}, "note", visit=1)
        again = batch.put({"a": 1}, "note", visit=1)
        assert again.id == first.id and not again.written
        with pytest.raises(pantler.ConflictError, match="earlier in this batch") as caught:
            batch.put({"a": 2}, "note", visit=1, replace=True)
        assert any("commit it" in hint for hint in caught.value.hints)
        with pytest.raises(pantler.ConflictError, match="exists already"):
            batch.put({"a": 2}, "note", visit=0)
        with pytest.raises(pantler.DataIdError, match="visti"):
            batch.put({"a": 2}, "note", visti=2)
        batch.put({"a": 3}, "note", visit=0, replace=True)
    assert [len(result.written) for result in batch.results] == [1, 0, 1]
    assert butler.get("note", visit=0)["a"] == 3
    assert butler.get("note", visit=1)["a"] == 1


def test_a_batch_is_used_inside_its_with(butler):
    batch = butler.batch()
    with pytest.raises(pantler.PantlerError, match="inside"):
        batch.put({"a": 1}, "note", visit=1)
    with batch:
        batch.put({"a": 1}, "note", visit=1)
        with pytest.raises(pantler.PantlerError, match="begun"):
            batch.__enter__()
    with pytest.raises(pantler.PantlerError, match="inside"):
        batch.put({"a": 1}, "note", visit=2)


def _in_a_child(batch, butler, answers):
    try:
        batch.put({"a": 2}, "note", visit=2)
        answers.put("it was put")
    except pantler.PantlerError as error:
        answers.put(str(error))
    with butler.batch() as own:
        own.put({"a": 3}, "note", visit=3)
    answers.put("done")


def test_a_forked_child_leaves_its_parents_batch_alone(butler, root):
    context = multiprocessing.get_context("fork")
    answers = context.Queue()
    with butler.batch() as batch:
        batch.put({"a": 1}, "note", visit=1)
        child = context.Process(target=_in_a_child, args=(batch, butler, answers))
        child.start()
        assert "belongs to the process" in answers.get(timeout=LONGEST_SECONDS)
        assert answers.get(timeout=LONGEST_SECONDS) == "done"
        child.join(LONGEST_SECONDS)
        assert len(staged(root)) == 1
    assert butler.get("note", visit=1)["a"] == 1
    assert butler.get("note", visit=3)["a"] == 3
    assert not butler.exists("note", visit=2)
