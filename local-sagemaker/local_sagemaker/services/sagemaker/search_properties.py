"""The property names that Search knows for each resource: the members of SearchRecord, as the API model has them.

Text of the refusal: moto, whose tests are marked as verified against AWS.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from local_sagemaker.api import request_shapes
from local_sagemaker.api.operations import Request
from local_sagemaker.errors import ValidationError

# Lists whose items are named in the path by one of their members: what follows is that name.
_NAMED = {"Tag", "MetricData", "TrialComponentMetricSummary", "Parameter"}
# Another word for a member: final metrics are called as those of trial components are.
_ALIASES = {("TrainingJob", "Metrics"): "FinalMetricDataList"}


def check_names(member: str, request: Request) -> None:
    """Raises ValidationError for a name in filters or SortBy that a resource does not have.

    `member` is the resource's member of SearchRecord.
    """
    names = [*_names(request.get("SearchExpression", {})), *([request["SortBy"]] if "SortBy" in request else [])]
    for name in names:
        if not is_known(member, name):
            raise ValidationError(f"Unknown property name: {name}")


def _names(expression: Request) -> Iterator[str]:
    yield from (one["Name"] for one in expression.get("Filters", ()))
    for nested in expression.get("NestedFilters", ()):
        prefix = nested["NestedPropertyName"]
        yield prefix
        yield from (f"{prefix}.{one['Name'].removeprefix(f'{prefix}.')}" for one in nested["Filters"])
    for inner in expression.get("SubExpressions", ()):
        yield from _names(inner)


@lru_cache(maxsize=4096)
def is_known(member: str, name: str) -> bool:
    """Whether a dotted path leads to a member of the resource's shape, or to a key of a map in it."""
    record = request_shapes.shape_by_name("SearchRecord").members[member]
    roots = [record, record.members["Model"]] if member == "Model" else [record]
    return any(_leads(root, name.split(".")) for root in roots)


def _leads(shape: request_shapes.Shape, path: list[str]) -> bool:
    if not path:
        return True
    if shape.type_name == "map":
        return bool(path[0])
    if shape.type_name == "list":
        return (shape.member.name in _NAMED and bool(path[0])) or _leads(shape.member, path)
    if shape.type_name != "structure":
        return False
    name = _ALIASES.get((shape.name, path[0]), path[0])
    return name in shape.members and _leads(shape.members[name], path[1:])
