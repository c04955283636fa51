"""Threads and processes: other threads run meanwhile, butlers travel, children go on."""

import multiprocessing
import pickle
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import pantler
from conftest import CCD, TRACT, VISIT, new_calib, simulated_exposure, tan

# How long a child may take that does in no time what it is asked for, unless it hangs.
LONGEST_SECONDS = 120

CALLS = {
    "get": lambda butler, key: butler.get("calexp:sfm", key),
    "get_components": lambda butler, key: butler.get_components("calexp:sfm", key, ["wcs"]),
    "get_many": lambda butler, key: list(butler.get_many("calexp:sfm", [key])),
    "exists": lambda butler, key: butler.exists("calexp:sfm", key),
    "explain": lambda butler, key: butler.explain("calexp:sfm", key),
    "query": lambda butler, key: butler.query("calexp:sfm"),
    "put": lambda butler, key: butler.put({"a": 1}, "notes", visit=1),
    "link": lambda butler, key: butler.link("calexp:jointcal", key, tract=TRACT),
    "fsck": lambda butler, key: butler.fsck(),
    "rm": lambda butler, key: butler.rm("jointcal_wcs", key, tract=TRACT, force=True, dry_run=True),
}


@pytest.mark.parametrize("name", CALLS)
def test_other_threads_run_meanwhile(jointcal, name):
    butler, key = pantler.Butler.open(jointcal), {"visit": VISIT, "ccd": CCD}
    CALLS[name](butler, key)
    go, ran = threading.Event(), threading.Event()

    def other():
        go.wait()
        ran.set()

    thread = threading.Thread(target=other)
    thread.start()
    interval = sys.getswitchinterval()
    # From here on a thread gets its turn only if the one that runs gives it away.
    sys.setswitchinterval(1000)
    try:
        go.set()
        assert not ran.is_set()
        until = time.monotonic() + LONGEST_SECONDS
        while not ran.is_set() and time.monotonic() < until:
            CALLS[name](butler, key)
        assert ran.is_set()
    finally:
        sys.setswitchinterval(interval)
        thread.join()


def test_threads_share_what_they_read(jointcal):
    butler = pantler.Butler.open(jointcal)

    def read(_):
        return butler.get("calexp:jointcal", visit=VISIT, ccd=CCD, tract=TRACT)

    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(read, range(64)))
    wcs = found[0].wcs
    assert all(exposure.wcs is wcs for exposure in found)
    # All are held, so that no address is used twice.
    assert len({exposure.image.array.__array_interface__["data"][0] for exposure in found}) == 1


def test_butlers_and_references_pickle_by_value(jointcal, tmp_path, monkeypatch):
    monkeypatch.chdir(jointcal.parent)
    butler = pantler.Butler(inputs=jointcal.name, cache_bytes=1_000_000)
    ref = butler.query("calexp:jointcal")[0]
    packed = pickle.dumps((butler, ref, butler.explain("calexp:jointcal", ref)))
    monkeypatch.chdir(tmp_path)
    again, same, plan = pickle.loads(packed)
    assert again is not butler and again.repositories == butler.repositories
    assert same == ref and same.get() == ref.get()
    assert plan == butler.explain("calexp:jointcal", ref)
    assert pickle.loads(pickle.dumps(butler.query("src"))) == list(butler.query("src"))


def mean_in_child(arguments):
    butler, ccd = arguments
    return float(butler.get("calexp:sfm", visit=VISIT, ccd=ccd).image.array.mean(dtype="float64"))


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_pools_of_processes_read(single_visit, method):
    if method not in multiprocessing.get_all_start_methods():
        pytest.skip(f"this system cannot {method}")
    butler = pantler.Butler.open(single_visit)
    wanted = [(butler, CCD), (butler, CCD + 1)]
    # So that the threads which read in parallel exist in this process before it is forked.
    expected = [mean_in_child(each) for each in wanted]
    with multiprocessing.get_context(method).Pool(2) as pool:
        found = pool.map_async(mean_in_child, wanted * 4).get(LONGEST_SECONDS)
    assert found == expected * 4


