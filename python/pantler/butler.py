"""The butler: gets and puts datasets over a chain of repositories.

This half takes arguments as people write them; the compiled half does the work, and other threads run meanwhile. How it is opened
stands here; what it then does in `reading`, `writing`, `asking` and `upkeep`.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from pantler import _pantler, arguments, repositories
from pantler.asking import Asking
from pantler.errors import PantlerError
from pantler.later import Later
from pantler.plugins import Plugins
from pantler.policies import policies_for_one
from pantler.reading import Reading
from pantler.repositories import RepositoryArgs
from pantler.tokens import token
from pantler.trust import trusted
from pantler.upkeep import Upkeep
from pantler.writing import Writing

if TYPE_CHECKING:
    import logging

    from pantler.given import Names, Path, Policy
    from pantler.repositories import _Repositories
else:
    logging = Later("logging")

# What is doubtful in policies is a warning.
_LOG = "pantler"


class Butler(Reading, Writing, Asking, Upkeep):
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
