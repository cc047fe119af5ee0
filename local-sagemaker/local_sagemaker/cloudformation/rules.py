"""A template's Rules: assertions about its parameters, checked before anything happens (user guide, "Rules syntax")."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from local_sagemaker.cloudformation.errors import TemplateError, UnsupportedTemplate
from local_sagemaker.cloudformation.intrinsics import Scope, evaluate
from local_sagemaker.cloudformation.parameters import as_text

_ELSEWHERE = ("Fn::RefAll", "Fn::ValueOf", "Fn::ValueOfAll")
"""Functions about parameters whose types are of EC2 and Route 53, which are not here."""
_PLAIN = ("Fn::And", "Fn::Equals", "Fn::Not", "Fn::Or", "Ref")


def check_shape(rules: Mapping[str, Any]) -> None:
    """Refuses what no parameter's value can make valid. Raises `TemplateError`."""
    for name, rule in rules.items():
        for member in rule:
            if member not in ("RuleCondition", "Assertions"):
                raise TemplateError(f"Template format error: Unrecognized member {member} of the rule {name}.")
        assertions = rule.get("Assertions")
        if not isinstance(assertions, list) or not assertions:
            raise TemplateError(f"Template format error: The rule {name} needs a list of Assertions.")
        for assertion in assertions:
            if not isinstance(assertion, dict) or "Assert" not in assertion:
                raise TemplateError(f"Template format error: Every assertion of the rule {name} needs an Assert.")
        _check_functions(rule, f"Rules/{name}")


def assert_all(rules: Mapping[str, Any], scope: Scope) -> None:
    """Raises `TemplateError` for the first assertion that does not hold."""
    for name, rule in rules.items():
        if "RuleCondition" in rule and not _holds(rule["RuleCondition"], scope, name):
            continue
        for assertion in rule["Assertions"]:
            if not _holds(assertion["Assert"], scope, name):
                text = str(assertion.get("AssertDescription") or "an assertion does not hold")
                raise TemplateError(f"Template validation error: The rule {name} failed: {text}")


def _check_functions(value: Any, place: str) -> None:
    if isinstance(value, list):
        for part in value:
            _check_functions(part, place)
    if not isinstance(value, dict):
        return
    for name, part in value.items():
        if name in _ELSEWHERE:
            raise UnsupportedTemplate(name, place)
        if name.startswith("Fn::") and name not in (*_PLAIN, *_LISTS):
            raise TemplateError(f"Template format error: {name} can't be used in {place}.")
        _check_functions(part, place)


def _holds(value: Any, scope: Scope, rule: str) -> bool:
    result = _value(value, scope)
    if result in (True, "true"):
        return True
    if result in (False, "false"):
        return False
    raise TemplateError(f"Template error: every condition of the rule {rule} must be a boolean")


def _value(value: Any, scope: Scope) -> Any:
    """A value with the functions of rules and the others evaluated, from the inside."""
    if isinstance(value, list):
        return [_value(part, scope) for part in value]
    if not isinstance(value, dict) or len(value) != 1:
        return value
    ((name, argument),) = value.items()
    inner = _value(argument, scope)
    if name in _LISTS:
        if not isinstance(inner, list) or len(inner) != 2:
            raise TemplateError(f"Template error: every {name} object requires a list argument with two elements")
        return _LISTS[name](_texts(inner[0], name), inner[1])
    return evaluate({name: inner}, scope)


def _texts(value: Any, function: str) -> list[str]:
    if not isinstance(value, list):
        raise TemplateError(f"Template error: every {function} object requires a list of strings")
    return [as_text(part) for part in value]


_LISTS: dict[str, Callable[[list[str], Any], bool]] = {
    "Fn::Contains": lambda texts, wanted: as_text(wanted) in texts,
    "Fn::EachMemberEquals": lambda texts, wanted: all(text == as_text(wanted) for text in texts),
    "Fn::EachMemberIn": lambda texts, wanted: set(texts) <= set(_texts(wanted, "Fn::EachMemberIn")),
}
