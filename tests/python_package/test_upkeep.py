"""What looks after repositories, and what needs no butler: the same as the program does."""

import datetime
import json
import os
import pickle
import subprocess
from pathlib import Path

import numpy as np
import pytest

import pantler
from conftest import CCD, CHECKOUT, SINGLE_VISIT, TRACT, VISIT, new_wcs, tan

PROGRAM = os.environ.get("PANTLER", str(CHECKOUT / "target" / "debug" / "pantler"))

KEYS = {"visit": VISIT, "ccd": CCD, "tract": TRACT}


def said(*words):
    """What the program says as a document."""
    if not Path(PROGRAM).exists():
        pytest.skip("the program is not built here")
    done = subprocess.run([PROGRAM, *map(str, words), "--json"], capture_output=True, text=True)
    return json.loads(done.stdout)


def typed(keys):
    return [f"{key}={value}" for key, value in keys.items()]


def test_what_nothing_uses_any_more_goes(jointcal):
    butler = pantler.Butler.open(jointcal)
    butler.put(pantler.Wcs.from_header(tan(211.0, 54.0)), "jointcal_wcs", KEYS, replace=True)
    # The composition was made of the one that was replaced.
    assert butler.gc() == pantler.GcReport(removed=[], bytes=0, kept=[], dry_run=False)
    butler.rm("calexp:jointcal", KEYS)
    there = butler.gc(grace=0, dry_run=True)
    assert there.dry_run and len(there.removed) == 1 and there.bytes > 0
    [replaced] = there.removed
    assert (jointcal / replaced).exists()
    gone = butler.gc(grace=datetime.timedelta())
    assert (gone.removed, gone.bytes, gone.dry_run) == (there.removed, there.bytes, False)
    assert not (jointcal / replaced).exists() and butler.exists("jointcal_wcs", KEYS)
    for wrong in (-1, float("nan"), float("inf")):
        with pytest.raises(pantler.PantlerError, match="grace cannot be"):
            butler.gc(grace=wrong)


def test_a_summary_says_what_there_is(jointcal, single_visit):
    summary = pantler.Butler.open(single_visit).summary()
    assert summary.repository == str(single_visit) and summary.parents == []
    assert sorted(summary) == ["calexp:sfm", "notes", "src"]
    assert summary["calexp:sfm"].count == 2 and summary["calexp:sfm"].keys["ccd"] == [CCD, CCD + 1]
    assert f"ccd={CCD}…{CCD + 1}" in str(summary)
    assert pickle.loads(pickle.dumps(summary)) == summary
    theirs = said("show", jointcal)
    mine = pantler.Butler.open(jointcal).summary()
    assert [vars(each) for each in mine.types.values()] == theirs["types"]
    assert (mine.parents, mine.stages) == (theirs["parents"], theirs["stages"])


def test_two_stages_are_compared_component_by_component(jointcal):
    butler = pantler.Butler.open(jointcal)
    found = butler.diff("calexp:sfm", "calexp:jointcal", KEYS)
    different = [each.component for each in found if each]
    assert "wcs" in different and "image" not in different
    assert all(bool(each.difference) == (each.outcome == "different") for each in found)
    theirs = said("diff", jointcal, "calexp:sfm", "calexp:jointcal", *typed(KEYS))
    assert [vars(each) for each in found] == theirs


def test_what_a_put_would_do_is_told(jointcal):
    butler = pantler.Butler.open(jointcal)
    plan = butler.explain_put("calexp:jointcal", **KEYS)
    assert plan.repository == str(jointcal) and list(plan.components) == ["calexp", "wcs", "calib"]
    wcs = plan.components["wcs"]
    assert wcs.dataset == "jointcal_wcs" and wcs.data_id == KEYS
    assert wcs.action in str(plan) and pickle.loads(pickle.dumps(plan)) == plan
    new = butler.explain_put("calexp:jointcal", {**KEYS, "tract": TRACT + 1}).components["wcs"]
    done = butler.put(new_wcs(), "jointcal_wcs", {**KEYS, "tract": TRACT + 1})
    assert done.written == [new.location]


