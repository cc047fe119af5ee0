"""What differs between a resource as it is and as a template wants it, and what that means for it."""

from __future__ import annotations

from enum import Enum
from typing import Any

from local_sagemaker.cloudformation.parameters import as_text
from local_sagemaker.cloudformation.resource_types import ResourceType


class Change(Enum):
    """What an update does with a resource."""

    NONE = "None"
    UPDATE = "Update"
    REPLACE = "Replace"


def changes(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    """The names of top-level properties whose values differ; numbers and texts of the same number are equal."""
    names = [*after, *(name for name in before if name not in after)]
    return [name for name in names if _plain(before.get(name)) != _plain(after.get(name))]


def change(kind: ResourceType, before: dict[str, Any], after: dict[str, Any]) -> Change:
    """What the differences mean, by the type's schema. What may replace does: a rule on another bus is another rule."""
    names = changes(before, after)
    if not names:
        return Change.NONE
    replacing = kind.replaces | kind.may_replace
    return Change.REPLACE if any(name in replacing for name in names) else Change.UPDATE


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _plain(part) for name, part in value.items()}
    if isinstance(value, list):
        return [_plain(part) for part in value]
    return value if value is None else as_text(value)
