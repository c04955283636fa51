"""Puts what astropy has, gets it as pantler's, and hands it to astropy again; needs astropy.

    python examples/astropy_and_back.py FOLDER        (a folder that does not exist)
"""

from __future__ import annotations

import sys

import numpy as np
from astropy.nddata import CCDData
from astropy.table import QTable
from astropy.wcs import WCS

import pantler

POLICY = {
    "datasets": {
        "calexp": {"template": "calexp/%(visit)d.fits", "python": "Exposure", "storage": "FitsStorage"},
        "src": {"template": "src/%(visit)d.parquet", "python": "Table", "storage": "ParquetStorage"},
    }
}


def coordinates() -> WCS:
    """A tangential projection of a fifth of an arcsecond per pixel."""
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = ["RA---TAN", "DEC--TAN"]
    wcs.wcs.crval, wcs.wcs.crpix, wcs.wcs.cdelt = [210.0, 54.0], [50.0, 40.0], [-5.6e-5, 5.6e-5]
    return wcs


def main(folder: str) -> None:
    """Put an exposure and its catalog, and read both again."""
    butler = pantler.Butler.open(folder, policy=POLICY)
    pixels = np.random.default_rng(1).normal(100, 5, (80, 100)).astype("float32")
    butler.put(CCDData(pixels, unit="adu", mask=pixels > 115, wcs=coordinates()), "calexp", visit=1)
    butler.put(QTable({"id": [1, 2], "flux": [3.5, 4.5]}, units={"flux": "nJy"}), "src", visit=1)

    exposure: pantler.Exposure = butler.get("calexp", visit=1)
    ccd = exposure.to_ccddata()
    print(exposure, "has", int(ccd.mask.sum()), "bad pixels")
    if exposure.wcs is not None:
        print("the middle is at", exposure.wcs.to_ape14().pixel_to_world(50, 40).to_string())

    later = butler.get("src", visit=1, columns=["flux"], deferred=True)
    print("fluxes", later.get().to_qtable()["flux"])


if __name__ == "__main__":
    main(sys.argv[1])
