"""An exposure whose WCS and calibration come from a later step, judged by astropy (use case 1; rules R10, R11, R12)."""

import json

import numpy as np
import pytest

import judging
import simulated
from survey import TRACT, VISIT, Survey, keys, make_repository, sha256

# What a header that is fitted to the coordinates of the archive may miss, on the sky.
HEADER_ARCSEC = 1e-3


@pytest.fixture(scope="module", params=["hsc", "cfht", "hsc_with_origin", "simulated"])
def replaced(request, tmp_path_factory, pantler):
    """A survey with one exposure, the exposure's ccd, and the export of its `calexp:jointcal`; for tests that only read."""
    tmp_path = tmp_path_factory.mktemp(request.param)
    made = Survey.init(tmp_path, pantler)
    if request.param == "simulated":
        files = simulated.write(tmp_path / "simulated")
        base, wcs, calib, ccd = files.exposure, files.wcs, files.calib, 49
    else:
        real_file = request.getfixturevalue("real_file")
        name, ccd = {
            "hsc": ("hsc_calexp_full.fits", 49),
            "cfht": ("cfht/calexp-849375-12.fits.fz", 50),
            "hsc_with_origin": ("HSC-0908120-056-small.fits", 49),
        }[request.param]
        base = real_file(f"exposures/{name}")
        wcs = real_file(f"exposures/joint/8766/jointcal_wcs-0011506-{ccd:03d}.fits")
        calib = real_file(f"exposures/joint/8766/jointcal_photoCalib-0011506-{ccd:03d}.fits")
    made.add_exposure(base, ccd)
    made.add_joint(wcs, calib)
    return made, ccd, made.export(ccd)


def test_pixels_are_those_of_the_base_bit_for_bit(replaced):
    made, ccd, export = replaced
    with judging.opened(export) as got, judging.as_it_is(made.exposures[ccd]) as base:
        judging.assert_same_pixels(judging.planes(got), judging.planes(base))
        assert judging.mask_planes(got) == judging.mask_planes(base) != {}


def test_get_and_export_give_the_same_exposure(replaced, pantler):
    made, ccd, export = replaced
    out = made.file("got.fits")
    pantler("get", made.joint, "calexp:jointcal", *keys(visit=VISIT, ccd=ccd, tract=TRACT), "--out", out)
    with judging.opened(out) as got, judging.opened(export) as exported:
        judging.assert_same_pixels(judging.planes(got), judging.planes(exported))
        assert [hdu.name for hdu in got] == [hdu.name for hdu in exported]
        one, other = judging.Archive(got), judging.Archive(exported)
        assert one.components() == other.components() != set()
        for name in one.components():
            assert one.component(name) == other.component(name), name
        for name in ("IMAGE", "MASK", "VARIANCE"):
            cards = [judging.wcs_cards(judging.plane(hdus, name).header) for hdus in (got, exported)]
            values = [{key: card.value for key, card in found.items()} for found in cards]
            assert values[0] == values[1]


def test_r11_no_number_of_the_old_wcs_is_in_any_header(replaced):
    made, ccd, export = replaced
    old = {}
    with judging.as_it_is(made.exposures[ccd]) as base:
        for hdu in base:
            old.update(
                {card.value: card.keyword for card in judging.wcs_cards(hdu.header).values() if judging.is_telling(card)}
            )
    assert len(old) >= 6, "the base has coordinates in its headers"
    with judging.opened(export) as hdus:
        for hdu in hdus:
            for card in hdu.header.cards:
                assert card.value not in old, f"{hdu.name}: {card.keyword} has the value of the old {old[card.value]}"


def test_r11_only_the_image_planes_have_coordinates_and_they_agree(replaced):
    _, _, export = replaced
    with judging.opened(export) as hdus:
        image = {key: card.value for key, card in judging.wcs_cards(judging.plane(hdus, "IMAGE").header).items()}
        assert image["CTYPE1"].startswith("RA---TAN")
        for hdu in hdus:
            found = {key: card.value for key, card in judging.wcs_cards(hdu.header).items()}
            if hdu.header.get("EXTTYPE") in ("MASK", "VARIANCE"):
                assert found in ({}, image)
            elif hdu.header.get("EXTTYPE") != "IMAGE":
                assert found == {}, hdu.name


def test_r11_no_card_of_the_old_calibration_is_in_any_header(replaced):
    _, _, export = replaced
    with judging.opened(export) as hdus:
        for hdu in hdus:
            assert judging.CALIBRATION.isdisjoint(hdu.header), hdu.name


