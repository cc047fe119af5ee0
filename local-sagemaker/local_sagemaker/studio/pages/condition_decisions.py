"""What a condition compared: both sides as written, and their values where the pages can know them."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from local_sagemaker.engine.definition import Definition
from local_sagemaker.engine.expressions import property_file
from local_sagemaker.engine.paths import ReferencePathError, descend, json_tokens
from local_sagemaker.errors import ServiceError
from local_sagemaker.studio.page import Visit
from local_sagemaker.studio.pages.objects import read_json
from local_sagemaker.studio.views.numbers import number
from local_sagemaker.studio.views.step_states import StepView

_SIGNS = {
    "Equals": "=", "GreaterThan": ">", "GreaterThanOrEqualTo": "≥", "LessThan": "<", "LessThanOrEqualTo": "≤",
}  # fmt: skip
_OUTPUT = re.compile(r"Steps\.([^.]+)\.OutputParameters\['([^']+)'\]")
MOST = 50
"""How many are put into words: others are, once their step is chosen."""


@dataclass(frozen=True)
class ConditionDecision:
    """A decided condition in words."""

    step: str
    outcome: str
    words: list[str]


def decisions(
    visit: Visit, definition: Definition, views: Sequence[StepView], parameters: Mapping[str, str],
    steps: Mapping[str, Mapping[str, Any]], chosen: str = "",
) -> tuple[list[ConditionDecision], int]:  # fmt: skip
    """The first conditions that were decided and the chosen one, with the values of both sides; how many there are."""
    outcomes = {
        view.name: outcome
        for view in views
        if view.type == "Condition"
        and (outcome := steps.get(view.name, {}).get("Metadata", {}).get("Condition", {}).get("Outcome")) is not None
    }
    shown = list(outcomes)[:MOST]
    shown += [chosen] if chosen in outcomes and chosen not in shown else []
    reader = _Reader(visit, definition, parameters, steps)
    rows = [
        ConditionDecision(
            name, outcomes[name],
            [reader.words(item) for item in definition.steps[name].arguments.get("Conditions", [])],
        )
        for name in shown
    ]  # fmt: skip
    return rows, len(outcomes)


@dataclass(frozen=True)
class _Reader:
    visit: Visit
    definition: Definition
    parameters: Mapping[str, str]
    steps: Mapping[str, Mapping[str, Any]]

    def words(self, condition: Mapping[str, Any]) -> str:
        """One condition, e.g. ``regression_metrics.mse.value 4.82 <= MaxMse 6``."""
        kind = str(condition.get("Type", ""))
        if kind == "Not":
            return f"not ({self.words(condition.get('Condition', {}))})"
        if kind == "Or":
            return " or ".join(self.words(item) for item in condition.get("Conditions", []))
        if kind == "In":
            values = ", ".join(self._side(item) for item in condition.get("Values", []))
            return f"{self._side(condition.get('QueryValue'))} in {values}"
        left, right = self._side(condition.get("LeftValue")), self._side(condition.get("RightValue"))
        return f"{left} {_SIGNS.get(kind, kind)} {right}"

    def _side(self, value: Any) -> str:
        if not isinstance(value, dict):
            return number(value)
        if "Std:JsonGet" in value:
            path = str(value["Std:JsonGet"].get("Path", ""))
            return f"{path} {number(self._json_value(value['Std:JsonGet'], path))}"
        path = str(value.get("Get", json.dumps(value)))
        name = path.removeprefix("Parameters.")
        if name in self.parameters:
            return f"{name} {number(self.parameters[name])}"
        match = _OUTPUT.fullmatch(path)
        value = self._output(*match.groups()) if match else None
        return path if value is None else f"{path} {number(value)}"

    def _output(self, step: str, name: str) -> str | None:
        """An output of a Lambda or Callback step; None before it has any."""
        metadata = self.steps.get(step, {}).get("Metadata", {})
        outputs = (item for part in metadata.values() for item in part.get("OutputParameters", ()))
        return next((item["Value"] for item in outputs if item["Name"] == name), None)

    def _json_value(self, expression: Mapping[str, Any], path: str) -> Any:
        """The value in the property file, None where it can no longer be read."""
        step, name = property_file(expression.get("PropertyFile")) or ("", "")
        declared = self.definition.steps[step].property_files.get(name) if step in self.definition.steps else None
        arn = self.steps.get(step, {}).get("Metadata", {}).get("ProcessingJob", {}).get("Arn", "")
        if declared is None or not arn:
            return None
        try:
            job = self.visit.call("sagemaker:DescribeProcessingJob", {"ProcessingJobName": arn.rpartition("/")[2]})
            outputs = job.get("ProcessingOutputConfig", {}).get("Outputs", [])
            uri = next(item["S3Output"]["S3Uri"] for item in outputs if item["OutputName"] == declared.output)
            document = read_json(self.visit, f"{uri.rstrip('/')}/{declared.path}")
            return descend(document, json_tokens(path))
        except (ServiceError, ReferencePathError, StopIteration, KeyError):
            return None
