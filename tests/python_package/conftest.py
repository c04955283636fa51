"""Fixtures: a simulated survey, made with the package alone, and the real files where they are.

The real files lie in the folder `PANTLER_TEST_DATA`, else in `../shared/data` beside the repository. A test that needs one which
is absent is skipped by that file's name; where `PANTLER_TEST_DATA_REQUIRED` is set it fails.
"""

import os
from pathlib import Path

import numpy as np
import pytest

import pantler

HERE = Path(__file__).resolve().parent
CHECKOUT = HERE.parents[1]

SINGLE_VISIT = {
    "datasets": {
        "calexp:sfm": {
            "template": "calexp/%(visit)07d/%(ccd)03d.fits",
            "python": "lsst.afw.image.ExposureF",
            "storage": "FitsStorage",
        },
        "src": {
            "template": "src/%(visit)07d/%(ccd)03d.parquet",
            "python": "Table",
            "storage": "ParquetStorage",
        },
        "notes": {
            "template": "notes/%(visit)07d.json",
            "python": "dict",
            "storage": "JsonStorage",
        },
    },
    "aliases": {"calexp": "calexp:sfm"},
}

JOINTCAL = {
    "stages": ["sfm", "jointcal"],
    "datasets": {
        "jointcal_wcs": {
            "template": "wcs/%(tract)04d/%(visit)07d-%(ccd)03d.fits",
            "python": "lsst.afw.image.Wcs",
            "storage": "FitsStorage",
        },
        "jointcal_calib": {
            "template": "calib/%(tract)04d/%(visit)07d-%(ccd)03d.fits",
            "python": "lsst.afw.image.Calib",
            "storage": "FitsStorage",
        },
        "calexp:jointcal": {
            "python": "lsst.afw.image.ExposureF",
            "composite": {
                "calexp": {"datasetType": "calexp:sfm", "inputOnly": True},
                "wcs": {"datasetType": "jointcal_wcs"},
                "calib": {"datasetType": "jointcal_calib"},
            },
        },
        # The catalog with the exposure's coordinates beside it (use case 3).
        "src_with_wcs": {
            "python": "dict",
            "assembler": "pantler.container",
            "composite": {
                "src": {"datasetType": "src"},
                "wcs": {"datasetType": "jointcal_wcs"},
            },
        },
    },
    "aliases": {"calexp": "calexp:jointcal"},
}

VISIT, CCD, TRACT = 903334, 16, 8766


def tan(ra, dec, scale=5e-5):
    """Cards of a tangential projection, north up, in degrees per pixel."""
    return {
        "CTYPE1": "RA---TAN",
        "CTYPE2": "DEC--TAN",
        "CRVAL1": ra,
        "CRVAL2": dec,
        "CRPIX1": 30.0,
        "CRPIX2": 20.0,
        "CD1_1": -scale,
        "CD1_2": 0.0,
        "CD2_1": 0.0,
        "CD2_2": scale,
        "RADESYS": "ICRS",
    }


def simulated_exposure(seed=1, width=300, height=200):
    """An exposure of noise, with a mask, a variance, coordinates and a calibration."""
    random = np.random.default_rng(seed)
    image = random.normal(100, 5, (height, width)).astype("float32")
    mask = np.zeros((height, width), "int32")
    mask[0], mask[:, 0] = 1, 2
    return pantler.Exposure(
        image,
        pantler.Mask(mask, {"EDGE": 0, "BAD": 1}),
        np.full((height, width), 25, "float32"),
        {"OBSERVER": "nobody", "SEEING": 0.7},
        wcs=pantler.Wcs.from_header(tan(210.0, 54.0)),
        photo_calib=pantler.PhotoCalib.from_header({"FLUXMAG0": 1e12, "FLUXMAG0ERR": 1e9}),
    )


def new_wcs():
    """The coordinates that the joint fit makes."""
    return pantler.Wcs.from_header(tan(210.001, 54.0005, 5.01e-5))


def new_calib():
    """The calibration that the joint fit makes."""
    return pantler.PhotoCalib.from_header({"FLUXMAG0": 1.1e12, "FLUXMAG0ERR": 2e9})


def real_file(relative):
    """A real file, or a skip by its name."""
    folder = Path(os.environ.get("PANTLER_TEST_DATA") or CHECKOUT.parent / "shared" / "data")
    path = folder / relative
    if path.exists():
        return path
    if os.environ.get("PANTLER_TEST_DATA_REQUIRED"):
        pytest.fail(f"the real file {relative} is required here and is missing")
    pytest.skip(f"the real file {relative} is not here")


@pytest.fixture
def single_visit(tmp_path):
    """A repository with two exposures, their catalogs, and a document, as a first processing step leaves it."""
    root = tmp_path / "single_visit"
    butler = pantler.Butler(outputs=root, policy=SINGLE_VISIT)
    for ccd in (CCD, CCD + 1):
        butler.put(simulated_exposure(ccd), "calexp", visit=VISIT, ccd=ccd)
        columns = {"id": np.arange(50), "flux": np.linspace(1, 2, 50), "name": [f"s{i}" for i in range(50)]}
        butler.put(pantler.Table(columns, units={"flux": "nJy"}), "src", visit=VISIT, ccd=ccd)
    butler.put({"seeing": 0.7, "observers": ["a", "b"]}, "notes", visit=VISIT)
    return root


@pytest.fixture
def jointcal(single_visit, tmp_path):
    """A child repository with an exposure of the second step."""
    root = tmp_path / "jointcal"
    butler = pantler.Butler(inputs=single_visit, outputs=root, policy=JOINTCAL)
    exposure = butler.get("calexp:sfm", visit=VISIT, ccd=CCD)
    exposure = exposure.with_wcs(new_wcs()).with_photo_calib(new_calib())
    butler.put(exposure, "calexp:jointcal", visit=VISIT, ccd=CCD, tract=TRACT)
    return root
