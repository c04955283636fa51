"""Drafts: what a plug-in may change of pantler's immutable objects.

An assembler receives one for each component that itself has components. Setting something changes the draft and nothing else:
the object that it began with stays as it is, and both share the pixels. When the composite is returned, what the draft has become
is an immutable object again, and the draft can no longer be changed.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

from pantler import _pantler

# What has nothing that could be set: it is handed over as it is, so that composites share it.
_LEAVES = tuple(
    getattr(_pantler, name)
    for name in ("Bbox", "Document", "Image", "Mask", "Metadata", "PhotoCalib", "Psf", "VisitInfo", "Wcs")
)

_OWN = ("_value", "_frozen")


class Draft:
    """An object of pantler that can be changed: by setters (`setWcs`, `set_wcs`) and by attributes (`wcs = …`).

    What the object's class has no component for is attached to it under its name. All that the object has is had of the draft,
    and components by getters as well (`getWcs`, `get_wcs`).
    """

    # The class that `Draft` stands for, in those that stand for one.
    _class: Any = None

    def __init__(self, *arguments: Any, **components: Any) -> None:
        made = _empty(self._class) if not arguments and not components else self._class(*arguments, **components)
        object.__setattr__(self, "_value", made)
        object.__setattr__(self, "_frozen", False)

    @property
    def __pantler__(self) -> Any:
        """The object that the draft has become."""
        return self._value

    @property  # type: ignore[misc]
    def __class__(self) -> type:
        return type(self._value)

    def __getattr__(self, name: str) -> Any:
        if name in _OWN:
            raise AttributeError(name)
        value = self._value
        component = _named(name, "get")
        if component is not None and not hasattr(type(value), name):
            return lambda: getattr(value, component)
        component = _named(name, "set")
        if component is not None and not hasattr(type(value), name):
            return lambda part: self._set(component, part)
        return getattr(value, name)

    def __setattr__(self, name: str, part: Any) -> None:
        if name.startswith("__"):
            object.__setattr__(self, name, part)
        else:
            self._set(name, part)

    def _set(self, name: str, part: Any) -> None:
        if self._frozen:
            raise AttributeError(
                f"this {type(self._value).__name__} cannot be changed any more: the composite that it was a draft for is made"
            )
        object.__setattr__(self, "_value", _pantler.set_component(self._value, name, released(part)))

    def __iadd__(self, other: Any) -> Draft:
        if self._frozen:
            raise AttributeError("this draft cannot be changed any more: the composite that it was a draft for is made")
        object.__setattr__(self, "_value", self._value + released(other))
        return self

    def __add__(self, other: Any) -> Any:
        return self._value + released(other)

    def __radd__(self, other: Any) -> Any:
        return other + self._value

    def __getitem__(self, key: Any) -> Any:
        return self._value[key]

    def __contains__(self, key: Any) -> bool:
        return key in self._value

    def __iter__(self) -> Iterator[Any]:
        return iter(self._value)

    def __len__(self) -> int:
        return len(self._value)

    def __bool__(self) -> bool:
        return True

    def __eq__(self, other: Any) -> bool:
        return bool(self._value == (other._value if type(other).__mro__[-2] is Draft else other))

    __hash__ = object.__hash__

    def __copy__(self) -> Draft:
        copied: Draft = draft(self._value)
        return copied

    def __dir__(self) -> list[str]:
        return dir(self._value)

    def __repr__(self) -> str:
        return f"draft of {self._value!r}"


def draft(value: Any) -> Any:
    """Return a draft of an object of pantler."""
    made: Any = object.__new__(class_of_drafts(type(value)))
    object.__setattr__(made, "_value", value)
    object.__setattr__(made, "_frozen", False)
    return made


_CLASSES: dict[type, type] = {}


def class_of_drafts(own: type) -> type:
    """Return the class of drafts of a class of pantler; called, it makes a new object of that class, empty unless told."""
    known = _CLASSES.get(own)
    if known is None:
        known = _CLASSES.setdefault(own, type(own.__name__, (Draft,), {"_class": own, "__doc__": own.__doc__}))
    return known


def _empty(own: type) -> Any:
    if own is _pantler.Table:
        return own({})
    if own is _pantler.Document:
        return own({})
    return own()


def given(value: Any) -> Any:
    """Return what a plug-in is given for a component: a draft, a shallow copy of an object of another class, or a leaf as it is."""
    if isinstance(value, list):
        return [given(each) for each in value]
    if type(value) in _LEAVES or value is None:
        return value
    if isinstance(value, _pantler.DataObject):
        return draft(value)
    return copy.copy(value)


def is_draft(value: Any) -> bool:
    """Say whether it is a draft."""
    return issubclass(type(value), Draft)


def released(value: Any) -> Any:
    """Return what a draft has become; all else as it is."""
    return value._value if is_draft(value) else value


def freeze(value: Any) -> Any:
    """Return what a plug-in made with every draft in it replaced by what it has become; the drafts cannot be changed any more."""
    return _frozen(value, {}, 0)


# How deep drafts are looked for in what a plug-in made.
_DEEPEST = 8


def _frozen(value: Any, seen: dict[int, Any], depth: int) -> Any:
    if is_draft(value):
        object.__setattr__(value, "_frozen", True)
        return value._value
    if id(value) in seen or depth > _DEEPEST:
        return value
    if isinstance(value, list):
        seen[id(value)] = value
        value[:] = [_frozen(each, seen, depth + 1) for each in value]
    elif isinstance(value, dict):
        seen[id(value)] = value
        for key, each in value.items():
            value[key] = _frozen(each, seen, depth + 1)
    elif type(value) is tuple:
        return tuple(_frozen(each, seen, depth + 1) for each in value)
    elif not isinstance(value, (type, _pantler.DataObject)) and type(value).__module__ not in ("builtins", "numpy"):
        seen[id(value)] = value
        _freeze_attributes(value, seen, depth)
    return value


def _freeze_attributes(value: Any, seen: dict[int, Any], depth: int) -> None:
    attributes = getattr(value, "__dict__", None)
    if isinstance(attributes, dict):
        for name, each in list(attributes.items()):
            attributes[name] = _frozen(each, seen, depth + 1)
    for kind in type(value).__mro__:
        slots = kind.__dict__.get("__slots__", ())
        for name in (slots,) if isinstance(slots, str) else slots:
            slot = kind.__dict__.get(name)
            each = _frozen(slot.__get__(value), seen, depth + 1) if hasattr(value, name) and slot is not None else None
            if each is not None and slot is not None:
                slot.__set__(value, each)


def _named(name: str, verb: str) -> str | None:
    """The component that a getter or setter is for: `wcs` of `getWcs`, `photo_calib` of `get_photo_calib`."""
    rest = name[len(verb) :]
    if not name.startswith(verb) or not rest:
        return None
    if rest[0] == "_" and len(rest) > 1:
        return rest[1:]
    if not rest[0].isupper():
        return None
    # WCS and BBox are words of capitals.
    return rest.lower() if rest[1:2].isupper() else rest[0].lower() + rest[1:]
