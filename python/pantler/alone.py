"""What needs no butler: making repositories, checking policies, reading files, bringing an index up to date."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from pantler import _pantler, arguments, repositories
from pantler.errors import PantlerError
from pantler.plugins import Plugins
from pantler.policies import policy_texts
from pantler.reports import PolicyProblem

if TYPE_CHECKING:
    from pantler.given import Names, Path, Policy


def init(root: Path, policy: Policy | None = None, *, parents: Path | Iterable[Path] = (), tags: Names | None = None) -> str:
    """Make a repository; return its root.

    Parameters
    ----------
    root : path
        The folder that becomes a repository.
    policy : path, dict or list of these, optional
        What it shall hold: copied into it, the last one wins. A folder without one is a repository that only builds on others.
    parents : path or list of paths
        Repositories that it builds on, searched in this order.
    tags : str or list of str, optional
        Tags by which a search can be narrowed to it.

    Examples
    --------
    >>> import pantler
    >>> root = pantler.init("survey", {"datasets": {"note": {
    ...     "template": "note/%(n)d.json", "python": "dict", "storage": "JsonStorage"}}}, parents="mine")
    >>> pantler.Butler.open(root).keys("note")
    {'n': <class 'int'>}
    """
    plugins = Plugins()
    lasting, local = policy_texts(policy, plugins)
    if local:
        raise PantlerError(
            "the policy names functions that cannot be imported, and a repository cannot keep them",
            hints=["move them into a module; or give the policy to one butler: Butler(root, policy=…)"],
        )
    made = repositories.path_of(root)
    _pantler.init(made, lasting, _paths(parents), arguments.names(tags) or [])
    return made


def check_policy(policy: Policy, *, parents: Path | Iterable[Path] = ()) -> list[PolicyProblem]:
    """Return what is wrong with a policy, or probably not meant as it is written; nothing is made of it.

    Parameters
    ----------
    policy : path, dict or list of these
        The policy.
    parents : path or list of paths
        Repositories that the policy's own builds on, whose types it may name.

    Examples
    --------
    >>> import pantler
    >>> pantler.check_policy({"datasets": {"note": {"template": "note.json", "python": "dict", "storage": "JsonStorage"}}})
    []
    """
    lasting, local = policy_texts(policy, Plugins())
    texts = lasting + [("policy.yaml", text) for text in local]
    return [PolicyProblem(**each) for each in _pantler.check_policy(texts, _paths(parents))]


def policy_schema() -> dict[str, Any]:
    """Return the JSON schema of policies, for editors and other tools.

    Examples
    --------
    >>> import pantler
    >>> "datasets" in pantler.policy_schema()["properties"]
    True
    """
    schema: dict[str, Any] = _pantler.policy_schema()
    return schema


def read(file: Path, *, component: str | None = None, hdu: int | None = None, python: str | None = None) -> Any:
    """Return the object in a file that need not be in a repository; its content says what it is.

    Parameters
    ----------
    file : path
        The file: FITS, Parquet, JSON, …
    component : str, optional
        Only this component, with dots inside components: ``"wcs"``, ``"detector.bbox"``.
    hdu : int, optional
        Only this HDU, counted from 0.
    python : str, optional
        The class to read it as, where the file can be read as several: ``"MaskedImage"``.

    Examples
    --------
    >>> import pantler
    >>> place = butler.locations("calexp:sfm", visit=903334, ccd=16)[""]
    >>> pantler.read(place, component="wcs") == butler.get("calexp:sfm.wcs", visit=903334, ccd=16)
    True
    """
    path = component.split(".") if component else []
    return _pantler.read_file(repositories.path_of(file), path, hdu, python)


def migrate(root: Path) -> tuple[int, int]:
    """Bring the index of a repository of an older pantler to the schema of this one; return the versions before and after.

    It happens all or nothing. Older versions cannot open the index afterwards; the files of the repository are not touched.

    Parameters
    ----------
    root : path
        The repository.

    Examples
    --------
    >>> import pantler
    >>> before, after = pantler.migrate("mine")
    >>> before == after
    True
    """
    return _pantler.migrate(repositories.path_of(root))


def _paths(given: Path | Iterable[Path]) -> list[str]:
    return [repositories.path_of(path) for path in arguments.paths(given)]
