"""The butler: gets and puts datasets over a chain of repositories.

This half takes arguments as people write them; the compiled half does the work, and other threads run meanwhile.
"""

from __future__ import annotations

import difflib
import getpass
import os
import platform
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

from pantler import _pantler, convert
from pantler.deferred import DeferredDataset
from pantler.errors import DataIdError, PantlerError
from pantler.plugins import Plugins
from pantler.policies import policies_for_one, policy_texts
from pantler.results import (
    DatasetRef,
    FsckReport,
    IngestResult,
    Plan,
    PutResult,
    QueryResult,
    RemoveResult,
)
from pantler.tokens import token
from pantler.trust import trusted

if TYPE_CHECKING:
    from pantler.batch import Batch
    from pantler.given import Box, DataId, Dataset, Names, Notes, Path, Policy, Precursors, Rows

    _Repository: TypeAlias = "Path | RepositoryArgs | Mapping[str, Any]"
    _Repositories: TypeAlias = "_Repository | Iterable[_Repository]"

# How many datasets `get_many` reads together.
_TOGETHER = 16


@dataclass
class RepositoryArgs:
    """One repository, and how it is opened.

    `mode` is "r" for an input and "w" or "rw" for an output; `policy` (a file, a dictionary, or a list of these) and `parents`
    are for a repository that is yet to be made; `tags` name it for `get(…, tag=…)`.
    """

    root: Path
    mode: str | None = None
    policy: Any = None
    parents: Any = None
    tags: Any = field(default=None)


