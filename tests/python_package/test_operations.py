"""Composites with operations on planes, put from Python with the objects of the operations (rules R32, R33)."""

import pathlib

import numpy as np
import pantler
import pytest

POLICY = {
    "datasets": {
        "coadd": {"template": "coadd/%(patch)d.fits", "python": "lsst.afw.image.ExposureF", "storage": "FitsStorage"},
        "background": {"template": "background/%(patch)d.fits", "python": "lsst.afw.image.ImageF", "storage": "FitsStorage"},
        "coadd:detected": {
            "python": "lsst.afw.image.ExposureF",
            "composite": {
                "coadd": {"datasetType": "coadd", "inputOnly": True},
                "background": {"datasetType": "background", "apply": {"op": "subtract", "to": "image"}},
            },
        },
    }
}
PIXELS = np.arange(48, dtype="float32").reshape(6, 8)
SKY = np.full((6, 8), 7.5, "float32")


@pytest.fixture
def butler(tmp_path):
    butler = pantler.Butler(outputs=tmp_path / "coadds", policy=POLICY)
    butler.put(pantler.Exposure(PIXELS), "coadd", patch=1)
    return butler


@pytest.mark.parametrize("how", ["object", "file"])
def test_r32_what_is_subtracted_is_put_with_what_is_left(butler, how, tmp_path):
    sky = pantler.Image(SKY)
    if how == "file":
        kept = pantler.Butler(outputs=tmp_path / "kept", policy=POLICY)
        kept.put(sky, "background", patch=1)
        sky = pathlib.Path(kept.export("background", out=tmp_path / "sky.fits", patch=1))
    before = butler.get("coadd", patch=1)
    after = before.with_image(PIXELS - SKY)
    done = butler.put(after, "coadd:detected", patch=1, parts={"background": sky})
    assert (done.written, done.input_only) == (["background/1.fits"], ["coadd"])
    assert np.array_equal(butler.get("coadd:detected", patch=1).image.array, PIXELS - SKY)
    assert np.array_equal(butler.get("background", patch=1).array, SKY)


def test_r32_what_does_not_give_the_pixels_is_refused(butler):
    after = butler.get("coadd", patch=1).with_image(PIXELS - SKY)
    with pytest.raises(pantler.PantlerError, match="pixel"):
        butler.put(after, "coadd:detected", patch=1, parts={"background": pantler.Image(SKY + 1)})
    assert not butler.exists("background", patch=1)


def test_a_part_that_is_none_of_the_composite_is_named(butler):
    after = butler.get("coadd", patch=1).with_image(PIXELS - SKY)
    with pytest.raises(pantler.PantlerError, match="`backgrund`"):
        butler.put(after, "coadd:detected", patch=1, parts={"backgrund": pantler.Image(SKY)})
