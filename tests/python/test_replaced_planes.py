"""A real exposure with its coordinates, its mask, or its mask and variance from elsewhere (use case 9)."""

import numpy as np
import pytest
from astropy.io import fits

import judging
from survey import artifacts, make_repository, sha256

POLICY = """
datasets:
  image_pair: {template: "pair/%(number)d.fits", python: lsst.afw.image.ExposureF, storage: FitsStorage}
  own_wcs: {template: "wcs/%(number)d.fits", python: lsst.afw.geom.SkyWcs, storage: FitsStorage}
  own_mask: {template: "mask/%(number)d.fits", python: lsst.afw.image.Mask, storage: FitsStorage}
  own_variance: {template: "variance/%(number)d.fits", python: lsst.afw.image.ImageF, storage: FitsStorage}
  placed:
    python: lsst.afw.image.ExposureF
    composite:
      image_pair: {datasetType: image_pair, inputOnly: true}
      wcs: {datasetType: own_wcs}
  masked:
    python: lsst.afw.image.ExposureF
    composite:
      image_pair: {datasetType: image_pair, inputOnly: true}
      mask: {datasetType: own_mask}
  reweighted:
    python: lsst.afw.image.ExposureF
    composite:
      image_pair: {datasetType: image_pair, inputOnly: true}
      mask: {datasetType: own_mask}
      variance: {datasetType: own_variance}
"""
PLANES = ("IMAGE", "MASK", "VARIANCE")


def planes(path):
    """The planes of an exposure in the order of the file: two of these files call all but the mask `IMAGE`."""
    with judging.as_it_is(path) as hdus:
        return dict(zip(PLANES, (np.array(hdu.data) for hdu in hdus[1:4])))


def written(path):
    """The planes of a file that pantler wrote."""
    with judging.opened(path) as hdus:
        return judging.planes(hdus)


@pytest.fixture
def pair(tmp_path, pantler, real_file):
    """A repository with the science image as number 1 and its template as number 2, and both files."""
    repository = make_repository(pantler, tmp_path / "pair", POLICY)
    files = [real_file(f"exposures/{name}MI.fits") for name in ("science", "template")]
    for number, file in enumerate(files, 1):
        pantler("ingest", repository, "image_pair", file, f"number={number}")
    return repository, *files


def other_planes(template):
    """The template's variance, and its mask, which is empty, with its bright pixels marked as detected (bit 5)."""
    found = planes(template)
    return found | {"MASK": np.where(found["IMAGE"] > 50, found["MASK"] | 32, found["MASK"]).astype(found["MASK"].dtype)}


def assembled_by_hand(science, others, replaced, out):
    """Lets astropy write the science image with other planes."""
    with fits.open(science, memmap=False) as hdus:
        for name in replaced:
            hdus[1 + PLANES.index(name)].data = others[name]
        hdus.writeto(out)
    return out


@pytest.mark.parametrize(("name", "replaced"), [("masked", ["MASK"]), ("reweighted", ["MASK", "VARIANCE"])])
def test_planes_from_elsewhere_replace_those_of_the_exposure(pair, pantler, tmp_path, name, replaced):
    repository, science, template = pair
    others = other_planes(template)
    expected = planes(science) | {plane: others[plane] for plane in replaced}
    assert all((expected[plane] != planes(science)[plane]).any() for plane in replaced), "each of them differs"
    file = assembled_by_hand(science, others, replaced, tmp_path / "by_hand.fits")
    before = artifacts(repository)
    answer = pantler("put", repository, name, file, "number=1", "--json", "--stats")
    document = answer.json()
    # Only what is replaced is stored, and what is stored has the size of those pixels.
    assert set(document["written"]) == {f"{plane.lower()}/1.fits" for plane in replaced}
    after = artifacts(repository)
    assert {key: after[key] for key in before} == before
    sizes = sum((repository / path).stat().st_size for path in document["written"])
    pixels = sum(expected[plane].nbytes for plane in replaced)
    assert pixels < sizes == answer.stats()["bytes_written"] < pixels + len(replaced) * 4 * 2880
    for out, command in ((tmp_path / "got.fits", "get"), (tmp_path / "exported.fits", "export")):
        pantler(command, repository, name, "number=1", "--out", out)
        judging.assert_same_pixels(written(out), expected)
    # One plane alone is read where it lies.
    out = tmp_path / "mask.fits"
    stats = pantler("get", repository, f"{name}.mask", "number=1", "--out", out, "--stats").stats()
    assert stats["bytes_read"] <= (repository / "mask/1.fits").stat().st_size and stats["artifacts_opened"] == 1
    with judging.opened(out) as hdus:
        judging.same_bits(np.array(hdus[0].data), expected["MASK"])