class Butler:
    """Gets and puts datasets. Cheap to open; safe to use from many threads; a child process goes on with it.

    `inputs` and `outputs` are a path, a `RepositoryArgs`, a dictionary of its fields, or a list of these. An output that does
    not exist is made, with `policy` and with the inputs as its parents; without an output `policy` serves this butler alone.
    `tags` gives each repository root a tag or several.

    Policies may name code. That of repositories which are not the user's own runs only where `trust` names the repository or the
    module; pickles are read only with `allow_pickle`. `storages` are storages in Python by name.
    """

    def __init__(
        self,
        inputs: _Repositories | None = None,
        outputs: _Repositories | None = None,
        *,
        policy: Policy | None = None,
        tags: Mapping[Path, Names] | Names | None = None,
        allow_pickle: bool = False,
        trust: Path | Iterable[Path] = (),
        storages: Mapping[str, Any] | None = None,
        add_parents: bool = False,
        inputs_in_order: bool = False,
        cache_bytes: int | None = None,
        **unknown: Any,
    ) -> None:
        _refuse_unknown("Butler", unknown, _OPENING)
        inputs, outputs = _repositories(inputs, "inputs"), _repositories(outputs, "outputs")
        for each in [*inputs]:
            if each.mode in ("w", "rw"):
                inputs.remove(each)
                outputs.append(each)
            elif each.mode not in (None, "r"):
                raise PantlerError(f"unknown mode {each.mode!r} of {each.root}", hints=["modes are r, w and rw"])
        for each in outputs:
            if each.mode not in (None, "w", "rw"):
                raise PantlerError(
                    f"{each.root} is an output, and its mode is {each.mode!r}",
                    hints=["an output has the mode w or rw; name it among the inputs to read only"],
                )
        if not inputs and not outputs:
            raise PantlerError("no repository is named", hints=["Butler.open(root), Butler(inputs=…, outputs=…)"])
        roots = [_path(each.root) for each in inputs]
        plugins = Plugins(allow_pickle=allow_pickle)
        for name, storage in (storages or {}).items():
            plugins.storages.register(name, storage)
        local = []
        for each in outputs:
            local += _make(each, policy, roots, plugins)
        if not outputs:
            local += [(roots[0], text) for text in policies_for_one(policy, plugins)]
        self._settings: dict[str, Any] = {
            "plugins": plugins,
            "trusted": trusted(trust),
            "policies": local,
            "inputs": roots,
            "outputs": [_path(each.root) for each in outputs],
            "tags": _tags(inputs + outputs, tags),
            "who": _who(),
            "add_parents": bool(add_parents),
            "inputs_in_order": bool(inputs_in_order),
            "cache_bytes": None if cache_bytes is None else int(cache_bytes),
        }
        self._engine = _pantler.Engine(**self._settings)

    @classmethod
    def open(cls, root: Path | RepositoryArgs, **options: Any) -> Butler:
        """Open one repository to read from and to write to, with its parents; the options are those of `Butler`.

        It is made only where `policy` says what is in it.
        """
        path = _path(root.root if isinstance(root, RepositoryArgs) else root)
        if options.get("policy") is None and not os.path.isdir(path):
            # Reading says best what is wrong with a repository that is none.
            return cls(path, **options)
        return cls(options.pop("inputs", None), root, **options)

    def get(
        self,
        name: str,
        data_id: DataId | None = None,
        /,
        *,
        bbox: Box | None = None,
        columns: Names | None = None,
        rows: Rows | None = None,
        deferred: bool = False,
        composition: str = "recorded",
        version: str | None = None,
        tag: str | None = None,
        dataId: DataId | None = None,
        **keys: Any,
    ) -> Any:
        """Return an object; with `deferred` a DeferredDataset, whose `get` does what this would do.

        `bbox` (x0, y0, width, height) asks for some pixels, `columns` and `rows` for a piece of a table; `rows` is a slice, a
        pair (first, end) or a list of pairs. `composition="lookup"` ignores recorded compositions. `version` selects the stage,
        `tag` the repositories. What stands in `data_id` and in further keywords are the keys.
        """
        if deferred:
            said = {"bbox": bbox, "columns": columns, "rows": rows, "version": version, "tag": tag}
            parameters = {key: value for key, value in said.items() if value is not None}
            if _is_lookup(composition):
                parameters["composition"] = composition
            return DeferredDataset(str(name), _data_id(data_id, dataId, keys, None, None), self, parameters)
        with _asked(keys, _GETTING):
            return self._engine.get(
                str(name),
                _data_id(data_id, dataId, keys, version, tag),
                bbox,
                _names(columns),
                _rows(rows),
                _is_lookup(composition),
            )

    def get_components(
        self,
        name: str,
        data_id: DataId | None = None,
        /,
        components: Names = (),
        *,
        version: str | None = None,
        tag: str | None = None,
        dataId: DataId | None = None,
        **keys: Any,
    ) -> dict[str, Any]:
        """Return some components of one dataset by name; what they need of one artifact is read together."""
        names = _names(components) or []
        with _asked(keys, ("components", "version", "tag", "dataId")):
            wanted = _data_id(data_id, dataId, keys, version, tag)
            return dict(zip(names, self._engine.get_components(str(name), wanted, names)))

    def get_many(
        self,
        name: str,
        data_ids: Iterable[DataId],
        /,
        *,
        bbox: Box | None = None,
        columns: Names | None = None,
        rows: Rows | None = None,
        composition: str = "recorded",
    ) -> Iterator[Any]:
        """Return an iterator over the objects of many data IDs (or references), in their order; some are read ahead, together."""
        piece = (bbox, _names(columns), _rows(rows), _is_lookup(composition))
        return self._many(str(name), iter(data_ids), piece)

    def _many(self, name: str, data_ids: Iterator[DataId], piece: tuple[Any, ...]) -> Iterator[Any]:
        batch: list[dict[str, Any]] = []
        for each in data_ids:
            batch.append(_data_id(each, None, {}, None, None))
            if len(batch) == _TOGETHER:
                yield from self._engine.get_together(name, batch, *piece)
                batch = []
        if batch:
            yield from self._engine.get_together(name, batch, *piece)

    def put(
        self,
        obj: Any,
        name: str,
        data_id: DataId | None = None,
        /,
        *,
        replace: bool = False,
        inputs: Precursors | None = None,
        input_only: str = "error",
        notes: Notes | None = None,
        version: str | None = None,
        dataId: DataId | None = None,
        **keys: Any,
    ) -> PutResult:
        """Put an object into every output, into each all or nothing.

        `replace` puts it where another one is. `inputs` names what it was made from, by component name: references, data
        IDs, or pairs of name and data ID. `input_only="drop"` goes on where an input-only component was changed, and loses that change. `notes`
        are kept with the put.
        """
        if input_only not in ("error", "drop"):
            raise PantlerError(f"input_only cannot be {input_only!r}", hints=['it is "error" or "drop"'])
        with _asked(keys, _PUTTING):
            wanted = _data_id(data_id, dataId, keys, version, None)
            rest = (str(name), wanted, bool(replace), input_only == "drop", _precursors(inputs), _notes(notes))
            result = convert.put_as(obj, lambda each: self._engine.put(each, *rest))
        return PutResult(**result)

    def link(
        self,
        name: str,
        data_id: DataId | None = None,
        /,
        *,
        notes: Notes | None = None,
        version: str | None = None,
        dataId: DataId | None = None,
        **keys: Any,
    ) -> PutResult:
        """Record parts that were put one by one as a composite, in every output."""
        with _asked(keys, ("notes", "version", "dataId")):
            wanted = _data_id(data_id, dataId, keys, version, None)
            return PutResult(**self._engine.link(str(name), wanted, _notes(notes)))

    def batch(self) -> Batch:
        """Begin many puts and links that become durable and visible together: `with butler.batch() as batch: batch.put(…)`."""
        from pantler.batch import Batch

        return Batch(self._engine.batch)

    def exists(
        self,
        name: str,
        data_id: DataId | None = None,
        /,
        *,
        version: str | None = None,
        tag: str | None = None,
        dataId: DataId | None = None,
        **keys: Any,
    ) -> bool:
        """Say whether a get would find the dataset and all its required parts; reads no artifact."""
        with _asked(keys, ("version", "tag", "dataId")):
            return self._engine.exists(str(name), _data_id(data_id, dataId, keys, version, tag))

    def explain(
        self,
        name: str,
        data_id: DataId | None = None,
        /,
        *,
        composition: str = "recorded",
        version: str | None = None,
        tag: str | None = None,
        dataId: DataId | None = None,
        **keys: Any,
    ) -> Plan:
        """Return what a get would do; reads no artifact."""
        with _asked(keys, ("composition", "version", "tag", "dataId")):
            wanted = _data_id(data_id, dataId, keys, version, tag)
            return Plan(*self._engine.explain(str(name), wanted, _is_lookup(composition)))

    def locations(self, name: str, data_id: DataId | None = None, /, **keys: Any) -> dict[str, str]:
        """Return where the dataset lies: an absolute path for each component that has an artifact, "" for the dataset itself."""
        found: dict[str, str] = {}

        def add(plan: Plan, name: str) -> None:
            if plan.path is not None:
                found[name] = plan.path
            for component, part in plan.components.items():
                add(part, f"{name}.{component}" if name else component)

        add(self.explain(name, data_id, **keys), "")
        return found

    def query(
        self,
        name: str | None = None,
        where: str | None = None,
        *,
        order_by: Names | None = None,
        limit: int | None = None,
        made_from: Dataset | None = None,
        used_by: Dataset | None = None,
        dataId: DataId | None = None,
        **keys: Any,
    ) -> QueryResult:
        """Return the datasets of a type, or of all types, that fit.

        `where` is an expression (`"visit > 100 and filter in ('g', 'r')"`), `order_by` a key or several, descending with a - in
        front. `made_from` and `used_by` are a reference, or a pair of name and data ID.
        """
        with _asked(keys, _QUERYING):
            rows = self._engine.query(
                None if name is None else str(name),
                _data_id(None, dataId, keys, None, None),
                where,
                [(key.lstrip("-+"), key.startswith("-")) for key in _names(order_by) or []],
                limit,
                None if made_from is None else _named(made_from),
                None if used_by is None else _named(used_by),
            )
        return QueryResult(self, rows)

    def subset(self, name: str, data_id: DataId | None = None, /, *, dataId: DataId | None = None, **keys: Any) -> list[DatasetRef]:
        """Return references to the datasets of a type that have the given keys, in the order of their data IDs."""
        wanted = _data_id(data_id, dataId, keys, None, None)
        return list(self.query(name, dataId=wanted))

    def ingest(
        self,
        name: str,
        files: Path | Iterable[Path],
        *,
        mode: str = "copy",
        digest: bool = False,
        notes: Notes | None = None,
        dataId: DataId | None = None,
        **keys: Any,
    ) -> IngestResult:
        """Take files into the one output as datasets of a type.

        `mode` is "copy", "move", "link" (a hard link) or "in-place". The keys given count before what headers and paths say.
        """
        if isinstance(files, (str, os.PathLike)):
            files = [files]
        with _asked(keys, ("mode", "digest", "notes", "dataId")):
            wanted = _data_id(None, dataId, keys, None, None)
            paths = [_path(file) for file in files]
            found = self._engine.ingest(str(name), paths, wanted, mode, bool(digest), _notes(notes))
        ingested, lie_in, same, failed = found
        return IngestResult(ingested, lie_in, same, [(str(file), error) for file, error in failed])

    def alias(self, name: str | None = None, target: str | None = None, *, remove: bool = False) -> dict[str, str]:
        """Give an unqualified name a meaning in the first output, or take it back; return the aliases of the first repository."""
        if name is not None and (target is not None or remove):
            self._engine.set_alias(str(name), None if remove else str(target))
        elif name is not None:
            raise PantlerError("an alias needs a target", hints=["alias(name, target), or alias(name, remove=True)"])
        return dict(self._engine.aliases())

    def keys(self, name: str) -> dict[str, type]:
        """Return the data-ID keys of a type, each with the type of its values."""
        types = {"int": int, "float": float, "str": str}
        return {key: types[kind] for key, kind in self._engine.keys(str(name))}

    def export(
        self,
        name: str,
        data_id: DataId | None = None,
        /,
        out: Path | None = None,
        *,
        version: str | None = None,
        tag: str | None = None,
        dataId: DataId | None = None,
        **keys: Any,
    ) -> str:
        """Write a dataset as one self-contained file, whose extension decides the format; return its path."""
        if out is None:
            raise PantlerError("no file to write is named", hints=["export(name, data_id, out=FILE)"])
        with _asked(keys, ("out", "version", "tag", "dataId")):
            wanted = _data_id(data_id, dataId, keys, version, tag)
            self._engine.export(str(name), wanted, _path(out))
        return _path(out)

    def rm(
        self,
        name: str,
        data_id: DataId | None = None,
        /,
        *,
        force: bool = False,
        dry_run: bool = False,
        version: str | None = None,
        dataId: DataId | None = None,
        **keys: Any,
    ) -> RemoveResult:
        """Remove a dataset from the first output; one that compositions use goes only with `force`."""
        with _asked(keys, ("force", "dry_run", "version", "dataId")):
            wanted = _data_id(data_id, dataId, keys, version, None)
            return RemoveResult(**self._engine.rm(str(name), wanted, bool(force), bool(dry_run)))

    def fsck(self, *, deep: bool = False, repair: bool = False) -> FsckReport:
        """Check the first repository against its artifacts; `deep` reads every one, `repair` clears what crashes left."""
        return FsckReport(**self._engine.fsck(bool(deep), bool(repair)))

    def register_storage(self, name: str, storage: Any) -> None:
        """Give a storage in Python a name that policies can use: an object or a class with `read(data)` and `write(obj)`."""
        self._settings["plugins"].storages.register(name, storage)

    @property
    def repositories(self) -> list[str]:
        """The roots of the repositories in search order."""
        return [root for root, _ in self._engine.repositories()]

    @property
    def warnings(self) -> list[str]:
        """What the policies probably do not mean as it is written."""
        return self._engine.warnings()

    def __dask_tokenize__(self) -> str:
        # Who asks, what is kept in memory, and objects without a name make no other dataset.
        return token("Butler", {key: value for key, value in self._settings.items() if key not in ("who", "cache_bytes", "plugins")})

    def __getstate__(self) -> dict[str, Any]:
        return self._settings

    def __setstate__(self, settings: dict[str, Any]) -> None:
        self._settings = settings
        self._engine = _pantler.Engine(**settings)

    def __repr__(self) -> str:
        return f"Butler({', '.join(self.repositories)})"


