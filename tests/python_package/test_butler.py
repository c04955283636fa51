"""The butler: arguments, errors, queries, and what changes repositories."""

import os
import pickle
import subprocess
import sys

import numpy as np
import pytest
from astropy.io import fits

import pantler
from conftest import CCD, JOINTCAL, SINGLE_VISIT, TRACT, VISIT, new_wcs, simulated_exposure


@pytest.fixture
def butler(single_visit):
    return pantler.Butler.open(single_visit)


def test_data_ids_come_as_dictionaries_keywords_and_numbers_of_numpy(butler):
    expected = butler.get("calexp", visit=VISIT, ccd=CCD)
    ways = [
        butler.get("calexp", {"visit": VISIT, "ccd": CCD}),
        butler.get("calexp", {"visit": VISIT}, ccd=CCD),
        butler.get("calexp", dataId={"visit": VISIT, "ccd": CCD}),
        butler.get("calexp", visit=np.int64(VISIT), ccd=np.uint8(CCD)),
        butler.get("calexp", visit=str(VISIT), ccd=float(CCD)),
    ]
    assert all(found.image is expected.image for found in ways)


@pytest.mark.parametrize("value", [True, np.True_, [1], None, float("nan"), 2**70, {"a": 1}, b"x"])
def test_values_that_are_none_are_refused(butler, value):
    with pytest.raises(pantler.DataIdError, match="visit"):
        butler.get("calexp", visit=value, ccd=CCD)


def test_two_values_for_one_key_must_agree(butler):
    butler.get("calexp", {"visit": VISIT, "ccd": CCD}, ccd=CCD)
    with pytest.raises(pantler.DataIdError, match="twice"):
        butler.get("calexp", {"visit": VISIT, "ccd": CCD}, ccd=CCD + 1)


def test_unknown_words_get_a_suggestion(butler, single_visit):
    with pytest.raises(pantler.DataIdError) as caught:
        butler.get("calexp", visti=VISIT, ccd=CCD)
    assert any("visit" in hint for hint in caught.value.hints), caught.value
    with pytest.raises(pantler.DataIdError) as caught:
        butler.get("calexp", visit=VISIT, ccd=CCD, colums=["a"])
    assert any("columns" in hint for hint in caught.value.hints), caught.value
    with pytest.raises(pantler.PantlerError) as caught:
        pantler.Butler(single_visit, add_parent=True)
    assert any("add_parents" in hint for hint in caught.value.hints)
    with pytest.raises(pantler.PantlerError) as caught:
        pantler.Butler({"rot": single_visit})
    assert any("root" in hint for hint in caught.value.hints)
    with pytest.raises(pantler.NotFoundError, match="did you mean `notes`"):
        butler.get("note", visit=VISIT)


def test_repositories_are_named_in_every_form(single_visit, jointcal):
    for inputs in (
        str(jointcal),
        jointcal,
        {"root": jointcal},
        pantler.RepositoryArgs(jointcal),
        [jointcal],
        [{"root": jointcal, "mode": "r"}, pantler.RepositoryArgs(single_visit)],
    ):
        butler = pantler.Butler(inputs)
        assert butler.repositories == [str(jointcal), str(single_visit)]
        assert butler.exists("calexp", visit=VISIT, ccd=CCD, tract=TRACT)
    with pytest.raises(pantler.PantlerError, match="mode"):
        pantler.Butler(outputs={"root": jointcal, "mode": "r"})
    with pytest.raises(pantler.PantlerError):
        pantler.Butler()
    with pytest.raises(pantler.PantlerError, match="policy"):
        pantler.Butler(outputs=jointcal, policy=JOINTCAL)


