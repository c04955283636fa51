"""The butler: gets and puts datasets over a chain of repositories.

This half takes arguments as people write them; the compiled half does the work, and other threads run meanwhile.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sized
from typing import TYPE_CHECKING, Any

from pantler import _pantler, arguments, convert, repositories
from pantler.deferred import DeferredDataset
from pantler.errors import PantlerError
from pantler.later import Later
from pantler.plugins import Plugins
from pantler.policies import policies_for_one
from pantler.progress import counted, told
from pantler.repositories import RepositoryArgs
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
    import logging

    from pantler.batch import Batch
    from pantler.given import Box, DataId, Dataset, Names, Notes, Path, Policy, Precursors, Progress, Rows
    from pantler.repositories import _Repositories
else:
    logging = Later("logging")

# What is doubtful in policies is a warning; what is taken in and what is removed is told at the level INFO.
_LOG = "pantler"

# How many datasets `get_many` reads together.
_TOGETHER = 16


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
        arguments.refuse_unknown("Butler", unknown, _OPENING)
        inputs, outputs = repositories.listed(inputs, "inputs"), repositories.listed(outputs, "outputs")
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
        roots = [repositories.path_of(each.root) for each in inputs]
        plugins = Plugins(allow_pickle=allow_pickle)
        for name, storage in (storages or {}).items():
            plugins.storages.register(name, storage)
        local = []
        for each in outputs:
            local += repositories.make(each, policy, roots, plugins)
        if not outputs:
            local += [(roots[0], text) for text in policies_for_one(policy, plugins)]
        self._settings: dict[str, Any] = {
            "plugins": plugins,
            "trusted": trusted(trust),
            "policies": local,
            "inputs": roots,
            "outputs": [repositories.path_of(each.root) for each in outputs],
            "tags": repositories.tags(inputs + outputs, tags),
            "add_parents": bool(add_parents),
            "inputs_in_order": bool(inputs_in_order),
            "cache_bytes": None if cache_bytes is None else int(cache_bytes),
        }
        self._engine = _pantler.Engine(**self._settings)
        self._remark()

    def _remark(self) -> None:
        """Say in the log what the policies probably do not mean as it is written."""
        remarks = self.warnings
        if remarks:
            more = f", and {len(remarks) - 1} more in `butler.warnings`" if len(remarks) > 1 else ""
            logging.getLogger(_LOG).warning("%s%s", remarks[0], more)

    @classmethod
    def open(cls, root: Path | RepositoryArgs, **options: Any) -> Butler:
        """Open one repository to read from and to write to, with its parents; the options are those of `Butler`.

        It is made only where `policy` says what is in it.
        """
        path = repositories.path_of(root.root if isinstance(root, RepositoryArgs) else root)
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
            if arguments.is_lookup(composition):
                parameters["composition"] = composition
            return DeferredDataset(str(name), arguments.data_id(data_id, dataId, keys, None, None), self, parameters)
        with arguments.asked(keys, _GETTING):
            return self._engine.get(
                str(name),
                arguments.data_id(data_id, dataId, keys, version, tag),
                bbox,
                arguments.names(columns),
                arguments.rows(rows),
                arguments.is_lookup(composition),
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
        names = arguments.names(components) or []
        with arguments.asked(keys, ("components", "version", "tag", "dataId")):
            wanted = arguments.data_id(data_id, dataId, keys, version, tag)
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
        progress: Progress = None,
    ) -> Iterator[Any]:
        """Return an iterator over the objects of many data IDs (or references), in their order; some are read ahead, together.

        `progress` is True for a bar, or a function of how many were taken and how many there are (None if `data_ids` does not say).
        """
        piece = (bbox, arguments.names(columns), arguments.rows(rows), arguments.is_lookup(composition))
        total = len(data_ids) if isinstance(data_ids, Sized) else None
        return counted(self._many(str(name), iter(data_ids), piece), total, progress, "reading")

    def _many(self, name: str, data_ids: Iterator[DataId], piece: tuple[Any, ...]) -> Iterator[Any]:
        batch: list[dict[str, Any]] = []
        for each in data_ids:
            batch.append(arguments.data_id(each, None, {}, None, None))
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
        with arguments.asked(keys, _PUTTING):
            wanted = arguments.data_id(data_id, dataId, keys, version, None)
            rest = (str(name), wanted, bool(replace), input_only == "drop", arguments.precursors(inputs), arguments.notes(notes))
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
        with arguments.asked(keys, ("notes", "version", "dataId")):
            wanted = arguments.data_id(data_id, dataId, keys, version, None)
            return PutResult(**self._engine.link(str(name), wanted, arguments.notes(notes)))

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
        with arguments.asked(keys, ("version", "tag", "dataId")):
            return self._engine.exists(str(name), arguments.data_id(data_id, dataId, keys, version, tag))

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
        with arguments.asked(keys, ("composition", "version", "tag", "dataId")):
            wanted = arguments.data_id(data_id, dataId, keys, version, tag)
            return Plan(*self._engine.explain(str(name), wanted, arguments.is_lookup(composition)))

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
        with arguments.asked(keys, _QUERYING):
            rows = self._engine.query(
                None if name is None else str(name),
                arguments.data_id(None, dataId, keys, None, None),
                where,
                [(key.lstrip("-+"), key.startswith("-")) for key in arguments.names(order_by) or []],
                limit,
                None if made_from is None else arguments.named(made_from),
                None if used_by is None else arguments.named(used_by),
            )
        return QueryResult(self, rows)

    def subset(self, name: str, data_id: DataId | None = None, /, *, dataId: DataId | None = None, **keys: Any) -> list[DatasetRef]:
        """Return references to the datasets of a type that have the given keys, in the order of their data IDs."""
        wanted = arguments.data_id(data_id, dataId, keys, None, None)
        return list(self.query(name, dataId=wanted))

    def ingest(
        self,
        name: str,
        files: Path | Iterable[Path],
        *,
        mode: str = "copy",
        digest: bool = False,
        notes: Notes | None = None,
        progress: Progress = None,
        dataId: DataId | None = None,
        **keys: Any,
    ) -> IngestResult:
        """Take files into the one output as datasets of a type.

        `mode` is "copy", "move", "link" (a hard link) or "in-place". The keys given count before what headers and paths say.
        `progress` is True for a bar, or a function of how many files were read and how many there are. Ctrl-C undoes what is not
        committed; ten thousand files are committed together.
        """
        if isinstance(files, (str, os.PathLike)):
            files = [files]
        with arguments.asked(keys, ("mode", "digest", "notes", "progress", "dataId")), told(progress, "ingesting") as tell:
            wanted = arguments.data_id(None, dataId, keys, None, None)
            paths = [repositories.path_of(file) for file in files]
            found = self._engine.ingest(str(name), paths, wanted, mode, bool(digest), arguments.notes(notes), tell)
        ingested, lie_in, same, failed = found
        logging.getLogger(_LOG).info("ingested %d files as %s, %d were there, %d failed", ingested, name, same, len(failed))
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
        with arguments.asked(keys, ("out", "version", "tag", "dataId")):
            wanted = arguments.data_id(data_id, dataId, keys, version, tag)
            self._engine.export(str(name), wanted, repositories.path_of(out))
        return repositories.path_of(out)

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
        with arguments.asked(keys, ("force", "dry_run", "version", "dataId")):
            wanted = arguments.data_id(data_id, dataId, keys, version, None)
            done = RemoveResult(**self._engine.rm(str(name), wanted, bool(force), bool(dry_run)))
        if not dry_run:
            logging.getLogger(_LOG).info("removed %s %s", name, wanted)
        return done

    def fsck(self, *, deep: bool = False, repair: bool = False, progress: Progress = None) -> FsckReport:
        """Check the first repository against its artifacts; `deep` reads every one, `repair` clears what crashes left.

        `progress` is True for a bar, or a function of how many datasets were checked and how many there are.
        """
        with told(progress, "checking") as tell:
            return FsckReport(**self._engine.fsck(bool(deep), bool(repair), tell))

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
        return token("Butler", {key: value for key, value in self._settings.items() if key not in ("cache_bytes", "plugins")})

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
