"""The expressions among a step's arguments, beside the values that they had. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from local_sagemaker.engine.expressions import is_expression
from local_sagemaker.masking import MASK, mask_at


@dataclass(frozen=True)
class EvaluatedArgument:
    """An argument that the definition computes: where it is, as it is written, and its value, "" where that is not
    known."""

    path: str
    expression: str
    value: str


def evaluate_arguments(
    arguments: Any, described: Mapping[str, Any], parameters: Mapping[str, str], *, is_masked: bool = True
) -> list[EvaluatedArgument]:
    """Each expression with the value at its place in what Describe says of the job; of a parameter alone, its value
    in the execution (`parameters`) where nothing describes it. Where `is_masked`, an environment variable that sounds
    secret has neither its value nor the text in its expression."""
    return list(_walk(arguments, described, "", parameters, is_masked))


def _walk(
    value: Any, known: Any, path: str, parameters: Mapping[str, str], is_masked: bool
) -> Iterator[EvaluatedArgument]:
    if is_expression(value):
        text = _text(known) or _parameter(value, parameters)
        if is_masked and mask_at(path, "value") == MASK:
            yield EvaluatedArgument(path, words_of(_mask_literals(value)), MASK if text else "")
        else:
            yield EvaluatedArgument(path, words_of(value), text)
    elif isinstance(value, Mapping):
        for name, item in value.items():
            inside = known.get(name) if isinstance(known, Mapping) else None
            yield from _walk(item, inside, f"{path}.{name}" if path else str(name), parameters, is_masked)
    elif isinstance(value, list):
        for place, item in enumerate(value):
            inside = known[place] if isinstance(known, list) and place < len(known) else None
            yield from _walk(item, inside, f"{path}[{place}]", parameters, is_masked)


def _mask_literals(value: Any) -> Any:
    """An expression without its own text: references are kept."""
    if not is_expression(value):
        return MASK
    if "Std:Join" in value:
        join = value["Std:Join"]
        return {"Std:Join": {**join, "Values": [_mask_literals(part) for part in join.get("Values", [])]}}
    return value


def words_of(expression: Any) -> str:
    """An expression as text: a reference is its path, a join its parts in a row."""
    if not is_expression(expression):
        return expression if isinstance(expression, str) else json.dumps(expression)
    if "Get" in expression:
        return str(expression["Get"])
    if "Std:Join" in expression:
        parts = expression["Std:Join"].get("Values", [])
        joint = str(expression["Std:Join"].get("On", ""))
        return joint.join("{" + words_of(part) + "}" if is_expression(part) else words_of(part) for part in parts)
    return json.dumps(expression)


def _text(value: Any) -> str:
    if value is None or isinstance(value, (dict, list)):
        return ""
    return value if isinstance(value, str) else json.dumps(value)


def _parameter(expression: Mapping[str, Any], parameters: Mapping[str, str]) -> str:
    return parameters.get(str(expression.get("Get", "")).removeprefix("Parameters."), "")
