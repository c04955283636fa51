"""Use case 1: an exposure with the coordinates and the calibration of a later step, which has a key more."""

import warnings

import numpy as np
import pytest
from astropy.io import fits
from astropy.wcs import WCS, FITSFixedWarning

import pantler
from conftest import (
    CCD,
    CHECKOUT,
    JOINTCAL,
    SINGLE_VISIT,
    TRACT,
    VISIT,
    new_calib,
    new_wcs,
    real_file,
    simulated_exposure,
)


class Files:
    """What the two steps of one survey made: an exposure, and the new parts."""

    def __init__(self, exposure, wcs, calib):
        self.exposure, self.wcs, self.calib = exposure, wcs, calib


def simulated(_tmp_path):
    return Files(simulated_exposure(), new_wcs(), new_calib())


def real(tmp_path):
    """The real exposure, and the parts that a real joint fit made (of another exposure: theirs is not public)."""
    joint = "exposures/joint/8766"
    root = tmp_path / "files"
    butler = pantler.Butler(outputs=root, policy={"datasets": {**SINGLE_VISIT["datasets"], **JOINTCAL["datasets"]}})
    for name, file in [
        ("calexp:sfm", "exposures/hsc_calexp_full.fits"),
        ("jointcal_wcs", f"{joint}/jointcal_wcs-0011506-049.fits"),
        ("jointcal_calib", f"{joint}/jointcal_photoCalib-0011506-049.fits"),
    ]:
        keys = {"visit": 1, "ccd": 1} if name == "calexp:sfm" else {"visit": 1, "ccd": 1, "tract": 1}
        assert not butler.ingest(name, real_file(file), mode="in-place", **keys).failed
    return Files(*(butler.get(name, visit=1, ccd=1, **({} if at == 0 else {"tract": 1})) for at, name in
                   enumerate(("calexp:sfm", "jointcal_wcs", "jointcal_calib"))))


@pytest.fixture(params=[simulated, real])
def survey(request, tmp_path):
    """Two repositories and what the steps put: the first step's exposure is in one, the second one's is put into the other."""
    files = request.param(tmp_path)
    single_visit, jointcal = tmp_path / "single_visit", tmp_path / "jointcal"
    pantler.Butler(outputs=single_visit, policy=SINGLE_VISIT).put(files.exposure, "calexp", visit=VISIT, ccd=CCD)
    butler = pantler.Butler(
        inputs=pantler.RepositoryArgs(root=single_visit),
        outputs=pantler.RepositoryArgs(root=jointcal, policy=JOINTCAL),
    )
    exposure = butler.get("calexp:sfm", visit=VISIT, ccd=CCD).with_wcs(files.wcs).with_photo_calib(files.calib)
    done = butler.put(exposure, "calexp:jointcal", visit=VISIT, ccd=CCD, tract=TRACT)
    return files, single_visit, jointcal, done


def test_the_put_writes_the_two_new_parts_alone(survey):
    files, _, jointcal, done = survey
    assert sorted(done.written) == [
        f"calib/{TRACT:04d}/{VISIT:07d}-{CCD:03d}.fits",
        f"wcs/{TRACT:04d}/{VISIT:07d}-{CCD:03d}.fits",
    ]
    assert done.recorded
    # No file of the new repository has the shape of the pixels in it.
    height, width = files.exposure.image.array.shape
    for path in jointcal.rglob("*.fits"):
        with fits.open(path) as hdus:
            assert not any(hdu.is_image and hdu.shape == (height, width) for hdu in hdus), path


def test_name_and_version_mean_the_same_object(survey):
    _, _, jointcal, _ = survey
    butler = pantler.Butler.open(jointcal)
    by_name = butler.get("calexp:jointcal", visit=VISIT, ccd=CCD, tract=TRACT)
    by_version = butler.get("calexp", {"visit": VISIT, "ccd": CCD, "tract": TRACT, "version": "jointcal"})
    by_word = butler.get("calexp", version="jointcal", visit=VISIT, ccd=CCD, tract=TRACT)
    by_alias = butler.get("calexp", visit=VISIT, ccd=CCD, tract=TRACT)
    for other in (by_version, by_word, by_alias):
        assert other == by_name
        assert other.wcs is by_name.wcs
        pixels = [exposure.image.array.__array_interface__["data"] for exposure in (other, by_name)]
        assert pixels[0] == pixels[1]


def test_pixels_are_the_old_ones_and_the_parts_the_new(survey):
    files, single_visit, jointcal, _ = survey
    exposure = pantler.Butler.open(jointcal).get("calexp:jointcal", visit=VISIT, ccd=CCD, tract=TRACT)
    for plane in ("image", "mask", "variance"):
        np.testing.assert_array_equal(
            getattr(exposure, plane).array.view("uint32"), getattr(files.exposure, plane).array.view("uint32")
        )
    assert exposure.wcs == files.wcs
    assert exposure.photo_calib == files.calib
    old = pantler.Butler.open(single_visit).get("calexp", visit=VISIT, ccd=CCD)
    assert old.wcs == files.exposure.wcs
    assert old.wcs != exposure.wcs
    assert old.photo_calib == files.exposure.photo_calib


def test_the_missing_tract_is_completed_or_asked_for(survey):
    files, _, jointcal, _ = survey
    butler = pantler.Butler.open(jointcal)
    assert butler.get("calexp", visit=VISIT, ccd=CCD).wcs == files.wcs
    butler.put(files.wcs, "jointcal_wcs", visit=VISIT, ccd=CCD, tract=TRACT + 1)
    butler.put(files.calib, "jointcal_calib", visit=VISIT, ccd=CCD, tract=TRACT + 1)
    butler.link("calexp:jointcal", visit=VISIT, ccd=CCD, tract=TRACT + 1)
    with pytest.raises(pantler.AmbiguousError) as caught:
        butler.get("calexp", visit=VISIT, ccd=CCD)
    assert str(TRACT) in str(caught.value) and str(TRACT + 1) in str(caught.value)


