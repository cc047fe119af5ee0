"""What a target receives: the event, a part of it, a constant, or a text with parts of the event in it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from local_sagemaker.errors import ValidationError
from local_sagemaker.json_path import JsonPath, PathError
from local_sagemaker.json_text import load

_QUOTE = re.compile(r'(?<!\\)(?:\\\\)*"')
_PLACEHOLDER = re.compile(r"<([A-Za-z0-9_.-]+)>")
PREDEFINED = frozenset({
    "aws.events.rule-arn", "aws.events.rule-name", "aws.events.event.ingestion-time", "aws.events.event",
    "aws.events.event.json",
})  # fmt: skip
MOST_PATHS = 100


def check(target: Mapping[str, Any]) -> None:
    """Refuses inputs that EventBridge refuses, in its words."""
    identity = target["Id"]
    inputs = [name for name in ("Input", "InputPath", "InputTransformer") if name in target]
    if len(inputs) > 1:
        raise ValidationError(
            f"Only one of Input, InputPath, or InputTransformer must be provided for target {identity}."
        )
    if "Input" in target and not _is_json(target["Input"]):
        raise ValidationError(f"Invalid Input for target {identity}.")
    if "InputPath" in target:
        _path(target["InputPath"], identity)
    transformer = target.get("InputTransformer")
    if transformer is not None:
        paths = transformer.get("InputPathsMap", {})
        if len(paths) > MOST_PATHS:
            raise ValidationError(f"InputPathsMap for target {identity} has more than {MOST_PATHS} members.")
        for path in paths.values():
            _path(path, identity)
        for name in _PLACEHOLDER.findall(transformer["InputTemplate"]):
            if name not in paths and name not in PREDEFINED:
                raise ValidationError(f"InputTemplate for target {identity} contains invalid placeholder {name}.")


def _is_json(text: str) -> bool:
    try:
        load(text)
    except ValueError:
        return False
    return True


def _path(text: str, identity: str) -> JsonPath:
    try:
        return JsonPath.parse(text)
    except PathError as error:
        raise ValidationError(f"JsonPath {text} for target {identity} is not valid: {error}") from error


class UnfitInput(Exception):
    """What a template makes of an event is no JSON: the event can't be sent."""


def text_for(target: Mapping[str, Any], event: Mapping[str, Any], rule: Mapping[str, str]) -> str:
    """The text that a target receives. `rule` has the rule's ``name`` and ``arn``, and the event's ``ingestion``.

    Raises `UnfitInput`.
    """
    if "Input" in target:
        return str(target["Input"])
    if "InputPath" in target:
        return json.dumps(_select(target["InputPath"], event))
    transformer = target.get("InputTransformer")
    if transformer is None:
        return json.dumps(event)
    values = {name: _select(path, event) for name, path in transformer.get("InputPathsMap", {}).items()}
    values |= {
        "aws.events.rule-arn": rule["arn"],
        "aws.events.rule-name": rule["name"],
        "aws.events.event.ingestion-time": rule["ingestion"],
        "aws.events.event": _without_detail(event),
        "aws.events.event.json": event,
    }
    text = _render(transformer["InputTemplate"], values)
    if not _is_json(text) and not all(_is_json(line) for line in text.splitlines() if line.strip()):
        raise UnfitInput(f"The InputTemplate made no JSON of the event: {text[:200]}")
    return text


def _without_detail(event: Mapping[str, Any]) -> dict[str, Any]:
    """The event as ``aws.events.event`` has it, recorded of AWS: one member has another name."""
    names = {"id": "id", "account": "account", "detail-type": "detailType", "time": "time", "source": "source",
             "region": "region", "resources": "resources", "version": "version"}  # fmt: skip
    return {shown: event[name] for name, shown in names.items() if name in event}


def _select(path: str, event: Mapping[str, Any]) -> Any:
    try:
        return JsonPath.parse(path).of(event)
    except PathError:
        return None


def _render(template: str, values: Mapping[str, Any]) -> str:
    """The template's text. Outside of quoted texts values are JSON. Inside of them texts go as they are, nothing is
    escaped, and objects and arrays lose their quotes unless the template is an object or an array itself; what a path
    did not find is an empty text. As recorded of AWS."""
    parts, quoted, last = [], False, 0
    is_document = template.lstrip().startswith(("{", "["))
    for match in _PLACEHOLDER.finditer(template):
        before = template[last : match.start()]
        parts.append(before)
        quoted ^= len(_QUOTE.findall(before)) % 2 == 1
        value = values.get(match[1])
        written = json.dumps(value, separators=(",", ":"), ensure_ascii=False)
        if value is None:
            parts.append("" if quoted else '""')
        elif not quoted:
            parts.append(written)
        elif isinstance(value, str):
            parts.append(value)
        else:
            parts.append(written if is_document else written.replace('"', ""))
        last = match.end()
    return "".join([*parts, template[last:]])
