"""Use case 4: an exposure before and after detection, with one set of pixels on disk.

    python case_4_before_and_after_detection.py FOLDER        (a folder that does not exist)
"""

import sys

import numpy as np

import sky
from pantler import Butler, Image, Mask, ReadOnlyError


def main(folder: str) -> None:
    survey = sky.simulate(folder)
    coadd = Butler.open(survey / "single_visit").get("calexp:sfm", visit=903334, ccd=16)
    pixels = coadd.image.array

    butler = Butler(outputs=survey / "coadds", policy=sky.policy("case_4_before_and_after_detection"))
    butler.put(coadd, "coadd", patch=1)
    sky_level = np.full(pixels.shape, np.median(pixels), "float32")
    bright = pixels - sky_level > 200
    butler.put(Image(sky_level), "background", patch=1)
    butler.put(Mask(bright.astype("int32"), {"BRIGHT": 0}), "detection", patch=1)

    # Both are exposures to whoever gets them.
    before, after = butler.get("coadd", patch=1), butler.get("coadd:detected", patch=1)
    print("before: its median is above 100:", bool(np.median(before.image.array) > 100), "| planes with BRIGHT:", "BRIGHT" in before.mask.planes)
    print("after is the operation by hand:", np.array_equal(after.image.array, pixels - sky_level), end=", ")
    print(np.array_equal(after.mask.plane("BRIGHT"), bright))

    # The composition is recorded without writing a file.
    done = butler.put(after, "coadd:detected", patch=1)
    print("put: written", len(done.written), "| recorded", done.recorded)

    # Changed pixels would be lost, which is said before anything is written.
    try:
        butler.put(after.with_image(after.image.array * 2), "coadd:detected", patch=1, replace=True)
    except ReadOnlyError as error:
        print("refused:", error.message)
    for file, size in sky.artifacts(survey / "coadds").items():
        print(f"{file:20} {size:8} bytes")


if __name__ == "__main__":
    main(sys.argv[1])
