"""Files put back as composites: what is written, what is recognised, what is refused (rules R20, R22, R24, R25)."""

import numpy as np
import pytest
from astropy.io import fits

import judging
from survey import TRACT, VISIT, artifacts, keys, sha256

OTHER_TRACT = 9
BOTH = {f"jointcal/0009/{kind}-0011506-049.fits" for kind in ("wcs", "calib")}


def changed(export, out, plane, change):
    """Lets astropy write an exported file again with one pixel of one plane changed."""
    with fits.open(export, memmap=False) as hdus:
        pixels = judging.plane(hdus, plane).data
        pixels[7, 11] = change(pixels[7, 11])
        hdus.writeto(out)
    return out


CHANGES = {
    "IMAGE": lambda value: np.nextafter(value, np.float32(np.inf)),
    "MASK": lambda value: value ^ 4,
    "VARIANCE": lambda value: value * 2,
}


def test_put_writes_the_two_new_parts_and_nothing_else(any_survey):
    export = any_survey.export(49)
    before = artifacts(any_survey.joint), artifacts(any_survey.single)
    document = any_survey.put(export, tract=OTHER_TRACT).json()
    assert set(document["written"]) == BOTH
    assert document["input_only"] == ["calexp"]
    assert document["unchanged"] == []
    assert document["recorded"] is True
    after = artifacts(any_survey.joint)
    assert after.keys() - before[0].keys() == BOTH
    assert {name: after[name] for name in before[0]} == before[0]
    assert artifacts(any_survey.single) == before[1]


def test_what_put_wrote_has_no_pixels_and_the_same_content(any_survey):
    export = any_survey.export(49)
    any_survey.put(export, tract=OTHER_TRACT)
    for name in BOTH:
        with judging.opened(any_survey.joint / name) as hdus:
            for hdu in hdus:
                assert not isinstance(hdu, fits.CompImageHDU)
                assert not (hdu.is_image and hdu.data is not None and hdu.data.size), hdu.name
    wcs, calib = (any_survey.joint / f"jointcal/0009/{kind}-0011506-049.fits" for kind in ("wcs", "calib"))
    assert judging.wcs_dump(wcs) == judging.wcs_dump(any_survey.wcs[49])
    with judging.opened(calib) as put, judging.as_it_is(any_survey.calib[49]) as original:
        assert judging.Archive(put).find("PhotoCalib") == judging.Archive(original).find("PhotoCalib")


def test_what_was_put_is_got_back(any_survey):
    export = any_survey.export(49)
    any_survey.put(export, tract=OTHER_TRACT)
    again = any_survey.export(49, "again.fits", tract=OTHER_TRACT)
    with judging.opened(export) as one, judging.opened(again) as other:
        judging.assert_same_pixels(judging.planes(other), judging.planes(one))
        first, second = judging.Archive(one), judging.Archive(other)
        assert first.components() == second.components()
        for name in first.components():
            assert first.component(name) == second.component(name), name
        cards = [judging.wcs_cards(judging.plane(hdus, "IMAGE").header) for hdus in (one, other)]
        assert [card.value for card in cards[0].values()] == [card.value for card in cards[1].values()]


def test_r22_put_again_is_unchanged(any_survey):
    export = any_survey.export(49)
    first = any_survey.put(export, tract=OTHER_TRACT).json()
    before = artifacts(any_survey.joint)
    second = any_survey.put(export, tract=OTHER_TRACT).json()
    assert second["written"] == []
    assert {"wcs", "calib"} <= set(second["unchanged"])
    assert second["id"] == first["id"]
    assert artifacts(any_survey.joint) == before


def test_a_file_that_astropy_wrote_again_is_the_same(any_survey, pantler):
    export = any_survey.export(49)
    copy = any_survey.file("copy.fits")
    with fits.open(export, memmap=False) as hdus:
        # The tables are left alone: astropy writes files out of step where it decodes text of variable length.
        for plane in ("IMAGE", "MASK", "VARIANCE"):
            _ = judging.plane(hdus, plane).data
        hdus.writeto(copy, checksum=True)
    document = any_survey.put(copy, tract=TRACT).json()
    assert document["written"] == []
    assert {"wcs", "calib"} <= set(document["unchanged"])


@pytest.mark.parametrize("plane", CHANGES)
def test_r24_a_changed_pixel_is_refused_and_nothing_is_written(any_survey, pantler, plane):
    file = changed(any_survey.export(49), any_survey.file("changed.fits"), plane, CHANGES[plane])
    before = artifacts(any_survey.joint), artifacts(any_survey.single)
    rows = pantler("query", any_survey.joint, "--json").json()
    answer = any_survey.put(file, tract=OTHER_TRACT, status=2)
    assert answer.out == ""
    assert answer.error()["kind"] == "read_only"
    assert "calexp" in answer.error()["message"]
    text = pantler(
        "put", any_survey.joint, "calexp:jointcal", file, *keys(visit=VISIT, ccd=49, tract=OTHER_TRACT), status=2
    )
    assert plane.lower() in text.err and "(11, 7)" in text.err, "it says which pixel"
    assert "--drop-input-only" in text.err
    assert (artifacts(any_survey.joint), artifacts(any_survey.single)) == before
    assert pantler("query", any_survey.joint, "--json").json() == rows
    assert pantler("fsck", any_survey.joint, "--json").json()["clean"] is True


