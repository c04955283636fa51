"""Exceptions: what was wanted, where it was looked for, and what to do next.

Each is also an exception of Python's own, so that code that knows nothing of pantler can catch it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any


class PantlerError(Exception):
    """Anything that went wrong; the classes below it say what.

    `kind` is a word for programs, `facts` are lines by label, `hints` say what to do, `trail` says where was looked: for each
    place `repository`, `dataset` and `outcome`.
    """

    def __init__(
        self,
        message: str,
        kind: str = "request",
        facts: Mapping[str, Iterable[str]] | None = None,
        hints: Iterable[str] = (),
        trail: Iterable[Mapping[str, str]] = (),
    ) -> None:
        super().__init__(message)
        self.message = message
        self.kind = kind
        self.facts = {label: list(lines) for label, lines in (facts or {}).items()}
        self.hints = list(hints)
        self.trail = [dict(step) for step in trail]

    def __str__(self) -> str:
        lines = [self.message]
        for label, facts in self.facts.items():
            for index, fact in enumerate(facts):
                lines.append(f"  {label if index == 0 else '':<9}  {fact}")
        hints = [f"hint: {hint}" for hint in self.hints[:3]]
        return "\n".join(lines + ([""] if hints else []) + hints)

    def __reduce__(self) -> tuple[Any, ...]:
        state = {name: value for name, value in vars(self).items() if name not in _ARGUMENTS}
        return type(self), tuple(getattr(self, name) for name in _ARGUMENTS), state or None


_ARGUMENTS = ("message", "kind", "facts", "hints", "trail")


class NotFoundError(PantlerError, LookupError):
    """There is nothing by that name or data ID."""


class AmbiguousError(PantlerError, LookupError):
    """More than one thing fits."""


class ConflictError(PantlerError, FileExistsError):
    """Something else stands there already."""


class PolicyError(PantlerError, ValueError):
    """A policy is wrong."""


class DataIdError(PantlerError, KeyError):
    """A data ID is wrong."""


class ReadOnlyError(PantlerError, TypeError):
    """It can only be read."""


class CorruptError(PantlerError, OSError):
    """An artifact or a registry is damaged or gone."""


class UntrustedError(PantlerError, PermissionError):
    """Code that is not trusted would have to run."""


class UnsupportedError(PantlerError, NotImplementedError):
    """This version of pantler, or this storage, cannot do it."""


_CLASSES = {
    "not_found": NotFoundError,
    "ambiguous": AmbiguousError,
    "conflict": ConflictError,
    "policy": PolicyError,
    "data_id": DataIdError,
    "read_only": ReadOnlyError,
    "corrupt": CorruptError,
    "untrusted": UntrustedError,
    "unsupported": UnsupportedError,
}

for _class in [PantlerError, *_CLASSES.values()]:
    # Tracebacks and pickles name them as people import them.
    _class.__module__ = "pantler"


def made(
    kind: str,
    message: str,
    facts: Mapping[str, Iterable[str]],
    hints: Iterable[str],
    trail: Iterable[Mapping[str, str]],
) -> PantlerError:
    """Return the exception of a report of the engine."""
    return _CLASSES.get(kind, PantlerError)(message, kind, facts, hints, trail)
