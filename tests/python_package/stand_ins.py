"""Modules of users, as their own packages would have them: written to a folder on the path, gone after the test."""

import importlib
import sys
import textwrap

import pytest


@pytest.fixture
def packages(tmp_path, monkeypatch):
    """Writes modules by name, each importable until the test ends: `packages({"lsst.mypackage.jointcal": "def …"})`."""
    folder = tmp_path / "packages"
    folder.mkdir()
    monkeypatch.syspath_prepend(folder)
    before = set(sys.modules)

    def write(modules):
        for name, text in modules.items():
            *above, last = name.split(".")
            place = folder
            for word in above:
                place = place / word
                place.mkdir(exist_ok=True)
                (place / "__init__.py").touch()
            file = place / last / "__init__.py" if (place / last).is_dir() else place / f"{last}.py"
            file.write_text(textwrap.dedent(text))
            # A module that was only a folder becomes one with contents.
            sys.modules.pop(name, None)
        importlib.invalidate_caches()
        return folder

    yield write
    for name in set(sys.modules) - before:
        if getattr(sys.modules[name], "__file__", None) and str(folder) in str(sys.modules[name].__file__):
            del sys.modules[name]