def test_several_cutouts_are_those_that_are_got_one_by_one(single_visit):
    butler = pantler.Butler.open(single_visit)
    boxes = [(0, 0, 10, 20), pantler.Bbox(30, 40, 5, 6)]
    found = butler.get_cutouts("calexp:sfm", boxes=boxes, visit=VISIT, ccd=CCD)
    for box, cutout in zip(boxes, found, strict=True):
        assert cutout == butler.get("calexp:sfm", bbox=box, visit=VISIT, ccd=CCD)
    assert butler.get_cutouts("calexp:sfm", boxes=[], visit=VISIT, ccd=CCD) == []


def test_a_file_is_put_as_what_it_holds(single_visit, tmp_path):
    butler = pantler.Butler.open(single_visit)
    file = Path(butler.locations("calexp:sfm", visit=VISIT, ccd=CCD)[""])
    butler.put(file, "calexp:sfm", visit=7, ccd=1)
    assert butler.get("calexp:sfm", visit=7, ccd=1) == butler.get("calexp:sfm", visit=VISIT, ccd=CCD)
    with butler.batch() as batch:
        batch.put(file, "calexp:sfm", visit=8, ccd=1)
    assert butler.exists("calexp:sfm", visit=8, ccd=1)
    with pytest.raises(LookupError, match="cannot read"):
        butler.put(tmp_path / "none.fits", "calexp:sfm", visit=9, ccd=1)


def test_a_file_of_no_repository_is_read(single_visit):
    butler = pantler.Butler.open(single_visit)
    [file] = butler.locations("calexp:sfm", visit=VISIT, ccd=CCD).values()
    exposure = butler.get("calexp:sfm", visit=VISIT, ccd=CCD)
    assert pantler.read(file) == exposure
    assert pantler.read(file, component="wcs") == exposure.wcs
    assert pantler.read(Path(file), python="MaskedImage") == exposure.masked_image
    assert np.array_equal(pantler.read(file, hdu=1, python="Image").array, exposure.image.array)
    assert pantler.read(butler.locations("notes", visit=VISIT)[""])["seeing"] == 0.7


def test_a_repository_is_made(tmp_path, single_visit):
    root = pantler.init(tmp_path / "new", {"datasets": {"note": {"template": "%(n)d.json", "python": "dict", "storage": "JsonStorage"}}},
                        parents=single_visit, tags=["mine"])
    assert root == str(tmp_path / "new")
    butler = pantler.Butler.open(root)
    assert butler.summary().parents == [str(single_visit)]
    butler.put({}, "note", n=1)
    assert butler.exists("note", n=1, tag="mine") and butler.exists("calexp:sfm", visit=VISIT, ccd=CCD)
    with pytest.raises(FileExistsError):
        pantler.init(root)
    here = lambda data_id, components, cls: None  # noqa: E731
    with pytest.raises(pantler.PantlerError, match="cannot be imported"):
        pantler.init(tmp_path / "more", {"datasets": {"x": {"python": "dict", "assembler": here, "composite": {}}}})


def test_policies_are_checked(tmp_path, single_visit):
    assert pantler.check_policy(SINGLE_VISIT) == []
    [problem] = pantler.check_policy({"datasets": {"note": {"templat": "x.json", "storage": "JsonStorage"}}})[:1]
    assert problem.severity in ("error", "warning") and "templat" in str(problem)
    child = {"datasets": {"both": {"python": "dict", "composite": {"src": {"datasetType": "src"}}}}}
    assert any(each.code == "unknown-type" for each in pantler.check_policy(child))
    assert pantler.check_policy(child, parents=single_visit) == []
    file = tmp_path / "policy.yaml"
    file.write_text("datasets:\n  note: {templat: x}\n")
    assert [vars(each) for each in pantler.check_policy(file)] == said("policy", "check", file)["problems"]


def test_the_schema_is_that_of_the_program():
    assert pantler.policy_schema() == said("policy", "schema")


def test_an_index_of_today_needs_no_migration(single_visit):
    before, after = pantler.migrate(single_visit)
    assert before == after
    with pytest.raises(pantler.PantlerError):
        pantler.migrate(single_visit / "none")