def test_tags_choose_repositories(tmp_path):
    roots = [tmp_path / name for name in ("a", "b")]
    for seed, root in enumerate(roots):
        pantler.Butler(outputs=root, policy=SINGLE_VISIT).put(simulated_exposure(seed), "calexp", visit=1, ccd=1)
    butler = pantler.Butler([{"root": roots[0], "tags": "old"}, {"root": roots[1], "tags": ["new"]}])
    for seed, tag in enumerate(("old", "new")):
        assert butler.get("calexp", visit=1, ccd=1, tag=tag) == simulated_exposure(seed)
    other = pantler.Butler(roots, tags={roots[1]: "second"})
    assert other.get("calexp", visit=1, ccd=1, tag="second") == simulated_exposure(1)


def test_new_parents_are_taken_only_where_that_is_said(single_visit, tmp_path):
    other = tmp_path / "other"
    pantler.Butler(outputs=other, policy=JOINTCAL | {"aliases": {}, "datasets": {
        "flat": {"template": "flat/%(ccd)d.json", "python": "dict", "storage": "JsonStorage"}}})
    with pytest.raises(pantler.PantlerError):
        pantler.Butler(single_visit, other)
    butler = pantler.Butler(single_visit, other, add_parents=True)
    assert butler.exists("src", visit=VISIT, ccd=CCD)
    assert pantler.Butler.open(other).exists("src", visit=VISIT, ccd=CCD)


def test_errors_are_pythons_own_too_and_say_all(butler):
    with pytest.raises(LookupError) as caught:
        butler.get("calexp", visit=1, ccd=2)
    error = caught.value
    assert type(error) is pantler.NotFoundError and error.kind == "not_found"
    assert error.facts["asked for"] == ["calexp visit=1 ccd=2"]
    assert str(error).startswith(error.message) and not str(error).startswith(("'", '"'))
    assert isinstance(error.trail, list) and isinstance(error.hints, list)
    again = pickle.loads(pickle.dumps(error))
    assert (type(again), str(again), again.kind, again.facts, again.hints, again.trail) == (
        type(error), str(error), error.kind, error.facts, error.hints, error.trail)
    with pytest.raises(KeyError) as caught:
        butler.get("calexp", visit="no number", ccd=2)
    assert str(caught.value).startswith(caught.value.message)
    with pytest.raises(FileExistsError):
        butler.put(simulated_exposure(77), "calexp", visit=VISIT, ccd=CCD)


@pytest.mark.parametrize(
    ("name", "base"),
    [
        ("NotFoundError", LookupError), ("AmbiguousError", LookupError), ("ConflictError", FileExistsError),
        ("PolicyError", ValueError), ("DataIdError", KeyError), ("ReadOnlyError", TypeError), ("CorruptError", OSError),
        ("UntrustedError", PermissionError), ("UnsupportedError", NotImplementedError),
    ],
)
def test_each_exception_is_one_of_pythons_and_pickles(name, base):
    kind = getattr(pantler, name)
    error = kind("it is so", "kind", {"why": ["a", "b"]}, ["do this"], [{"repository": "r"}])
    error.add_note("noted")
    assert isinstance(error, base) and isinstance(error, pantler.PantlerError)
    assert str(error) == "it is so\n  why        a\n             b\n\nhint: do this"
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is kind and str(again) == str(error) and again.trail == error.trail
    assert again.__notes__ == ["noted"]


def test_policies_that_are_wrong_and_artifacts_that_are_gone(butler, single_visit, tmp_path):
    with pytest.raises(pantler.PolicyError):
        pantler.Butler(outputs=tmp_path / "new", policy={"datasets": {"a": {"templat": "x"}}})
    assert not (tmp_path / "new").exists()
    path = butler.locations("calexp", visit=VISIT, ccd=CCD)[""]
    assert os.path.isabs(path) and path.startswith(str(single_visit))
    os.remove(path)
    with pytest.raises(pantler.CorruptError):
        pantler.Butler.open(single_visit).get("calexp", visit=VISIT, ccd=CCD)
    report = butler.fsck()
    assert not report and not report.clean
    assert [(each["kind"], each["data_id"]) for each in report.problems] == [("gone", {"visit": VISIT, "ccd": CCD})]


