"""What a butler gives back beside objects: plain values, which pickle."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, overload

from pantler import previews
from pantler.tokens import token


@dataclass(frozen=True)
class PutResult:
    """What a put or a link did.

    Attributes
    ----------
    name, data_id
        What was put, with all its keys.
    written : list of str
        The locations that were written.
    unchanged : list of str
        The components that existed already.
    input_only : list of str
        The components that were only recorded.
    recorded : bool
        Whether a composition was recorded.
    id : str
        The dataset's identity.

    Examples
    --------
    >>> done = butler.put({"seeing": 0.9}, "note", visit=903342)
    >>> done.written, done.recorded
    (['note/0903342.json'], False)
    >>> butler.put({"seeing": 0.9}, "note", visit=903342).written     # the same once more
    []
    """

    name: str
    data_id: dict[str, Any]
    written: list[str]
    unchanged: list[str]
    input_only: list[str]
    recorded: bool
    id: str


@dataclass(frozen=True)
class IngestResult:
    """What an ingest did.

    Attributes
    ----------
    ingested : int
        How many datasets are new.
    files : int
        How many files they lie in.
    same : int
        How many were there already.
    failed : list of (str, Exception)
        The files that could not be taken, each with its reason.

    Examples
    --------
    >>> done = butler.ingest("image", ["fitted.fits", "absent.fits"], visit=903342, ccd=17)
    >>> done.ingested, [type(error).__name__ for _, error in done.failed]
    (1, ['...Error'])
    """

    ingested: int
    files: int
    same: int
    failed: list[tuple[str, Exception]]


@dataclass(frozen=True)
class RemoveResult:
    """What was removed, or would be.

    Attributes
    ----------
    name, data_id
        The dataset.
    location : str or None
        Its artifact.
    bytes : int
        How many bytes that had.
    users : list of (name, data ID)
        The composites that used it.

    Examples
    --------
    >>> butler.rm("note", visit=903334, dry_run=True)
    RemoveResult(name='note', data_id={'visit': 903334}, location='note/0903334.json', bytes=..., users=[])
    """

    name: str
    data_id: dict[str, Any]
    location: str | None
    bytes: int
    users: list[tuple[str, dict[str, Any]]]


@dataclass(frozen=True)
class FsckReport:
    """What a check found; it is true if all is well.

    Attributes
    ----------
    clean : bool
        Whether nothing is wrong.
    checked : int
        How many datasets were looked at.
    problems : list of dict
        What is wrong, each with `kind`, `dataset_type`, `data_id` and `location`.
    leftover : list of str
        Files that do no harm.
    left_behind : int
        How many members of compositions stayed in another repository when these were transferred: they are known, and not here.

    Examples
    --------
    >>> import os
    >>> os.remove("mine/note/0903334.json")
    >>> report = butler.fsck()
    >>> bool(report), report.problems[0]["location"]
    (False, 'note/0903334.json')
    """

    clean: bool
    checked: int
    problems: list[dict[str, Any]]
    leftover: list[str]
    left_behind: int = 0

    def __bool__(self) -> bool:
        return self.clean


class Plan:
    """What a get will do: a document, of which every part is a plan of the same form.

    `print` shows it as a tree; `components` are the plans of the parts.

    Parameters
    ----------
    document : dict
        The plan as `to_dict` returns it.
    tree : str
        The same as text.

    Examples
    --------
    >>> plan = butler.explain("calexp:jointcal", visit=903334, ccd=16, tract=0)
    >>> plan.origin, list(plan.components)
    ('lookup', ['calexp', 'wcs', 'calib'])
    >>> plan.components["wcs"].location
    'wcs/0903334/016-0.fits'
    """

    def __init__(self, document: dict[str, Any], tree: str = ""):
        self._document = document
        self._tree = tree

    @property
    def name(self) -> str:
        """The name."""
        value: str = self._document["name"]
        return value

    @property
    def dataset_type(self) -> str:
        """The dataset type."""
        value: str = self._document["dataset_type"]
        return value

    @property
    def data_id(self) -> dict[str, Any]:
        """The data ID, completed."""
        value: dict[str, Any] = self._document["data_id"]
        return value

    @property
    def kind(self) -> str:
        """How it is made."""
        value: str = self._document["kind"]
        return value

    @property
    def python(self) -> str | None:
        """The class of the object."""
        value: str | None = self._document["python"]
        return value

    @property
    def assembler(self) -> str | None:
        """The assembler of a composite, or None."""
        value: str | None = self._document["assembler"]
        return value

    @property
    def repository(self) -> str | None:
        """The root of the repository, or None."""
        value: str | None = self._document["repository"]
        return value

    @property
    def location(self) -> str | None:
        """Where it lies below the root, or None."""
        value: str | None = self._document["location"]
        return value

    @property
    def bytes(self) -> int | None:
        """How many bytes it has."""
        value: int | None = self._document["bytes"]
        return value

    @property
    def origin(self) -> str | None:
        """`recorded`, `lookup` or None."""
        value: str | None = self._document["origin"]
        return value

    @property
    def newer(self) -> Any:
        """A newer candidate that a record keeps out, or None."""
        value: Any = self._document["newer"]
        return value

    @property
    def components(self) -> dict[str, Plan]:
        """The plans of the components, by name, in the policy's order."""
        return {name: Plan(part) for name, part in self._document["components"].items()}

    @property
    def path(self) -> str | None:
        """Where the artifact lies, as an absolute path; None for what has no artifact of its own."""
        if self.location is None:
            return None
        return os.path.join(self.repository or "", self.location)

    def to_dict(self) -> dict[str, Any]:
        """Return the whole plan as a document.

        Returns
        -------
        dict

        Examples
        --------
        >>> plan = butler.explain("note", visit=903334)
        >>> plan.to_dict()["location"]
        'note/0903334.json'
        """
        return self._document

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Plan) and self._document == other._document

    def __str__(self) -> str:
        return self._tree.rstrip("\n") or repr(self)

    def __dask_tokenize__(self) -> str:
        return token("Plan", self._document)

    def _repr_html_(self) -> str:
        return previews.plan_html(self)

    def __repr__(self) -> str:
        return f"Plan({self.name}, {self.data_id})"


