"""Containers: objects by name, and the objects of a `subset` component, by place and by data ID."""

import pickle

import numpy as np
import pytest

import pantler
from conftest import CCD, TRACT, VISIT

POLICY = {
    "datasets": {
        "warp": {"template": "warp/%(patch)s/%(visit)d.fits", "python": "ImageF", "storage": "FitsStorage"},
        "note": {"template": "note/%(patch)s.json", "python": "dict", "storage": "JsonStorage"},
        "patch_inputs": {
            "python": "dict",
            "assembler": "pantler.container",
            "disassembler": "pantler.container",
            "composite": {"warps": {"datasetType": "warp", "subset": True}, "note": {"datasetType": "note"}},
        },
    }
}

VISITS = [100, 102, 104]


@pytest.fixture
def butler(tmp_path):
    butler = pantler.Butler(outputs=tmp_path / "repo", policy=POLICY)
    for visit in VISITS:
        butler.put(pantler.Image(np.full((2, 3), visit, "float32")), "warp", visit=visit, patch="1,1")
    butler.put({"seeing": 0.6}, "note", patch="1,1")
    return butler


def test_a_container_is_a_mapping(jointcal):
    both = pantler.Butler.open(jointcal).get("src_with_wcs", visit=VISIT, ccd=CCD, tract=TRACT)
    assert type(both) is pantler.Container and isinstance(both, pantler.DataObject)
    assert list(both) == both.keys() == both.component_names == ["src", "wcs"]
    assert len(both) == 2 and "wcs" in both and "psf" not in both and 3 not in both
    assert both["wcs"] is both.wcs is both[1] is both[-1] and both[0] is both.src
    assert both.values() == [both.src, both.wcs]
    assert dict(both) == dict(both.items()) == {"src": both.src, "wcs": both.wcs}
    assert both.get("wcs") is both.wcs and both.get("psf") is None and both.get("psf", 3) == 3
    assert repr(both) == "Container(src: Table, wcs: Wcs)"
    with pytest.raises(LookupError, match="no component `psf`"):
        both["psf"]
    for index in (2, -3):
        with pytest.raises(IndexError):
            both[index]


def test_what_is_made_here_can_be_put(jointcal, tmp_path):
    both = pantler.Butler.open(jointcal).get("src_with_wcs", visit=VISIT, ccd=CCD, tract=TRACT)
    made = pantler.Container({"src": both.src, "wcs": both.wcs})
    assert made == both and pickle.loads(pickle.dumps(made)) == both
    assert len(pantler.Container()) == 0 and repr(pantler.Container()) == "Container()"


def test_a_subset_is_a_sequence_with_data_ids(butler):
    whole = butler.get("patch_inputs", patch="1,1")
    warps = whole.warps
    assert type(whole) is pantler.Container and type(warps) is pantler.Subset
    assert len(warps) == 3
    assert [image.array[0, 0] for image in warps] == VISITS
    assert warps.data_ids == [{"patch": "1,1", "visit": visit} for visit in VISITS]
    assert warps[0].array[0, 0] == 100 and warps[-1].array[0, 0] == 104
    assert [image.array[0, 0] for image in warps[1:]] == [102, 104]
    assert warps[{"visit": 102}] is warps[1] is butler.get("warp", visit=102, patch="1,1")
    for (data_id, image), visit in zip(warps.items(), VISITS):
        assert data_id["visit"] == visit and image.array[0, 0] == visit
    assert warps[2] in list(warps)
    with pytest.raises(IndexError, match="there are 3 objects"):
        warps[3]
    with pytest.raises(KeyError, match="no object of visit=1"):
        warps[{"visit": 1}]
    with pytest.raises(KeyError, match="more than one"):
        warps[{"patch": "1,1"}]
    for data_id in warps.data_ids:
        assert str(data_id["visit"]) in repr(warps)


def test_a_subset_got_alone_is_one_too(butler):
    warps = butler.get("patch_inputs.warps", patch="1,1")
    assert type(warps) is pantler.Subset and len(warps) == 3


def test_a_subset_travels_by_value(butler):
    whole = butler.get("patch_inputs", patch="1,1")
    again = pickle.loads(pickle.dumps(whole))
    assert again == whole and again.warps.data_ids == whole.warps.data_ids
    warps = pickle.loads(pickle.dumps(whole.warps))
    assert type(warps) is pantler.Subset and warps == whole.warps and warps.data_ids == whole.warps.data_ids
    made = pantler.Subset(whole.warps.items())
    assert made == whole.warps


def test_long_ones_are_shown_short():
    subset = pantler.Subset([({"n": n}, pantler.Document({})) for n in range(10)])
    assert repr(subset) == "Subset(Document n=0, Document n=1, Document n=2, Document n=3, … 6 more)"
