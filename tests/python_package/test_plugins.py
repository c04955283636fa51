"""Assemblers and disassemblers of users: how they are named, what they receive, what becomes of what they raise."""

import pytest

import pantler
from conftest import CCD, JOINTCAL, SINGLE_VISIT, TRACT, VISIT, new_calib, new_wcs
from stand_ins import packages  # noqa: F401

KEYS = {"visit": VISIT, "ccd": CCD, "tract": TRACT}


def with_plugins(assembler, disassembler=None):
    """The policy of the second step, with plug-ins for the exposure."""
    definition = {**JOINTCAL["datasets"]["calexp:jointcal"], "assembler": assembler}
    if disassembler is not None:
        definition["disassembler"] = disassembler
    return {**JOINTCAL, "datasets": {**JOINTCAL["datasets"], "calexp:jointcal": definition}}


def opened(single_visit, tmp_path, assembler, disassembler=None, **options):
    """A butler of the second step, with the parts put one by one."""
    butler = pantler.Butler(
        inputs=single_visit, outputs=tmp_path / "out", policy=with_plugins(assembler, disassembler), **options
    )
    butler.put(new_wcs(), "jointcal_wcs", KEYS)
    butler.put(new_calib(), "jointcal_calib", KEYS)
    return butler


RECORDS = '''
    seen = []

    def assemble(dataId, component_info, cls):
        seen.append({name: vars(info) for name, info in component_info.items()})
        exposure = component_info["calexp"].obj
        exposure.setWcs(component_info["wcs"].obj)
        exposure.setCalib(component_info["calib"].obj)
        return exposure

    def disassemble(obj, data_id, component_info):
        seen.append(dict(data_id))
        component_info["wcs"].obj = obj.getWcs()
        component_info["calib"].obj = obj.wcs and obj.getPhotoCalib()
'''


def test_component_info_receives_records(packages, single_visit, tmp_path):
    packages({"survey.records": RECORDS})
    butler = opened(single_visit, tmp_path, "survey.records.assemble", "survey.records.disassemble")
    exposure = butler.get("calexp:jointcal", KEYS)
    assert exposure.wcs == new_wcs() and exposure.photo_calib == new_calib()

    import survey.records as records

    (seen,) = records.seen
    assert {name: (info["dataset_type"], info["input_only"], info["subset"]) for name, info in seen.items()} == {
        "calexp": ("calexp:sfm", True, False),
        "wcs": ("jointcal_wcs", False, False),
        "calib": ("jointcal_calib", False, False),
    }
    assert seen["calexp"]["data_id"] == {"visit": VISIT, "ccd": CCD}
    assert seen["wcs"]["data_id"] == KEYS
    done = butler.put(exposure, "calexp:jointcal", KEYS)
    assert done.recorded and done.written == [] and done.input_only == ["calexp"]
    assert records.seen[-1] == KEYS


def test_plugins_can_be_given_as_functions(packages, single_visit, tmp_path):
    packages({"survey.records": RECORDS})
    import survey.records as records

    butler = opened(single_visit, tmp_path, records.assemble, records.disassemble)
    exposure = butler.get("calexp:jointcal", KEYS)
    butler.put(exposure, "calexp:jointcal", KEYS)
    # What was written is the import path, so that everybody can follow it.
    assert "survey.records.assemble" in (tmp_path / "out/policy.yaml").read_text()
    assert pantler.Butler.open(tmp_path / "out").get("calexp:jointcal", KEYS) == exposure


def test_r07_what_cannot_be_imported_serves_this_butler_only(single_visit, tmp_path):
    def overlay(dataId, componentDict, classObj):
        exposure = componentDict["calexp"]
        exposure.wcs = componentDict["wcs"]
        return exposure

    def apart(obj, dataId, componentDict):
        raise AssertionError("a put of this type is refused before")

    butler = opened(single_visit, tmp_path, overlay, apart)
    exposure = butler.get("calexp:jointcal", KEYS)
    assert exposure.wcs == new_wcs()
    with pytest.raises(pantler.ReadOnlyError, match="cannot be imported"):
        butler.put(exposure, "calexp:jointcal", KEYS)
    assert "overlay" not in (tmp_path / "out/policy.yaml").read_text()
    with pytest.raises(pantler.NotFoundError):
        pantler.Butler.open(tmp_path / "out").get("calexp:jointcal", KEYS)


def test_a_policy_for_reading_serves_one_butler(single_visit):
    def brightest(dataId, componentDict, classObj):
        return {"brightest": float(componentDict["src"]["flux"].max())}

    extra = {"datasets": {"peak": {"python": "dict", "composite": {"src": {"datasetType": "src"}}, "assembler": brightest}}}
    butler = pantler.Butler(inputs=single_visit, policy=extra)
    assert butler.get("peak", visit=VISIT, ccd=CCD) == {"brightest": 2.0}
    assert not pantler.Butler(inputs=single_visit).exists("src", visit=1, ccd=1)
    with pytest.raises(pantler.NotFoundError):
        pantler.Butler(inputs=single_visit).get("peak", visit=VISIT, ccd=CCD)