def test_explain_is_a_plan(jointcal, single_visit):
    butler = pantler.Butler.open(jointcal)
    plan = butler.explain("calexp:jointcal", visit=VISIT, ccd=CCD, tract=TRACT)
    assert list(plan.components) == ["calexp", "wcs", "calib"]
    assert plan.python == "lsst.afw.image.ExposureF" and plan.origin == "recorded"
    assert butler.explain("calexp:jointcal", visit=VISIT, ccd=CCD, tract=TRACT, composition="lookup").origin == "lookup"
    assert plan.components["calexp"].repository == str(single_visit)
    assert "input only" in str(plan) and "wcs" in str(plan)
    places = butler.locations("calexp:jointcal", visit=VISIT, ccd=CCD, tract=TRACT)
    assert set(places) == {"calexp", "wcs", "calib"}
    assert all(os.path.isfile(place) for place in places.values())


def test_queries_are_sequences_of_references(butler, single_visit):
    found = butler.query("calexp", "visit > 1 and ccd in (16, 17)", order_by="-ccd")
    assert len(found) == 2
    assert [ref.data_id["ccd"] for ref in found] == [CCD + 1, CCD]
    assert found[-1].name == "calexp:sfm" and found[-1].data_id == {"visit": VISIT, "ccd": CCD}
    assert found[-1].get() == simulated_exposure(CCD)
    assert found[-1].get("wcs") is found[-1].get().wcs
    assert len(butler.query("calexp", limit=1)) == 1
    assert len(butler.query("calexp", ccd=CCD)) == 1
    assert {ref.name for ref in butler.query()} == {"calexp:sfm", "src", "notes"}
    with pytest.raises(IndexError):
        found[2]
    with pytest.raises(pantler.PantlerError):
        butler.query("calexp", "visit >")
    assert butler.subset("calexp", visit=VISIT) == sorted(found, key=lambda ref: ref.data_id["ccd"])
    assert found[0] in set(found)


def test_queries_go_to_arrow(butler):
    pyarrow = pytest.importorskip("pyarrow")
    table = butler.query("calexp").to_arrow()
    assert table.column("ccd").to_pylist() == [CCD, CCD + 1]
    assert table.schema.field("visit").type == pyarrow.int64()
    assert table.column("location").to_pylist()[0] == f"calexp/{VISIT:07d}/{CCD:03d}.fits"
    assert butler.query("calexp", ccd=99).to_arrow().num_rows == 0


def test_many_are_read_in_order(butler):
    refs = butler.subset("calexp", visit=VISIT)
    wanted = [refs[at % 2] for at in range(40)]
    for ref, exposure in zip(wanted, butler.get_many("calexp", wanted), strict=True):
        assert exposure == simulated_exposure(ref.data_id["ccd"])
    pieces = list(butler.get_many("calexp.image", [ref.data_id for ref in refs], bbox=(5, 6, 7, 8)))
    assert [piece.array.shape for piece in pieces] == [(8, 7)] * 2
    broken = butler.get_many("calexp", [refs[0].data_id, {"visit": 1, "ccd": 1}])
    with pytest.raises(pantler.NotFoundError):
        list(broken)


def test_cutouts(butler):
    whole = simulated_exposure(CCD)
    for box in ((10, 20, 30, 40), pantler.Bbox(10, 20, 30, 40), np.array([10, 20, 30, 40])):
        piece = butler.get("calexp", visit=VISIT, ccd=CCD, bbox=box)
        np.testing.assert_array_equal(piece.image.array, whole.image.array[20:60, 10:40])
        assert tuple(piece.bbox) == (10, 20, 30, 40)
    with pytest.raises(pantler.PantlerError):
        butler.get("calexp", visit=VISIT, ccd=CCD, bbox=(1, 2, 3))
    with pytest.raises(pantler.PantlerError):
        butler.get("calexp", visit=VISIT, ccd=CCD, bbox=(0, 0, -3, 3))


