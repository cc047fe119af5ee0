"""Parameter values of a stack: defaults and overrides, checked against the template's constraints.

Values are texts, as Ref gives them; those of list types become lists of texts.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from local_sagemaker.api.patterns import translate_pattern
from local_sagemaker.cloudformation.errors import TemplateError
from local_sagemaker.cloudformation.template import Template
from local_sagemaker.regexes import bounded
from local_sagemaker.regexes.bounded import RegexError

LONGEST_VALUE = 4096
_SSM = re.compile(r"AWS::SSM::Parameter::Value<(.+)>")
_KIND = re.compile(r"(AWS::SSM::Parameter::Value<.+>|List<(Number|String|AWS::[\w:]+)>|AWS::[\w:]+|"
                   r"String|Number|CommaDelimitedList)")  # fmt: skip
_MEMBERS = (
    "Type", "Default", "Description", "NoEcho", "ConstraintDescription", "AllowedValues", "AllowedPattern",
    "MinLength", "MaxLength", "MinValue", "MaxValue",
)  # fmt: skip
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?")
Value = str | list[str]


def resolve(template: Template, supplied: Mapping[str, str], stored: Callable[[str], str]) -> dict[str, Value]:
    """The value of every parameter. `stored` reads a parameter of Systems Manager by its name."""
    check_shape(template.parameters)
    unknown = [name for name in supplied if name not in template.parameters]
    if unknown:
        raise TemplateError(f"Parameters: [{', '.join(unknown)}] do not exist in the template")
    missing = [name for name, rule in template.parameters.items() if name not in supplied and "Default" not in rule]
    if missing:
        raise TemplateError(f"Parameters: [{', '.join(missing)}] must have values")
    values: dict[str, Value] = {}
    for name, rule in template.parameters.items():
        text = supplied[name] if name in supplied else as_text(rule["Default"])
        values[name] = _value(name, rule, text, stored)
    return values


def as_text(value: Any) -> str:
    """A scalar of a template as Ref gives it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return ",".join(map(as_text, value)) if isinstance(value, list) else str(value)


def _value(name: str, rule: Mapping[str, Any], text: str, stored: Callable[[str], str]) -> Value:
    kind = str(rule["Type"])
    if len(text) > LONGEST_VALUE:
        raise TemplateError(f"Parameter '{name}' must contain at most {LONGEST_VALUE} characters")
    from_store = _SSM.fullmatch(kind)
    _check(name, rule, text, "String" if from_store else kind)
    if from_store:
        kind, text = from_store[1], stored(text)
    if kind == "CommaDelimitedList" or kind.startswith("List<"):
        return [part.strip() for part in text.split(",")] if text else []
    return text


def check_shape(declared: Mapping[str, Mapping[str, Any]]) -> None:
    """Refuses declarations that no value can satisfy. Raises `TemplateError`."""
    for name, rule in declared.items():
        kind = str(rule.get("Type", ""))
        if not kind:
            raise TemplateError(f"Template format error: Every Parameters object must contain a Type member: {name}.")
        if not _KIND.fullmatch(kind):
            raise TemplateError(f"Template format error: Unrecognized parameter type: {kind}")
        for member in rule:
            if member not in _MEMBERS:
                raise TemplateError(f"Invalid template parameter property '{member}'")


def _check_rule(name: str, rule: Mapping[str, Any]) -> None:
    """Refuses a declaration that could not be compared with a value."""
    if not isinstance(rule.get("AllowedValues", []), list):
        raise TemplateError(f"Template format error: AllowedValues of parameter '{name}' must be a list.")
    for bound in ("MinLength", "MaxLength", "MinValue", "MaxValue"):
        if bound in rule and not _NUMBER.fullmatch(as_text(rule[bound])):
            raise TemplateError(f"Template format error: {bound} of parameter '{name}' must be a number.")


def _check(name: str, rule: Mapping[str, Any], text: str, kind: str) -> None:
    _check_rule(name, rule)
    numbers = text.split(",") if kind == "List<Number>" else [text] if kind == "Number" else []
    if any(not _NUMBER.fullmatch(number.strip()) for number in numbers):
        raise TemplateError(f"Parameter '{name}' must be a number.")
    allowed = [as_text(value) for value in rule.get("AllowedValues", [])]
    parts = [part.strip() for part in text.split(",")] if kind == "CommaDelimitedList" else [text]
    if allowed and any(part not in allowed for part in parts):
        raise TemplateError(_refusal(name, rule, f"Parameter '{name}' must be one of AllowedValues"))
    pattern = rule.get("AllowedPattern")
    if pattern and not all(_matches(name, str(pattern), part) for part in parts):
        raise TemplateError(_refusal(name, rule, f"Parameter '{name}' must match pattern {pattern}"))
    _check_bounds(name, rule, text, [float(number) for number in numbers])


def _matches(name: str, pattern: str, text: str) -> bool:
    try:
        return bounded.matches(translate_pattern(pattern), text, re.ASCII)
    except RegexError as error:
        raise TemplateError(f"Template error: the AllowedPattern of parameter '{name}': {error}") from error


def _check_bounds(name: str, rule: Mapping[str, Any], text: str, numbers: list[float]) -> None:
    for bound, wrong, words in (
        ("MinLength", lambda limit: len(text) < limit, "contain at least {} characters"),
        ("MaxLength", lambda limit: len(text) > limit, "contain at most {} characters"),
        ("MinValue", lambda limit: any(number < limit for number in numbers), "be a number not less than {}"),
        ("MaxValue", lambda limit: any(number > limit for number in numbers), "be a number not greater than {}"),
    ):
        if bound in rule and wrong(float(rule[bound])):
            raise TemplateError(_refusal(name, rule, f"Parameter '{name}' must {words.format(rule[bound])}"))


def _refusal(name: str, rule: Mapping[str, Any], text: str) -> str:
    constraint = rule.get("ConstraintDescription")
    return f"Parameter '{name}' failed to satisfy constraint: {constraint}" if constraint else text
