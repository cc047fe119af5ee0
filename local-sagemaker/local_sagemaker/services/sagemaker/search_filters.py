"""Search expressions: filters, nested filters and sub-expressions over the AWS-shaped body of a resource.

Rules and texts are those of the Filter, NestedFilters and SearchExpression shapes of the SageMaker API reference.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from math import isfinite
from typing import Any

from local_sagemaker.errors import ValidationError
from local_sagemaker.records.store import Body

_COMPARED = {
    "GreaterThan": lambda a, b: a > b,
    "GreaterThanOrEqualTo": lambda a, b: a >= b,
    "LessThan": lambda a, b: a < b,
    "LessThanOrEqualTo": lambda a, b: a <= b,
}
_STATISTICS = ("Min", "Max", "Avg", "Count", "StdDev")
# Properties on which "Contains" may be used several times in one expression.
_CONTAINS_OFTEN = re.compile(
    r"DisplayName|ExperimentName|TrialName|TrialComponentName|Tags(\..*)?|InputArtifacts(\..*)?|OutputArtifacts(\..*)?"
)


def check(expression: Body) -> None:
    """Raises for an expression that AWS refuses whatever the resources are."""
    filters = list(_all_filters(expression))
    if not filters:
        raise ValidationError("You must specify at least one subexpression, filter, or nested filter.")
    contains = [one["Name"] for one in filters if one.get("Operator") == "Contains"]
    if sum(not _CONTAINS_OFTEN.fullmatch(name) for name in contains) > 1:
        raise ValidationError("'CONTAINS' operator usage limit of 1 exceeded.")
    for one in filters:
        operator = one.get("Operator", "Equals")
        if operator not in ("Exists", "NotExists") and "Operator" in one and "Value" not in one:
            raise ValidationError(f"Operator '{operator}' on '{one['Name']}' needs a Value.")
        if operator in _COMPARED and _number(one["Value"]) is None and _moment(one["Value"]) is None:
            raise ValidationError(
                f"Operator '{operator}' on '{one['Name']}' needs a number or an ISO 8601 time, not '{one['Value']}'."
            )


def matches(expression: Body, body: Body) -> bool:
    """Whether a resource satisfies an expression."""
    results = (
        *(_filter(one, body) for one in expression.get("Filters", ())),
        *(_matches_nested(one, body) for one in expression.get("NestedFilters", ())),
        *(matches(one, body) for one in expression.get("SubExpressions", ())),
    )
    return any(results) if expression.get("Operator", "And") == "Or" else all(results)


def values(body: Any, path: str) -> list[Any]:
    """All values at a dotted path. Lists are looked through; tags, metrics and map keys are named in the path."""
    if not path:
        return [value for item in body for value in values(item, "")] if isinstance(body, list) else [body]
    if isinstance(body, list):
        named = _values_named(body, path)
        return named if named is not None else [value for item in body for value in values(item, path)]
    if not isinstance(body, dict):
        return []
    if path.startswith("Metrics.") and "FinalMetricDataList" in body:
        return values(body["FinalMetricDataList"], path.removeprefix("Metrics."))
    if path in body:  # Keys of maps (hyperparameters) may hold dots.
        return values(body[path], "")
    head, _, rest = path.partition(".")
    return values(body[head], rest) if rest and head in body else []


def _values_named(items: list[Any], path: str) -> list[Any] | None:
    """The value of a tag or metric in a list of them, None if the list holds something else."""
    for statistic in _STATISTICS:
        metrics = [item for item in items if isinstance(item, dict) and statistic in item and "MetricName" in item]
        if named := [item[statistic] for item in metrics if path == f"{item['MetricName']}.{statistic}"]:
            return named
    for key, value in (("Key", "Value"), ("MetricName", "Value"), ("MetricName", "Last"), ("Name", "Value")):
        if items and all(isinstance(item, dict) and key in item and value in item for item in items):
            name = path.removesuffix(f".{value}")
            return [item[value] for item in items if item[key] == name]
    return None


def _filter(one: Body, body: Body) -> bool:
    scalars = [_scalar(value) for value in values(body, one["Name"])]
    default = "Equals" if "Value" in one else "Exists"
    operator, wanted = one.get("Operator", default), one.get("Value", "")
    if operator == "Exists":
        return bool(scalars)
    if operator == "NotExists":
        return not scalars
    if operator == "NotEquals":
        return not any(_equal(value, wanted) for value in scalars)
    if operator == "Contains":
        return any(wanted in str(value) for value in scalars)
    if operator == "In":
        return any(_equal(value, part.strip()) for value in scalars for part in wanted.split(","))
    if operator in _COMPARED:
        return any(_compare(operator, one["Name"], value, wanted) for value in scalars)
    return any(_equal(value, wanted) for value in scalars)


def _matches_nested(one: Body, body: Body) -> bool:
    prefix = f"{one['NestedPropertyName']}."
    filters = [{**inner, "Name": inner["Name"].removeprefix(prefix)} for inner in one["Filters"]]
    items = [body]
    for part in one["NestedPropertyName"].split("."):
        inner = [item[part] for item in items if isinstance(item, dict) and part in item]
        items = [item for value in inner for item in (value if isinstance(value, list) else [value])]
    return any(all(_filter(inner, item) for inner in filters) for item in items)


def _scalar(value: Any) -> Any:
    """The value of a trial component's parameter or artifact, other values as they are."""
    if isinstance(value, dict):
        for member in ("NumberValue", "StringValue", "Value"):
            if member in value:
                return value[member]
    return value


def _equal(value: Any, wanted: str) -> bool:
    if isinstance(value, bool):
        return str(value).lower() == wanted.lower()
    if isinstance(value, int | float):
        number = _number(wanted)
        return value == number if number is not None else value == _moment(wanted)
    return str(value) == wanted


def _compare(operator: str, name: str, value: Any, wanted: str) -> bool:
    right = _number(wanted)
    left = _number(value) if isinstance(value, int | float | str) and not isinstance(value, bool) else None
    if right is None:
        right = _moment(wanted)
    if left is None or right is None:
        return False
    if name.startswith("HyperParameters.") and re.fullmatch(r"[+-]?[0-9]+", wanted):
        left = float(int(left))  # Decimal hyperparameters are taken as integers when the value is one.
    return bool(_COMPARED[operator](left, right))


def _number(text: Any) -> float | None:
    try:
        number = float(text)
    except (ValueError, OverflowError):
        return None
    return number if isfinite(number) else None


def _moment(text: str) -> float | None:
    try:
        moment = datetime.fromisoformat(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return None


def _all_filters(expression: Body) -> Iterator[Body]:
    yield from expression.get("Filters", ())
    for nested in expression.get("NestedFilters", ()):
        yield from nested["Filters"]
    for inner in expression.get("SubExpressions", ()):
        yield from _all_filters(inner)
