"""The parts of an execution, as the pages read them: its steps, its parameters, the definition that it runs."""

from __future__ import annotations

from typing import Any

from local_sagemaker.studio.page import Visit
from local_sagemaker.studio.pages.listing import MOST, all_items, items_or_none

_STEPS = ("sagemaker:ListPipelineExecutionSteps", "PipelineExecutionSteps")


def steps_of(visit: Visit, arn: str) -> list[dict[str, Any]]:
    """All steps that have started."""
    return all_items(visit, *_STEPS, MOST, PipelineExecutionArn=arn, MaxResults=100)


def steps_or_none(visit: Visit, arn: str, most: int) -> list[dict[str, Any]]:
    """At most so many of the steps; none where they can't be read, of which the page says so."""
    return items_or_none(visit, *_STEPS, most, PipelineExecutionArn=arn, MaxResults=100)


def parameters_of(visit: Visit, arn: str) -> list[dict[str, Any]]:
    """The parameters with their values."""
    operation = "sagemaker:ListPipelineParametersForExecution"
    return all_items(visit, operation, "PipelineParameters", MOST, PipelineExecutionArn=arn, MaxResults=100)


def values_of(visit: Visit, arn: str) -> dict[str, str]:
    """The values by the parameters' names."""
    return {item["Name"]: item.get("Value", "") for item in parameters_of(visit, arn)}


def definition_of(visit: Visit, arn: str) -> str:
    """The definition's text."""
    operation = "sagemaker:DescribePipelineDefinitionForExecution"
    return str(visit.call(operation, {"PipelineExecutionArn": arn})["PipelineDefinition"])
