"""The methods of a butler that return objects, or write one as a file of its own."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sized
from typing import TYPE_CHECKING, Any

from pantler import arguments, repositories
from pantler.errors import PantlerError
from pantler.progress import counted

if TYPE_CHECKING:
    from pantler import _pantler
    from pantler.given import Box, DataId, Names, Path, Progress, Rows

# How many datasets `get_many` reads together.
_TOGETHER = 16

_GETTING = ("bbox", "columns", "rows", "deferred", "composition", "version", "tag", "dataId")


class Reading:
    """What `Butler` has of these."""

    _engine: _pantler.Engine

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
            from pantler.deferred import DeferredDataset

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
