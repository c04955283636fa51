"""Storages in Python: objects with `read(data)` and `write(obj)`, which turn bytes into objects and back.

A policy names one by its import path (`storage: mypackage.MyStorage`), `Butler(storages={name: storage})` and
`butler.register_storage(name, storage)` give it a name, and a package brings one along by an entry point of the group
`pantler.storages`. A storage may be a class, which is then made without arguments. One that can read parts of an object by
themselves has `parts`, their names, and `read_part(data, name)`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pantler.errors import PolicyError, UntrustedError
from pantler.later import Later

if TYPE_CHECKING:
    import pickle
    from importlib import metadata

    from pantler.plugins import Plugins
else:
    pickle, metadata = Later("pickle"), Later("importlib.metadata")

GROUP = "pantler.storages"

# What objects are pickled by, so that the same object gives the same bytes with every Python that pantler knows.
_PROTOCOL = 4


class PickleStorage:
    """Any object, as Python pickles it."""

    def read(self, data: bytes) -> Any:
        """Return the object that was pickled."""
        return pickle.loads(data)

    def write(self, obj: Any) -> bytes:
        """Return the object, pickled."""
        return pickle.dumps(obj, _PROTOCOL)


class Storages:
    """The storages in Python that one butler knows."""

    def __init__(self, plugins: Plugins, allow_pickle: bool = False) -> None:
        self._plugins = plugins
        self._allow_pickle = bool(allow_pickle)
        self._registered: dict[str, Any] = {}

    def __getstate__(self) -> dict[str, Any]:
        return {"_plugins": self._plugins, "_allow_pickle": self._allow_pickle, "_registered": self._registered}

    def register(self, name: str, storage: Any) -> None:
        """Give a storage a name; the name of one that pantler has itself keeps its meaning."""
        self._registered[str(name)] = _checked(storage, str(name))

    def knows(self, name: str) -> bool:
        """Say whether there could be such a storage; nothing is imported."""
        return (
            name == "PickleStorage"
            or name in self._registered
            or self._plugins.is_private(name)
            or "." in name
            or any(True for _ in metadata.entry_points(group=GROUP, name=name))
        )

    def _storage(self, name: str) -> Any:
        if name in self._registered:
            return self._registered[name]
        if name == "PickleStorage":
            if not self._allow_pickle:
                refused = UntrustedError(
                    "reading a pickle runs whatever code stands in it, and this butler does not allow that",
                    "untrusted",
                    {},
                    ["if you trust whoever wrote it: Butler(…, allow_pickle=True)"],
                )
                # Whoever knows how the butler was opened says how it is opened with that.
                refused.permit = "pickle"  # type: ignore[attr-defined]
                raise refused
            storage = PickleStorage()
        elif "." in name or self._plugins.is_private(name):
            storage = _checked(self._plugins.resolve(name), name)
        else:
            entry = next(iter(metadata.entry_points(group=GROUP, name=name)))
            storage = _checked(entry.load(), name)
        self._registered[name] = storage
        return storage

    def read(self, name: str, data: bytes, part: list[str]) -> tuple[Any, list[str]]:
        """Return an object, or a part of it, and the rest of the path to the part."""
        storage = self._storage(name)
        if part and part[0] in getattr(storage, "parts", ()):
            return storage.read_part(data, part[0]), part[1:]
        return storage.read(data), list(part)

    def write(self, name: str, obj: Any) -> bytes:
        """Return an object as bytes."""
        data = self._storage(name).write(obj)
        if not isinstance(data, (bytes, bytearray, memoryview)):
            raise TypeError(f"the storage `{name}` wrote a {type(data).__name__}, and not bytes")
        return bytes(data)


def _checked(storage: Any, name: str) -> Any:
    storage = storage() if isinstance(storage, type) else storage
    lacking = [method for method in ("read", "write") if not callable(getattr(storage, method, None))]
    if lacking:
        raise PolicyError(
            f"the storage `{name}` has no method {' and no method '.join(lacking)}",
            "policy",
            {},
            ["a storage has read(data: bytes), which returns an object, and write(obj), which returns bytes"],
        )
    return storage