_OPENING = (
    "inputs", "outputs", "policy", "tags", "allow_pickle", "trust", "storages", "add_parents", "inputs_in_order", "cache_bytes",
)
_GETTING = ("bbox", "columns", "rows", "deferred", "composition", "version", "tag", "dataId")
_PUTTING = ("replace", "inputs", "input_only", "notes", "version", "dataId")
_QUERYING = ("where", "order_by", "limit", "made_from", "used_by", "dataId")


class _asked:
    """Adds to an error about a key the parameter that was probably meant: what is no parameter is taken for a key."""

    def __init__(self, keys: Mapping[str, Any], parameters: Iterable[str]):
        self.keys, self.parameters = keys, tuple(parameters)

    def __enter__(self) -> _asked:
        return self

    def __exit__(self, _class: Any, error: BaseException | None, _traceback: Any) -> None:
        if isinstance(error, DataIdError):
            for key in self.keys:
                near = difflib.get_close_matches(key, self.parameters, 1, 0.75)
                if near and f"`{key}`" in error.message:
                    error.hints.append(f"did you mean the parameter `{near[0]}`?")


def _refuse_unknown(what: str, unknown: Mapping[str, Any], known: Iterable[str]) -> None:
    for word in unknown:
        near = difflib.get_close_matches(word, known, 1)
        hint = f"did you mean `{near[0]}`?" if near else f"it has {', '.join(known)}"
        raise PantlerError(f"{what} has no parameter `{word}`", hints=[hint])


