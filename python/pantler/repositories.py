"""How people name repositories: paths, `RepositoryArgs`, dictionaries, lists; and how one is made that is not there yet."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

from pantler import _pantler
from pantler.arguments import names, refuse_unknown
from pantler.errors import PantlerError
from pantler.policies import policy_texts
from pantler.plugins import Plugins

if TYPE_CHECKING:
    from pantler.given import Names, Path, Policy

    _Repository: TypeAlias = "Path | RepositoryArgs | Mapping[str, Any]"
    _Repositories: TypeAlias = "_Repository | Iterable[_Repository]"


class RepositoryArgs:
    """One repository, and how it is opened.

    Parameters
    ----------
    root : path
        Where it is.
    mode : str, optional
        "r" for an input, "w" or "rw" for an output.
    policy
        A file, a dictionary, or a list of these, for a repository that is yet to be made.
    parents
        What such a repository builds on.
    tags : str or list of str, optional
        Names for `get(…, tag=…)`.

    Examples
    --------
    >>> from pantler import Butler, RepositoryArgs
    >>> butler = Butler(inputs=[RepositoryArgs("jointcal", tags="fitted"), "mine"])
    >>> butler.get("calexp:jointcal", visit=903334, ccd=16, tract=0, tag="fitted").class_name
    'Exposure'
    """

    def __init__(self, root: Path, mode: str | None = None, policy: Any = None, parents: Any = None, tags: Any = None) -> None:
        self.root = root
        self.mode = mode
        self.policy = policy
        self.parents = parents
        self.tags = tags

    def __eq__(self, other: object) -> bool:
        return vars(self) == vars(other) if isinstance(other, RepositoryArgs) else NotImplemented

    __hash__ = None  # type: ignore[assignment]  # as its policy can be a dictionary

    def __repr__(self) -> str:
        return f"RepositoryArgs({', '.join(f'{name}={value!r}' for name, value in vars(self).items())})"


def path_of(path: Path) -> str:
    """An absolute path, so that a butler means the same in a process that works in another folder."""
    return os.path.abspath(os.path.expanduser(os.fspath(path)))


def listed(given: _Repositories | None, what: str) -> list[RepositoryArgs]:
    """The repositories that a caller names; `what` says in errors what they are: inputs, outputs."""
    if given is None:
        return []
    if isinstance(given, (str, os.PathLike)):
        return [RepositoryArgs(given)]
    if isinstance(given, RepositoryArgs):
        return [given]
    if isinstance(given, Mapping):
        fields = ("root", "mode", "policy", "parents", "tags")
        refuse_unknown("a repository", {key: None for key in given if key not in fields}, fields)
        if "root" not in given:
            raise PantlerError(f"a repository among the {what} has no `root`")
        return [RepositoryArgs(**given)]
    if isinstance(given, Iterable):
        return [one for each in given for one in listed(each, what)]
    raise PantlerError(
        f"{what} cannot be a {type(given).__name__}",
        hints=["it is a path, a RepositoryArgs, a dictionary of its fields, or a list of these"],
    )


def make(output: RepositoryArgs, policy: Policy | None, inputs: list[str], plugins: Plugins) -> list[tuple[str, str]]:
    """Make an output that does not exist, where it is said what is in it; without that the engine makes it of its inputs.

    Returned is what of the policy serves this butler only: with the repository's root.
    """
    root = path_of(output.root)
    own = output.policy if output.policy is not None else policy
    is_new = not os.path.exists(root) or (os.path.isdir(root) and not os.listdir(root))
    if not is_new:
        if own is not None:
            raise PantlerError(
                f"{root} exists already, and keeps its own policy",
                hints=["leave `policy` away, or make another repository"],
            )
        return []
    parents = [path_of(parent) for parent in as_list(output.parents)] or inputs
    if own is not None or output.parents is not None:
        lasting, local = policy_texts(own, plugins)
        _pantler.init(root, lasting, parents, [])
        return [(root, text) for text in local]
    return []


def as_list(given: Any) -> list[Any]:
    """What is one, as a list of one; nothing for None."""
    if given is None:
        return []
    return list(given) if isinstance(given, (list, tuple)) else [given]


def tags(repositories: list[RepositoryArgs], tags: Mapping[Path, Names] | Names | None) -> list[tuple[str, str]]:
    """Pairs of root and tag: those that the repositories name, and those that are given beside them."""
    pairs = [(path_of(each.root), tag) for each in repositories for tag in names(each.tags) or []]
    if isinstance(tags, Mapping):
        pairs += [(path_of(root), tag) for root, some in tags.items() for tag in names(some) or []]
    elif tags is not None:
        pairs += [(path_of(each.root), tag) for each in repositories for tag in names(tags) or []]
    return pairs
