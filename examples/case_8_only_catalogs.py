"""Use case 8: a repository with catalogs and what they need, the images left behind.

    python case_8_only_catalogs.py FOLDER        (a folder that does not exist)
"""

import sys

import sky
from pantler import Butler, PantlerError, RepositoryArgs, Table


def main(folder: str) -> None:
    survey = sky.simulate(folder)
    butler = Butler(inputs=survey / "single_visit", outputs=survey / "mine", policy=sky.policy("case_8_only_catalogs"))
    for ccd in (15, 16):
        butler.put(Table({"x": [100.0, 250.0, 400.0], "flux": [5e3, 7e3, 9e3]}), "icSrc", visit=903334, ccd=ccd)
        butler.link("src", visit=903334, ccd=ccd)

    # The catalogs are named; what they need comes along. First it is only said.
    report = butler.transfer_to(survey / "laptop", "src", dry_run=True)
    for each in report.types:
        print(f"{each.dataset_type:21} {each.kind:9} {each.count}")
    done = butler.transfer_to(survey / "laptop", "src")
    print("brought as was said:", done.types == report.types)
    print("files:", ", ".join(sky.artifacts(survey / "laptop")))
    exposures = sum(sky.artifacts(survey / "single_visit").values())
    print("less than a hundredth of the exposures:", done.bytes < exposures / 100)

    # The laptop stands alone. It has the catalogs and their calibrations under the names that they always had.
    laptop = Butler.open(survey / "laptop")
    src = laptop.get("src", visit=903334, ccd=16)
    calib = butler.get("calexp:sfm.photoCalib", visit=903334, ccd=16)
    print("the same calibration:", src["photoCalib"] == calib)
    print("by its own name:", laptop.get("calexp:sfm.photoCalib", visit=903334, ccd=16) == calib)
    for name in ("calexp:sfm", "calexp:sfm.wcs"):
        print(f"{name} is there: {laptop.exists(name, visit=903334, ccd=16)}")

    # By reference the artifacts stay where they are, and nothing of them is read or written.
    done = butler.transfer_to(survey / "view", "src", by="reference", ccd=16)
    print(f"by reference: {done.count} datasets, {done.bytes} bytes")
    print("read where it lies:", Butler.open(survey / "view").get("src", visit=903334, ccd=16)["photoCalib"] == calib)

    # Two inputs that hold different calibrations: nothing chooses between them unless it is told to.
    other = Butler(outputs=RepositoryArgs(survey / "other", policy=survey / "single_visit" / "policy.yaml"))
    other.put(butler.get("calexp:sfm", visit=903334, ccd=15), "calexp:sfm", visit=903334, ccd=16)
    both = Butler(inputs=[survey / "single_visit", survey / "other"], outputs=survey / "more", policy=sky.policy("case_8_only_catalogs"))
    both.put(Table({"x": [1.0]}), "icSrc", visit=903334, ccd=16)
    try:
        both.transfer_to(survey / "chosen", "src")
    except PantlerError as error:
        print("refused:", error.message)


if __name__ == "__main__":
    main(sys.argv[1])
