"""Code of the user's that policies name: assemblers, disassemblers, classes, standardizers, virtual readers, storages.

The compiled half calls this one. An assembler is called as `(data_id, components, cls)`, a disassembler as
`(obj, data_id, components)`; the name of the parameter for the components decides what it receives: `componentDict` the bare
objects by name, `component_info` a :class:`pantler.component_info.ComponentInfo` by name. In both, what is assigned is what is put.

Where a policy names neither, the generic assembler looks at the class, never at what happens when it is tried: setters that the
policy names; else the constructor, if it takes all components by name; else the class's own setters (`set_x`, `setx`, `setX`);
else an attribute that the class declares.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from pantler import _pantler
from pantler.drafts import class_of_drafts, draft, freeze, given, is_draft, released
from pantler.errors import PantlerError, PolicyError, ReadOnlyError
from pantler.later import Later
from pantler.storages import Storages

if TYPE_CHECKING:
    import dataclasses
    import difflib
    import inspect

    from pantler import component_info
    from pantler.component_info import ComponentInfo
else:
    component_info = Later("pantler.component_info")
    dataclasses = Later("dataclasses")
    difflib = Later("difflib")
    inspect = Later("inspect")

_NOTHING = object()

# What constructors take, by class, with the constructor that was looked at.
_SIGNATURES: WeakKeyDictionary[type, tuple[Any, list[inspect.Parameter]]] = WeakKeyDictionary()

# Who asks for code: import path, the policy's key, dataset type, place.
Asker = tuple[str, str, str, str]


class Plugins:
    """The plug-ins of one butler: import paths are followed, and functions that cannot be imported have private names."""

    def __init__(self, private: dict[str, Any] | None = None, allow_pickle: bool = False) -> None:
        self.private = dict(private or {})
        self.storages = Storages(self, allow_pickle)

    def is_private(self, path: str) -> bool:
        return path in self.private

    def resolve(self, path: str) -> Any:
        """Return what an import path means."""
        if path in self.private:
            return self.private[path]
        return imported(path)

    def _followed(self, asker: Asker) -> Any:
        """What an asker's path means; an error says who asks for it."""
        path, role, dataset_type, place = asker
        try:
            return self.resolve(path)
        except BaseException as error:
            where = f", {place}" if place else ""
            error.add_note(f"`{path}` is the `{role}` of `{dataset_type}`{where}")
            raise

    def assembled(
        self, asker: Asker, data_id: dict[str, Any], components: list[dict[str, Any]], class_path: str, own: str | None
    ) -> Any:
        """Return the composite that an assembler, or the class itself, makes of its components."""
        path, role, dataset_type, _ = asker
        infos = {fields["name"]: component_info.ComponentInfo(**{**fields, "obj": given(fields.get("obj"))}) for fields in components}
        names = ", ".join(infos) or "no components"
        plugin = self._followed(asker)
        try:
            if role == "python":
                made = assemble(plugin, infos)
            else:
                made = self._call_assembler(plugin, data_id, infos, class_path, own)
        except BaseException as error:
            error.add_note(f"while `{path}` assembled `{dataset_type}` {_shown(data_id)} from {names}")
            raise
        return freeze(made)

    def _call_assembler(
        self, plugin: Any, data_id: dict[str, Any], infos: dict[str, ComponentInfo], class_path: str, own: str | None
    ) -> Any:
        style = _style(plugin, 1)
        components: Any = infos if style == "component_info" else {name: info.obj for name, info in infos.items()}
        made = plugin(dict(data_id), components, self._class(class_path, own))
        if made is None:
            raise TypeError("the assembler returned None, and not the composite")
        return made

    def _class(self, class_path: str, own: str | None) -> Any:
        """What an assembler is handed as the class: one of drafts for pantler's own."""
        if own is not None:
            mine = getattr(_pantler, own, None)
            return class_of_drafts(mine) if mine is not None else _pantler.DataObject
        return self.resolve(class_path) if class_path else None

    def taken_apart(
        self, asker: Asker, obj: Any, data_id: dict[str, Any], components: list[dict[str, Any]]
    ) -> dict[str, Any]:
        """Return the objects of the components by name, as a disassembler, or the class itself, gives them."""
        path, role, dataset_type, _ = asker
        infos = {fields["name"]: component_info.ComponentInfo(**{**fields, "obj": None}) for fields in components}
        plugin = self._followed(asker)
        try:
            if role == "python":
                found = take_apart(plugin, obj, infos)
            else:
                found = self._call_disassembler(plugin, obj, data_id, infos)
        except BaseException as error:
            error.add_note(f"while `{path}` took `{dataset_type}` {_shown(data_id)} apart into {', '.join(infos)}")
            raise
        return {name: freeze(value) for name, value in found.items()}

    @staticmethod
    def _call_disassembler(
        plugin: Any, obj: Any, data_id: dict[str, Any], infos: dict[str, ComponentInfo]
    ) -> dict[str, Any]:
        view = draft(obj) if isinstance(obj, _pantler.DataObject) else obj
        if _style(plugin, 2) == "component_info":
            given_infos = _Slots(infos, infos)
            plugin(view, dict(data_id), given_infos)
            return {name: info.obj for name, info in given_infos.items()}
        slots = _Slots(infos)
        plugin(view, dict(data_id), slots)
        return slots

    def standardized(self, asker: Asker, obj: Any, data_id: dict[str, Any]) -> Any:
        """Return what a standardizer makes of an object that was read."""
        path, _, dataset_type, _ = asker
        plugin = self._followed(asker)
        try:
            made = plugin(given(obj), dict(data_id))
            if made is None:
                raise TypeError("the standardizer returned None, and not the object to use")
        except BaseException as error:
            error.add_note(f"while `{path}` standardized `{dataset_type}` {_shown(data_id)}")
            raise
        return freeze(made)

    def made(self, asker: Asker, data_id: dict[str, Any]) -> Any:
        """Return what a virtual reader makes of a data ID."""
        path, _, dataset_type, _ = asker
        plugin = self._followed(asker)
        try:
            made = plugin(dict(data_id))
        except BaseException as error:
            error.add_note(f"while `{path}` made `{dataset_type}` {_shown(data_id)}")
            raise
        return freeze(made)

    def check_class(self, asker: Asker, obj: Any) -> None:
        """Refuse an object that is not of the class that the policy names."""
        cls = self._followed(asker)
        obj = released(obj)
        if isinstance(cls, type) and not isinstance(obj, cls):
            raise PantlerError(f"objects of `{asker[2]}` are of class {_named(cls)}, and what is put is of class {_named(type(obj))}")

    def read_as(self, asker: Asker, obj: Any) -> Any:
        """Return what a storage gave as an object of the user's class; one that is of the class already as it is."""
        cls = self._followed(asker)
        if not isinstance(cls, type) or isinstance(obj, cls):
            return obj
        made = getattr(cls, "from_stored", None)
        value = obj.value if isinstance(obj, _pantler.Document) else obj
        if callable(made):
            return made(value)
        if isinstance(value, dict) and _takes_by_name(cls, value):
            return cls(**value)
        raise PolicyError(
            f"the storage of `{asker[2]}` gives a {_named(type(value))}, which does not make a {_named(cls)}",
            "policy",
            {"defined": [asker[3]]},
            [
                "a class method `from_stored(value)` makes the object, and a method `to_stored()` gives what is written",
                "a document whose names are those of the class's constructor makes it as well",
            ],
        )

    def written_as(self, asker: Asker, obj: Any) -> Any:
        """Return what a storage is given for an object of the user's class."""
        cls = self._followed(asker)
        storing = getattr(type(obj), "to_stored", None)
        if callable(storing):
            return obj.to_stored()
        if dataclasses.is_dataclass(obj):
            return {each.name: getattr(obj, each.name) for each in dataclasses.fields(obj)}
        if isinstance(obj, _pantler.DataObject) or not isinstance(obj, cls):
            return obj
        raise PolicyError(
            f"the storage of `{asker[2]}` does not know how to write a {_named(type(obj))}",
            "policy",
            {"defined": [asker[3]]},
            ["a method `to_stored()` gives what is written, and a class method `from_stored(value)` makes the object of it"],
        )

    def knows_storage(self, name: str) -> bool:
        """Say whether there could be a storage of that name; nothing is imported."""
        return self.storages.knows(name)

    def read_stored(self, name: str, data: bytes, part: list[str]) -> tuple[Any, list[str]]:
        """Return what a storage reads, and the rest of the path to the part that is wanted."""
        return self.storages.read(name, data, part)

    def write_stored(self, name: str, obj: Any) -> bytes:
        """Return what a storage writes."""
        return self.storages.write(name, obj)


