"""Every component of one real exposure, however it is stored, is one answer at the cost of its own bytes (use case 2).

Four ways to store it: one file (`whole`), one file with the component a type of its own (`own`), a file for each component
(`apart`), and an exposure of a later step that replaces the coordinates and the calibration (`jointcal`).
"""

import json
from types import SimpleNamespace

import numpy as np
import pytest

import judging
from survey import TRACT, VISIT, Survey, keys, make_repository

TYPES = {
    "wcs": "afw.geom.SkyWcs", "psf": "afw.detection.Psf", "calib": "afw.image.PhotoCalib", "visitInfo": "afw.image.VisitInfo",
    "mask": "afw.image.Mask", "variance": "afw.image.ImageF", "image": "afw.image.ImageF",
    "metadata": "daf.base.PropertyList", "bbox": "geom.Box2I", "filter": "afw.image.FilterLabel",
    "detector": "afw.cameraGeom.Detector",
}
PLANES = {"image", "mask", "variance"}
DOCUMENTS = {"visitInfo", "metadata", "bbox"}
REPLACED = {"wcs", "calib"}
CLASSES = {
    "wcs": ("SkyWcs",), "psf": ("GaussianPsf", "PsfexPsf"), "calib": ("PhotoCalib",), "filter": ("FilterLabel",),
    "detector": ("Detector",),
}
EXPOSURES = {"hsc": ("hsc_calexp_full.fits", 49), "cfht": ("cfht/calexp-849375-12.fits.fz", 50)}


def definition(name, template, kind):
    """A dataset type with a file of its own, as a line of a policy."""
    return f'  {name}: {{template: "{template}/%(visit)07d-%(ccd)03d.fits", python: lsst.{kind}, storage: FitsStorage}}\n'


def policy():
    """`calexp`, its components as types with the same template, and `apart` with a file for each component but the box."""
    text = "datasets:\n" + definition("calexp", "calexp", "afw.image.ExposureF")
    for part, kind in TYPES.items():
        text += definition(f"calexp_{part}", "calexp", kind)
        text += definition(f"plane_{part}", part, kind) if part != "bbox" else ""
    text += "  apart:\n    python: lsst.afw.image.ExposureF\n    composite:\n"
    return text + "".join(f"      {part}: {{datasetType: plane_{part}}}\n" for part in TYPES if part != "bbox")


@pytest.fixture(scope="module", params=EXPOSURES)
def stored(request, tmp_path_factory, pantler, real_file):
    """One exposure, stored in the four ways."""
    name, ccd = EXPOSURES[request.param]
    base = real_file(f"exposures/{name}")
    folder = tmp_path_factory.mktemp(request.param)
    made = Survey.init(folder, pantler)
    made.add_exposure(base, ccd)
    joint = "exposures/joint/8766/jointcal"
    made.add_joint(
        real_file(f"{joint}_wcs-0011506-{ccd:03d}.fits"), real_file(f"{joint}_photoCalib-0011506-{ccd:03d}.fits")
    )
    repository = make_repository(pantler, folder / "stored", policy())
    words = keys(visit=VISIT, ccd=ccd)
    pantler("ingest", repository, "calexp", base, *words)
    document = pantler("put", repository, "apart", base, *words, "--json").json()
    assert set(document["written"]) == {f"{part}/{VISIT:07d}-{ccd:03d}.fits" for part in TYPES if part != "bbox"}

    def get(way, part):
        out = folder / f"{way}-{part}.{'json' if part in DOCUMENTS else 'fits'}"
        name = {"whole": f"calexp.{part}", "own": f"calexp_{part}", "apart": f"apart.{part}"}.get(way)
        if way == "jointcal":
            ids = [*words, *keys(tract=TRACT)]
            return out, pantler("get", made.joint, f"calexp:jointcal.{part}", *ids, "--out", out, "--stats").stats()
        return out, pantler("get", repository, name, *words, "--out", out, "--stats").stats()

    return SimpleNamespace(base=base, wcs=made.wcs[ccd], calib=made.calib[ccd], get=get)


def record(path, part):
    """The one component that a file of its own holds."""
    with judging.opened(path) as hdus:
        archive = judging.Archive(hdus)
        names = {tables[0][4] for tables in archive.entries.values()}
        return archive.find(next(name for name in CLASSES[part] if name in names))


def expected_record(stored, way, part):
    """The component in the files that others wrote."""
    replaced = way == "jointcal" and part in REPLACED
    with judging.as_it_is(getattr(stored, part) if replaced else stored.base) as hdus:
        archive = judging.Archive(hdus)
        if replaced:
            return archive.find(CLASSES[part][0])
        return archive.component({"wcs": "SKYWCS", "calib": "PHOTOCALIB"}.get(part, part.upper()))


WAYS = ["whole", "own", "apart", "jointcal"]
# A file of its own has a name of its own, whatever the exposure's primary HDU was called.
HDU_NAMES = {"EXTNAME", "EXTVER"}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("part", CLASSES)
def test_a_record_is_the_same_however_it_is_stored(stored, way, part):
    expected = expected_record(stored, way, part)
    assert expected is not None
    out, _ = stored.get(way, part)
    assert record(out, part) == expected
    if way in ("own", "apart"):
        assert out.read_bytes() == stored.get("whole", part)[0].read_bytes()


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("part", sorted(PLANES))
def test_a_plane_is_the_same_however_it_is_stored(stored, way, part):
    with judging.as_it_is(stored.base) as base:
        expected, bits = np.array(judging.plane(base, part.upper()).data), judging.mask_planes(base)
    out, _ = stored.get(way, part)
    with judging.opened(out) as hdus:
        got = next(hdu for hdu in hdus if hdu.is_image and hdu.data is not None)
        judging.same_bits(np.array(got.data), expected)
        if part == "mask":
            assert {key[3:]: value for key, value in got.header.items() if key.startswith("MP_")} == bits != {}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("part", sorted(DOCUMENTS))
def test_a_document_is_the_same_however_it_is_stored(stored, way, part):
    got = json.loads(stored.get(way, part)[0].read_text())
    whole = json.loads(stored.get("whole", part)[0].read_text())
    with judging.as_it_is(stored.base) as base:
        height, width = judging.plane(base, "IMAGE").shape
        primary = base[0].header
        if part == "bbox":
            assert got == whole == {"x0": 0, "y0": 0, "width": width, "height": height}
        elif part == "visitInfo":
            assert got == whole
            assert got["exposure_time_s"] == primary["EXPTIME"]
        else:
            # A type of its own and a part replaced differ in cards of coordinates and calibration alone.
            differing = {key for key in got.keys() | whole.keys() if got.get(key) != whole.get(key)}
            assert {key: got[key] for key in ("FILTER", "EXPTIME")} == {key: primary[key] for key in ("FILTER", "EXPTIME")}
            if way == "apart":
                assert differing <= HDU_NAMES


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("part", sorted(TYPES.keys() - PLANES))
def test_a_component_costs_a_twentieth_or_its_own_size(stored, way, part):
    out, stats = stored.get(way, part)
    size = stored.base.stat().st_size
    assert 0 < stats["bytes_read"]
    assert stats["bytes_written"] == 0
    # A detector is itself a larger share of the file; its tables have rows of other records in between.
    assert stats["bytes_read"] < max(size * 0.05, 1.5 * out.stat().st_size)
