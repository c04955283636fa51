"""Handles that are got later, and the tokens by which dask names its tasks."""

import pickle
import subprocess
import sys

import numpy as np
import pytest

import pantler
from conftest import CCD, TRACT, VISIT, new_wcs, simulated_exposure
from pantler.tokens import token

KEY = {"visit": VISIT, "ccd": CCD, "tract": TRACT}

IN_ANOTHER_PROCESS = """
import pickle, sys
values = pickle.load(sys.stdin.buffer)
print("\\n".join(type(value).__dask_tokenize__(value) for value in values))
"""


def test_a_handle_gets_what_the_butler_would(jointcal):
    butler = pantler.Butler.open(jointcal)
    handle = butler.get("calexp:jointcal", KEY, deferred=True)
    assert isinstance(handle, pantler.DeferredDataset)
    assert handle.name == "calexp:jointcal" and handle.data_id == KEY
    assert handle.get() == butler.get("calexp:jointcal", KEY)
    assert handle.get("wcs") is butler.get("calexp:jointcal.wcs", KEY)
    assert handle.get("image", bbox=(1, 2, 3, 4)).array.shape == (4, 3)
    assert handle.ref.get("wcs") is handle.get("wcs") and handle.ref.data_id == KEY
    piece = butler.get("calexp", {"visit": VISIT}, ccd=CCD, tract=TRACT, bbox=(1, 2, 3, 4), version="jointcal", deferred=True)
    assert tuple(piece.get().bbox) == (1, 2, 3, 4)
    assert tuple(piece.get(bbox=(0, 0, 2, 2)).bbox) == (0, 0, 2, 2)
    rows = butler.get("src", visit=VISIT, ccd=CCD, rows=slice(0, 3), columns="id", deferred=True)
    assert rows.get()["id"].tolist() == [0, 1, 2]


def test_nothing_is_looked_up_before(single_visit):
    butler = pantler.Butler.open(single_visit)
    handle = butler.get("notes", visit=99, deferred=True)
    with pytest.raises(pantler.NotFoundError):
        handle.get()
    butler.put({"a": 1}, "notes", visit=99)
    assert handle.get() == {"a": 1}
    with pytest.raises(pantler.PantlerError, match="composition"):
        butler.get("notes", visit=99, deferred=True, composition="none")


def test_handles_travel_by_value(jointcal):
    handle = pantler.Butler.open(jointcal).get("calexp:jointcal", KEY, bbox=(0, 0, 5, 5), deferred=True)
    again = pickle.loads(pickle.dumps(handle))
    assert again == handle and again in {handle} and again.get() == handle.get()
    assert again != handle.butler.get("calexp:jointcal", KEY, deferred=True)
    assert "DeferredDataset(name='calexp:jointcal'" in repr(handle) and len(repr(handle)) < 200


def test_tokens_are_of_values_and_hold_in_every_process(jointcal):
    tokenize = pytest.importorskip("dask.base").tokenize
    butler = pantler.Butler.open(jointcal)
    ref = butler.query("calexp:jointcal")[0]
    values = [
        butler,
        ref,
        butler.get("calexp:jointcal", KEY, deferred=True),
        butler.explain("calexp:jointcal", KEY),
    ]
    found = [token(value) for value in values]
    assert len(set(found)) == len(found)
    again = [pantler.Butler.open(jointcal), pantler.Butler.open(jointcal).query("calexp:jointcal")[0]]
    assert [tokenize(value) for value in again] == [tokenize(value) for value in values[:2]]
    assert tokenize(values[2]) != tokenize(butler.get("calexp:jointcal", KEY, bbox=(0, 0, 1, 1), deferred=True))
    assert tokenize(butler) != tokenize(pantler.Butler(jointcal))
    done = subprocess.run(
        [sys.executable, "-c", IN_ANOTHER_PROCESS], input=pickle.dumps(values), capture_output=True, check=True
    )
    assert done.stdout.decode().split() == [type(value).__dask_tokenize__(value) for value in values]


def test_objects_have_the_token_of_their_values(single_visit):
    one, same, other = simulated_exposure(1), simulated_exposure(1), simulated_exposure(2)
    assert token(one) == token(same) != token(other)
    assert token(one) != token(one.with_wcs(new_wcs())) and token(one) != token(one.with_metadata({}))
    parts = [one.component(name) for name in one.component_names]
    assert len({token(part) for part in parts}) == len(parts)
    assert token(pantler.Image(np.zeros((2, 3)))) != token(pantler.Image(np.zeros((3, 2))))
    assert token(pantler.Image(np.zeros((2, 3)))) != token(pantler.Image(np.zeros((2, 3)), 1, 0))
    assert token(pantler.Document({"a": 1, "b": 2})) == token(pantler.Document({"b": 2, "a": 1}))
    columns = {"a": np.arange(3), "b": ["x", "y", "z"]}
    assert token(pantler.Table(columns)) == token(pantler.Table(columns)) != token(pantler.Table(columns, units={"a": "m"}))
    gaps = pantler.Table({"a": np.ma.masked_array(np.arange(3), [0, 0, 1])})
    assert token(gaps) != token(pantler.Table({"a": np.arange(3)}))
    # What was read has the dataset's identity; another dataset, and a piece, have another one.
    butler = pantler.Butler.open(single_visit)
    read = butler.get("calexp", visit=VISIT, ccd=CCD)
    tokens = [
        token(read),
        token(butler.get("calexp", visit=VISIT, ccd=CCD + 1)),
        token(butler.get("calexp", visit=VISIT, ccd=CCD, bbox=(0, 0, 5, 5))),
        token(read.wcs),
        token(read.with_image(read.image.array + 1)),
    ]
    assert len(set(tokens)) == len(tokens)
    assert token(read) == token(pantler.Butler.open(single_visit).get("calexp", visit=VISIT, ccd=CCD))


def test_lists_are_told_from_their_parts():
    assert token(["a"], ["b"]) != token(["a", "b"]) != token("ab")
    assert token({"a": ["b"]}) != token({"a": "b"}) and token(1) != token("1") and token(b"1") != token("1")
