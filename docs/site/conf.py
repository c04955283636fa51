"""How Sphinx makes the site: `make docs`. The command reference is what the program says of itself."""

import os
import subprocess
from pathlib import Path

HERE = Path(__file__).resolve().parent
CHECKOUT = HERE.parents[1]
PROGRAM = os.environ.get("PANTLER", str(CHECKOUT / "target/debug/pantler"))

project = "pantler"
author = "the pantler developers"
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
source_suffix = {".md": "markdown"}
myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3
# The package's docstrings are the reference of it.
autodoc_class_signature = "separated"
autodoc_member_order = "bysource"
autodoc_typehints = "none"
napoleon_google_docstring = False
# What stands in single backticks in a docstring is code, and its quotes are straight.
default_role = "code"
smartquotes = False
html_theme = "alabaster"
html_theme_options = {"description": "Data access for science pipelines", "page_width": "68em"}
html_static_path = []
exclude_patterns = ["generated/.keep"]
# Pages that are written for the repository name files of it; on the site these are not pages.
suppress_warnings = ["myst.xref_missing"]


def said(*words: str) -> str:
    """What the program prints for a request for help."""
    done = subprocess.run([PROGRAM, *words], capture_output=True, text=True, check=True, env={**os.environ, "COLUMNS": "100"})
    return done.stdout.rstrip()


def commands_of(text: str) -> list[str]:
    """The commands that a help text lists."""
    lines = text.split("Commands:\n", 1)[1].split("\n\n", 1)[0].splitlines() if "Commands:\n" in text else []
    names = [line.split()[0] for line in lines if line.startswith("  ") and line[2] != " "]
    return [name for name in names if name != "help"]


def command_reference() -> str:
    """The page of all commands."""
    whole = said("--help")
    page = ["# Commands", "", "As the program says it: `pantler help COMMAND`.", "", "```text", whole, "```"]
    for name in commands_of(whole):
        text = said(name, "--help")
        page += ["", f"## {name}", "", "```text", text, "```"]
        for inner in commands_of(text):
            page += ["", f"### {name} {inner}", "", "```text", said(name, inner, "--help"), "```"]
    return "\n".join(page) + "\n"


def setup(_app):
    generated = HERE / "generated"
    generated.mkdir(exist_ok=True)
    (generated / "commands.md").write_text(command_reference())
