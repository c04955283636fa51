"""The statistics that `show` prints of real exposures, against numpy on the pixels that astropy reads."""

import warnings

import numpy as np
import pytest
from astropy.io import fits

import judging

EXPOSURES = ["hsc_calexp_full.fits", "HSC-0908120-056-small.fits", "scienceMI.fits", "templateMI.fits"]


@pytest.fixture(params=EXPOSURES)
def described(request, pantler, real_file):
    """What `show` says of the planes of an exposure, and the file."""
    path = real_file(f"exposures/{request.param}")
    return pantler("show", "--file", path, "--json").json()["statistics"], path


def planes(path):
    """Image, mask and variance in the order of the file, whatever they call themselves, and the mask's planes."""
    with warnings.catch_warnings(), fits.open(path, memmap=False) as hdus:
        warnings.simplefilter("ignore")
        bits = {key[3:]: value for key, value in hdus[2].header.items() if key.startswith("MP_")}
        return dict(zip(("image", "mask", "variance"), (np.array(hdu.data) for hdu in hdus[1:4]))), bits


def assert_numbers(found, pixels):
    """Compares what is said of some pixels with numpy in double precision; only finite ones count."""
    finite = pixels[np.isfinite(pixels)].astype(np.float64)
    assert found["finite"] == finite.size > 0
    assert (found["min"], found["max"]) == (finite.min(), finite.max())
    scale = np.abs(finite).max()
    assert found["mean"] == pytest.approx(finite.mean(), rel=1e-9, abs=1e-12 * scale)
    assert found["median"] == pytest.approx(np.median(finite), rel=1e-12)
    assert found["std"] == pytest.approx(finite.std(), rel=1e-9)


@pytest.mark.parametrize("plane", ["image", "variance"])
def test_numbers_of_a_plane_are_those_of_numpy(described, plane):
    found, path = described
    pixels = planes(path)[0][plane]
    assert (found[plane]["height"], found[plane]["width"]) == pixels.shape
    assert found[plane]["type"] == "float32"
    assert found[plane]["nan"] == np.isnan(pixels).sum()
    assert found[plane]["infinite"] == np.isinf(pixels).sum()
    assert_numbers(found[plane], pixels)


def test_pixels_that_are_not_masked_are_those_of_numpy(described):
    found, path = described
    pixels, bits = planes(path)
    ignored = sum(1 << bits[name] for name in found["image"]["ignored_planes"])
    assert ignored
    for plane in ("image", "variance"):
        assert_numbers(found[plane]["unmasked"], pixels[plane][pixels["mask"] & ignored == 0])


def test_counts_of_mask_planes_are_those_of_numpy(described):
    found, path = described
    pixels, bits = planes(path)
    counts = {name: int(((pixels["mask"] >> bit) & 1).sum()) for name, bit in bits.items()}
    assert found["mask"]["planes"] == counts
    assert found["mask"]["bits"] == bits
    # The pair of science image and template has masks, and nothing in them.
    assert (sum(counts.values()) > 0) == (not path.stem.endswith("MI"))


def test_a_pixel_that_is_not_a_number_does_not_count(tmp_path, pantler, real_file):
    """The same exposure with one NaN, and one infinity of either sign."""
    path = tmp_path / "damaged.fits"
    with judging.as_it_is(real_file("exposures/scienceMI.fits")) as hdus:
        pixels = np.array(hdus[1].data)
        pixels[3, 5], pixels[7, 11], pixels[7, 12] = np.nan, np.inf, -np.inf
        hdus[1].data = pixels
        hdus.writeto(path)
    found = pantler("show", "--file", path, "--json").json()["statistics"]["image"]
    assert (found["nan"], found["infinite"]) == (1, 2)
    assert_numbers(found, pixels)
