"""The methods of a butler that say what there is, and where; they read no artifact."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pantler import arguments
from pantler.later import Later

if TYPE_CHECKING:
    from pantler import _pantler, results
    from pantler.given import DataId, Dataset, Names
    from pantler.results import DatasetRef, Plan, QueryResult
else:
    results = Later("pantler.results")

_QUERYING = ("where", "order_by", "limit", "made_from", "used_by", "dataId")


class Asking:
    """What `Butler` has of these."""

    _engine: _pantler.Engine

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
            return results.Plan(*self._engine.explain(str(name), wanted, arguments.is_lookup(composition)))

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
        return results.QueryResult(self, rows)

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
