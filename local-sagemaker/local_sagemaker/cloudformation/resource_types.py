"""The resource types that are executed here: their properties, and which of them replace the resource when they change.

The table is made of AWS's published schemas by ``tools/resource_types.py``.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from typing import Any

from local_sagemaker.cloudformation.errors import TemplateError, UnsupportedTemplate


@dataclass(frozen=True)
class ResourceType:
    """One type. `properties` has the JSON type of each; `tags` is the property that holds the resource's tags.

    `identifier` has the properties that identify a resource, none for custom resources.
    An `open` type has other properties, too.
    """

    name: str
    properties: dict[str, str]
    required: tuple[str, ...]
    replaces: frozenset[str]
    may_replace: frozenset[str]
    read_only: frozenset[str]
    tags: str | None
    system_tags: bool
    open: bool = False
    identifier: tuple[str, ...] = ()

    def check(self, logical: str, properties: dict[str, Any]) -> None:
        """Refuses unknown and missing properties, before anything happens."""
        for name in properties:
            if (name not in self.properties and not self.open) or name in self.read_only:
                raise TemplateError(
                    f"Property validation failure: [Encountered unsupported properties in {{/}}: [{name}]]"
                    if name not in self.properties
                    else f"Encountered read-only property {self.name}.{name} in resource {logical}"
                )
        missing = [name for name in self.required if name not in properties]
        if missing:
            texts = ", ".join(f"The property {{/{name}}} is required" for name in missing)
            raise TemplateError(f"Property validation failure: [{texts}]")


CUSTOM = ResourceType(
    "AWS::CloudFormation::CustomResource", {"ServiceToken": "string", "ServiceTimeout": "integer"}, ("ServiceToken",),
    frozenset(), frozenset(), frozenset(), None, system_tags=False, open=True,
)  # fmt: skip
"""Its provider decides what an update of its properties means."""
_CUSTOM_NAME = re.compile(r"(?=.{1,60}$)Custom::[\w@-]+", re.ASCII)


def is_custom(name: str) -> bool:
    """Whether a type is a custom resource's own, as ``Custom::NAME``."""
    return _CUSTOM_NAME.fullmatch(name) is not None


@cache
def _table() -> dict[str, ResourceType]:
    text = files(__package__).joinpath("resource_types.json").read_text("utf-8")
    return {name: _resource_type(name, row) for name, row in json.loads(text).items()}


def _resource_type(name: str, row: dict[str, Any]) -> ResourceType:
    return ResourceType(
        name=name,
        properties=row["properties"],
        required=tuple(row["required"]),
        replaces=frozenset(row["replaces"]),
        may_replace=frozenset(row["may_replace"]),
        read_only=frozenset(row["read_only"]),
        tags=row["tags"],
        system_tags=row["system_tags"],
        identifier=tuple(row["identifier"]),
    )


def resource_type(name: str, logical: str) -> ResourceType:
    """The type of a resource. Raises by type for what is not executed here."""
    if name == CUSTOM.name or is_custom(name):
        return replace(CUSTOM, name=name)
    entry = _table().get(name)
    if entry is None:
        raise UnsupportedTemplate(name, f"Resources/{logical}")
    return entry


def names() -> list[str]:
    """All types that are executed here."""
    return sorted([CUSTOM.name, *_table()])
