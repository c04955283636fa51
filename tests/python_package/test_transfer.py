"""Transfers from Python: what is named arrives with what it needs and nothing else, whoever wrote it."""

import json
import os
import pickle
import subprocess
from pathlib import Path

import pytest

import pantler
from conftest import CCD, CHECKOUT, JOINTCAL, SINGLE_VISIT, TRACT, VISIT, real_file, simulated_exposure
from stand_ins import packages  # noqa: F401
from test_storages import one_type, storages  # noqa: F401

PROGRAM = os.environ.get("PANTLER", str(CHECKOUT / "target" / "debug" / "pantler"))

KEYS = {"visit": VISIT, "ccd": CCD}

MEASURED = {
    "datasets": {
        **SINGLE_VISIT["datasets"],
        "measured": {
            "composite": {
                "catalog": {"datasetType": "src"},
                "wcs": {"datasetType": "calexp:sfm.wcs", "inputOnly": True},
            }
        },
    }
}


@pytest.fixture
def measured(single_visit, tmp_path):
    """A butler over the survey, with a composite of a catalog and the coordinates of its exposure."""
    return pantler.Butler(inputs=single_visit, outputs=tmp_path / "measured", policy=MEASURED)


def test_a_composite_arrives_with_the_parts_that_it_needs(measured, tmp_path):
    dry = measured.transfer_to(tmp_path / "laptop", "measured", dry_run=True)
    assert not (tmp_path / "laptop").exists() and dry.dry_run
    done = measured.transfer_to(tmp_path / "laptop", ["measured"], f"ccd = {CCD}")
    assert [(each.dataset_type, each.kind, each.count) for each in done.types] == [
        ("src", "file", 1),
        ("calexp:sfm.wcs", "part", 1),
    ]
    assert dry.count == 2 * done.count and done.bytes > 0 and done.left_behind == 0
    assert pickle.loads(pickle.dumps(done)) == done and "2 datasets copied to" in str(done)
    laptop = pantler.Butler.open(tmp_path / "laptop")
    assert laptop.get("measured", KEYS)["wcs"] == measured.get("calexp:sfm.wcs", KEYS)
    assert laptop.exists("calexp:sfm.wcs", KEYS) and not laptop.exists("calexp:sfm", KEYS)
    with pytest.raises(pantler.NotFoundError) as caught:
        laptop.get("calexp:sfm", KEYS)
    assert any("only calexp:sfm.wcs of it is there" in step["outcome"] for step in caught.value.trail), caught.value.trail
    assert laptop.fsck(deep=True)


def test_a_target_can_be_an_open_butler_or_a_description(measured, tmp_path):
    target = pantler.Butler(outputs=tmp_path / "laptop", policy={"datasets": {}})
    measured.transfer_to(target, "src")
    assert pantler.Butler.open(tmp_path / "laptop").exists("src", KEYS)
    measured.transfer_to(pantler.RepositoryArgs(tmp_path / "other"), "src", ccd=CCD)
    assert pantler.Butler.open(tmp_path / "other").query("src").to_arrow().num_rows == 1
    with pytest.raises(pantler.PantlerError, match="one of the repositories that are read"):
        measured.transfer_to(measured, "src")


def test_by_reference_nothing_is_copied(measured, single_visit, tmp_path):
    done = measured.transfer_to(tmp_path / "view", "measured", by="reference")
    assert done.bytes == 0 and done.by == "reference"
    view = pantler.Butler.open(tmp_path / "view")
    assert set(view.locations("measured", KEYS).values()) == {
        str(single_visit / f"src/{VISIT:07d}/{CCD:03d}.parquet"),
        str(single_visit / f"calexp/{VISIT:07d}/{CCD:03d}.fits"),
    }
    assert view.get("measured", KEYS)["wcs"] == measured.get("calexp:sfm.wcs", KEYS)
    assert not view.exists("calexp:sfm", KEYS) and not view.exists("calexp:sfm.psf", KEYS)


