"""Use case 7: a coadd that knows the exposures it was made from.

    python case_7_precursors.py FOLDER        (a folder that does not exist)
"""

import sys

import numpy as np

import sky
from pantler import Butler, CorruptError


def main(folder: str) -> None:
    survey = sky.simulate(folder)
    butler = Butler(inputs=survey / "single_visit", outputs=survey / "coadds", policy=sky.policy("case_7_precursors"))
    inputs = butler.subset("calexp:sfm", ccd=16)
    mean = np.mean([ref.get("image").array for ref in inputs], axis=0)
    coadd = inputs[0].get().with_image(mean)
    done = butler.put(coadd, "deepCoadd", tract=0, inputs={"inputs": inputs})
    print("put: written", ", ".join(done.written), "| input only", ", ".join(done.input_only))

    # No visit stands in the data ID.
    inputs_wcs = butler.get("deepCoadd.inputs.wcs", tract=0)
    for name in inputs_wcs.component_names:
        print(name, inputs_wcs.component(name))

    # Both ways: what it was made from, and what was made from one of them.
    for ref in butler.query("calexp:sfm", used_by=("deepCoadd", {"tract": 0})):
        print("made from", ref.data_id)
    for ref in butler.query("deepCoadd", made_from=("calexp:sfm", {"visit": 903342, "ccd": 16})):
        print("used by", ref.name, ref.data_id)
    spent = [sky.cost(survey / "coadds", "calexp:sfm.wcs", f"visit={ref.data_id['visit']} ccd=16") for ref in inputs]
    print(sum(counts["bytes_read"] for counts in spent), "bytes read for the coordinates of", len(inputs), "exposures")

    # One that has been removed since is missed by its name.
    Butler.open(survey / "single_visit").rm("calexp:sfm", visit=903342, ccd=16, force=True)
    try:
        Butler.open(survey / "coadds").get("deepCoadd.inputs.wcs", tract=0)
    except CorruptError as error:
        print("removed:", error.message)


if __name__ == "__main__":
    main(sys.argv[1])