def test_r11_the_old_records_are_nowhere_in_the_file(replaced):
    made, ccd, export = replaced
    written = export.read_bytes()
    dump = judging.wcs_dump(made.exposures[ccd])
    numbers = judging.calib_numbers(made.exposures[ccd])
    if dump is None and numbers is None:
        # This old exposure has a TanWcs record instead, which the new SkyWcs takes the place of.
        with judging.as_it_is(made.exposures[ccd]) as base, judging.opened(export) as got:
            assert judging.Archive(base).find("TanWcs")
            names = {entry[0][4] for entry in judging.Archive(got).entries.values()}
            assert "TanWcs" not in names and "SkyWcs" in names
    if dump is not None:
        assert dump not in written
    if numbers is not None:
        assert numbers not in written
        assert judging.calib_numbers(made.calib[ccd]) in written


def test_the_new_parts_are_those_of_their_files(replaced):
    made, ccd, export = replaced
    new_dump = judging.wcs_dump(made.wcs[ccd])
    if new_dump is not None:
        assert judging.wcs_dump(export) == new_dump
    with judging.opened(export) as got, judging.as_it_is(made.calib[ccd]) as calib:
        expected = judging.Archive(calib).find("PhotoCalib")
        assert judging.Archive(got).component("PHOTOCALIB") == expected
        assert judging.value_of(expected, "calibrationMean") > 0


def test_all_other_components_are_those_of_the_base(replaced):
    made, ccd, export = replaced
    with judging.opened(export) as got, judging.as_it_is(made.exposures[ccd]) as base:
        new, old = judging.Archive(got), judging.Archive(base)
        kept = old.components() - {"SKYWCS", "WCS", "PHOTOCALIB"}
        assert new.components() - {"SKYWCS", "WCS", "PHOTOCALIB"} == kept
        for name in kept:
            assert new.component(name) == old.component(name), name


def test_what_the_primary_header_says_of_the_visit_stays(replaced):
    made, ccd, export = replaced
    with judging.opened(export) as got, judging.as_it_is(made.exposures[ccd]) as base:
        kept = ("FILTER", "EXPTIME", "TIMESYS", "DATE-AVG", "MJD-OBS", "TELESCOP", "BORE-RA", "OBJECT", "VISIT")
        there = [key for key in kept if key in base[0].header]
        assert "FILTER" in there and "EXPTIME" in there
        for key in there:
            assert got[0].header[key] == base[0].header[key]


def test_the_pixel_origin_stays(replaced):
    made, ccd, export = replaced
    with judging.opened(export) as got, judging.as_it_is(made.exposures[ccd]) as base:
        old, new = judging.plane(base, "IMAGE").header, judging.plane(got, "IMAGE").header
        for key in judging.PIXEL_ORIGIN:
            assert new.get(key, 0.0) == old.get(key, 0.0)


def test_the_base_and_the_parts_are_untouched(replaced):
    made, ccd, _ = replaced
    assert sha256(made.base_artifact(ccd)) == sha256(made.exposures[ccd])
    for kind, files in (("wcs", made.wcs), ("calib", made.calib)):
        assert sha256(made.joint / f"jointcal/{TRACT}/{kind}-{VISIT:07d}-{ccd:03d}.fits") == sha256(files[ccd])


def oracle(real_file, name):
    """What other software computed from the SkyWcs record of a file: pixels of the parent image, and their places on the sky."""
    for record in json.loads(real_file("WCS_ORACLE.json").read_text())["skywcs"]:
        if record["file"] == name:
            return np.array(record["pixel_xy"]), np.array(record["sky_radec_deg"])
    raise AssertionError(f"no oracle for {name}")


def assert_header_agrees(path, pixels, sky, at_least):
    """Compares the header's coordinates, evaluated by astropy, with the oracle at the pixels that the exposure has."""
    with judging.opened(path) as hdus:
        for name in ("IMAGE", "MASK", "VARIANCE"):
            header = judging.plane(hdus, name).header
            _, ltv = judging.parent_wcs(header)
            inside = np.all((pixels + ltv >= 0) & (pixels + ltv < [header["NAXIS1"], header["NAXIS2"]]), axis=1)
            assert inside.sum() >= at_least
            if name == "IMAGE" or judging.wcs_cards(header):
                off = judging.separation_arcsec(judging.sky_of(header, pixels[inside]), sky[inside])
                assert off.max() < HEADER_ARCSEC


@pytest.mark.parametrize(("ccd", "inside"), [(49, 1), (50, 5)])
def test_the_header_gives_the_new_coordinates(real_survey, real_file, ccd, inside):
    pixels, sky = oracle(real_file, f"exposures/joint/8766/jointcal_wcs-0011506-{ccd:03d}.fits")
    assert_header_agrees(real_survey.export(ccd), pixels, sky, inside)


