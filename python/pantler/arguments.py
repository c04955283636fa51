"""How people write the arguments of a butler's methods: data IDs, names, rows, notes, precursors."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from pantler.errors import DataIdError, PantlerError
from pantler.later import Later

if TYPE_CHECKING:
    import difflib

    from pantler import results
    from pantler.given import DataId, Dataset, Names, Notes, Precursors, Rows
else:
    difflib = Later("difflib")
    results = Later("pantler.results")


class asked:
    """Adds to an error about a key the parameter that was probably meant: what is no parameter is taken for a key."""

    def __init__(self, keys: Mapping[str, Any], parameters: Iterable[str]):
        self.keys, self.parameters = keys, tuple(parameters)

    def __enter__(self) -> asked:
        return self

    def __exit__(self, _class: Any, error: BaseException | None, _traceback: Any) -> None:
        if isinstance(error, DataIdError):
            for key in self.keys:
                near = difflib.get_close_matches(key, self.parameters, 1, 0.75)
                if near and f"`{key}`" in error.message:
                    error.hints.append(f"did you mean the parameter `{near[0]}`?")


def refuse_unknown(what: str, unknown: Mapping[str, Any], known: Iterable[str]) -> None:
    for word in unknown:
        near = difflib.get_close_matches(word, known, 1)
        hint = f"did you mean `{near[0]}`?" if near else f"it has {', '.join(known)}"
        raise PantlerError(f"{what} has no parameter `{word}`", hints=[hint])


def data_id(
    data_id: DataId | None, other: DataId | None, keys: Mapping[str, Any], version: str | None, tag: str | None
) -> dict[str, Any]:
    """All keys as one dictionary; two words for one key must agree."""
    all_keys: dict[str, Any] = {}
    extra = {key: value for key, value in (("version", version), ("tag", tag)) if value is not None}
    for some in (data_id, other, keys, extra):
        if some is None:
            continue
        if not isinstance(some, dict) and isinstance(some, results.DatasetRef):
            some = some.data_id
        if not isinstance(some, Mapping):
            raise DataIdError(
                f"a data ID is a dictionary, and this one is a {type(some).__name__}",
                "data_id",
                hints=["get(name, {'visit': 1, 'ccd': 2}) or get(name, visit=1, ccd=2)"],
            )
        for key, value in some.items():
            if key in all_keys and all_keys[key] != value:
                raise DataIdError(f"`{key}` is given twice, as {all_keys[key]} and {value}", "data_id")
            all_keys[key] = value
    return all_keys


def names(given: Names | None) -> list[str] | None:
    if given is None:
        return None
    return [given] if isinstance(given, str) else [str(name) for name in given]


def paths(given: Any) -> list[Any]:
    """One path or several, as a list."""
    return [given] if isinstance(given, (str, os.PathLike)) else list(given)


def rows(given: Any) -> list[tuple[int, int]] | None:
    """Ranges of rows, each without its end."""
    if given is None:
        return None
    if isinstance(given, (slice, range)):
        step = given.step
        if step not in (None, 1) or given.stop is None or min(given.start or 0, given.stop) < 0:
            raise PantlerError(
                f"{given} is no range of rows", hints=["a range has a first row and an end, counted from 0, and no step"]
            )
        return [(given.start or 0, given.stop)]
    pairs = list(given)
    if len(pairs) == 2 and all(not isinstance(each, (slice, range, tuple, list)) for each in pairs):
        pairs = [tuple(pairs)]
    ranges: list[tuple[int, int]] = []
    for each in pairs:
        if isinstance(each, (slice, range)):
            ranges += rows(each) or []
        else:
            first, end = (int(number) for number in each)
            ranges += rows(slice(first, end)) or []
    return ranges


def is_lookup(composition: str) -> bool:
    if composition not in ("recorded", "lookup"):
        raise PantlerError(f"composition cannot be {composition!r}", hints=['it is "recorded" or "lookup"'])
    return composition == "lookup"


def notes(notes: Notes | None) -> list[tuple[str, str]]:
    return [(str(key), str(value)) for key, value in (notes or {}).items()]


def named(given: Any) -> tuple[str, dict[str, Any]]:
    """A dataset: a reference, or a pair of name and data ID."""
    if isinstance(given, results.DatasetRef):
        return given.name, dict(given.data_id)
    try:
        name, data_id = given
        return str(name), dict(data_id)
    except (TypeError, ValueError):
        raise PantlerError(
            f"{given!r} names no dataset", hints=["it is a reference, or a pair of name and data ID"]
        ) from None


def precursors(inputs: Any) -> list[tuple[str, dict[str, Any]]]:
    """What a dataset was made from: `{component: [reference or data ID, …]}`, or a list of references."""
    if inputs is None:
        return []
    groups = inputs.items() if isinstance(inputs, Mapping) else [(None, inputs)]
    found = []
    for component, group in groups:
        single = isinstance(group, (results.DatasetRef, Mapping)) or (
            isinstance(group, tuple) and len(group) == 2 and isinstance(group[0], str)
        )
        for each in [group] if single else group:
            # A data ID alone is one of the type that the component names.
            is_data_id = component is not None and isinstance(each, Mapping)
            found.append((str(component), dict(each)) if is_data_id else named(each))
    return found