def test_put_replaces_where_that_is_said(butler):
    old = butler.query("calexp", ccd=CCD)[0].id
    done = butler.put(simulated_exposure(5), "calexp", visit=VISIT, ccd=CCD, replace=True)
    assert done.id != old
    assert butler.get("calexp", visit=VISIT, ccd=CCD) == simulated_exposure(5)
    unchanged = butler.put(simulated_exposure(5), "calexp", visit=VISIT, ccd=CCD, notes={"why": "again"})
    assert unchanged.written == [] and unchanged.id == done.id


def test_references_put(butler):
    ref = butler.subset("notes")[0]
    ref.put({"seeing": 0.9}, replace=True)
    assert ref.get() == {"seeing": 0.9}


def test_precursors_are_found_again(tmp_path, single_visit):
    policy = {"datasets": {"coadd": {"template": "coadd-%(tract)d.json", "python": "dict", "storage": "JsonStorage"}}}
    butler = pantler.Butler(single_visit, tmp_path / "out", policy=policy)
    refs = butler.subset("src", visit=VISIT)
    butler.put({"n": 2}, "coadd", tract=1, inputs={"inputs": refs})
    assert [ref.data_id for ref in butler.query("src", used_by=("coadd", {"tract": 1}))] == [ref.data_id for ref in refs]
    assert [ref.data_id for ref in butler.query("coadd", made_from=refs[0])] == [{"tract": 1}]


def test_precursors_are_given_by_data_id_where_a_component_names_their_type(tmp_path, single_visit):
    inputs = {"datasetType": "calexp:sfm", "subset": True, "dataIds": "recorded"}
    composite = {"coadd": {"datasetType": "coadd", "base": True}, "inputs": inputs}
    policy = {"datasets": {
        "coadd": {"template": "coadd-%(tract)d.fits", "python": "ExposureF", "storage": "FitsStorage"},
        "deepCoadd": {"python": "ExposureF", "composite": composite}}}
    butler = pantler.Butler(single_visit, tmp_path / "out", policy=policy)
    wanted = [{"visit": VISIT, "ccd": CCD + 1}, {"visit": VISIT, "ccd": CCD}]
    butler.put(simulated_exposure(9), "deepCoadd", tract=1, inputs={"inputs": wanted})
    found = butler.get("deepCoadd.inputs.wcs", tract=1)
    assert found.component_names == [f"visit={VISIT} ccd={each['ccd']}" for each in wanted]
    assert [found.component(name) for name in found.component_names] == [butler.get("calexp:sfm.wcs", each) for each in wanted]
    with pytest.raises(pantler.PantlerError, match="names no dataset"):
        butler.put(simulated_exposure(9), "deepCoadd", tract=2, inputs=wanted)


def test_objects_that_nobody_can_write_are_refused(butler):
    with pytest.raises(pantler.UnsupportedError, match="object"):
        butler.put(object(), "notes", visit=1)
    with pytest.raises(pantler.PantlerError):
        butler.put({"a": object()}, "notes", visit=1)
    with pytest.raises(pantler.PantlerError):
        butler.put({"a": 1}, "notes", visit=1, input_only="maybe")


def test_files_are_ingested(single_visit, tmp_path):
    header = fits.Header({"VISIT": 7, "CCD": 3})
    files = []
    for ccd in (3, 4):
        header["CCD"] = ccd
        files.append(tmp_path / f"raw-{ccd}.fits")
        fits.PrimaryHDU(np.full((4, 5), ccd, "int16"), header).writeto(files[-1])
    bad = tmp_path / "bad.fits"
    bad.write_bytes(b"SIMPLE  =                    F")
    policy = {
        "keys": {"visit": {"type": "int", "header": "VISIT"}, "ccd": {"type": "int", "header": "CCD"}},
        "datasets": {"raw": {"template": "raw/%(visit)d-%(ccd)d.fits", "python": "ImageI", "storage": "FitsStorage"}},
    }
    butler = pantler.Butler.open(tmp_path / "raws", policy=policy)
    done = butler.ingest("raw", [*files, bad])
    assert (done.ingested, done.files, done.same) == (2, 2, 0)
    [(name, error)] = done.failed
    assert name == str(bad) and isinstance(error, pantler.PantlerError)
    assert butler.ingest("raw", files).same == 2
    np.testing.assert_array_equal(butler.get("raw", visit=7, ccd=4).array, np.full((4, 5), 4))
    with pytest.raises(pantler.PantlerError, match="copy"):
        butler.ingest("raw", files, mode="kopy")


