"""Use case 1: exposures with the coordinates and the calibration of a later processing step.

    python case_1_updated_wcs.py FOLDER        (a folder that does not exist)
"""

import sys

import numpy as np

import sky
from pantler import AmbiguousError, Butler, NotFoundError


def main(folder: str) -> None:
    survey = sky.simulate(folder)
    fits = Butler.open(survey / "jointcal")  # where the simulated joint fit is taken from

    # The later step writes into a repository of its own, which builds on the first step's.
    butler = Butler(inputs=survey / "single_visit", outputs=survey / "mine", policy=sky.policy("case_1_updated_wcs"))
    for tract in (0, 1):
        exposure = butler.get("calexp:sfm", visit=903334, ccd=16)
        wcs = fits.get("jointcal_wcs", visit=903334, ccd=16, tract=tract)
        calib = fits.get("jointcal_calib", visit=903334, ccd=16, tract=tract)
        updated = exposure.with_wcs(wcs).with_photo_calib(calib)
        done = butler.put(updated, "calexp:jointcal", visit=903334, ccd=16, tract=tract)
        print("put: written", ", ".join(done.written), "| input only", ", ".join(done.input_only))

    # Whoever opens that repository needs to know no other.
    butler = Butler.open(survey / "mine")
    print(butler.explain("calexp:jointcal", visit=903334, ccd=16, tract=0))
    old = butler.get("calexp:sfm", visit=903334, ccd=16)
    new = butler.get("calexp:jointcal", visit=903334, ccd=16, tract=0)
    print("pixels are those of calexp:sfm:", np.array_equal(new.image.array, old.image.array))
    print("wcs and calib are those of the fit:", new.wcs == fits.get("jointcal_wcs", visit=903334, ccd=16, tract=0), end=", ")
    print(new.photo_calib == fits.get("jointcal_calib", visit=903334, ccd=16, tract=0))

    # By the stage as a key, or by what `calexp` means here: the same parts.
    print("by version:", butler.get("calexp", visit=903334, ccd=16, tract=0, version="jointcal").wcs is new.wcs)

    # It lies in two tracts, and nobody said which is meant.
    try:
        butler.get("calexp", visit=903334, ccd=16)
    except AmbiguousError as error:
        print("without tract:", error.message)

    # The fit of this one is missing. The coordinates of the first step are never taken instead.
    try:
        butler.get("calexp:jointcal", visit=903342, ccd=15, tract=0)
    except NotFoundError as error:
        print("not fitted:", error.message)

    print("on disk:", sum(sky.artifacts(survey / "mine").values()), "bytes in", len(sky.artifacts(survey / "mine")), "files")
    print("one exposure:", sky.artifacts(survey / "single_visit")["calexp/0903334/016.fits"], "bytes")


if __name__ == "__main__":
    main(sys.argv[1])