@dataclass(frozen=True)
class DatasetRef:
    """One dataset: its name and data ID, and the butler that knows it.

    Two are equal if they name the same dataset; the butler does not count.

    Attributes
    ----------
    name, data_id
        What it is.
    repository, location : str or None
        Where it lies.
    bytes : int
        How many bytes it has; of a composite, those of its parts.
    id : str or None
        Its identity.
    metadata : dict
        The columns that the policy's `metadata` names.
    butler
        Who knows it.

    Examples
    --------
    >>> ref = butler.query("src", "ccd = 16")[0]
    >>> ref.name, ref.data_id, ref.location
    ('src', {'visit': 903334, 'ccd': 16}, 'src/0903334-016.parquet')
    >>> len(ref.get())
    4
    """

    name: str
    data_id: dict[str, Any]
    repository: str | None = field(default=None)
    location: str | None = field(default=None)
    bytes: int = field(default=0, compare=False)
    id: str | None = field(default=None)
    metadata: dict[str, Any] = field(default_factory=dict, compare=False)
    butler: Any = field(default=None, compare=False, repr=False)

    def get(self, component: str | None = None, **parameters: Any) -> Any:
        """Return the object, or a component of it.

        Parameters
        ----------
        component : str, optional
            The component's name.
        **parameters
            Those of `Butler.get`: bbox, columns, rows, composition.

        Examples
        --------
        >>> ref = butler.query("calexp:sfm", visit=903334, ccd=16)[0]
        >>> ref.get("bbox")
        Bbox(0, 0, 512, 512)
        >>> ref.get(bbox=(10, 20, 3, 2)).image.array.shape
        (2, 3)
        """
        name = self.name if component is None else f"{self.name}.{component}"
        return self.butler.get(name, self.data_id, **parameters)

    def put(self, obj: Any, **parameters: Any) -> PutResult:
        """Put an object under this name and data ID.

        Parameters
        ----------
        obj
            The object.
        **parameters
            Those of `Butler.put`.

        Returns
        -------
        PutResult

        Examples
        --------
        >>> ref = butler.query("note")[0]
        >>> ref.put({"seeing": 0.8}, replace=True).written
        ['note/0903334.json']
        """
        done: PutResult = self.butler.put(obj, self.name, self.data_id, **parameters)
        return done

    def __dask_tokenize__(self) -> str:
        # A dataset with an identity is the same whoever found it.
        known = self.id if self.id is not None else self.butler
        return token("DatasetRef", self.name, self.data_id, self.repository, known)

    def __hash__(self) -> int:
        return hash((self.name, frozenset(self.data_id.items()), self.repository))


class QueryResult(Sequence[DatasetRef]):
    """The datasets that a query found, in its order; each becomes a `DatasetRef` when it is looked at.

    Parameters
    ----------
    butler
        Who asked.
    rows
        What was found.

    Examples
    --------
    >>> found = butler.query("calexp:sfm", visit=903334)
    >>> found
    QueryResult(3 datasets)
    >>> found[0].data_id, len(found[1:])
    ({'visit': 903334, 'ccd': 15}, 2)
    """

    def __init__(self, butler: Any, rows: Any):
        self._butler = butler
        self._rows = rows

    def __len__(self) -> int:
        return len(self._rows)

    @overload
    def __getitem__(self, index: int) -> DatasetRef: ...
    @overload
    def __getitem__(self, index: slice) -> list[DatasetRef]: ...
    def __getitem__(self, index: int | slice) -> DatasetRef | list[DatasetRef]:
        if isinstance(index, slice):
            return [self[each] for each in range(*index.indices(len(self)))]
        index = range(len(self))[index]
        return DatasetRef(**self._rows.row(index), butler=self._butler)

    def data_ids(self) -> list[dict[str, Any]]:
        """Return the data IDs alone.

        Returns
        -------
        list of dict

        Examples
        --------
        >>> butler.query("src").data_ids()
        [{'visit': 903334, 'ccd': 16}, {'visit': 903334, 'ccd': 17}]
        """
        return [ref.data_id for ref in self]

    def __arrow_c_stream__(self, requested_schema: Any = None) -> Any:
        return self._rows.__arrow_c_stream__(requested_schema)

    def to_arrow(self) -> Any:
        """Return a pyarrow.Table: a column for each key and each metadata column, and type, repository, location, bytes, id.

        Examples
        --------
        >>> butler.query("src").to_arrow().column("ccd").to_pylist()
        [16, 17]
        """
        import pyarrow

        return pyarrow.table(self)

    def to_pandas(self) -> Any:
        """Return a pandas.DataFrame with the columns of `to_arrow`.

        Examples
        --------
        >>> butler.query("src").to_pandas()[["visit", "ccd"]]
            visit  ccd
        0  903334   16
        1  903334   17
        """
        return self.to_arrow().to_pandas()

    def _repr_html_(self) -> str:
        return previews.query_html(self)

    def __reduce__(self) -> tuple[Any, ...]:
        return _listed, (list(self),)

    def __repr__(self) -> str:
        return f"QueryResult({len(self)} datasets)"


def _listed(refs: list[DatasetRef]) -> list[DatasetRef]:
    """What a pickled result becomes: its datasets, each of which can be got."""
    return refs
