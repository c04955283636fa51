"""What a plug-in is told of one component of a composite."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass
class ComponentInfo:
    """One component of a composite, as a plug-in sees it that asks for `component_info`.

    `obj` is the object, a list of objects for a `subset` component, None for an optional one that is absent; a disassembler
    assigns it. `data_ids` are those of the objects of a `subset` component, whose disassembler assigns pairs (data ID, object).
    """

    name: str
    dataset_type: str
    obj: Any = None
    setter: str | None = None
    getter: str | None = None
    subset: bool = False
    input_only: bool = False
    data_id: dict[str, Any] | None = None
    data_ids: list[dict[str, Any]] | None = None