def test_the_header_of_a_cutout_gives_them_too(real_survey, real_file, pantler):
    pixels, sky = oracle(real_file, "exposures/joint/8766/jointcal_wcs-0011506-050.fits")
    out = real_survey.file("cutout.fits")
    words = keys(visit=VISIT, ccd=50, tract=TRACT)
    pantler("get", real_survey.joint, "calexp:jointcal", *words, "--bbox", "1000,2070,64,48", "--out", out)
    assert_header_agrees(out, pixels, sky, 1)
    with judging.opened(out) as hdus:
        assert judging.plane(hdus, "IMAGE").shape == (48, 64)
        assert judging.wcs_dump(out) == judging.wcs_dump(real_survey.wcs[50])


def test_the_header_of_a_simulated_exposure_gives_the_new_coordinates(simulated_survey):
    pixels = np.array([[0.0, 0.0], [simulated.WIDTH - 1, 0], [20.5, 30.25], [simulated.WIDTH - 1, simulated.HEIGHT - 1]])
    sky = judging.sky_of(simulated.new_wcs(), pixels)
    old = judging.separation_arcsec(judging.sky_of(simulated.old_wcs(), pixels), sky)
    assert old.min() > 1, "the coordinates differ, so that old ones would be noticed"
    assert_header_agrees(simulated_survey.export(49), pixels, sky, 4)


FIELD_LAYOUT = """
stages: [sfm, jointcal]
datasets:
  jointcal_wcs:
    template: "%(filter)s/%(tract)d/jointcal_wcs-%(visit)07d-%(ccd)03d.fits"
    python: lsst.afw.image.Wcs
    storage: FitsStorage
  calexp:jointcal:
    python: lsst.afw.image.ExposureF
    composite:
      calexp: {datasetType: "calexp:sfm", inputOnly: true}
      wcs:    {datasetType: jointcal_wcs}
"""


@pytest.mark.parametrize(("visit", "ccd"), [(23900, 37), (23900, 49), (23924, 37), (23924, 49)])
def test_the_layout_that_the_field_writes_is_read_in_place(tmp_path, pantler, real_file, visit, ccd):
    made = Survey.init(tmp_path, pantler)
    base = real_file("exposures/cfht/calexp-849375-12.fits.fz")
    pantler("ingest", made.single, "calexp:sfm", base, *keys(visit=visit, ccd=ccd))
    joint = make_repository(pantler, tmp_path / "outputs", FIELD_LAYOUT, "--parent", made.single)
    name = f"exposures/joint/HSC-R/9615/jointcal_wcs-{visit:07d}-{ccd:03d}.fits"
    pantler("ingest", joint, "jointcal_wcs", real_file(name), "--mode", "in-place")
    # Tract and filter stand in the path alone, and are completed.
    out = tmp_path / "export.fits"
    answer = pantler("export", joint, "calexp:jointcal", *keys(visit=visit, ccd=ccd), "--out", out, "--json").json()
    assert answer["data_id"] == {"visit": visit, "ccd": ccd, "filter": "HSC-R", "tract": 9615}
    assert judging.wcs_dump(out) == judging.wcs_dump(real_file(name))
    assert_header_agrees(out, *oracle(real_file, name), 5)
    with judging.opened(out) as got, judging.as_it_is(base) as old:
        # Only the coordinates are replaced here: the calibration is the base's.
        assert judging.Archive(got).component("PHOTOCALIB") == judging.Archive(old).component("PHOTOCALIB")


def test_the_version_in_the_data_id_names_the_stage(any_survey, pantler):
    out = any_survey.file("version.fits")
    words = keys(version="jointcal", visit=VISIT, ccd=49, tract=TRACT)
    pantler("export", any_survey.joint, "calexp", *words, "--out", out)
    assert sha256(out) == sha256(any_survey.export(49))


def test_a_part_of_another_stage_can_be_taken(tmp_path, pantler, real_survey):
    """Rule R12: a component may be a part of another type, here the coordinates of the first step laid over the second's."""
    policy = """
datasets:
  calexp:mixed:
    python: lsst.afw.image.ExposureF
    composite:
      calexp: {datasetType: "calexp:jointcal", inputOnly: true, base: true}
      wcs:    {datasetType: "calexp:sfm.wcs", inputOnly: true}
"""
    mixed = make_repository(pantler, tmp_path / "mixed", policy, "--parent", real_survey.joint)
    out = tmp_path / "mixed.fits"
    pantler("export", mixed, "calexp:mixed", *keys(visit=VISIT, ccd=49, tract=TRACT), "--out", out)
    assert judging.wcs_dump(out) == judging.wcs_dump(real_survey.exposures[49])
    assert judging.wcs_dump(real_survey.wcs[49]) not in [judging.wcs_dump(out)]
    with judging.opened(out) as got, judging.as_it_is(real_survey.calib[49]) as calib:
        assert judging.Archive(got).component("PHOTOCALIB") == judging.Archive(calib).find("PhotoCalib")
