"""Use case 2: one component alone, however the exposure is kept.

    python case_2_one_component.py FOLDER        (a folder that does not exist)
"""

import sys

import sky
from pantler import Butler, PantlerError


def main(folder: str) -> None:
    survey = sky.simulate(folder)
    butler = Butler(inputs=survey / "single_visit", outputs=survey / "mine", policy=sky.policy("case_2_one_component"))
    exposure = butler.get("calexp:sfm", visit=903334, ccd=16)
    done = butler.put(exposure, "calexp:parts", visit=903334, ccd=16)
    print("put: written", ", ".join(done.written))

    # One file, a type of its own for the part, a file for each part, parts of two steps: one call, one answer.
    one_file = butler.get("calexp:sfm.psf", visit=903334, ccd=16)
    by_type = butler.get("calexp_psf", visit=903334, ccd=16)
    apart = butler.get("calexp:parts.psf", visit=903334, ccd=16)
    composite = Butler.open(survey / "jointcal").get("calexp:jointcal.psf", visit=903334, ccd=16, tract=0)
    print("four ways, one psf:", one_file == by_type == apart == composite)
    print(butler.get("calexp:sfm.bbox", visit=903334, ccd=16), butler.get("calexp:sfm.wcs", visit=903334, ccd=16))

    # What each costs, in a process that has read nothing before.
    for name in ("calexp:sfm", "calexp:sfm.psf", "calexp:sfm.wcs", "calexp:sfm.mask", "calexp:parts.psf"):
        counts = sky.cost(survey / "mine", name, "visit=903334 ccd=16")
        print(f"{name:17} {counts['bytes_read']:8} bytes read of {counts['artifacts_opened']} file")

    # A component that has a file of its own can be put by itself; a piece of a file cannot.
    psf = butler.get("calexp:sfm.psf", visit=903334, ccd=17)
    print("put: written", ", ".join(butler.put(psf, "calexp:parts.psf", visit=903334, ccd=17).written))
    try:
        butler.put(psf, "calexp:sfm.psf", visit=903334, ccd=17)
    except PantlerError as error:
        print("refused:", error.message)


if __name__ == "__main__":
    main(sys.argv[1])