def test_a_missing_part_is_never_the_old_one(survey):
    _, single_visit, jointcal, _ = survey
    other = pantler.Butler.open(single_visit)
    other.put(simulated_exposure(9), "calexp", visit=VISIT, ccd=CCD + 5)
    butler = pantler.Butler.open(jointcal)
    with pytest.raises(pantler.NotFoundError) as caught:
        butler.get("calexp:jointcal", visit=VISIT, ccd=CCD + 5, tract=TRACT)
    assert "wcs" in caught.value.message or "calib" in caught.value.message
    assert [step["repository"] for step in caught.value.trail]
    assert not butler.exists("calexp:jointcal", visit=VISIT, ccd=CCD + 5, tract=TRACT)


def test_the_same_part_is_written_once_and_another_one_refused(survey):
    files, _, jointcal, _ = survey
    butler = pantler.Butler.open(jointcal)
    again = butler.put(files.wcs, "jointcal_wcs", visit=VISIT, ccd=CCD, tract=TRACT)
    assert again.written == []
    before = sorted(path for path in jointcal.rglob("*.fits"))
    other = butler.get("calexp:sfm", visit=VISIT, ccd=CCD).with_wcs(pantler.Wcs.from_header(
        {**{card[0]: card[1] for card in new_wcs().to_header().cards()}, "CRVAL1": 12.0}
    ))
    with pytest.raises(pantler.ConflictError):
        butler.put(other, "calexp:jointcal", visit=VISIT, ccd=CCD, tract=TRACT)
    assert sorted(path for path in jointcal.rglob("*.fits")) == before
    assert butler.get("calexp:jointcal", visit=VISIT, ccd=CCD, tract=TRACT).wcs == files.wcs


def test_changed_pixels_are_refused_unless_they_are_dropped(survey):
    files, _, jointcal, _ = survey
    butler = pantler.Butler.open(jointcal)
    exposure = butler.get("calexp:jointcal", visit=VISIT, ccd=CCD, tract=TRACT)
    changed = exposure.with_image(exposure.image.array + 1)
    with pytest.raises(pantler.PantlerError) as caught:
        butler.put(changed, "calexp:jointcal", visit=VISIT, ccd=CCD, tract=TRACT)
    assert type(caught.value) is pantler.ReadOnlyError and "calexp" in caught.value.message
    butler.put(changed, "calexp:jointcal", visit=VISIT, ccd=CCD, tract=TRACT, input_only="drop")
    kept = butler.get("calexp:jointcal", visit=VISIT, ccd=CCD, tract=TRACT)
    np.testing.assert_array_equal(kept.image.array, files.exposure.image.array)


def test_an_export_shows_the_new_coordinates_to_astropy(survey, tmp_path):
    _, _, jointcal, _ = survey
    butler = pantler.Butler.open(jointcal)
    out = butler.export("calexp:jointcal", visit=VISIT, ccd=CCD, tract=TRACT, out=tmp_path / "out.fits")
    exposure = butler.get("calexp:jointcal", visit=VISIT, ccd=CCD, tract=TRACT)
    x, y = np.array([3.0, 40.0]), np.array([5.0, 20.0])
    box = exposure.bbox
    expected = exposure.wcs.pixel_to_sky(x + box.x0, y + box.y0)
    with fits.open(out) as hdus, warnings.catch_warnings():
        # Dates that wcslib writes in its own form change no coordinate.
        warnings.simplefilter("ignore", FITSFixedWarning)
        found = WCS(hdus[1].header).all_pix2world(x, y, 0)
    np.testing.assert_allclose(found, expected, rtol=0, atol=2e-7)


def test_the_policy_of_the_source_does_what_its_text_says(tmp_path):
    """The names, keys and templates of the source, with the assembler that it describes left to pantler's overlay."""
    lines = (CHECKOUT / "tests/policies/updated_wcs.yaml").read_text().splitlines()
    # The class that the source names is the user's own, and does what the overlay does.
    policy = tmp_path / "policy.yaml"
    policy.write_text("\n".join(line for line in lines if "ssembler:" not in line) + "\n")
    field = {"run": 4, "camcol": 2, "filter": "r", "field": 17}
    single = pantler.RepositoryArgs(root=tmp_path / "single_visit_processing", policy=policy)
    pantler.Butler(outputs=single).put(simulated_exposure(), "calexp", field)

    butler = pantler.Butler(
        inputs=pantler.RepositoryArgs(root=tmp_path / "single_visit_processing"),
        outputs=pantler.RepositoryArgs(root=tmp_path / "jointcal_processing"),
    )
    assert butler.get("calexp_wcs", field) == simulated_exposure().wcs
    assert butler.get("calexp_calib", field) == simulated_exposure().photo_calib
    updated = butler.get("calexp", field).with_wcs(new_wcs()).with_photo_calib(new_calib())
    done = butler.put(updated, "jointcalexp", field, tract=0)
    assert sorted(done.written) == ["calib/0000/calib-000004-r2-0017.fits", "wcs/0000/wcs-000004-r2-0017.fits"]

    alone = pantler.Butler.open(tmp_path / "jointcal_processing")
    assert alone.get("jointcalexp", field, tract=0) == updated
    assert alone.get("jointcalexp", field).wcs == new_wcs()
    assert alone.get("calexp", field).wcs == simulated_exposure().wcs