def _path(path: Path) -> str:
    """An absolute path, so that a butler means the same in a process that works in another folder."""
    return os.path.abspath(os.path.expanduser(os.fspath(path)))


def _repositories(given: _Repositories | None, what: str) -> list[RepositoryArgs]:
    if given is None:
        return []
    if isinstance(given, (str, os.PathLike)):
        return [RepositoryArgs(given)]
    if isinstance(given, RepositoryArgs):
        return [given]
    if isinstance(given, Mapping):
        fields = ("root", "mode", "policy", "parents", "tags")
        _refuse_unknown("a repository", {key: None for key in given if key not in fields}, fields)
        if "root" not in given:
            raise PantlerError(f"a repository among the {what} has no `root`")
        return [RepositoryArgs(**given)]
    if isinstance(given, Iterable):
        return [one for each in given for one in _repositories(each, what)]
    raise PantlerError(
        f"{what} cannot be a {type(given).__name__}",
        hints=["it is a path, a RepositoryArgs, a dictionary of its fields, or a list of these"],
    )


def _make(output: RepositoryArgs, policy: Policy | None, inputs: list[str], plugins: Plugins) -> list[tuple[str, str]]:
    """Make an output that does not exist, where it is said what is in it; without that the engine makes it of its inputs.

    Returned is what of the policy serves this butler only: with the repository's root.
    """
    root = _path(output.root)
    own = output.policy if output.policy is not None else policy
    is_new = not os.path.exists(root) or (os.path.isdir(root) and not os.listdir(root))
    if not is_new:
        if own is not None:
            raise PantlerError(
                f"{root} exists already, and keeps its own policy",
                hints=["leave `policy` away, or make another repository"],
            )
        return []
    parents = [_path(parent) for parent in _list(output.parents)] or inputs
    if own is not None or output.parents is not None:
        lasting, local = policy_texts(own, plugins)
        _pantler.init(root, lasting, parents, [])
        return [(root, text) for text in local]
    return []


