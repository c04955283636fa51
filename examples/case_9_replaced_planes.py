"""Use case 9: an exposure with single planes replaced.

    python case_9_replaced_planes.py FOLDER        (a folder that does not exist)
"""

import sys

import numpy as np

import sky
from pantler import Butler, Mask, PantlerError


def main(folder: str) -> None:
    survey = sky.simulate(folder)
    butler = Butler(inputs=survey / "single_visit", outputs=survey / "mine", policy=sky.policy("case_9_replaced_planes"))
    exposure = butler.get("calexp:sfm", visit=903334, ccd=16)

    # A new mask, in which the bright pixels are flagged, and then a variance twice as large.
    flags = exposure.mask.array | np.where(exposure.image.array > 1000, 1 << 8, 0).astype("int32")
    masked = exposure.with_mask(Mask(flags, exposure.mask.planes | {"BRIGHT": 8}))
    done = butler.put(masked, "calexp:masked", visit=903334, ccd=16)
    print("put: written", ", ".join(done.written), "| input only", ", ".join(done.input_only))
    weighed = masked.with_variance(exposure.variance.array * 2)
    done = butler.put(weighed, "calexp:weighed", visit=903334, ccd=16)
    print("put: written", ", ".join(done.written), "| input only", ", ".join(done.input_only))

    found = butler.get("calexp:weighed", visit=903334, ccd=16)
    print("pixels shared:", np.shares_memory(found.image.array, exposure.image.array))
    print("bright pixels:", int(found.mask.plane("BRIGHT").sum()), "| before:", "BRIGHT" in exposure.mask.planes)
    print("variance doubled:", np.array_equal(found.variance.array, 2 * exposure.variance.array))
    for file, size in sky.artifacts(survey / "mine").items():
        print(f"{file:27} {size:8} bytes")
    print(sky.cost(survey / "mine", "calexp:masked.mask", "visit=903334 ccd=16")["bytes_read"], "bytes read for the new mask")

    # A plane of another shape is refused, and nothing is written.
    try:
        butler.put(Mask(flags[:10], {"BRIGHT": 8}), "calexp:masked.mask", visit=903342, ccd=16)
    except PantlerError as error:
        print("refused:", error.message)


if __name__ == "__main__":
    main(sys.argv[1])
