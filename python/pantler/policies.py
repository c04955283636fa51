"""Policies as files or dictionaries, in which functions and classes may stand for their import paths.

What can be imported is written as its import path. A definition with something that cannot (a function of a notebook, a lambda)
serves the butler that it is given to, and no other: it is kept in memory, and putting its type is refused.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pantler.later import Later
from pantler.plugins import Plugins, path_of

if TYPE_CHECKING:
    import json
else:
    json = Later("json")

# Where functions and classes may stand.
_KEYS = ("python", "assembler", "disassembler", "standardize", "virtual", "storage")
_SECTIONS = ("datasets", "exposures", "images", "calibrations")


def policy_texts(given: Any, plugins: Plugins) -> tuple[list[tuple[str, str]], list[str]]:
    """Return policies as texts, with their names, and apart from them what serves this butler only."""
    lasting: list[tuple[str, str]] = []
    local: list[str] = []
    for each in _list(given):
        if isinstance(each, Mapping):
            kept, private = _parted(_plain(each, plugins), plugins)
            # JSON is YAML.
            lasting.append(("policy.yaml", json.dumps(kept, indent=1)))
            local += [json.dumps(private, indent=1)] if private else []
        else:
            lasting.append((os.fspath(each), _read(each)))
    return lasting, local


def policies_for_one(given: Any, plugins: Plugins) -> list[str]:
    """Return policies as texts that all serve one butler only: there is no repository to keep them."""
    texts = []
    for each in _list(given):
        is_dict = isinstance(each, Mapping)
        texts.append(json.dumps(_plain(each, plugins), indent=1) if is_dict else _read(each))
    return texts


def _read(path: str | os.PathLike[str]) -> str:
    with open(path, encoding="utf-8") as file:
        return file.read()


def _list(given: Any) -> list[Any]:
    if given is None:
        return []
    return list(given) if isinstance(given, (list, tuple)) else [given]


def _plain(value: Any, plugins: Plugins, key: str = "") -> Any:
    """A policy with import paths, or private names, where functions and classes stood."""
    if isinstance(value, Mapping):
        return {str(name): _plain(each, plugins, str(name)) for name, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(each, plugins) for each in value]
    if key in _KEYS and (callable(value) or hasattr(value, "read")):
        return path_of(value) or _private(value, plugins)
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    return value


def _private(value: Any, plugins: Plugins) -> str:
    for name, known in plugins.private.items():
        if known is value:
            return name
    own = getattr(value, "__qualname__", None) or type(value).__qualname__
    words = "".join(letter if letter.isalnum() else "_" for letter in own.rsplit(".", 1)[-1])
    name = f"__private__.{words}_{len(plugins.private)}"
    plugins.private[name] = value
    return name


def _parted(policy: dict[str, Any], plugins: Plugins) -> tuple[dict[str, Any], dict[str, Any]]:
    """Parts a policy into what can be kept and what cannot: definitions with private names, and those that are made of them."""
    definitions = {
        name: definition
        for section in _SECTIONS
        for name, definition in (policy.get(section) or {}).items()
        if isinstance(definition, Mapping)
    }
    private = {name for name, definition in definitions.items() if _names(definition) & plugins.private.keys()}
    while True:
        more = {name for name, definition in definitions.items() if name not in private and _uses(definition) & private}
        if not more:
            break
        private |= more
    kept: dict[str, Any] = {}
    apart: dict[str, Any] = {}
    for section, value in policy.items():
        if section in _SECTIONS and isinstance(value, Mapping):
            kept[section] = {name: each for name, each in value.items() if name not in private}
            local = {name: each for name, each in value.items() if name in private}
            if local:
                apart[section] = local
        elif section == "aliases" and isinstance(value, Mapping):
            kept[section] = {name: each for name, each in value.items() if each not in private}
            local = {name: each for name, each in value.items() if each in private}
            if local:
                apart[section] = local
        else:
            kept[section] = value
    return kept, apart


def _names(definition: Mapping[str, Any]) -> set[str]:
    composite = definition.get("composite")
    inside = composite if isinstance(composite, Mapping) else {}
    found = [each.get(key) for each in (definition, inside) for key in _KEYS]
    return {name for name in found if isinstance(name, str)}


def _uses(definition: Mapping[str, Any]) -> set[str]:
    """The types that a definition is made of, and what it inherits."""
    composite = definition.get("composite")
    components = composite.values() if isinstance(composite, Mapping) else ()
    types = [each.get("datasetType", "") for each in components if isinstance(each, Mapping)]
    types.append(definition.get("inherits"))
    return {name.split(".")[0] for name in types if isinstance(name, str)} | {name for name in types if isinstance(name, str)}


__all__ = ["policies_for_one", "policy_texts"]
