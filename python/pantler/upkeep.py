"""The methods of a butler that look after repositories and at what a put or a get would do: no object is returned by them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pantler import arguments
from pantler.errors import PantlerError
from pantler.progress import told

if TYPE_CHECKING:
    from pantler import _pantler
    from datetime import timedelta

    from pantler.given import DataId, Progress
    from pantler.reports import Difference, GcReport, PutPlan, RepositorySummary
    from pantler.results import FsckReport


class Upkeep:
    """What `Butler` has of these."""

    _engine: _pantler.Engine

    def fsck(self, *, deep: bool = False, repair: bool = False, progress: Progress = None) -> FsckReport:
        """Check the first repository against its artifacts.

        Parameters
        ----------
        deep : bool
            Read every file, and compare its digest and the sums that it holds of itself.
        repair : bool
            Clear what crashes left behind.
        progress : bool or callable
            True for a bar, or a function of how many datasets were checked and how many there are.

        Returns
        -------
        FsckReport
            True if nothing is wrong.

        Examples
        --------
        >>> report = butler.fsck(deep=True)
        >>> report.clean, report.checked
        (True, 3)
        """
        with told(progress, "checking") as tell:
            from pantler.results import FsckReport

            return FsckReport(**self._engine.fsck(bool(deep), bool(repair), tell))

    def gc(self, *, dry_run: bool = False, grace: float | timedelta = 14) -> GcReport:
        """Clear the first output of what crashes left behind, and of replaced files that no composition uses.

        Nothing that a dataset or a recorded composition uses is removed, and no file of the user's own.

        Parameters
        ----------
        dry_run : bool
            Only say what would go.
        grace : float or timedelta
            Keep what was made in the last so many days: a process on another machine may still be at it.

        Returns
        -------
        GcReport
            What went, and what is left over and stays.

        Examples
        --------
        >>> butler.gc(dry_run=True).removed
        []
        """
        from datetime import timedelta

        from pantler.reports import GcReport

        days = grace / timedelta(days=1) if isinstance(grace, timedelta) else float(grace)
        if not 0 <= days < float("inf"):
            raise PantlerError(f"grace cannot be {grace}", hints=["it is a number of days, 0 or more, or a timedelta"])
        return GcReport(**self._engine.gc(bool(dry_run), days * 24 * 3600), dry_run=bool(dry_run))

    def summary(self) -> RepositorySummary:
        """Return what is in the first repository: its types, how many datasets each has, and the range of each key.

        Returns
        -------
        RepositorySummary
            A mapping from names of types; `print` shows it as a table.

        Examples
        --------
        >>> butler.summary()["src"].count
        2
        """
        from pantler.reports import RepositorySummary, TypeSummary

        document = self._engine.summary()
        types = {each["name"]: TypeSummary(**each) for each in document["types"]}
        return RepositorySummary(document["repository"], document["parents"], document["stages"], types)

    def diff(
        self, first: str, second: str, data_id: DataId | None = None, /, *, dataId: DataId | None = None, **keys: Any
    ) -> list[Difference]:
        """Compare two stages or types under one data ID, component by component; each takes the keys that it uses.

        Parameters
        ----------
        first, second : str
            Their names.
        data_id, dataId, **keys
            The data ID.

        Returns
        -------
        list of Difference
            One for each component; one is true where they differ.

        Examples
        --------
        >>> found = butler.diff("calexp:sfm", "calexp:jointcal", visit=903334, ccd=16, tract=0)
        >>> {each.component: each.outcome for each in found}["wcs"]
        'different'
        """
        from pantler.reports import Difference

        wanted = arguments.data_id(data_id, dataId, keys, None, None)
        return [Difference(*each) for each in self._engine.diff(str(first), str(second), wanted)]

    def explain_put(
        self, name: str, data_id: DataId | None = None, /, *, dataId: DataId | None = None, **keys: Any
    ) -> PutPlan:
        """Return what a put would do, without an object: where each part would go, what is there, what would be refused.

        Parameters
        ----------
        name : str
            The dataset.
        data_id, dataId, **keys
            Its data ID.

        Returns
        -------
        PutPlan
            A tree of the dataset and its parts; `print` shows it.

        Examples
        --------
        >>> butler.explain_put("note", visit=1).location
        'note/0000001.json'
        """
        from pantler.reports import put_plan

        wanted = arguments.data_id(data_id, dataId, keys, None, None)
        return put_plan(self._engine.explain_put(str(name), wanted))