def test_what_a_plugin_raises_arrives_as_it_was_raised(single_visit, tmp_path):
    class OwnError(Exception):
        pass

    raised = OwnError("no")

    def fails(dataId, componentDict, classObj):
        raise raised

    butler = opened(single_visit, tmp_path, fails)
    with pytest.raises(OwnError) as caught:
        butler.get("calexp:jointcal", KEYS)
    assert caught.value is raised
    (note,) = caught.value.__notes__
    for word in ("calexp:jointcal", "calexp", "wcs", "calib", f"visit={VISIT}", f"tract={TRACT}"):
        assert word in note
    assert any(entry.name == "fails" for entry in caught.traceback)


def test_a_module_that_is_not_there_is_named_with_who_asks_for_it(single_visit, tmp_path):
    butler = opened(single_visit, tmp_path, "survey.nowhere.assemble")
    with pytest.raises(ModuleNotFoundError) as caught:
        butler.get("calexp:jointcal", KEYS)
    (note,) = caught.value.__notes__
    assert "survey.nowhere.assemble" in note and "calexp:jointcal" in note and "policy.yaml:" in note
    assert butler.exists("calexp:jointcal", KEYS)
    assert butler.explain("calexp:jointcal", KEYS).components.keys() == {"calexp", "wcs", "calib"}


def test_r15_an_assembler_without_a_disassembler_is_read_only(packages, single_visit, tmp_path):
    packages({"survey.records": RECORDS})
    butler = opened(single_visit, tmp_path, "survey.records.assemble")
    with pytest.raises(pantler.ReadOnlyError, match="calexp:jointcal"):
        butler.put(butler.get("calexp:jointcal", KEYS), "calexp:jointcal", KEYS)


def test_parameters_of_other_names_are_refused(single_visit, tmp_path):
    def confused(dataId, parts, cls):
        return parts["calexp"]

    butler = opened(single_visit, tmp_path, confused)
    with pytest.raises(TypeError, match="componentDict.*component_info.*dataId, parts, cls"):
        butler.get("calexp:jointcal", KEYS)


def test_a_slip_in_a_disassembler_is_answered_with_the_name(single_visit, tmp_path, packages):
    packages(
        {
            "survey.slip": """
            def assemble(dataId, componentDict, cls):
                return componentDict["calexp"]

            def disassemble(obj, dataId, componentDict):
                componentDict["wsc"] = obj.wcs
            """
        }
    )
    butler = opened(single_visit, tmp_path, "survey.slip.assemble", "survey.slip.disassemble")
    with pytest.raises(KeyError, match="`wsc`; did you mean `wcs`"):
        butler.put(butler.get("calexp:jointcal", KEYS), "calexp:jointcal", KEYS)


def test_assemblers_run_in_many_threads(packages, single_visit, tmp_path):
    from concurrent.futures import ThreadPoolExecutor

    packages({"survey.records": RECORDS})
    butler = opened(single_visit, tmp_path, "survey.records.assemble", "survey.records.disassemble")
    with ThreadPoolExecutor(8) as pool:
        wcs = list(pool.map(lambda _: butler.get("calexp:jointcal", KEYS).wcs, range(32)))
    assert all(one is wcs[0] for one in wcs)


def test_an_assembler_may_use_a_butler_of_its_own(single_visit, tmp_path):
    inner = pantler.Butler(inputs=single_visit)

    def nested(dataId, componentDict, classObj):
        exposure = componentDict["calexp"]
        exposure.seeing = inner.get("notes", visit=dataId["visit"])["seeing"]
        return exposure

    butler = opened(single_visit, tmp_path, nested)
    assert butler.get("calexp:jointcal", KEYS).seeing == 0.7


def test_the_program_in_the_package_follows_import_paths(packages, single_visit, tmp_path):
    import os
    import subprocess
    import sys

    folder = packages({"survey.records": RECORDS})
    butler = opened(single_visit, tmp_path, "survey.records.assemble", "survey.records.disassemble")
    butler.put(butler.get("calexp:jointcal", KEYS), "calexp:jointcal", KEYS)
    words = [sys.executable, "-m", "pantler", "get", tmp_path / "out", "calexp:jointcal", f"visit={VISIT}", f"ccd={CCD}", "--out", "out.fits"]
    path = os.pathsep.join([str(folder), *sys.path])
    ran = subprocess.run(words, cwd=tmp_path, env={**os.environ, "PYTHONPATH": path}, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    from astropy.io import fits

    with fits.open(tmp_path / "out.fits") as hdus:
        assert hdus[1].header["CRVAL1"] == pytest.approx(210.001)


def test_a_batch_takes_objects_of_users(packages, single_visit, tmp_path):
    packages({"survey.records": RECORDS})
    butler = opened(single_visit, tmp_path, "survey.records.assemble", "survey.records.disassemble")
    exposure = butler.get("calexp:jointcal", KEYS)
    with butler.batch() as batch:
        batch.put(exposure, "calexp:jointcal", KEYS)
    assert butler.explain("calexp:jointcal", KEYS).to_dict()["origin"] == "recorded"