class _Slots(dict[str, Any]):
    """What a disassembler fills: a name that is no component is refused, with the one that was probably meant."""

    def __init__(self, names: Any, values: Any = ()) -> None:
        super().__init__(values)
        self._names = list(names)

    def __setitem__(self, name: str, value: Any) -> None:
        if name not in self._names:
            near = difflib.get_close_matches(str(name), self._names, 1)
            hint = f"did you mean `{near[0]}`?" if near else f"it has {', '.join(self._names)}"
            raise KeyError(f"the composite has no component `{name}`; {hint}")
        super().__setitem__(name, value)

    def __missing__(self, name: str) -> Any:
        if name in self._names:
            return None
        raise KeyError(name)


def imported(path: str) -> Any:
    """Return what an import path means: a module, then names in it."""
    words = path.split(".")
    for last in range(len(words) - 1, 0, -1):
        module = ".".join(words[:last])
        try:
            found = importlib.import_module(module)
        except ModuleNotFoundError as error:
            # A module that the path goes through is not there; one that its code needs is another matter.
            if error.name is None or not (module == error.name or module.startswith(f"{error.name}.")):
                raise
            if last == 1:
                raise
            continue
        for word in words[last:]:
            found = getattr(found, word)
        return found
    return importlib.import_module(path)