@pytest.mark.skipif("fork" not in multiprocessing.get_all_start_methods(), reason="this system cannot fork")
def test_a_forked_child_goes_on_with_the_butler_itself(jointcal):
    butler = pantler.Butler.open(jointcal)
    parent = butler.get("calexp:jointcal", visit=VISIT, ccd=CCD, tract=TRACT)
    held = parent.image.array

    def child(out):
        # Both what the parent holds and what is read anew; one more put; and a child of the child.
        exposure = butler.get("calexp:jointcal", visit=VISIT, ccd=CCD, tract=TRACT)
        same = np.array_equal(exposure.image.array, held)
        others = list(butler.get_many("calexp:sfm", [{"visit": VISIT, "ccd": ccd} for ccd in (CCD, CCD + 1)]))
        butler.put({"from": "the child"}, "notes", visit=2)
        inner = multiprocessing.get_context("fork").Process(target=lambda: butler.get("notes", visit=2))
        inner.start()
        inner.join(LONGEST_SECONDS)
        out.send((same, others[1] == simulated_exposure(CCD + 1), inner.exitcode))

    context = multiprocessing.get_context("fork")
    here, there = context.Pipe()
    process = context.Process(target=child, args=(there,))
    process.start()
    assert here.poll(LONGEST_SECONDS), "the child hangs"
    assert here.recv() == (True, True, 0)
    process.join(LONGEST_SECONDS)
    assert process.exitcode == 0
    # The parent's connections are as they were.
    assert butler.get("notes", visit=2) == {"from": "the child"}
    assert butler.fsck(deep=True)


def put_composite(arguments):
    """Put an exposure with its own coordinates over the first step's, read it again, and say what came back."""
    butler, ccd, tract = arguments
    exposure = butler.get("calexp:sfm", visit=VISIT, ccd=ccd).with_wcs(wcs_of(tract)).with_photo_calib(new_calib())
    done = butler.put(exposure, "calexp:jointcal", visit=VISIT, ccd=ccd, tract=tract)
    again = butler.get("calexp:jointcal", visit=VISIT, ccd=ccd, tract=tract)
    return done.recorded, len(done.written), again == exposure


def wcs_of(tract):
    """Coordinates that no other tract has."""
    return pantler.Wcs.from_header(tan(210 + tract / 1000, 54))


def nothing_is_lost(butler, wanted):
    """Every composite is there with its own parts, and the repository agrees with its artifacts."""
    assert len(butler.query("calexp:jointcal")) == len(wanted) + 1
    for _, ccd, tract in wanted:
        assert butler.get("calexp:jointcal.wcs", visit=VISIT, ccd=ccd, tract=tract) == wcs_of(tract)
        assert butler.exists("calexp:jointcal", visit=VISIT, ccd=ccd, tract=tract)
    report = butler.fsck(deep=True)
    assert report and not report.problems and not report.leftover


def test_threads_put_composites(jointcal):
    butler = pantler.Butler.open(jointcal)
    wanted = [(butler, CCD + tract % 2, tract) for tract in range(24)]
    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(put_composite, wanted))
    assert found == [(True, 2, True)] * len(wanted)
    nothing_is_lost(pantler.Butler.open(jointcal), wanted)


def test_threads_that_put_the_same_agree_on_one(jointcal):
    butler = pantler.Butler.open(jointcal)
    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(put_composite, [(butler, CCD, 7)] * 16))
    assert all(recorded_and_equal[2] for recorded_and_equal in found)
    assert sum(written for _, written, _ in found) == 2
    nothing_is_lost(pantler.Butler.open(jointcal), [(butler, CCD, 7)])


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_processes_put_composites(jointcal, method):
    if method not in multiprocessing.get_all_start_methods():
        pytest.skip(f"this system cannot {method}")
    butler = pantler.Butler.open(jointcal)
    wanted = [(butler, CCD + tract % 2, tract) for tract in range(16)]
    with multiprocessing.get_context(method).Pool(4) as pool:
        found = pool.map_async(put_composite, wanted, 1).get(LONGEST_SECONDS)
    assert found == [(True, 2, True)] * len(wanted)
    nothing_is_lost(butler, wanted)


def got(handle):
    return handle.get().image.array.mean(dtype="float64"), handle.get("wcs").pixel_scale(0, 0)


def test_handles_are_got_in_another_process(jointcal):
    handle = pantler.Butler.open(jointcal).get("calexp:jointcal", visit=VISIT, ccd=CCD, tract=TRACT, deferred=True)
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        assert pool.apply_async(got, (handle,)).get(LONGEST_SECONDS) == got(handle)