def test_the_same_is_left_out_and_another_is_a_conflict(measured, tmp_path):
    first = measured.transfer_to(tmp_path / "laptop", "measured")
    with pytest.raises(pantler.PantlerError, match="holds 4 datasets already"):
        measured.transfer_to(tmp_path / "laptop", "measured")
    again = measured.transfer_to(tmp_path / "laptop", "measured", merge=True)
    assert (again.count, again.same) == (0, first.count)
    other = pantler.Butler(outputs=tmp_path / "other", policy=MEASURED)
    other.put(pantler.Table({"id": [7]}), "src", KEYS)
    with pytest.raises(pantler.ConflictError) as caught:
        measured.transfer_to(tmp_path / "other", "measured", merge=True)
    assert f"src visit={VISIT} ccd={CCD}" in str(caught.value)
    assert not other.exists("calexp:sfm.wcs", visit=VISIT, ccd=CCD + 1), "nothing of it is there"


def test_what_cannot_be_meant_is_said(measured, tmp_path):
    for words, message in (
        ({"by": "magic"}, "unknown way `magic`"),
        ({"names": []}, "no dataset type to transfer was named"),
        ({"where": "ccd = 99"}, "there is no measured that fits ccd = 99"),
        ({"where": "ccd ="}, "a value is wanted here"),
        ({"names": "nosuch"}, "nosuch"),
        ({"wehre": "ccd = 1"}, "wehre"),
    ):
        words = {"names": "measured", **words}
        with pytest.raises(pantler.PantlerError, match=message):
            measured.transfer_to(tmp_path / "laptop", words.pop("names"), **words)
    assert not (tmp_path / "laptop").exists()


def test_a_put_in_the_target_goes_on_from_what_was_brought(measured, tmp_path):
    measured.transfer_to(tmp_path / "laptop", "measured")
    laptop = pantler.Butler(outputs=tmp_path / "laptop")
    found = laptop.get("measured", KEYS)
    done = laptop.put(found, "measured", KEYS)
    assert done.written == [] and done.recorded and done.unchanged == ["catalog"] and done.input_only == ["wcs"]
    again = pantler.Butler.open(tmp_path / "laptop")
    assert again.explain("measured", KEYS).components["wcs"].origin == "recorded"
    assert again.get("measured", KEYS)["wcs"] == found["wcs"]
    assert again.fsck(deep=True)


def test_a_recorded_composite_of_two_stages_arrives_whole(jointcal, tmp_path):
    source = pantler.Butler.open(jointcal)
    keys = {**KEYS, "tract": TRACT}
    source.transfer_to(tmp_path / "laptop", "calexp", **keys)
    laptop = pantler.Butler.open(tmp_path / "laptop")
    assert laptop.get("calexp", keys) == source.get("calexp", keys)
    plan, other = laptop.explain("calexp", keys), source.explain("calexp", keys)
    assert plan.origin == other.origin == "recorded"
    assert laptop.query("calexp:jointcal").to_arrow()["id"] == source.query("calexp:jointcal").to_arrow()["id"]
    assert laptop.fsck(deep=True)


def test_a_class_of_the_users_travels_in_its_own_storage(storages, tmp_path):
    policy = one_type("survey.storages.Point", "survey.storages.LineStorage")
    policy["datasets"]["place"] = {"composite": {"x": {"datasetType": "point.x"}}}
    source = pantler.Butler(outputs=tmp_path / "r", policy=policy)
    source.put(storages.Point(1.5, 2), "point", visit=1)
    source.transfer_to(tmp_path / "whole", "point")
    assert pantler.Butler.open(tmp_path / "whole").get("point", visit=1) == storages.Point(1.5, 2)
    # No format of pantler's holds its part, so the file comes along, and is found as that part alone.
    source.transfer_to(tmp_path / "part", "place")
    part = pantler.Butler.open(tmp_path / "part")
    assert part.get("place", visit=1)["x"] == 1.5 and part.get("point.x", visit=1) == 1.5
    assert not part.exists("point", visit=1)


