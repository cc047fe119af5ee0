"""The text of a template as plain values: JSON, or YAML with CloudFormation's short tags (``!Ref``, ``!Sub``)."""

from __future__ import annotations

import json
from typing import Any

import yaml

from local_sagemaker.cloudformation.errors import TemplateError

LARGEST_BODY = 51_200
LARGEST_OBJECT = 1 << 20
"""Bytes of a template in a request, and of one in S3 (user guide, "CloudFormation quotas")."""
DEEPEST = 100
"""Levels of a template's values: far more than any template has, and less than Python's stack."""


class _Loader(yaml.SafeLoader):
    """YAML as CloudFormation reads it: no aliases, no merges, no timestamps, no key twice."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.AliasEvent):
            raise TemplateError("Template error: YAML aliases are not allowed in CloudFormation templates")
        return super().compose_node(parent, index)

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
        values: dict[Any, Any] = {}
        for key_node, value_node in node.value:
            key = self.construct_object(key_node, deep=True)
            if not isinstance(key, str | int | float | bool):
                raise TemplateError("Template format error: YAML not well-formed. (a key is no text)")
            if key in values:
                raise TemplateError(f"Template format error: duplicate key '{key}' {_place(key_node)}")
            values[key if isinstance(key, str) else key_node.value] = self.construct_object(value_node, deep=deep)
        return values


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag not in _UNWANTED]
    for _UNWANTED in [("tag:yaml.org,2002:timestamp", "tag:yaml.org,2002:merge")]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def _place(node: Any) -> str:
    mark = node.start_mark
    return f"(line {mark.line + 1}, column {mark.column + 1})"


def _short_tag(loader: _Loader, suffix: str, node: Any) -> dict[str, Any]:
    if isinstance(node, yaml.ScalarNode):
        value: Any = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        value = loader.construct_mapping(node, deep=True)
    if suffix in ("Ref", "Condition"):
        return {suffix: value}
    if suffix == "GetAtt" and isinstance(value, str):
        value = list(value.partition(".")[::2])
    return {f"Fn::{suffix}": value}


_Loader.add_multi_constructor("!", _short_tag)


def read(text: str) -> dict[str, Any]:
    """The document of a template. Raises `TemplateError` in CloudFormation's words."""
    try:
        document = json.loads(text, object_pairs_hook=_unique) if text.lstrip()[:1] == "{" else _yaml(text)
    except (yaml.YAMLError, json.JSONDecodeError) as error:
        kind = "JSON" if isinstance(error, json.JSONDecodeError) else "YAML"
        raise TemplateError(f"Template format error: {kind} not well-formed. ({_where(error)})") from error
    except RecursionError as error:
        raise TemplateError("Template format error: the template is nested too deeply") from error
    if not isinstance(document, dict):
        raise TemplateError("Template format error: unsupported structure.")
    if _depth(document) > DEEPEST:
        raise TemplateError("Template format error: the template is nested too deeply")
    return document


def _yaml(text: str) -> Any:
    return yaml.load(text, _Loader)  # a SafeLoader


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) < len(pairs):
        seen: set[str] = set()
        twice = next(name for name, _ in pairs if name in seen or seen.add(name))  # type: ignore[func-returns-value]
        raise TemplateError(f"Template format error: duplicate key '{twice}'")
    return values


def _where(error: Exception) -> str:
    mark = getattr(error, "problem_mark", None)
    line, column = (
        (mark.line + 1, mark.column + 1) if mark else (getattr(error, "lineno", 1), getattr(error, "colno", 1))
    )
    return f"line {line}, column {column}"


def _depth(value: Any) -> int:
    deepest, waiting = 0, [(value, 1)]
    while waiting:
        part, depth = waiting.pop()
        deepest = max(deepest, depth)
        if depth > DEEPEST:
            break
        children = part.values() if isinstance(part, dict) else part if isinstance(part, list) else ()
        waiting += [(child, depth + 1) for child in children]
    return deepest