def _list(given: Any) -> list[Any]:
    if given is None:
        return []
    return list(given) if isinstance(given, (list, tuple)) else [given]


def _tags(repositories: list[RepositoryArgs], tags: Mapping[Path, Names] | Names | None) -> list[tuple[str, str]]:
    pairs = [(_path(each.root), tag) for each in repositories for tag in _names(each.tags) or []]
    if isinstance(tags, Mapping):
        pairs += [(_path(root), tag) for root, some in tags.items() for tag in _names(some) or []]
    elif tags is not None:
        pairs += [(_path(each.root), tag) for each in repositories for tag in _names(tags) or []]
    return pairs


def _who() -> tuple[str, str]:
    try:
        user = getpass.getuser()
    except (KeyError, OSError, ImportError):
        user = f"uid {os.getuid()}"
    return user, platform.node()


def _data_id(
    data_id: DataId | None, other: DataId | None, keys: Mapping[str, Any], version: str | None, tag: str | None
) -> dict[str, Any]:
    """All keys as one dictionary; two words for one key must agree."""
    all_keys: dict[str, Any] = {}
    extra = {key: value for key, value in (("version", version), ("tag", tag)) if value is not None}
    for some in (data_id, other, keys, extra):
        if some is None:
            continue
        if isinstance(some, DatasetRef):
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