def test_a_type_that_serves_one_butler_alone_is_not_brought(single_visit, tmp_path):
    class Kept(dict):
        pass

    policy = {"datasets": {"kept": {"composite": {"notes": {"datasetType": "notes"}}, "python": Kept}}}
    source = pantler.Butler(inputs=single_visit, outputs=tmp_path / "mine", policy=policy)
    with pytest.raises(pantler.ReadOnlyError, match="cannot be imported"):
        source.transfer_to(tmp_path / "laptop", "kept")


def test_progress_tells_of_every_dataset(measured, tmp_path):
    told = []
    measured.transfer_to(tmp_path / "laptop", "measured", progress=lambda done, total: told.append((done, total)))
    assert told[-1] == (4, 4)


def test_the_program_says_the_same(measured, tmp_path):
    if not Path(PROGRAM).exists():
        pytest.skip("the program is not built here")
    mine = measured.transfer_to(tmp_path / "laptop", "measured", dry_run=True)
    words = [PROGRAM, "transfer", tmp_path / "measured", tmp_path / "laptop", "measured", "--dry-run", "--json"]
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True)
    theirs = json.loads(done.stdout)
    assert theirs["types"] == [vars(each) for each in mine.types]
    assert (theirs["target"], theirs["bytes"], theirs["count"]) == (mine.target, mine.bytes, mine.count)


REAL = {
    "datasets": {
        "calexp": {
            "template": "calexp/%(visit)07d-%(ccd)03d.fits.fz",
            "python": "lsst.afw.image.ExposureF",
            "storage": "FitsStorage",
        },
        "catalog": {
            "template": "src/%(visit)07d-%(ccd)03d.fits",
            "python": "lsst.afw.table.SourceCatalog",
            "storage": "FitsStorage",
        },
        "src": {
            "composite": {
                "catalog": {"datasetType": "catalog"},
                **{
                    name: {"datasetType": f"calexp.{name}", "inputOnly": True}
                    for name in ("calib", "wcs", "psf", "detector", "apCorrMap", "filter", "visitInfo", "metadata", "bbox")
                },
            }
        },
    }
}


def test_every_part_of_a_real_exposure_travels_alone(tmp_path):
    source = pantler.Butler(outputs=tmp_path / "full", policy=REAL)
    keys = {"visit": 849375, "ccd": 12}
    source.ingest("calexp", real_file("exposures/cfht/calexp-849375-12.fits.fz"), **keys)
    source.ingest("catalog", real_file("exposures/cfht/SRC-849375-12.fits"), **keys)
    source.link("src", keys)
    done = source.transfer_to(tmp_path / "laptop", "src")
    laptop = pantler.Butler.open(tmp_path / "laptop")
    here, there = source.get("src", keys), laptop.get("src", keys)
    for name in REAL["datasets"]["src"]["composite"]:
        assert there[name] == here[name], name
    files = [path for path in (tmp_path / "laptop" / "calexp").iterdir()]
    assert len(files) == 9 and sum(path.stat().st_size for path in files) < done.bytes < 1_000_000
    assert laptop.fsck(deep=True) and not laptop.exists("calexp", keys)
    assert not laptop.exists("calexp.image", keys)


def test_an_exposure_can_be_followed_by_its_catalogs(tmp_path):
    policy = {**JOINTCAL, "datasets": {**SINGLE_VISIT["datasets"], **JOINTCAL["datasets"]}}
    source = pantler.Butler(outputs=tmp_path / "one", policy=policy)
    source.put(simulated_exposure(), "calexp:sfm", KEYS)
    source.transfer_to(tmp_path / "two", "calexp:sfm.wcs")
    source.transfer_to(tmp_path / "two", "calexp:sfm", merge=True)
    two = pantler.Butler.open(tmp_path / "two")
    assert two.get("calexp:sfm", KEYS) == source.get("calexp:sfm", KEYS)
    assert two.get("calexp:sfm.wcs", KEYS) == source.get("calexp:sfm.wcs", KEYS)
