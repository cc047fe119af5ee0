"""Reading a pipeline's definition, the JSON that goes to AWS. All that ``run-pipeline`` knows of it is in there."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

Definition = Mapping[str, Any]
Step = Mapping[str, Any]


def steps(definition: Definition) -> list[Step]:
    """All steps, those inside conditions included, in the order of the definition."""
    return list(_flat(definition["Steps"]))


def _flat(listed: Sequence[Step]) -> Iterator[Step]:
    for step in listed:
        yield step
        if step["Type"] == "Condition":
            yield from _flat(step["Arguments"].get("IfSteps") or [])
            yield from _flat(step["Arguments"].get("ElseSteps") or [])


def parameter_of(expression: Any) -> str | None:
    """The parameter's name, if the expression is nothing but a parameter."""
    path = expression.get("Get", "") if isinstance(expression, Mapping) else ""
    return path.removeprefix("Parameters.") if path.startswith("Parameters.") else None


def with_defaults(definition: Definition, defaults: Mapping[str, Any]) -> dict[str, Any]:
    """A copy whose parameters have these defaults."""
    changed = copy.deepcopy(dict(definition))
    for parameter in changed["Parameters"]:
        if parameter["Name"] in defaults:
            parameter["DefaultValue"] = defaults[parameter["Name"]]
    return changed
