"""The methods of a butler that change what its outputs hold."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from pantler import arguments, repositories
from pantler.errors import PantlerError
from pantler.later import Later
from pantler.progress import told
from pantler.repositories import RepositoryArgs

if TYPE_CHECKING:
    import logging

    from pantler import _pantler, convert, results
    from pantler.batch import Batch
    from pantler.butler import Butler
    from pantler.given import DataId, Notes, Path, Precursors, Progress
    from pantler.reports import TransferReport
    from pantler.results import IngestResult, PutResult, RemoveResult
else:
    convert = Later("pantler.convert")
    logging = Later("logging")
    results = Later("pantler.results")

# What is taken in and what is removed is told in Python's log at the level INFO.
_LOG = "pantler"

_PUTTING = ("replace", "inputs", "input_only", "notes", "parts", "version", "dataId")
_TRANSFERRING = ("where", "by", "merge", "dry_run", "notes", "progress", "dataId")
_INGESTING = ("files", "mode", "digest", "notes", "table", "progress", "dataId")


class Writing:
    """What `Butler` has of these."""

    _engine: _pantler.Engine
    _settings: dict[str, Any]

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
        return results.PutResult(**result)

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
            return results.PutResult(**self._engine.link(str(name), wanted, arguments.notes(notes)))

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
        return results.IngestResult(ingested, lie_in, same, [(str(file), error) for file, error in failed])

    def transfer_to(
        self,
        target: Path | RepositoryArgs | Butler,
        names: str | Iterable[str],
        where: str | None = None,
        *,
        by: str = "copy",
        merge: bool = False,
        dry_run: bool = False,
        notes: Notes | None = None,
        progress: Progress = None,
        dataId: DataId | None = None,
        **keys: Any,
    ) -> TransferReport:
        """Bring datasets, with all that they need and nothing else, into another repository, all or nothing.

        Identities and names stay. Where only a part is needed of a file, as the calibration of an exposure by its catalog, that part
        alone is brought: the exposure itself does not exist in the target. Recorded compositions stay as they are; what of them was
        left behind is an error that names it when it is asked for.

        Parameters
        ----------
        target : path, RepositoryArgs or Butler
            The repository; a folder that does not exist, or is empty, becomes one. Of a butler, the first output.
        names : str or iterable of str
            The dataset types, with stage or component.
        where : str, optional
            A condition, as in `query`.
        by : "copy" or "reference"
            Whether the artifacts are copied, so that the target stands alone, or stay where they are and are read there.
        merge : bool
            Whether a target that holds datasets already may get more. The same are left out; another under the same type and data
            ID is a `ConflictError`, before anything is written.
        dry_run : bool
            Only say what would be brought, and how many bytes that takes.
        notes : dict of str, optional
            What is kept with each, beside who made it and where it came from.
        progress : bool or callable
            True for a bar, or a function of how many datasets are done and how many there are.
        dataId : dict, optional
            Keys that the datasets must have.
        **keys
            The same as keywords.

        Returns
        -------
        TransferReport
            What was brought, by type.

        Examples
        --------
        >>> report = butler.transfer_to("laptop", "src", visit=903334)
        >>> report.count, report.bytes > 0
        (2, True)
        >>> import pantler
        >>> pantler.Butler.open("laptop").exists("src", visit=903334, ccd=16)
        True
        """
        from pantler.reports import TransferReport, TransferredType

        goal: Any
        if isinstance(target, Writing):
            goal = target._engine
        else:
            goal = repositories.path_of(target.root if isinstance(target, RepositoryArgs) else target)
        with arguments.asked(keys, _TRANSFERRING), told(progress, "transferring") as tell:
            wanted = arguments.data_id(None, dataId, keys, None, None)
            document = self._engine.transfer_to(
                goal,
                arguments.names(names) or [],
                wanted,
                where,
                str(by),
                bool(merge),
                bool(dry_run),
                arguments.notes(notes),
                tell,
            )
        report = TransferReport(**{**document, "types": [TransferredType(**each) for each in document["types"]]})
        if not dry_run:
            logging.getLogger(_LOG).info("transferred %d datasets to %s, %d were there", report.count, report.target, report.same)
        return report

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
            done = results.RemoveResult(**self._engine.rm(str(name), wanted, bool(force), bool(dry_run)))
        if not dry_run:
            logging.getLogger(_LOG).info("removed %s %s", name, wanted)
        return done

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


def _values(table: Any) -> Any:
    from pantler.values import values_of

    return values_of(table)
