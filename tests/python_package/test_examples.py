"""The examples run as they stand."""

import subprocess
import sys

import pytest

from conftest import CHECKOUT

EXAMPLES = sorted((CHECKOUT / "examples").glob("*.py"))
SAYS = {"astropy_and_back.py": ["Exposure(100×80 float32", "the middle is at 210", "fluxes [3.5 4.5] nJy"]}


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.name)
def test_examples_run(example, tmp_path):
    done = subprocess.run(
        [sys.executable, "-W", "error", example, tmp_path / "new"], capture_output=True, encoding="utf-8"
    )
    assert done.returncode == 0, done.stderr
    for line in SAYS[example.name]:
        assert line in done.stdout
