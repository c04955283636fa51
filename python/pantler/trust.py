"""Whose code may run.

Import paths of a repository's own policy are followed if the repository belongs to the user of this process. `trust` names
others: a repository by its root (an absolute path, one with a slash in it, or a `pathlib.Path`), or a module or package by its
name, whichever repository asks for it.
"""

from __future__ import annotations

import os
from typing import Any

from pantler.errors import PantlerError


def trusted(given: Any) -> tuple[list[str], list[str]]:
    """Part what a caller trusts into roots of repositories and names of modules."""
    if isinstance(given, (str, os.PathLike)):
        given = [given]
    roots, modules = [], []
    for each in given or ():
        if isinstance(each, str) and os.sep not in each and all(word.isidentifier() for word in each.split(".")):
            modules.append(each)
        elif isinstance(each, (str, os.PathLike)):
            roots.append(os.path.abspath(os.path.expanduser(os.fspath(each))))
        else:
            raise PantlerError(
                f"trust cannot name a {type(each).__name__}",
                hints=["it names repositories by their roots, and modules by their names"],
            )
    return roots, modules
