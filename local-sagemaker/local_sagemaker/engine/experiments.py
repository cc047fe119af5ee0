"""The experiment and the trial that an execution belongs to; both are made before its first step, or reused."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from local_sagemaker.api.operations import Call
from local_sagemaker.engine.expressions import ExpressionScope, resolve, text
from local_sagemaker.errors import TAKEN


def resolve_config(config: dict[str, Any] | None, scope: ExpressionScope) -> dict[str, str] | None:
    """PipelineExperimentConfig with its expressions evaluated.

    SageMaker lower-cases the pipeline's name in the experiment's (seen in a recorded DescribePipelineExecution).
    """
    if not config:
        return None
    values = {name: text(resolve(value, scope)) for name, value in config.items()}
    if config.get("ExperimentName") == {"Get": "Execution.PipelineName"}:
        values["ExperimentName"] = values["ExperimentName"].lower()
    return values


def ensure(config: dict[str, str] | None, call: Call) -> None:
    """Creates experiment and trial where they do not exist."""
    if not config or "ExperimentName" not in config:
        return
    experiment = {"ExperimentName": config["ExperimentName"]}
    _create(call, "sagemaker:CreateExperiment", experiment)
    if "TrialName" in config:
        _create(call, "sagemaker:CreateTrial", {**experiment, "TrialName": config["TrialName"]})


def _create(call: Call, operation: str, request: dict[str, Any]) -> None:
    with suppress(*TAKEN):
        call(operation, request)
