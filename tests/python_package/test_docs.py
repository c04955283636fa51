"""The pages of the site: their code runs, block after block, in a folder of its own, and prints what the page shows."""

import os
import re
import subprocess
import sysconfig
from pathlib import Path

import pytest

from conftest import CHECKOUT

PAGES = sorted((CHECKOUT / "docs" / "site").glob("*.md")) + [CHECKOUT / "docs" / "plugins.md"]
FENCE = re.compile(r"^```(?P<info>[^\n]*)\n(?P<body>.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(page):
    """The page's blocks of code in their order: the language, the file that it is, and the text."""
    for found in FENCE.finditer(page.read_text(encoding="utf-8")):
        language, body = found["info"].strip(), found["body"]
        caption = re.match(r":caption: (\S+)\n\n?", body)
        if language == "{code-block} yaml" and caption:
            yield "file", caption[1], body[caption.end():]
        else:
            yield language, None, body


def commands(text):
    """The commands of a block, each with what is shown of its output."""
    for part in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
        command, _, shown = part.partition("\n")
        yield command, [line.rstrip() for line in shown.strip("\n").splitlines()]


def run(command, shown):
    scripts = sysconfig.get_path("scripts")
    environment = {**os.environ, "PATH": f"{scripts}:{os.environ['PATH']}", "COLUMNS": "130", "NO_COLOR": "1"}
    done = subprocess.run(command, shell=True, capture_output=True, text=True, env=environment)
    is_refused = bool(shown) and shown[0].startswith("error: ")
    assert (done.returncode != 0) == is_refused, f"{command}\n{done.stdout}{done.stderr}"
    if shown:
        printed = [line.rstrip() for line in (done.stderr if is_refused else done.stdout).strip("\n").splitlines()]
        assert printed == shown, command


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_what_a_page_shows_happens(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    # Processes that are forked import what they are given from here.
    names = {"__name__": "__main__"}
    for number, (language, name, text) in enumerate(blocks(page)):
        if language == "file":
            Path(name).write_text(text, encoding="utf-8")
        elif language == "console":
            for command, shown in commands(text):
                run(command, shown)
        elif language == "python":
            exec(compile(text, f"{page.name}, block {number}", "exec"), names)


def test_the_pages_have_code():
    kinds = [kind for page in PAGES for kind, _, _ in blocks(page)]
    assert kinds.count("python") > 10 and kinds.count("console") > 6
