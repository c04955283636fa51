"""Modules that are imported when something of them is first used.

Whoever asks for documents and paths does not wait for numpy, and a program that only opens a repository is done before its modules
would have been read. What stands at the head of a file for people and for type checkers is this, with the real import beside it.
"""

from __future__ import annotations

import importlib


class Later:
    """A module by name, of which each thing is fetched once: `np = Later("numpy")`.

    >>> from pantler.later import Later
    >>> json = Later("json")
    >>> json.dumps({"visit": 1})
    '{"visit": 1}'
    """

    def __init__(self, module: str) -> None:
        self._module = module

    def __getattr__(self, name: str) -> object:
        found: object = getattr(importlib.import_module(self._module), name)
        self.__dict__[name] = found
        return found