def path_of(value: Any) -> str | None:
    """Return the import path of a function or class; None where importing it would not give it again."""
    module, name = getattr(value, "__module__", None), getattr(value, "__qualname__", None)
    if not module or not name or module == "__main__" or "<" in name:
        return None
    path = f"{module}.{name}"
    try:
        return path if imported(path) is value else None
    except (ImportError, AttributeError):
        return None


def assemble(cls: type, infos: dict[str, ComponentInfo]) -> Any:
    """Return an object of a class, with its components set as its signatures tell."""
    named = [info for info in infos.values() if info.setter is not None]
    if not named and _takes_by_name(cls, infos):
        return cls(**{name: info.obj for name, info in infos.items()})
    parameters = _parameters(cls)
    needed = [each.name for each in parameters if _is_needed(each)]
    lacking = [name for name in needed if name not in infos or infos[name].setter is not None]
    if lacking:
        raise PolicyError(
            f"a {_named(cls)} cannot be made of {', '.join(infos)}: its constructor needs {', '.join(lacking)}",
            "policy",
            {},
            ["name an assembler in the policy", "give the parameters the names of the components, or defaults"],
        )
    setters = {
        name: _setter(cls, info) for name, info in infos.items() if name not in needed
    }
    made = cls(**{name: infos[name].obj for name in needed})
    for name, setter in setters.items():
        info = infos[name]
        if setter is None:
            setattr(made, name, info.obj)
        else:
            getattr(made, setter)(info.obj)
    return made


def take_apart(cls: type, obj: Any, infos: dict[str, ComponentInfo]) -> dict[str, Any]:
    """Return the components of an object, as its class's signatures tell."""
    getters = {name: _getter(type(obj), obj, info) for name, info in infos.items()}
    return {name: getattr(obj, name) if getter is None else getattr(obj, getter)() for name, getter in getters.items()}


def _setter(cls: type, info: ComponentInfo) -> str | None:
    """The method that sets a component; None for an attribute that the class declares."""
    name = info.name
    if info.setter is not None:
        if not _is_method(cls, info.setter):
            raise PolicyError(f"{_named(cls)} has no method `{info.setter}`, which the policy names for `{name}`", "policy")
        return info.setter
    found = next((setter for setter in _verbs("set", name) if _is_method(cls, setter)), None)
    if found is not None or _declares(cls, name, True):
        return found
    raise PolicyError(
        f"a {_named(cls)} does not take `{name}`",
        "policy",
        {"looked in": ["its constructor", *(f"{setter}()" for setter in _verbs("set", name)), "the attributes that the class declares"]},
        [f"name its setter in the policy: `{name}: {{setter: …}}`", f"declare the attribute in the class: `{name} = None`"],
    )


def _getter(cls: type, obj: Any, info: ComponentInfo) -> str | None:
    """The method that gives a component; None for an attribute."""
    name = info.name
    if info.getter is not None:
        if not _is_method(cls, info.getter):
            raise PolicyError(f"{_named(cls)} has no method `{info.getter}`, which the policy names for `{name}`", "policy")
        return info.getter
    found = next((getter for getter in _verbs("get", name) if _is_method(cls, getter)), None)
    if found is not None or _declares(cls, name, False) or name in getattr(obj, "__dict__", {}):
        return found
    raise ReadOnlyError(
        f"a {_named(cls)} does not give `{name}`",
        "read_only",
        {"looked in": [*(f"{getter}()" for getter in _verbs("get", name)), "its attributes"]},
        [f"name its getter in the policy: `{name}: {{getter: …}}`"],
    )


def _verbs(verb: str, name: str) -> list[str]:
    """`set_x`, `setx`, `setX`; of `photoCalib` also `set_photo_calib`."""
    snake = "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name)
    names = [f"{verb}_{name}", f"{verb}{name}", f"{verb}{name[:1].upper()}{name[1:]}", f"{verb}_{snake}"]
    return list(dict.fromkeys(names))


