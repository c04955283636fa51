"""Every public class, method and function says what it is for, with an example that runs.

The examples run one docstring at a time, each in a fresh copy of three small repositories, in the folder that they lie in:
`single_visit` and `jointcal` as `pantler demo` makes them, and `mine`, which builds on them and has catalogs and notes. The names
`butler` (opened on `mine`) and `np` are there.
"""

import doctest
import inspect
import shutil
import subprocess
import sys

import numpy as np
import pytest

import pantler

MINE = {
    "datasets": {
        "src": {"template": "src/%(visit)07d-%(ccd)03d.parquet", "python": "Table", "storage": "ParquetStorage"},
        "note": {"template": "note/%(visit)07d.json", "python": "dict", "storage": "JsonStorage"},
        "image": {"template": "image/%(visit)07d-%(ccd)03d.fits", "python": "ExposureF", "storage": "FitsStorage"},
    }
}
OPTIONS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


def is_ours(owner):
    return getattr(owner, "__module__", "").split(".")[0] == "pantler"


def documented():
    """Every public thing that can be called, by its name: what `pantler.__all__` has, and the methods of its classes."""
    for name in pantler.__all__:
        thing = getattr(pantler, name)
        if not callable(thing):
            continue
        yield name, thing
        if not inspect.isclass(thing):
            continue
        for method in dir(thing):
            owner = next((cls for cls in thing.__mro__ if method in vars(cls)), None)
            # What a class has of another public one is said there.
            is_said_there = owner is not thing and getattr(owner, "__name__", "") in pantler.__all__
            if method.startswith("_") or is_said_there or not is_ours(owner):
                continue
            if callable(getattr(thing, method)):
                yield f"{name}.{method}", getattr(thing, method)


THINGS = dict(documented())


@pytest.fixture(scope="session")
def survey(tmp_path_factory):
    """The repositories, as they are before any example runs."""
    folder = tmp_path_factory.mktemp("docstrings") / "survey"
    subprocess.run([sys.executable, "-m", "pantler", "demo", folder], check=True, capture_output=True)
    butler = pantler.Butler(inputs=folder / "jointcal", outputs=folder / "mine", policy=MINE)
    for ccd in (16, 17):
        columns = {"id": np.arange(4), "x": [10.0, 200.5, 31.0, 400.0], "y": [20.0, 50.0, 470.0, 300.5], "flux": [1.5, 2.5, 3.5, 4.5]}
        butler.put(pantler.Table(columns, units={"flux": "nJy"}), "src", visit=903334, ccd=ccd)
    butler.put({"seeing": 0.7, "observers": ["Ada", "Edwin"]}, "note", visit=903334)
    return folder


@pytest.fixture
def here(survey, tmp_path, monkeypatch):
    folder = tmp_path / "survey"
    shutil.copytree(survey, folder)
    monkeypatch.chdir(folder)
    return folder


def examples_of(name, thing):
    return doctest.DocTestParser().get_doctest(
        inspect.getdoc(thing) or "", {"butler": None, "np": np}, name, f"the docstring of pantler.{name}", 0
    )


@pytest.mark.parametrize("name", THINGS)
def test_it_is_documented_and_its_examples_run(name, here):
    text = inspect.getdoc(THINGS[name]) or ""
    # A class that has no docstring of its own would show that of the class it is made of.
    own = THINGS[name].__doc__ or ""
    assert own.strip(), f"{name} has no docstring"
    assert "\nExamples\n--------\n" in text, f"{name} has no examples"
    test = examples_of(name, THINGS[name])
    assert test.examples, f"the examples of {name} run nothing"
    test.globs["butler"] = pantler.Butler.open("mine")
    said = []
    failed, _ = doctest.DocTestRunner(optionflags=OPTIONS).run(test, out=said.append)
    assert not failed, "".join(said)


def test_what_takes_arguments_says_which():
    """A method with parameters of its own names each of them."""
    lacking = []
    for name, thing in THINGS.items():
        if inspect.isclass(thing) and issubclass(thing, Exception):
            continue
        try:
            parameters = inspect.signature(thing).parameters.values()
        except ValueError:
            continue
        text = inspect.getdoc(thing) or ""
        for each in parameters:
            word = each.name.lstrip("_")
            is_said = word in ("self", "cls", "obj", "table", "unknown", "requested_schema") or word in text
            if not is_said:
                lacking.append(f"{name}({word})")
    assert not lacking, lacking
