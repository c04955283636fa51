"""The wheel alone, with numpy, in an environment that has nothing else."""

import os
import subprocess
import venv
from pathlib import Path

import pytest

WHEELS = os.environ.get("PANTLER_WHEELS")

PROGRAM = """
import sys
import numpy as np
import pantler

policy = {"datasets": {
    "calexp": {"template": "%(visit)d.fits", "python": "ExposureF", "storage": "FitsStorage"},
    "src": {"template": "%(visit)d.parquet", "python": "Table", "storage": "ParquetStorage"},
}}
butler = pantler.Butler(outputs="repository", policy=policy)
exposure = pantler.Exposure(np.ones((4, 5), "float32"), None, None, {})
butler.put(exposure, "calexp", visit=1)
butler.put(pantler.Table({"id": np.arange(3)}), "src", visit=1)
again = pantler.Butler.open("repository")
assert again.get("calexp", visit=1) == exposure
assert list(again.get("src", visit=1)["id"]) == [0, 1, 2]
assert [ref.data_id for ref in again.query("calexp")] == [{"visit": 1}]
loaded = {"astropy", "pandas", "polars", "pyarrow", "distributed"} & {name.split(".")[0] for name in sys.modules}
assert not loaded, loaded
try:
    again.get("src", visit=1).to_astropy()
except ImportError as error:
    print(error)
else:
    raise AssertionError("astropy is not here")
"""


@pytest.mark.skipif(not WHEELS, reason="PANTLER_WHEELS does not name folders with the wheels of pantler and numpy")
def test_the_wheel_works_where_nothing_else_is(tmp_path):
    venv.create(tmp_path / "empty", with_pip=True)
    python = tmp_path / "empty" / "bin" / "python"
    links = [f"--find-links={Path(folder).resolve()}" for folder in WHEELS.split(os.pathsep)]
    subprocess.run([python, "-m", "pip", "install", "--quiet", "--no-index", *links, "pantler"], check=True)
    environment = {key: value for key, value in os.environ.items() if key not in ("PYTHONPATH", "VIRTUAL_ENV")}
    done = subprocess.run([python, "-I", "-c", PROGRAM], cwd=tmp_path, capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr
    assert "astropy" in done.stdout
    asked = subprocess.run([tmp_path / "empty" / "bin" / "pantler", "query", "repository", "calexp"],
                           cwd=tmp_path, capture_output=True, text=True, env=environment)
    assert asked.returncode == 0 and "1.fits" in asked.stdout, asked.stderr
