"""Use case 3: a catalog and its exposure, which share their coordinates and calibration in memory.

    python case_3_shared_parts.py FOLDER        (a folder that does not exist)
"""

import sys

import sky
from catalogs import CatalogOfExposure
from pantler import Butler, Table


def main(folder: str) -> None:
    survey = sky.simulate(folder)
    butler = Butler(inputs=survey / "single_visit", outputs=survey / "mine", policy=sky.policy("case_3_shared_parts"))
    sources = Table({"id": [1, 2, 3], "x": [100.0, 250.0, 400.0], "y": [80.0, 300.0, 20.0], "flux": [5e3, 7e3, 9e3]})
    butler.put(sources, "icSrc", visit=903334, ccd=16)

    extended = butler.get("extended_icSrc", visit=903334, ccd=16)
    print("positions:", *(f"({ra:.4f}, {dec:.4f})" for ra, dec in extended.positions()))

    # The exposure, loaded afterwards, holds the same objects.
    exposure = butler.get("calexp:sfm", visit=903334, ccd=16)
    print("one wcs in memory:", exposure.wcs is extended.wcs)
    print("one calib in memory:", exposure.photo_calib is extended.photoCalib)

    # Until then no pixel had been read: this is what the exposure's two parts cost, and what the exposure costs.
    for name in ("calexp:sfm.wcs", "calexp:sfm.photoCalib", "calexp:sfm"):
        print(f"{name:21} {sky.cost(survey / 'mine', name, 'visit=903334 ccd=16')['bytes_read']:8} bytes read")

    # A put writes what is new. Nothing is here, so the composition is recorded, and no file is written.
    done = butler.put(extended, "extended_icSrc", visit=903334, ccd=16)
    print("put: written", len(done.written), "| unchanged", ", ".join(done.unchanged), "| input only", ", ".join(done.input_only))
    brighter = Table({name: sources[name] for name in ("id", "x", "y")} | {"flux": sources["flux"] * 1.1})
    changed = CatalogOfExposure(brighter, extended.wcs, extended.photoCalib)
    done = butler.put(changed, "extended_icSrc", visit=903334, ccd=16, replace=True)
    print("put: written", ", ".join(done.written), "| input only", ", ".join(done.input_only))


if __name__ == "__main__":
    main(sys.argv[1])
