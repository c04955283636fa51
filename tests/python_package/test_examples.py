"""The examples run as they stand, and print what their chapters show.

What each prints is kept beside it, in `NAME.txt`; with `PANTLER_WRITE_DOCS` in the environment it is written anew.
"""

import os
import subprocess
import sys

import pytest

from conftest import CHECKOUT

FOLDER = CHECKOUT / "examples"
EXAMPLES = sorted(path for path in FOLDER.glob("*.py") if "def main(" in path.read_text())


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_prints_what_is_shown(example, tmp_path):
    done = subprocess.run(
        [sys.executable, "-W", "error", example, "new"], capture_output=True, encoding="utf-8", cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr
    printed = done.stdout.replace(f"{tmp_path.resolve()}/", "")
    shown = example.with_suffix(".txt")
    if "PANTLER_WRITE_DOCS" in os.environ:
        shown.write_text(printed, encoding="utf-8")
    assert printed == shown.read_text(encoding="utf-8")


def test_every_example_has_a_chapter():
    """Those of the use cases are shown by a chapter each, with their policy and what they print, in both languages."""
    cases = [example.stem for example in EXAMPLES if example.stem.startswith("case_")]
    assert len(cases) >= 8
    for case in cases:
        number = case.split("_")[1]
        (chapter,) = (CHECKOUT / "docs/site/cases").glob(f"{number}-*.md")
        text = chapter.read_text(encoding="utf-8")
        for file in (f"examples/{case}.py", f"examples/{case}.yaml", f"examples/{case}.txt", f"crates/pantler/examples/{case}.rs"):
            assert file in text, f"{chapter.name} does not show {file}"
            assert (CHECKOUT / file).exists()
