"""Standardizers, which every object of a type goes through, and virtual readers, which make it from the data ID alone."""

import pytest

import pantler
from conftest import CCD, JOINTCAL, SINGLE_VISIT, TRACT, VISIT, new_wcs, simulated_exposure
from stand_ins import packages  # noqa: F401

EXPOSURE = {"visit": VISIT, "ccd": CCD}


def standardized(function, **more):
    calexp = {**SINGLE_VISIT["datasets"]["calexp:sfm"], "standardize": function}
    return {"datasets": {**SINGLE_VISIT["datasets"], "calexp:sfm": calexp, **more}, "aliases": SINGLE_VISIT["aliases"]}


HOOKS = '''
    import pantler

    seen = []

    def standardize(obj, data_id):
        seen.append(data_id)
        obj.setMetadata(pantler.Metadata({"VISITKEY": data_id["visit"]}))
        return obj

    def flat(data_id):
        return {"filter": data_id["filter"], "ccd": data_id["ccd"]}
'''


@pytest.fixture
def hooks(packages):
    packages({"survey.hooks": HOOKS})
    import survey.hooks

    return survey.hooks


def test_every_object_read_goes_through_the_standardizer(hooks, tmp_path):
    butler = pantler.Butler(outputs=tmp_path / "out", policy=standardized(hooks.standardize))
    butler.put(simulated_exposure(), "calexp", EXPOSURE)
    butler = pantler.Butler.open(tmp_path / "out")
    exposure = butler.get("calexp", EXPOSURE)
    assert exposure.metadata["VISITKEY"] == VISIT and hooks.seen == [EXPOSURE]
    assert exposure.wcs == simulated_exposure().wcs
    # It ran once for what is shared, and parts are parts of what it made.
    assert butler.get("calexp", EXPOSURE) is exposure
    assert butler.get("calexp.metadata", EXPOSURE)["VISITKEY"] == VISIT
    assert butler.get("calexp.wcs", EXPOSURE) is exposure.wcs
    assert hooks.seen == [EXPOSURE]
    # What lies on disk is what was put.
    raw = pantler.Butler(inputs=tmp_path / "out", policy={"datasets": {"calexp:sfm": {"standardize": None}}})
    assert "VISITKEY" not in raw.get("calexp", EXPOSURE).metadata


def test_r23_a_standardized_object_does_not_count_as_unchanged(hooks, tmp_path):
    butler = pantler.Butler(outputs=tmp_path / "out", policy=standardized(hooks.standardize))
    butler.put(simulated_exposure(), "calexp", EXPOSURE)
    exposure = butler.get("calexp", EXPOSURE)
    with pytest.raises(pantler.ConflictError):
        butler.put(exposure, "calexp", EXPOSURE)
    # What was put first is the same as what is stored, whatever the standardizer makes of it.
    assert butler.put(simulated_exposure(), "calexp", EXPOSURE).unchanged == ["calexp"]


def test_r24_a_composite_is_put_whose_base_was_standardized(hooks, tmp_path):
    definitions = {name: each for name, each in JOINTCAL["datasets"].items() if name != "src_with_wcs"}
    butler = pantler.Butler(outputs=tmp_path / "out", policy=standardized(hooks.standardize, **definitions))
    butler.put(simulated_exposure(), "calexp", EXPOSURE)
    keys = {**EXPOSURE, "tract": TRACT}
    exposure = butler.get("calexp:sfm", EXPOSURE).with_wcs(new_wcs())
    done = butler.put(exposure, "calexp:jointcal", keys)
    assert done.input_only == ["calexp"]
    got = pantler.Butler.open(tmp_path / "out").get("calexp:jointcal", keys)
    assert got.wcs == new_wcs() and got.metadata["VISITKEY"] == VISIT


def test_what_a_standardizer_raises_arrives_as_it_was_raised(tmp_path):
    def fails(obj, data_id):
        raise ZeroDivisionError("no")

    policy = {"datasets": {"calexp:sfm": {"standardize": fails}}}
    pantler.Butler(outputs=tmp_path / "out", policy=SINGLE_VISIT).put(simulated_exposure(), "calexp", EXPOSURE)
    butler = pantler.Butler(inputs=tmp_path / "out", policy=policy)
    with pytest.raises(ZeroDivisionError) as caught:
        butler.get("calexp", EXPOSURE)
    (note,) = caught.value.__notes__
    assert "calexp:sfm" in note and f"visit={VISIT}" in note


@pytest.mark.parametrize("keys", [None, ["filter", "ccd"]])
def test_a_virtual_dataset_is_made_of_its_data_id(hooks, tmp_path, keys):
    flat = {"python": "dict", "virtual": hooks.flat}
    if keys:
        flat["keys"] = keys
    raw = {"template": "raw/%(filter)s/%(ccd)d.json", "python": "dict", "storage": "JsonStorage"}
    both = {"python": "dict", "assembler": "pantler.container", "composite": {"raw": {"datasetType": "raw"}, "flat": {"datasetType": "flat"}}}
    policy = {"datasets": {"flat": flat, "raw": raw, **({"both": both} if keys else {})}}
    butler = pantler.Butler(outputs=tmp_path / "out", policy=policy)
    assert butler.get("flat", filter="r", ccd=4) == {"filter": "r", "ccd": 4}
    assert butler.exists("flat", filter="r", ccd=4)
    assert butler.explain("flat", filter="r", ccd=4).components == {}
    with pytest.raises(pantler.ReadOnlyError, match="data ID alone"):
        butler.put({}, "flat", filter="r", ccd=4)
    if keys:
        butler.put({"a": 1}, "raw", filter="r", ccd=4)
        container = butler.get("both", filter="r", ccd=4)
        assert container.flat == {"filter": "r", "ccd": 4}
        assert not butler.exists("both", filter="g", ccd=4)
        with pytest.raises(pantler.PantlerError, match="ccd"):
            butler.get("flat", filter="i")