def _names(given: Names | None) -> list[str] | None:
    if given is None:
        return None
    return [given] if isinstance(given, str) else [str(name) for name in given]


def _rows(rows: Any) -> list[tuple[int, int]] | None:
    """Ranges of rows, each without its end."""
    if rows is None:
        return None
    if isinstance(rows, (slice, range)):
        step = rows.step
        if step not in (None, 1) or rows.stop is None or min(rows.start or 0, rows.stop) < 0:
            raise PantlerError(
                f"{rows} is no range of rows", hints=["a range has a first row and an end, counted from 0, and no step"]
            )
        return [(rows.start or 0, rows.stop)]
    pairs = list(rows)
    if len(pairs) == 2 and all(not isinstance(each, (slice, range, tuple, list)) for each in pairs):
        pairs = [tuple(pairs)]
    ranges: list[tuple[int, int]] = []
    for each in pairs:
        if isinstance(each, (slice, range)):
            ranges += _rows(each) or []
        else:
            first, end = (int(number) for number in each)
            ranges += _rows(slice(first, end)) or []
    return ranges


def _is_lookup(composition: str) -> bool:
    if composition not in ("recorded", "lookup"):
        raise PantlerError(f"composition cannot be {composition!r}", hints=['it is "recorded" or "lookup"'])
    return composition == "lookup"


def _notes(notes: Notes | None) -> list[tuple[str, str]]:
    return [(str(key), str(value)) for key, value in (notes or {}).items()]


def _named(given: Any) -> tuple[str, dict[str, Any]]:
    """A dataset: a reference, or a pair of name and data ID."""
    if isinstance(given, DatasetRef):
        return given.name, dict(given.data_id)
    try:
        name, data_id = given
        return str(name), dict(data_id)
    except (TypeError, ValueError):
        raise PantlerError(
            f"{given!r} names no dataset", hints=["it is a reference, or a pair of name and data ID"]
        ) from None


def _precursors(inputs: Any) -> list[tuple[str, dict[str, Any]]]:
    """What a dataset was made from: `{component: [reference or data ID, …]}`, or a list of references."""
    if inputs is None:
        return []
    groups = inputs.items() if isinstance(inputs, Mapping) else [(None, inputs)]
    found = []
    for component, group in groups:
        single = isinstance(group, (DatasetRef, Mapping)) or (
            isinstance(group, tuple) and len(group) == 2 and isinstance(group[0], str)
        )
        for each in [group] if single else group:
            # A data ID alone is one of the type that the component names.
            is_data_id = component is not None and isinstance(each, Mapping)
            found.append((str(component), dict(each)) if is_data_id else _named(each))
    return found