def test_aliases_keys_and_removal(butler):
    assert butler.keys("calexp") == {"visit": int, "ccd": int}
    assert butler.alias() == {"calexp": "calexp:sfm"}
    assert butler.alias("catalog", "src")["catalog"] == "src"
    assert len(butler.get("catalog", visit=VISIT, ccd=CCD)) == 50
    assert "catalog" not in butler.alias("catalog", remove=True)
    with pytest.raises(pantler.NotFoundError):
        butler.get("catalog", visit=VISIT, ccd=CCD)
    assert butler.rm("notes", visit=VISIT, dry_run=True).bytes > 0
    assert butler.exists("notes", visit=VISIT)
    butler.rm("notes", visit=VISIT)
    assert not butler.exists("notes", visit=VISIT)
    assert butler.fsck(deep=True)


def test_used_datasets_are_removed_by_force_alone(jointcal):
    butler = pantler.Butler.open(jointcal)
    key = {"visit": VISIT, "ccd": CCD, "tract": TRACT}
    with pytest.raises(pantler.PantlerError):
        butler.rm("jointcal_wcs", key)
    gone = butler.rm("jointcal_wcs", key, force=True)
    assert [name for name, _ in gone.users] == ["calexp:jointcal"]
    with pytest.raises(pantler.CorruptError, match="wcs"):
        butler.get("calexp:jointcal", key)


def test_numpy_is_the_only_package_that_it_needs(single_visit):
    # numpy alone lies beside the package: astropy and pyarrow are asked for when an object is wanted in their form.
    code = (
        "import sys, pantler\n"
        f"exposure = pantler.Butler.open({str(single_visit)!r}).get('calexp', visit={VISIT}, ccd={CCD})\n"
        "exposure.image.array, exposure.wcs.pixel_to_sky(1, 2)\n"
        "print([name for name in ('astropy', 'pyarrow', 'pandas') if name in sys.modules])\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_what_opening_does_not_use_is_imported_later(single_visit):
    program = (
        "import sys; before = set(sys.modules)\n"
        f"import pantler; butler = pantler.Butler.open({str(single_visit)!r})\n"
        "later = {'numpy', 'dataclasses', 'inspect', 'logging', 'pantler.convert', 'pantler.results', 'pantler.reports'}\n"
        "print(sorted(later & (set(sys.modules) - before)))\n"
        f"print(type(butler.explain('calexp', visit={VISIT}, ccd={CCD})) is pantler.Plan, pantler.DatasetRef.__module__)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["[]", "True pantler.results"]


def test_a_child_cannot_be_told_from_the_whole(jointcal):
    # Opened on the child alone, parents and their definitions are found by its own record of them.
    butler = pantler.Butler(jointcal)
    assert butler.get("calexp.wcs", visit=VISIT, ccd=CCD, tract=TRACT) == new_wcs()
    assert butler.get("calexp:sfm.wcs", visit=VISIT, ccd=CCD) == simulated_exposure().wcs


def test_what_is_doubtful_and_what_is_done_is_told_to_pythons_log(tmp_path, single_visit, caplog):
    twins = {key: {"template": f"note-%({key})d.json", "python": "dict", "storage": "JsonStorage"} for key in ("day", "night")}
    with caplog.at_level("INFO", "pantler"):
        butler = pantler.Butler(outputs=tmp_path / "out", policy={"datasets": twins})
        assert butler.warnings and caplog.records[0].levelname == "WARNING"
        assert caplog.records[0].getMessage().startswith(butler.warnings[0])
        caplog.clear()
        pantler.Butler.open(single_visit).rm("notes", visit=VISIT)
    assert [(record.name, record.levelname) for record in caplog.records] == [("pantler", "INFO")]
    assert "removed notes" in caplog.text
