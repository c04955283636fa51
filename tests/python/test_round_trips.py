"""Every exposure of the real files, read and written by the program, judged by astropy: planes, headers, archives."""

import pytest

from judging import Archive, as_it_is, mask_planes, opened, plane, planes, same_bits, wcs_cards

POLICY = """
datasets:
  exposure:
    template: "exposures/%(number)d.fits"
    python: lsst.afw.image.ExposureF
    storage: FitsStorage
  masked:
    template: "masked/%(number)d.fits"
    python: lsst.afw.image.MaskedImageF
    storage: FitsStorage
"""

EXPOSURES = [
    "exposures/HSC-0908120-056-small.fits",
    "exposures/cfht/calexp-849375-12.fits.fz",
    "exposures/coadd_with_inputs_v1.fits",
    "exposures/exposure-version-1.fits",
    "exposures/exposure-version-2.fits",
    "exposures/hsc_calexp_full.fits",
    "exposures/joint/8766/fcr-0011506-049.fits",
    "exposures/joint/8766/fcr-0011506-050.fits",
    "exposures/small_gaussianpsf.fits",
]
MASKED_IMAGES = ["exposures/scienceMI.fits", "exposures/templateMI.fits"]

# How a file is laid out, which is the writer's own: structure, compression, sums, the place and the ids of the archive.
ABOUT_FILE = {"SIMPLE", "XTENSION", "BITPIX", "EXTEND", "PCOUNT", "GCOUNT", "BZERO", "BSCALE", "BLANK", "CHECKSUM", "DATASUM"}
ABOUT_FILE |= {"AR_HDU", "INHERIT", "EXTVER", "TFIELDS", "FZALGOR", "FZTILE", "AR_NAME", "EXPINFO_V"}
# The unit of the alternate coordinates that tell the pixel origin; pixels are what the standard takes where there is none.
ABOUT_FILE |= {"CUNIT1A", "CUNIT2A"}
# What the writer says in its own words.
VALUES_ALONE = {"LTV1", "LTV2", "EXTNAME", "EXTTYPE"}
VALUES_ALONE |= {f"{stem}{axis}A" for stem in ("CRVAL", "CRPIX", "CTYPE") for axis in (1, 2)}
# Older files name the record of the coordinates otherwise.
TODAY = {"WCS": "SKYWCS"}


def is_of_the_file(key):
    """Says whether a card tells of the file rather than of what is in it."""
    return key in ABOUT_FILE or key.startswith(("NAXIS", "Z", "TTYPE", "TFORM", "ARCHIVE_ID_")) or key.endswith("_ID")


def cards(header):
    """All cards that tell of the exposure, with their comments, in their order."""
    coordinates = wcs_cards(header)
    return [
        (card.keyword, card.value, "" if card.keyword in VALUES_ALONE else card.comment)
        for card in header.cards
        if card.keyword and not is_of_the_file(card.keyword) and card.keyword not in coordinates
    ]


def assert_same_exposure(ours, theirs, name):
    """Compares planes bit for bit, the meaning of the mask's bits, and every card that tells of the exposure."""
    got, expected = planes(ours), planes(theirs)
    for each, pixels in expected.items():
        if each == "MASK" and pixels.dtype.kind == "f":
            # astropy makes real numbers of a mask that has the card BLANK; no bits of a mask are blank.
            pixels = pixels.astype(got[each].dtype)
        same_bits(got[each], pixels, f"{name} {each}")
    assert mask_planes(ours) == mask_planes(theirs), name
    have = cards(ours[0].header) + [card for each in expected for card in cards(plane(ours, each).header)]
    for hdu in [theirs[0], *(plane(theirs, each) for each in expected)]:
        for card in cards(hdu.header):
            assert card in have, f"{name}: {card}"


@pytest.mark.parametrize("name", EXPOSURES)
def test_an_exposure_comes_back_whole(name, real_file, tmp_path, pantler):
    policy, repository, out = tmp_path / "policy.yaml", tmp_path / "repo", tmp_path / "out.fits"
    policy.write_text(POLICY)
    pantler("init", repository, "--policy", policy)
    pantler("ingest", repository, "exposure", real_file(name), "number=1", "--mode", "in-place")
    pantler("get", repository, "exposure", "number=1", "--out", out)
    with as_it_is(real_file(name)) as theirs, opened(out) as ours:
        assert_same_exposure(ours, theirs, name)
        before, after = Archive(theirs), Archive(ours)
        assert after.components() == {TODAY.get(each, each) for each in before.components()}, name
        for each in before.components():
            assert after.component(TODAY.get(each, each)) == before.component(each), f"{name}: {each}"


@pytest.mark.parametrize("name", MASKED_IMAGES)
def test_a_masked_image_comes_back_whole(name, real_file, tmp_path, pantler):
    policy, repository, out = tmp_path / "policy.yaml", tmp_path / "repo", tmp_path / "out.fits"
    policy.write_text(POLICY)
    pantler("init", repository, "--policy", policy)
    pantler("ingest", repository, "masked", real_file(name), "number=1", "--mode", "in-place")
    pantler("get", repository, "masked", "number=1", "--out", out)
    with as_it_is(real_file(name)) as theirs, opened(out) as ours:
        assert_same_exposure(ours, theirs, name)
