"""A cluster of four processes works on one repository. `PANTLER_TASKS` says how many gets and puts; the full count is 1000."""

import os

import numpy as np
import pytest

import pantler
from conftest import JOINTCAL, SINGLE_VISIT, new_calib, simulated_exposure, tan

TASKS = int(os.environ.get("PANTLER_TASKS", "60"))
distributed = pytest.importorskip("distributed")


@pytest.fixture(scope="module")
def cluster():
    with distributed.LocalCluster(
        n_workers=4, threads_per_worker=1, processes=True, dashboard_address=None, host="127.0.0.1"
    ) as cluster, distributed.Client(cluster) as client:
        yield client


def fitted(butler, number):
    """What a task does: a composite is put that shares its pixels with all others, and one is got."""
    keys = {"visit": 1, "ccd": number % 4}
    exposure = butler.get("calexp:sfm", keys)
    wcs = pantler.Wcs.from_header(tan(210.0 + number / 1e5, 54.0))
    butler.put(exposure.with_wcs(wcs).with_photo_calib(new_calib()), "calexp:jointcal", keys, tract=number)
    found = butler.get("calexp:jointcal", keys, tract=number)
    assert found.wcs == wcs and np.shares_memory(found.image.array, exposure.image.array)
    return found.wcs


def test_composites_are_got_and_put_by_a_cluster(cluster, tmp_path):
    first = pantler.Butler(outputs=tmp_path / "single_visit", policy=SINGLE_VISIT)
    for ccd in range(4):
        first.put(simulated_exposure(ccd), "calexp:sfm", visit=1, ccd=ccd)
    butler = pantler.Butler(tmp_path / "single_visit", {"root": tmp_path / "jointcal", "policy": JOINTCAL})

    tasks = cluster.map(fitted, [butler] * TASKS, range(TASKS), pure=False)
    worked = cluster.gather(tasks)

    again = pantler.Butler.open(tmp_path / "jointcal")
    found = again.query("calexp:jointcal")
    assert sorted(ref.data_id["tract"] for ref in found) == list(range(TASKS))
    for ref in found:
        assert ref.get("wcs") == worked[ref.data_id["tract"]]
    report = again.fsck(deep=True)
    assert report.clean and not report.problems, report


def test_references_and_objects_travel(cluster, single_visit):
    butler = pantler.Butler.open(single_visit)
    refs = list(butler.query("calexp"))
    exposures = cluster.gather(cluster.map(lambda ref: ref.get(), refs, pure=False))
    assert exposures == [ref.get() for ref in refs]