@pytest.mark.parametrize("plane", CHANGES)
def test_r24_a_changed_pixel_can_be_dropped(any_survey, plane):
    export = any_survey.export(49)
    file = changed(export, any_survey.file("changed.fits"), plane, CHANGES[plane])
    document = any_survey.put(file, "--drop-input-only", tract=OTHER_TRACT).json()
    assert set(document["written"]) == BOTH
    again = any_survey.export(49, "again.fits", tract=OTHER_TRACT)
    with judging.opened(export) as one, judging.opened(again) as other:
        judging.assert_same_pixels(judging.planes(other), judging.planes(one))
    assert sha256(any_survey.base_artifact(49)) == sha256(any_survey.exposures[49])


def edit_card(hdus):
    hdus[0].header["OBJECT"] = "M31"


def edit_psf(hdus):
    hdus["GaussianPsf"].data["sigma"][0] *= 2


def edit_mask_planes(hdus):
    judging.plane(hdus, "MASK").header["MP_NEW"] = 20


@pytest.mark.parametrize(("edit", "said"), [(edit_card, "OBJECT"), (edit_psf, "sigma"), (edit_mask_planes, "NEW")])
def test_r24_any_other_change_of_the_base_is_refused_too(real_survey, edit, said):
    file = real_survey.file("edited.fits")
    with fits.open(real_survey.export(49), memmap=False) as hdus:
        edit(hdus)
        hdus.writeto(file)
    before = artifacts(real_survey.joint)
    answer = real_survey.put(file, tract=OTHER_TRACT, status=2)
    assert answer.error()["kind"] == "read_only"
    assert any(said in why for why in answer.error()["facts"]["why"])
    assert artifacts(real_survey.joint) == before


def test_a_calibration_that_was_changed_is_written(any_survey):
    export = any_survey.export(49)
    file = any_survey.file("recalibrated.fits")
    with fits.open(export, memmap=False) as hdus:
        hdus["PhotoCalib"].data["calibrationMean"][0] *= 2
        hdus.writeto(file)
    any_survey.put(file, tract=OTHER_TRACT)
    again = any_survey.export(49, "again.fits", tract=OTHER_TRACT)
    with judging.opened(export) as old, judging.opened(again) as new:
        one, other = (judging.Archive(hdus).component("PHOTOCALIB") for hdus in (old, new))
        assert judging.value_of(other, "calibrationMean") == 2 * judging.value_of(one, "calibrationMean")
        assert judging.value_of(other, "calibrationErr") == judging.value_of(one, "calibrationErr")


def test_r24_an_exposure_of_another_data_id_is_refused(real_survey):
    before = artifacts(real_survey.joint)
    answer = real_survey.put(real_survey.export(49), ccd=50, tract=OTHER_TRACT, status=2)
    assert answer.out == ""
    assert artifacts(real_survey.joint) == before


def test_r20_another_wcs_under_the_same_data_id_is_refused(real_survey, real_file):
    export = real_survey.export(49)
    joint = "exposures/joint/8766/jointcal"
    real_survey.add_joint(
        real_file(f"{joint}_wcs-0011506-050.fits"),
        real_file(f"{joint}_photoCalib-0011506-050.fits"),
        visit=VISIT,
        ccd=49,
        tract=OTHER_TRACT,
    )
    before = artifacts(real_survey.joint)
    answer = real_survey.put(export, tract=OTHER_TRACT, status=2)
    assert answer.error()["kind"] == "conflict"
    assert artifacts(real_survey.joint) == before


def test_a_cutout_cannot_be_put_as_the_whole(any_survey, pantler):
    words = keys(visit=VISIT, ccd=49, tract=TRACT)
    out = any_survey.file("cutout.fits")
    pantler("get", any_survey.joint, "calexp:jointcal", *words, "--bbox", "4,4,16,16", "--out", out)
    before = artifacts(any_survey.joint)
    any_survey.put(out, tract=OTHER_TRACT, status=2)
    assert artifacts(any_survey.joint) == before


def test_a_header_that_was_edited_beside_its_record_is_refused(real_survey):
    """An export says its WCS as a record and as cards; a put would take the record, and lose the edit without a word."""
    edited = real_survey.file("edited.fits")
    alone = real_survey.file("alone.fits")
    with fits.open(real_survey.export(49), memmap=False) as hdus:
        for hdu in hdus[1:4]:
            hdu.header["CRVAL1"] += 0.01
        hdus.writeto(edited)
        for card in ("SKYWCS_ID", "ARCHIVE_ID_SKYWCS"):
            hdus[0].header.remove(card, ignore_missing=True)
        hdus.writeto(alone)
    before = artifacts(real_survey.joint)
    refused = real_survey.put(edited, tract=OTHER_TRACT, status=2)
    assert "its header and its archive record are 35.9" in refused.err
    assert artifacts(real_survey.joint) == before
    # The hint is followed: without the record's card, the header is the WCS.
    document = real_survey.put(alone, tract=OTHER_TRACT).json()
    assert set(document["written"]) == BOTH
