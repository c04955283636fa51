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
    IngestResult,
    Plan,
    PutResult,
    QueryResult,
    RemoveResult,
)
from pantler.tokens import token
from pantler.trust import trusted
from pantler.upkeep import Upkeep

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


class Butler(Upkeep):
    """Gets and puts datasets. Cheap to open; safe to use from many threads; a child process goes on with it.

    Policies may name code. That of repositories which are not the user's own runs only where `trust` names the repository or the
    module; pickles are read only with `allow_pickle`.

    Parameters
    ----------
    inputs, outputs
        A path, a `RepositoryArgs`, a dictionary of its fields, or a list of these. Outputs are written to, inputs are not. An output
        that does not exist is made, with `policy` and with the inputs as its parents.
    policy
        What a new output holds: a file in YAML, a dictionary, or a list of these. Without an output it serves this butler alone.
    tags
        A tag or several for each repository root, for `get(…, tag=…)`.
    allow_pickle : bool
        Whether pickles are read, which runs whatever code stands in them.
    trust
        Repositories (by root) and modules (by name) of others whose code may run.
    storages
        Storages in Python by name.
    add_parents : bool
        Whether an output that exists may get the inputs as further parents.
    inputs_in_order : bool
        Whether the order of the inputs decides where two of them hold different content.
    cache_bytes : int, optional
        How much memory objects may take that are kept for the next get.

    Raises
    ------
    PantlerError
        No repository is named, or one of them cannot be opened.
    PolicyError
        A policy is wrong.

    Examples
    --------
    >>> from pantler import Butler
    >>> Butler("jointcal").get("calexp", visit=903334, ccd=16, tract=0).wcs
    Wcs(tangent point ...)

    A step of one's own, in a new repository that builds on another one:

    >>> policy = {"datasets": {"seeing": {"template": "seeing/%(visit)d.json", "python": "dict", "storage": "JsonStorage"}}}
    >>> butler = Butler(inputs="jointcal", outputs="seeing", policy=policy)
    >>> butler.put({"arcsec": 0.7}, "seeing", visit=903334).written
    ['seeing/903334.json']
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
        """Open one repository to read from and to write to, with its parents.

        Parameters
        ----------
        root
            The repository: a path, or a `RepositoryArgs`. It is made only where `policy` says what is in it.
        **options
            Those of `Butler`.

        Examples
        --------
        >>> from pantler import Butler
        >>> butler = Butler.open("mine")
        >>> butler.get("note", visit=903334)["seeing"]
        0.7
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
        """Return an object.

        Parameters
        ----------
        name : str
            The dataset type, or a component of it: `"calexp"`, `"calexp:jointcal"`, `"calexp.wcs"`.
        data_id, dataId : dict or DatasetRef, optional
            Which dataset of the type. Keys may stand in here, or be given as further keywords, `visit=903334`.
        bbox : (x0, y0, width, height), optional
            Only these pixels, as the parent counts them.
        columns : str or list of str, optional
            Only these columns of a table.
        rows : slice, (first, end) or list of these, optional
            Only these rows of a table.
        deferred : bool
            Whether a `DeferredDataset` is wanted, whose `get` does what this would do.
        composition : "recorded" or "lookup"
            `"lookup"` ignores what was recorded when a composite was put, and takes the parts that are there today.
        version : str, optional
            The stage: `version="jointcal"` of `calexp` is `calexp:jointcal`.
        tag : str, optional
            Only repositories with this tag are searched.
        **keys
            Keys of the data ID. One that has only one possible value may be left out.

        Returns
        -------
        object
            The dataset. What is in memory already is not read again, and is the same object.

        Raises
        ------
        NotFoundError
            It, or a part that it needs, is in no repository.
        AmbiguousError
            A key is missing, and several values are possible.
        DataIdError
            A key is wrong.

        Examples
        --------
        >>> exposure = butler.get("calexp:jointcal", visit=903334, ccd=16, tract=0)
        >>> exposure.image.array.shape
        (512, 512)

        One component costs its own bytes, and is shared:

        >>> butler.get("calexp:jointcal.wcs", visit=903334, ccd=16, tract=0) is exposure.wcs
        True

        A piece of it:

        >>> butler.get("calexp:sfm", visit=903334, ccd=16, bbox=(100, 100, 64, 32)).image.array.shape
        (32, 64)
        >>> butler.get("src", visit=903334, ccd=16, columns=["flux"], rows=slice(2))["flux"]
        array([1.5, 2.5])
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
        """Return some components of one dataset by name; what they need of one artifact is read together.

        Parameters
        ----------
        name : str
            The dataset type.
        data_id, dataId : dict, optional
            Which dataset.
        components : list of str
            The names of the components.
        version, tag
            As for `get`.
        **keys
            Keys of the data ID.

        Returns
        -------
        dict
            The components by name.

        Examples
        --------
        >>> parts = butler.get_components("calexp:sfm", {"visit": 903334, "ccd": 16}, ["wcs", "psf"])
        >>> sorted(parts)
        ['psf', 'wcs']
        """
        names = arguments.names(components) or []
        with arguments.asked(keys, ("components", "version", "tag", "dataId")):
            wanted = arguments.data_id(data_id, dataId, keys, version, tag)
            return dict(zip(names, self._engine.get_components(str(name), wanted, names)))

    def get_cutouts(
        self,
        name: str,
        data_id: DataId | None = None,
        /,
        boxes: Iterable[Box] = (),
        *,
        version: str | None = None,
        tag: str | None = None,
        dataId: DataId | None = None,
        **keys: Any,
    ) -> list[Any]:
        """Return several cutouts of one image or exposure, which is opened once.

        Parameters
        ----------
        name : str
            The dataset.
        data_id, dataId : dict, optional
            Which.
        boxes : list of Bbox or (x0, y0, width, height)
            The pixels of each, in the parent's coordinates.
        version, tag : str, optional
            The stage; the repositories.
        **keys
            Keys of the data ID.

        Returns
        -------
        list
            The cutouts, in the order of the boxes.

        Examples
        --------
        >>> boxes = [(0, 0, 10, 20), (30, 40, 5, 6)]
        >>> [cutout.image.array.shape for cutout in butler.get_cutouts("calexp:sfm", boxes=boxes, visit=903334, ccd=16)]
        [(20, 10), (6, 5)]
        """
        with arguments.asked(keys, ("boxes", "version", "tag", "dataId")):
            return self._engine.get_cutouts(str(name), arguments.data_id(data_id, dataId, keys, version, tag), list(boxes))

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
        """Return an iterator over the objects of many data IDs, in their order; some are read ahead, together.

        Parameters
        ----------
        name : str
            The dataset type.
        data_ids : iterable of dict or DatasetRef
            Which datasets: what `query` returns, for instance.
        bbox, columns, rows, composition
            As for `get`, the same for each.
        progress : bool or callable
            True for a bar, or a function of how many were taken and how many there are (None if `data_ids` does not say).

        Returns
        -------
        iterator

        Examples
        --------
        >>> catalogs = butler.get_many("src", butler.query("src"), columns="flux")
        >>> sum(float(catalog["flux"].sum()) for catalog in catalogs)
        24.0
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
        parts: Mapping[str, Any] | None = None,
        version: str | None = None,
        dataId: DataId | None = None,
        **keys: Any,
    ) -> PutResult:
        """Put an object into every output, into each all or nothing.

        A composite is taken apart: what is there already is not written again. What other packages have (`CCDData`, `QTable`, data
        frames, arrays) is put as it is.

        Parameters
        ----------
        obj
            The object; a `pathlib.Path` stands for what is in the file.
        name : str
            The dataset type, or a component that has a file of its own.
        data_id, dataId : dict, optional
            Which dataset.
        replace : bool
            Whether it may stand where another one is. Without it, another content under the same data ID is refused.
        inputs : dict or list, optional
            What it was made from, by component name: references, data IDs, or pairs of name and data ID.
        input_only : "error" or "drop"
            `"drop"` goes on where a component that is only read was changed, and loses that change.
        notes : dict of str, optional
            What is kept with the put.
        parts : dict, optional
            By name the components that are operations on the object, such as a background: objects, or paths of files.
        version : str, optional
            The stage.
        **keys
            Keys of the data ID.

        Returns
        -------
        PutResult
            What was written, and what was there.

        Raises
        ------
        ConflictError
            Another dataset stands there, and `replace` was not said.
        ReadOnlyError
            A component that is only read was changed.

        Examples
        --------
        >>> butler.put({"seeing": 0.9}, "note", visit=903342).written
        ['note/0903342.json']

        A composite writes what is new. The pixels of `calexp:jointcal` are those of `calexp:sfm`:

        >>> exposure = butler.get("calexp:sfm", visit=903342, ccd=17)
        >>> fit = butler.get("calexp:jointcal", visit=903342, ccd=16, tract=1)
        >>> updated = exposure.with_wcs(fit.wcs).with_photo_calib(fit.photo_calib)
        >>> done = butler.put(updated, "calexp:jointcal", visit=903342, ccd=17, tract=1)
        >>> done.written, done.input_only
        (['wcs/0903342/017-1.fits', 'calib/0903342/017-1.fits'], ['calexp'])
        """
        if input_only not in ("error", "drop"):
            raise PantlerError(f"input_only cannot be {input_only!r}", hints=['it is "error" or "drop"'])
        with arguments.asked(keys, _PUTTING):
            wanted = arguments.data_id(data_id, dataId, keys, version, None)
            obj = self._read(obj, str(name), wanted)
            operations = [(part, self._read(each, f"{name}.{part}", wanted)) for part, each in (parts or {}).items()]
            told_of = arguments.precursors(inputs), arguments.notes(notes), operations
            rest = (str(name), wanted, bool(replace), input_only == "drop", *told_of)
            result = convert.put_as(obj, lambda each: self._engine.put(each, *rest))
        return PutResult(**result)

    def _read(self, obj: Any, name: str, data_id: dict[str, Any]) -> Any:
        """What is in a file of the user's, as what is put under a name; all but paths as it is."""
        return self._engine.read_file(name, data_id, obj) if isinstance(obj, os.PathLike) else obj

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
        """Record parts that were put one by one as a composite, in every output.

        Parameters
        ----------
        name : str
            The dataset type of the composite.
        data_id, dataId : dict, optional
            Which dataset.
        notes : dict of str, optional
            What is kept with it.
        version : str, optional
            The stage.
        **keys
            Keys of the data ID.

        Returns
        -------
        PutResult

        Raises
        ------
        NotFoundError
            A part is not there.

        Examples
        --------
        The joint fit has put a WCS and a calibration of this exposure, each by itself:

        >>> butler.link("calexp:jointcal", visit=903334, ccd=15, tract=0).recorded
        True
        >>> butler.explain("calexp:jointcal", visit=903334, ccd=15, tract=0).origin
        'recorded'
        """
        with arguments.asked(keys, ("notes", "version", "dataId")):
            wanted = arguments.data_id(data_id, dataId, keys, version, None)
            return PutResult(**self._engine.link(str(name), wanted, arguments.notes(notes)))

    def batch(self) -> Batch:
        """Begin many puts and links that become durable and visible together.

        Returns
        -------
        Batch

        Examples
        --------
        >>> with butler.batch() as batch:
        ...     for visit in range(3):
        ...         _ = batch.put({"seeing": 0.7}, "note", visit=visit)
        >>> len(batch.results)
        3
        """
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
        """Say whether a get would find the dataset and all its required parts; reads no artifact.

        Parameters
        ----------
        name : str
            The dataset type, or a component of it.
        data_id, dataId : dict, optional
            Which dataset.
        version, tag
            As for `get`.
        **keys
            Keys of the data ID.

        Returns
        -------
        bool

        Examples
        --------
        >>> butler.exists("calexp:jointcal", visit=903334, ccd=16, tract=0)
        True

        The joint fit found no WCS for this one:

        >>> butler.exists("calexp:jointcal", visit=903342, ccd=15, tract=0)
        False
        """
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
        """Return what a get would do; reads no artifact.

        Parameters
        ----------
        name : str
            The dataset type, or a component of it.
        data_id, dataId : dict, optional
            Which dataset.
        composition, version, tag
            As for `get`.
        **keys
            Keys of the data ID.

        Returns
        -------
        Plan
            Where each part comes from; what is missing is said in it, and raises nothing.

        Examples
        --------
        >>> print(butler.explain("calexp:jointcal", visit=903334, ccd=16, tract=0))
        calexp:jointcal   visit=903334 ccd=16 tract=0   Exposure, assembled by overlay   by lookup
        ├─ calexp   calexp:sfm       visit=903334 ccd=16   3.2 MB   ...   calexp/0903334/016.fits    input only
        ├─ wcs      jointcal_wcs     … tract=0             2.9 kB   ...   wcs/0903334/016-0.fits
        └─ calib    jointcal_calib   … tract=0             2.9 kB   ...   calib/0903334/016-0.fits
        """
        with arguments.asked(keys, ("composition", "version", "tag", "dataId")):
            wanted = arguments.data_id(data_id, dataId, keys, version, tag)
            return Plan(*self._engine.explain(str(name), wanted, arguments.is_lookup(composition)))

    def locations(self, name: str, data_id: DataId | None = None, /, **keys: Any) -> dict[str, str]:
        """Return where the dataset lies, file by file.

        Parameters
        ----------
        name : str
            The dataset type.
        data_id : dict, optional
            Which dataset.
        **keys
            Keys of the data ID, and what `explain` takes.

        Returns
        -------
        dict
            An absolute path for each component that has an artifact, `""` for the dataset itself.

        Examples
        --------
        >>> butler.locations("src", visit=903334, ccd=16)[""]
        '.../mine/src/0903334-016.parquet'
        >>> sorted(butler.locations("calexp:jointcal", visit=903334, ccd=16, tract=0))
        ['calexp', 'calib', 'wcs']
        """
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

        Parameters
        ----------
        name : str, optional
            The dataset type.
        where : str, optional
            An expression over keys and metadata columns: `"visit > 100 and filter in ('g', 'r')"`.
        order_by : str or list of str, optional
            The keys to order by, descending with a - in front.
        limit : int, optional
            At most so many.
        made_from, used_by : DatasetRef or (name, data ID), optional
            Only what was made from this dataset; only what this dataset was made from.
        dataId : dict, optional
            Keys that must have these values.
        **keys
            The same as keywords.

        Returns
        -------
        QueryResult
            A sequence of `DatasetRef`.

        Examples
        --------
        >>> for ref in butler.query("calexp:sfm", "ccd < 17", order_by=["-visit", "ccd"]):
        ...     print(ref.data_id)
        {'visit': 903342, 'ccd': 15}
        {'visit': 903342, 'ccd': 16}
        {'visit': 903334, 'ccd': 15}
        {'visit': 903334, 'ccd': 16}
        >>> len(butler.query("calexp:jointcal", tract=0))
        3
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
        """Return references to the datasets of a type that have the given keys, in the order of their data IDs.

        Parameters
        ----------
        name : str
            The dataset type.
        data_id, dataId : dict, optional
            Some keys.
        **keys
            The same as keywords.

        Returns
        -------
        list of DatasetRef

        Examples
        --------
        >>> [ref.data_id["ccd"] for ref in butler.subset("calexp:sfm", visit=903334)]
        [15, 16, 17]
        """
        wanted = arguments.data_id(data_id, dataId, keys, None, None)
        return list(self.query(name, dataId=wanted))

    def ingest(
        self,
        name: str,
        files: Path | Iterable[Path] = (),
        *,
        mode: str = "copy",
        digest: bool = False,
        notes: Notes | None = None,
        table: Any = None,
        progress: Progress = None,
        dataId: DataId | None = None,
        **keys: Any,
    ) -> IngestResult:
        """Take files into the one output as datasets of a type.

        Ctrl-C undoes what is not committed; ten thousand files are committed together.

        Parameters
        ----------
        name : str
            The dataset type.
        files : path or iterable of paths
            The files. Without any, those of the table; in place, all that lie where the template puts them.
        mode : "copy", "move", "link" or "in-place"
            What becomes of the files; `"link"` makes hard links, `"in-place"` leaves them where they are.
        digest : bool
            Whether the sums of files that stay in place are computed.
        notes : dict of str, optional
            What is kept with each.
        table : path, table, dict or list, optional
            What says the keys of each file: its column `file` (else its first) names the files, every other column is a key. A file
            (CSV, FITS, Parquet), a table of pantler, astropy, pandas, polars or pyarrow, a dictionary of columns, or a list of
            dictionaries.
        progress : bool or callable
            True for a bar, or a function of how many files were read and how many there are.
        dataId : dict, optional
            Keys, which count before what headers and paths say.
        **keys
            The same as keywords.

        Returns
        -------
        IngestResult
            What is new, what was there, and what failed.

        Examples
        --------
        >>> done = butler.ingest("image", "fitted.fits", visit=903342, ccd=17)
        >>> done.ingested, done.failed
        (1, [])
        >>> butler.get("image", visit=903342, ccd=17).image.array.shape
        (512, 512)
        """
        with arguments.asked(keys, _INGESTING), told(progress, "ingesting") as tell:
            wanted = arguments.data_id(None, dataId, keys, None, None)
            paths = [repositories.path_of(file) for file in arguments.paths(files)]
            values = None if table is None else _values(table)
            found = self._engine.ingest(str(name), paths, wanted, mode, bool(digest), arguments.notes(notes), tell, values)
        ingested, lie_in, same, failed = found
        logging.getLogger(_LOG).info("ingested %d files as %s, %d were there, %d failed", ingested, name, same, len(failed))
        return IngestResult(ingested, lie_in, same, [(str(file), error) for file, error in failed])

    def alias(self, name: str | None = None, target: str | None = None, *, remove: bool = False) -> dict[str, str]:
        """Say what an unqualified name means in the first output, or take it back.

        Parameters
        ----------
        name : str, optional
            The name.
        target : str, optional
            The dataset type that it shall mean.
        remove : bool
            Whether the alias goes.

        Returns
        -------
        dict
            The aliases of the first repository.

        Examples
        --------
        >>> butler.alias("exposure", "calexp:jointcal")
        {'exposure': 'calexp:jointcal'}
        >>> butler.get("exposure", visit=903334, ccd=16, tract=0).class_name
        'Exposure'
        >>> butler.alias("exposure", remove=True)
        {}
        """
        if name is not None and (target is not None or remove):
            self._engine.set_alias(str(name), None if remove else str(target))
        elif name is not None:
            raise PantlerError("an alias needs a target", hints=["alias(name, target), or alias(name, remove=True)"])
        return dict(self._engine.aliases())

    def keys(self, name: str) -> dict[str, type]:
        """Return the data-ID keys of a type, each with the type of its values.

        Parameters
        ----------
        name : str
            The dataset type.

        Returns
        -------
        dict

        Examples
        --------
        >>> butler.keys("calexp:jointcal")
        {'visit': <class 'int'>, 'ccd': <class 'int'>, 'tract': <class 'int'>}
        """
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
        """Write a dataset as one self-contained file, for somebody without pantler.

        Parameters
        ----------
        name : str
            The dataset type, or a component of it.
        data_id, dataId : dict, optional
            Which dataset.
        out : path
            The file, whose extension decides the format.
        version, tag
            As for `get`.
        **keys
            Keys of the data ID.

        Returns
        -------
        str
            The path of the file.

        Examples
        --------
        >>> butler.export("calexp:jointcal", visit=903334, ccd=16, tract=0, out="for-a-colleague.fits")
        '.../for-a-colleague.fits'
        """
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
        """Remove a dataset from the first output.

        Parameters
        ----------
        name : str
            The dataset type.
        data_id, dataId : dict, optional
            Which dataset.
        force : bool
            Whether it goes even if recorded composites use it.
        dry_run : bool
            Whether it is only said what would go.
        version : str, optional
            The stage.
        **keys
            Keys of the data ID.

        Returns
        -------
        RemoveResult

        Raises
        ------
        PantlerError
            Recorded composites use it, and `force` was not said.

        Examples
        --------
        >>> butler.rm("note", visit=903334, dry_run=True).bytes > 0
        True
        >>> butler.rm("note", visit=903334).location
        'note/0903334.json'
        >>> butler.exists("note", visit=903334)
        False
        """
        with arguments.asked(keys, ("force", "dry_run", "version", "dataId")):
            wanted = arguments.data_id(data_id, dataId, keys, version, None)
            done = RemoveResult(**self._engine.rm(str(name), wanted, bool(force), bool(dry_run)))
        if not dry_run:
            logging.getLogger(_LOG).info("removed %s %s", name, wanted)
        return done

    # Where each is said what it is for.
    fsck = Upkeep.fsck
    gc = Upkeep.gc
    summary = Upkeep.summary
    diff = Upkeep.diff
    explain_put = Upkeep.explain_put

    def register_storage(self, name: str, storage: Any) -> None:
        r"""Give a storage in Python a name that policies can use.

        Parameters
        ----------
        name : str
            The name.
        storage
            An object or a class with `read(data)`, which returns an object, and `write(obj)`, which returns bytes.

        Examples
        --------
        >>> from pantler import Butler
        >>> class Lines:
        ...     def read(self, data):
        ...         return data.decode().splitlines()
        ...     def write(self, obj):
        ...         return "\n".join(obj).encode()
        >>> policy = {"datasets": {"log": {"template": "log/%(night)d.txt", "python": "list", "storage": "Lines"}}}
        >>> butler = Butler(outputs="logs", policy=policy)
        >>> butler.register_storage("Lines", Lines)
        >>> _ = butler.put(["clear", "windy"], "log", night=1)
        >>> Butler.open("logs", storages={"Lines": Lines}).get("log", night=1)
        ['clear', 'windy']
        """
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


def _values(table: Any) -> Any:
    from pantler.values import values_of

    return values_of(table)


_OPENING = (
    "inputs", "outputs", "policy", "tags", "allow_pickle", "trust", "storages", "add_parents", "inputs_in_order", "cache_bytes",
)
_GETTING = ("bbox", "columns", "rows", "deferred", "composition", "version", "tag", "dataId")
_PUTTING = ("replace", "inputs", "input_only", "notes", "parts", "version", "dataId")
_INGESTING = ("files", "mode", "digest", "notes", "table", "progress", "dataId")
_QUERYING = ("where", "order_by", "limit", "made_from", "used_by", "dataId")