def test_an_exposure_without_coordinates_is_given_some(pair, pantler, tmp_path, real_file):
    repository, science, _ = pair
    wcs = real_file("exposures/joint/8766/jointcal_wcs-0011506-049.fits")
    pantler("ingest", repository, "own_wcs", wcs, "number=1")
    out = tmp_path / "placed.fits"
    pantler("export", repository, "placed", "number=1", "--out", out)
    judging.assert_same_pixels(written(out), planes(science))
    assert judging.wcs_dump(out) == judging.wcs_dump(wcs)
    with judging.opened(out) as hdus:
        assert judging.wcs_cards(judging.plane(hdus, "IMAGE").header)["CTYPE1"].value.startswith("RA---TAN")
    assert sha256(repository / "pair/1.fits") == sha256(science)
    # Put again under another number, the coordinates alone are stored.
    pantler("ingest", repository, "image_pair", science, "number=3")
    document = pantler("put", repository, "placed", out, "number=3", "--json").json()
    assert document["written"] == ["wcs/3.fits"]
    assert (repository / "wcs/3.fits").stat().st_size < planes(science)["IMAGE"].nbytes / 2
    assert judging.wcs_dump(repository / "wcs/3.fits") == judging.wcs_dump(wcs)


def fewer_rows(pixels):
    return pixels[:-1]


def not_whole_numbers(pixels):
    return pixels.astype(np.float32)


@pytest.mark.parametrize(("change", "said"), [(fewer_rows, "must cover 193x193"), (not_whole_numbers, "float32")])
@pytest.mark.parametrize("name", ["masked", "reweighted", "image_pair"])
def test_a_plane_of_the_wrong_shape_or_type_is_refused_at_put(pair, pantler, tmp_path, name, change, said):
    repository, science, _ = pair
    file = tmp_path / "wrong.fits"
    with judging.as_it_is(science) as hdus:
        hdus[2].data = change(hdus[2].data)
        hdus.writeto(file)
    before = artifacts(repository)
    answer = pantler("put", repository, name, file, "number=1", status=2)
    assert said in answer.err and "mask" in answer.err and "wrong.fits" in answer.err
    assert answer.out == ""
    assert artifacts(repository) == before


def test_a_plane_of_the_wrong_shape_is_refused_at_get(pair, pantler, tmp_path, real_file):
    repository, _, _ = pair
    mask, out = tmp_path / "mask.fits", tmp_path / "never.fits"
    pantler("ingest", repository, "image_pair", real_file("exposures/hsc_calexp_full.fits"), "number=9")
    pantler("get", repository, "image_pair.mask", "number=9", "--out", mask)
    pantler("ingest", repository, "own_mask", mask, "number=1")
    for command in ("get", "export"):
        answer = pantler(command, repository, "masked", "number=1", "--out", out, status=2)
        assert "component `mask`" in answer.err
        assert "it covers 64x32 at (0, 0) and must cover 193x193" in answer.err
        assert not out.exists()


def test_a_file_of_the_wrong_type_is_refused_at_ingest(pair, pantler, tmp_path):
    """A mask of real numbers is no mask, and its header says so before anybody reads it."""
    repository, _, _ = pair
    variance, out = tmp_path / "variance.fits", tmp_path / "never.fits"
    pantler("get", repository, "image_pair.variance", "number=2", "--out", variance)
    answer = pantler("ingest", repository, "own_mask", variance, "number=1", status=2)
    assert "BITPIX -32" in answer.err and "each bit is a plane" in answer.err
    pantler("get", repository, "masked", "number=1", "--out", out, status=2)
    assert not out.exists()
