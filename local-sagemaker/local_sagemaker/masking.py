"""Values that are shown on request only: of environment variables whose names speak of secrets. Pure."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

MASK = "••••••"
_WORDS = ("KEY", "TOKEN", "SECRET", "PASSWORD")
Hide = Callable[[Any], str]
"""What stands for a value that is not shown."""


def is_secret(name: str) -> bool:
    """Whether the name of a variable speaks of a secret."""
    return any(word in name.upper() for word in _WORDS)


def hide_alike(_value: Any) -> str:
    """The same for every value."""
    return MASK


def number_secrets() -> Hide:
    """Numbers different values, so that one can see which differ."""
    seen: dict[str, int] = {}
    return lambda value: f"{MASK} {seen.setdefault(json.dumps(value, sort_keys=True, default=str), len(seen) + 1)}"


def mask_variables(variables: Mapping[str, Any], hide: Hide = hide_alike) -> dict[str, Any]:
    """Environment variables, those with secrets masked; what holds variables in turn is searched."""
    return {
        name: hide(value) if value and is_secret(name) else _mask_member(name, value, hide)
        for name, value in variables.items()
    }


def mask_document(value: Any, hide: Hide = hide_alike) -> Any:
    """A document in which environment variables are masked, as SageMaker, Lambda, CodeBuild (its events, too),
    CodePipeline and CloudFormation write them: an object, a list of names and values, or either as JSON text."""
    if isinstance(value, Mapping):
        return {name: _mask_member(name, item, hide) for name, item in value.items()}
    return [mask_document(item, hide) for item in value] if isinstance(value, list) else value


def mask_at(path: str, value: Any) -> Any:
    """The value of a member of a document, as it is in the masked document. `path` has dots and indices."""
    names = [name.partition("[")[0] for name in path.split(".")]
    document = value
    for name in reversed(names):
        document = {name: document}
    document = mask_document(document)
    for name in names:
        if not isinstance(document, Mapping):
            break  # a member above is masked as a whole
        document = document[name]
    return document


def _mask_member(name: str, value: Any, hide: Hide) -> Any:
    if (
        not name.lower()
        .replace("-", "")
        .endswith(("environment", "environmentvariables", "environmentvariablesoverride"))
    ):
        return mask_document(value, hide)
    if name == "Environment" and isinstance(value, Mapping):
        inside = value.get("Variables")
        shown = mask_variables(value, hide)
        return {**shown, "Variables": mask_variables(inside, hide)} if isinstance(inside, Mapping) else shown
    if isinstance(value, list):
        return [_mask_pair(item, hide) for item in value]
    if isinstance(value, str) and name != "Environment":
        return _mask_text(value, hide)
    return mask_document(value, hide)


def _mask_pair(item: Any, hide: Hide) -> Any:
    if not isinstance(item, Mapping) or not is_secret(str(item.get("name", item.get("Name", "")))):
        return mask_document(item, hide)
    return {
        name: hide(value) if value and name.lower() == "value" else mask_document(value, hide)
        for name, value in item.items()
    }


def _mask_text(text: str, hide: Hide) -> str:
    try:
        value = json.loads(text)
    except ValueError:
        return hide(text) if is_secret(text) else text
    shown = _mask_member("EnvironmentVariables", value, hide) if isinstance(value, list) else mask_document(value, hide)
    return text if shown == value else json.dumps(shown, ensure_ascii=False)
