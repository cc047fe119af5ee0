"""Values that are shown on request only: of environment variables whose names speak of secrets. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

MASK = "••••••"
REVEAL = "secrets"
"""The name in an address whose value 1 shows the values."""
_WORDS = ("KEY", "TOKEN", "SECRET", "PASSWORD")


def mask_variables(variables: Mapping[str, Any]) -> dict[str, Any]:
    """Environment variables, those with secrets masked."""
    return {name: MASK if value and _is_secret(name) else value for name, value in variables.items()}


def mask_document(value: Any) -> Any:
    """A document in which the variables of each ``Environment`` (SageMaker's, Lambda's, CodeBuild's) are masked."""
    if isinstance(value, Mapping):
        return {name: _mask_member(name, item) for name, item in value.items()}
    return [mask_document(item) for item in value] if isinstance(value, list) else value


def _mask_member(name: str, value: Any) -> Any:
    if name == "Environment" and isinstance(value, Mapping):
        inside = value.get("Variables")
        return {**value, "Variables": mask_variables(inside)} if isinstance(inside, Mapping) else mask_variables(value)
    if name == "environmentVariables" and isinstance(value, list):
        return [{**one, "value": MASK} if _is_secret(str(one.get("name", ""))) else one for one in value]
    return mask_document(value)


def _is_secret(name: str) -> bool:
    return any(word in name.upper() for word in _WORDS)