def _is_method(cls: type, name: str) -> bool:
    found = inspect.getattr_static(cls, name, _NOTHING)
    if isinstance(found, (staticmethod, classmethod)):
        return True
    return found is not _NOTHING and callable(found) and not isinstance(found, type)


def _declares(cls: type, name: str, to_set: bool) -> bool:
    """Whether a class says that its objects have an attribute: annotated, in `__slots__`, with a value, or a property."""
    found = inspect.getattr_static(cls, name, _NOTHING)
    if isinstance(found, property):
        return found.fset is not None if to_set else True
    if found is not _NOTHING:
        return not callable(found)
    return any(name in inspect.get_annotations(kind) for kind in cls.__mro__)


def _parameters(cls: type) -> list[inspect.Parameter]:
    # To look at a signature takes longer than to read a small file. A class may be given another constructor while it is in use.
    constructor = (getattr(cls, "__init__", None), getattr(cls, "__new__", None))
    known = _SIGNATURES.get(cls)
    if known is not None and known[0] == constructor:
        return known[1]
    try:
        parameters = list(inspect.signature(cls).parameters.values())
    except (ValueError, TypeError):
        # Classes of compiled modules that do not say what they take.
        parameters = []
    _SIGNATURES[cls] = constructor, parameters
    return parameters


def _is_needed(parameter: inspect.Parameter) -> bool:
    spread = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    return parameter.default is inspect.Parameter.empty and parameter.kind not in spread


def _takes_by_name(cls: type, names: Any) -> bool:
    """Whether a constructor takes all these by name, and needs nothing else."""
    parameters = _parameters(cls)
    by_name = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    taken = {each.name for each in parameters if each.kind in by_name}
    takes_any = any(each.kind is inspect.Parameter.VAR_KEYWORD for each in parameters)
    needed = {each.name for each in parameters if _is_needed(each)}
    return bool(names) and needed <= set(names) and (takes_any or set(names) <= taken)


def _style(plugin: Any, place: int) -> str:
    """What a plug-in wants its components as: its parameter's name says so."""
    parameters = list(inspect.signature(plugin).parameters.values())
    names = [each.name for each in parameters]
    for name in names:
        if name in ("componentDict", "component_info"):
            return name
    has = f"its parameters are {', '.join(names)}" if names else "it has no parameters"
    raise TypeError(
        f"`{_named(plugin)}` has no parameter `componentDict` (for bare objects) or `component_info` (for records): {has}; "
        f"it is to be number {place + 1}"
    )


def component(obj: Any, name: str) -> Any:
    """Return a component of an object of any class, by getter or attribute; None if it has none."""
    names = [name, "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name)]
    for each in names:
        getter = next((getter for getter in _verbs("get", each) if _is_method(type(obj), getter)), None)
        if getter is not None:
            return getattr(obj, getter)()
        if not each.startswith("_") and inspect.getattr_static(obj, each, _NOTHING) is not _NOTHING:
            return getattr(obj, each)
    return obj.get(name) if isinstance(obj, dict) else None


def component_names(obj: Any, _name: str = "") -> list[str]:
    """Return the names of what an object of any class holds."""
    if isinstance(obj, dict):
        return [str(name) for name in obj]
    attributes = list(getattr(obj, "__dict__", {}))
    attributes += [name for kind in type(obj).__mro__ for name in inspect.get_annotations(kind)]
    return list(dict.fromkeys(name for name in attributes if not name.startswith("_") and hasattr(obj, name)))


def same(first: Any, second: Any) -> bool:
    """Say whether two objects are equal; where a class does not say what that is, what they hold decides."""
    if first is second:
        return True
    says_nothing: bool = type(first).__eq__ is object.__eq__  # type: ignore[comparison-overlap]
    if type(first) is type(second) and says_nothing and hasattr(first, "__dict__"):
        mine, theirs = vars(first), vars(second)
        return mine.keys() == theirs.keys() and all(same(mine[name], theirs[name]) for name in mine)
    if isinstance(first, dict) and isinstance(second, dict):
        return first.keys() == second.keys() and all(same(first[name], second[name]) for name in first)
    if isinstance(first, (list, tuple)) and type(first) is type(second):
        return len(first) == len(second) and all(map(same, first, second))
    equal = first == second
    if isinstance(equal, bool):
        return equal
    everywhere = getattr(equal, "all", None)
    shapes = getattr(first, "shape", None) == getattr(second, "shape", None)
    return shapes and bool(everywhere()) if callable(everywhere) else bool(equal)


def _named(value: Any) -> str:
    return getattr(value, "__qualname__", None) or repr(value)


def _shown(data_id: dict[str, Any]) -> str:
    return " ".join(f"{key}={value}" for key, value in data_id.items())


__all__ = ["Plugins", "assemble", "imported", "is_draft", "path_of", "take_apart"]
