"""Objects travel between processes by value."""

import pickle

import numpy as np
import pytest

import pantler
from conftest import CCD, VISIT, TRACT, new_calib, new_wcs, real_file, simulated_exposure


def again(obj):
    return pickle.loads(pickle.dumps(obj))


SIMULATED = {
    "exposure": simulated_exposure,
    "bare exposure": lambda: pantler.Exposure(np.zeros((4, 5), "float32"), None, None, {}),
    "image": lambda: pantler.Image(np.arange(12, dtype="float64").reshape(3, 4), x0=5, y0=-2),
    "integers": lambda: pantler.Image(np.arange(12, dtype="uint16").reshape(3, 4)),
    "mask": lambda: pantler.Mask(np.arange(12, dtype="int32").reshape(3, 4), {"BAD": 0, "EDGE": 3}, 7, 8),
    "masked image": lambda: simulated_exposure().masked_image,
    "coordinates": new_wcs,
    "calibration": new_calib,
    "cards": lambda: pantler.Metadata({"A": 1, "B": "two", "C": True, "D": 2.5}),
    "box": lambda: pantler.Bbox(1, -2, 30, 40),
    "document": lambda: pantler.Document({"a": [1, 2.5, None, "x"], "b": {}}),
    "table": lambda: pantler.Table({"id": np.arange(3), "name": ["a", "b", "c"]}, units={"id": "count"}),
}


@pytest.mark.parametrize("name", SIMULATED)
def test_what_arrives_is_equal(name):
    sent = SIMULATED[name]()
    arrived = again(sent)
    assert type(arrived) is type(sent) and arrived == sent, arrived.difference(sent)
    assert arrived is not sent and arrived.origin is None


def test_cards_keep_comments_and_repetitions():
    header = simulated_exposure().metadata.with_card("HISTORY", "first").with_card("EXPTIME", 30.0, "seconds")
    assert again(header).cards() == header.cards()


PARTS = ["", "psf", "wcs", "photo_calib", "visit_info", "detector", "ap_corr_map", "valid_polygon", "coadd_inputs", "filter"]


@pytest.mark.parametrize("file", ["exposures/hsc_calexp_full.fits"])
@pytest.mark.parametrize("part", PARTS)
def test_real_exposures_and_their_parts_arrive(file, part, tmp_path):
    butler = pantler.Butler(outputs=tmp_path / "r", policy={"datasets": {"calexp": {
        "template": "%(visit)d.fits", "python": "ExposureF", "storage": "FitsStorage"}}})
    butler.ingest("calexp", real_file(file), visit=1)
    exposure = butler.get("calexp", visit=1)
    sent = getattr(exposure, part, None) if part else exposure
    if sent is None:
        pytest.skip(f"{file} has no {part}")
    arrived = again(sent)
    assert type(arrived) is type(sent) and arrived == sent, arrived.difference(sent)


def test_containers_and_attachments_travel_part_by_part(jointcal):
    butler = pantler.Butler.open(jointcal)
    both = butler.get("src_with_wcs", visit=VISIT, ccd=CCD, tract=TRACT)
    arrived, wcs = again((both, both.wcs))
    assert arrived == both and arrived.wcs is wcs


def test_an_exposure_that_arrived_can_be_put(single_visit, tmp_path):
    butler = pantler.Butler(single_visit, tmp_path / "out")
    sent = butler.get("calexp", visit=VISIT, ccd=CCD)
    assert butler.put(again(sent), "calexp:sfm", visit=VISIT, ccd=CCD).written == []
