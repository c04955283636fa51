"""Two repositories as use case 1 has them: `single_visit` with `calexp:sfm`, and its child `jointcal`.

Their policies are written here whole, as a user would write them. This module drives the program and judges nothing.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

VISIT = 11506
TRACT = 8766

SINGLE_VISIT = """
stages: [sfm, jointcal]
datasets:
  calexp:sfm:
    template: "calexp/%(visit)07d/%(ccd)03d.fits"
    python: lsst.afw.image.ExposureF
    storage: FitsStorage
"""

JOINTCAL = """
stages: [sfm, jointcal]
datasets:
  jointcal_wcs:
    template: "jointcal/%(tract)04d/wcs-%(visit)07d-%(ccd)03d.fits"
    python: lsst.afw.image.Wcs
    storage: FitsStorage
    ingest: {path: "%(tract)d/jointcal_wcs-%(visit)07d-%(ccd)03d.fits"}
  jointcal_calib:
    template: "jointcal/%(tract)04d/calib-%(visit)07d-%(ccd)03d.fits"
    python: lsst.afw.image.PhotoCalib
    storage: FitsStorage
    ingest: {path: "%(tract)d/jointcal_photoCalib-%(visit)07d-%(ccd)03d.fits"}
  calexp:jointcal:
    python: lsst.afw.image.ExposureF
    composite:
      calexp: {datasetType: "calexp:sfm", inputOnly: true}
      wcs:    {datasetType: jointcal_wcs}
      calib:  {datasetType: jointcal_calib}
"""


def keys(**data_id):
    """A data ID as words of a command line."""
    return [f"{key}={value}" for key, value in data_id.items()]


def sha256(path):
    """The digest of a file's bytes."""
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()


def artifacts(repository):
    """Every FITS file below a repository, with its digest."""
    return {
        path.relative_to(repository).as_posix(): sha256(path)
        for path in sorted(Path(repository).rglob("*.fits*"))
        if path.is_file()
    }


def make_repository(pantler, root, policy, *options):
    """Makes a repository with a policy given as text."""
    file = root.with_suffix(".yaml")
    file.write_text(policy)
    pantler("init", root, "--policy", file, *options)
    return root


@dataclass
class Survey:
    """The two repositories, and the files that were put into them."""

    pantler: Any
    folder: Path
    single: Path
    joint: Path
    exposures: dict
    wcs: dict
    calib: dict

    @classmethod
    def init(cls, folder, pantler, joint_policy=JOINTCAL):
        """Makes both repositories, empty."""
        single = make_repository(pantler, folder / "single_visit", SINGLE_VISIT)
        joint = make_repository(pantler, folder / "jointcal", joint_policy, "--parent", single)
        return cls(pantler, folder, single, joint, {}, {}, {})

    def add_exposure(self, file, ccd):
        """Ingests a file as `calexp:sfm`."""
        self.pantler("ingest", self.single, "calexp:sfm", file, *keys(visit=VISIT, ccd=ccd))
        self.exposures[ccd] = file

    def add_joint(self, wcs, calib, **data_id):
        """Ingests the two new parts; what the data ID does not say stands in their paths."""
        self.pantler("ingest", self.joint, "jointcal_wcs", wcs, *keys(**data_id))
        self.pantler("ingest", self.joint, "jointcal_calib", calib, *keys(**data_id))
        ccd = data_id.get("ccd", int(wcs.stem[-3:]))
        self.wcs[ccd] = wcs
        self.calib[ccd] = calib

    def base_artifact(self, ccd):
        """Where the repository keeps the exposure."""
        return self.single / f"calexp/{VISIT:07d}/{ccd:03d}.fits"

    def file(self, name):
        """A path for a file that is handed out."""
        return self.folder / name

    def export(self, ccd, name="export.fits", tract=TRACT):
        """Exports `calexp:jointcal` as one file."""
        out = self.file(name)
        self.pantler(
            "export", self.joint, "calexp:jointcal", *keys(visit=VISIT, ccd=ccd, tract=tract), "--out", out
        )
        return out

    def put(self, file, *options, ccd=49, tract, status=0):
        """Puts a file as `calexp:jointcal`."""
        words = keys(visit=VISIT, ccd=ccd, tract=tract)
        return self.pantler("put", self.joint, "calexp:jointcal", file, *words, *options, "--json", status=status)
