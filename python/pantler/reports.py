"""What looking after repositories gives back: plain values, which pickle."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class GcReport:
    """What was cleared, or would be.

    `removed` are the files, `bytes` how many they have together, `kept` what is left over and stays; `dry_run` says that nothing went.

    Examples
    --------
    >>> butler.gc(dry_run=True)
    GcReport(removed=[], bytes=0, kept=[], dry_run=True)
    """

    removed: list[str]
    bytes: int
    kept: list[str]
    dry_run: bool


@dataclass(frozen=True)
class Difference:
    """What came of comparing one component of two datasets.

    `outcome` is "same", "different", "only first" or "only second"; `difference` says in words where they differ. `component` is
    empty where the datasets have no components and are compared whole.

    Examples
    --------
    >>> import pantler
    >>> bool(pantler.Difference("wcs", "same", None))
    False
    """

    component: str
    outcome: str
    difference: str | None

    def __bool__(self) -> bool:
        """Whether there is a difference."""
        return self.outcome != "same"


@dataclass(frozen=True)
class TypeSummary:
    """What a repository has of one dataset type.

    `name` is the type's, `kind` says how it is kept ("file", "composite"), `count` how many datasets there are, `bytes` how large they
    are, `keys` the least and the greatest value of each key; `description` is the policy's.

    Examples
    --------
    >>> src = butler.summary()["src"]
    >>> src.count, src.keys["ccd"]
    (2, [16, 17])
    """

    name: str
    kind: str
    count: int
    bytes: int
    keys: dict[str, list[Any]]
    description: str | None


@dataclass(frozen=True)
class RepositorySummary(Mapping[str, TypeSummary]):
    """A repository at a glance, a mapping from names to the types that it has datasets of.

    `repository` is its root, `parents` are those of its parents, `stages` those of its policy; `types` is the mapping.

    Examples
    --------
    >>> sorted(butler.summary())
    ['note', 'src']
    """

    repository: str
    parents: list[str]
    stages: list[str]
    types: dict[str, TypeSummary] = field(default_factory=dict)

    def __getitem__(self, name: str) -> TypeSummary:
        return self.types[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.types)

    def __len__(self) -> int:
        return len(self.types)

    def __str__(self) -> str:
        lines = [self.repository]
        lines += [f"parent  {parent}" for parent in self.parents]
        for each in self.types.values():
            keys = "  ".join(f"{key}={low}" if low == high else f"{key}={low}…{high}" for key, (low, high) in each.keys.items())
            lines.append(f"{each.name}  {each.kind}  {each.count}  {keys}".rstrip())
        return "\n".join(lines)


@dataclass(frozen=True)
class PutPlan:
    """What a put would do with a dataset, and with each of its parts.

    `name` is the dataset's or the component's, `dataset` and `data_id` say which it is, `action` what would happen in words, `location`
    where it would be written; `components` are the plans of its parts. `repository` is the one that would be written; of a part it is None.

    Examples
    --------
    >>> butler.explain_put("note", visit=1).location
    'note/0000001.json'
    """

    name: str
    dataset: str
    data_id: dict[str, Any]
    action: str
    location: str | None
    components: dict[str, PutPlan]
    repository: str | None = None

    def __str__(self) -> str:
        return "\n".join(self._lines(""))

    def _lines(self, indent: str) -> Iterator[str]:
        place = f"   {self.location}" if self.location else ""
        yield f"{indent}{self.name}   {self.action}{place}"
        for part in self.components.values():
            yield from part._lines(indent + "  ")


@dataclass(frozen=True)
class TransferredType:
    """What a transfer brought of one dataset type.

    `dataset_type` is its name, `kind` says what it is in the target ("file", "part" for a part without its whole, "composite"), `count`
    how many datasets were brought, `bytes` how many bytes were written for them, `same` how many were there already.

    Examples
    --------
    >>> butler.transfer_to("laptop", "src", dry_run=True).types[0].kind
    'file'
    """

    dataset_type: str
    kind: str
    count: int
    bytes: int
    same: int


@dataclass(frozen=True)
class TransferReport:
    """What a transfer brought, or would bring.

    `target` is the root of the repository, `by` the way ("copy" or "reference"), `dry_run` says that nothing was written, `types` is
    what was brought by type, `left_behind` how many members of recorded compositions stayed. `count`, `bytes` and `same` are the sums
    over the types.

    Examples
    --------
    >>> report = butler.transfer_to("laptop", "note", by="reference")
    >>> report.count, report.bytes
    (1, 0)
    """

    target: str
    by: str
    dry_run: bool
    types: list[TransferredType]
    left_behind: int

    @property
    def count(self) -> int:
        """How many datasets were brought."""
        return sum(each.count for each in self.types)

    @property
    def bytes(self) -> int:
        """How many bytes were written, or would be."""
        return sum(each.bytes for each in self.types)

    @property
    def same(self) -> int:
        """How many datasets were there already."""
        return sum(each.same for each in self.types)

    def __str__(self) -> str:
        lines = [f"{each.dataset_type}  {each.kind}  {each.count}  {each.bytes} bytes" for each in self.types]
        how = "would be " if self.dry_run else ""
        done = "copied to" if self.by == "copy" else "brought by reference to"
        return "\n".join([*lines, f"{self.count} datasets {how}{done} {self.target}, {self.bytes} bytes"])


def put_plan(document: dict[str, Any]) -> PutPlan:
    """A plan of its document."""
    parts = {name: put_plan(part) for name, part in document["components"].items()}
    fields = ("name", "dataset", "data_id", "action", "location")
    return PutPlan(**{name: document[name] for name in fields}, components=parts, repository=document.get("repository"))


@dataclass(frozen=True)
class PolicyProblem:
    """Something in a policy that is wrong (`severity` "error") or probably not meant so ("warning").

    `code` is a word for programs, `message` a line for people, `hints` say what to do; `file`, `line` and `column` say where it stands.

    Examples
    --------
    >>> import pantler
    >>> problems = pantler.check_policy({"datasets": {"note": {"templat": "note.json"}}})
    >>> problems[0].severity in ("error", "warning")
    True
    """

    severity: str
    code: str
    file: str
    line: int
    column: int
    message: str
    hints: list[str]

    def __str__(self) -> str:
        lines = [f"{self.severity}: {self.message}", f"  {self.file}:{self.line}:{self.column}"]
        return "\n".join(lines + [f"  hint: {hint}" for hint in self.hints])
