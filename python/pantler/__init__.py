"""Data access for science pipelines: ask for what, not for where it lies, in which format, in how many files.

>>> from pantler import Butler
>>> butler = Butler.open("demo/jointcal")                                        # doctest: +SKIP
>>> exposure = butler.get("calexp:jointcal", visit=903334, ccd=16, tract=0)      # doctest: +SKIP

Values are immutable and shared: two composites that hold the same part hold the same object. Arrays are views that cannot be
written; `.copy()` gives one to change, and a `with_…` method gives a copy of the object with the change.
"""

from typing import TYPE_CHECKING as _TYPE_CHECKING

from pantler._pantler import (
    Bbox,
    Container,
    DataObject,
    Document,
    Exposure,
    Image,
    Mask,
    MaskedImage,
    Metadata,
    PhotoCalib,
    Psf,
    Subset,
    Table,
    VisitInfo,
    Wcs,
    __version__,
)
from pantler import attached as _attached  # noqa: F401  (gives the classes their methods of Python)
from pantler.batch import Batch
from pantler.butler import Butler
from pantler.repositories import RepositoryArgs
from pantler.errors import (
    AmbiguousError,
    ConflictError,
    CorruptError,
    DataIdError,
    NotFoundError,
    PantlerError,
    PolicyError,
    ReadOnlyError,
    UnsupportedError,
    UntrustedError,
)

if _TYPE_CHECKING:
    from pantler.alone import check_policy, init, migrate, policy_schema, read
    from pantler.deferred import DeferredDataset
    from pantler.reports import (
        Difference,
        GcReport,
        PolicyProblem,
        PutPlan,
        RepositorySummary,
        TransferredType,
        TransferReport,
        TypeSummary,
    )
    from pantler.results import (
        DatasetRef,
        FsckReport,
        IngestResult,
        Plan,
        PutResult,
        QueryResult,
        RemoveResult,
    )

# What most programs do not use is imported when it is first asked for, by the module that has it.
_LATER = {
    "deferred": ("DeferredDataset",),
    "alone": ("check_policy", "init", "migrate", "policy_schema", "read"),
    "reports": (
        "Difference",
        "GcReport",
        "PolicyProblem",
        "PutPlan",
        "RepositorySummary",
        "TransferReport",
        "TransferredType",
        "TypeSummary",
    ),
    "results": ("DatasetRef", "FsckReport", "IngestResult", "Plan", "PutResult", "QueryResult", "RemoveResult"),
}


def __getattr__(name: str) -> object:
    for module, names in _LATER.items():
        if name in names:
            from importlib import import_module

            found: object = getattr(import_module(f"pantler.{module}"), name)
            globals()[name] = found
            return found
    raise AttributeError(f"module 'pantler' has no attribute '{name}'")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


__all__ = [
    "AmbiguousError",
    "Batch",
    "Bbox",
    "Butler",
    "ConflictError",
    "Container",
    "CorruptError",
    "DataIdError",
    "DataObject",
    "DatasetRef",
    "DeferredDataset",
    "Difference",
    "Document",
    "Exposure",
    "FsckReport",
    "GcReport",
    "Image",
    "IngestResult",
    "Mask",
    "MaskedImage",
    "Metadata",
    "NotFoundError",
    "PantlerError",
    "PhotoCalib",
    "Plan",
    "PolicyError",
    "PolicyProblem",
    "Psf",
    "PutPlan",
    "PutResult",
    "QueryResult",
    "ReadOnlyError",
    "RemoveResult",
    "RepositoryArgs",
    "RepositorySummary",
    "Subset",
    "Table",
    "TransferReport",
    "TransferredType",
    "TypeSummary",
    "UnsupportedError",
    "UntrustedError",
    "VisitInfo",
    "Wcs",
    "__version__",
    "check_policy",
    "init",
    "migrate",
    "policy_schema",
    "read",
]
