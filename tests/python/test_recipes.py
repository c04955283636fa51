"""Write recipes of a policy: what is put and exported is compressed as it says, judged by astropy."""

import numpy as np
import pytest
from astropy.io import fits

import judging

POLICY = """
recipes:
  small:
    image:    {compression: {algorithm: RICE_1, quantizeLevel: 32, seed: 42, tile: [64, 8]}}
    mask:     {compression: {algorithm: RICE_1}}
    variance: {compression: {algorithm: GZIP_SHUFFLE}, scaling: {algorithm: NONE}}
datasets:
  calexp:
    template: "calexp/%(number)d.fits"
    python: Exposure
    storage: FitsStorage
    recipe: small
"""


@pytest.mark.filterwarnings("error")
def test_a_put_and_an_export_follow_the_recipe(tmp_path, pantler, real_file):
    source = real_file("exposures/hsc_calexp_full.fits")
    policy = tmp_path / "policy.yaml"
    policy.write_text(POLICY)
    repository = tmp_path / "repo"
    pantler("init", repository, "--policy", policy)
    pantler("put", repository, "calexp", source, "number=1")
    pantler("export", repository, "calexp", "number=1", "--out", tmp_path / "out.fits")
    with judging.as_it_is(source) as hdus:
        expected = judging.planes(hdus)
    for path in (repository / "calexp" / "1.fits", tmp_path / "out.fits"):
        with fits.open(path, memmap=False, checksum=True) as hdus:
            got = judging.planes(hdus)
            compressed = {name: judging.plane(hdus, name) for name in got}
        with fits.open(path, memmap=False, disable_image_compression=True) as hdus:
            tables = {name: judging.plane(hdus, name).header for name in compressed}
        codecs = {name: header["ZCMPTYPE"] for name, header in tables.items()}
        assert codecs == {"IMAGE": "RICE_1", "MASK": "RICE_1", "VARIANCE": "GZIP_2"}
        image = tables["IMAGE"]
        assert (image["ZTILE1"], image["ZTILE2"], image["ZDITHER0"]) == (64, 8, 42)
        for name in ("MASK", "VARIANCE"):
            judging.same_bits(got[name], expected[name], name)
        noise = np.nanstd(expected["IMAGE"])
        assert np.nanmax(np.abs(got["IMAGE"] - expected["IMAGE"])) < noise / 8


def test_a_setting_that_there_is_not_is_named(tmp_path, pantler):
    policy = tmp_path / "policy.yaml"
    policy.write_text(POLICY.replace("quantizeLevel", "quantiseLevel"))
    checked = pantler("policy", "check", policy, status=None)
    said = checked.out + checked.err
    assert "quantiseLevel" in said and "did you mean `image.compression.quantizeLevel`" in said
