"""The events of a pipeline's steps (developer guide, "Pipeline step state change").

The guide shows a processing step. Members of other steps' metadata are written in the same way: as
ListPipelineExecutionSteps has them, each with its first letter in lower case.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from local_sagemaker.clock import iso
from local_sagemaker.events import DELETED, Event
from local_sagemaker.records.kinds import PIPELINE_EXECUTION, PIPELINE_STEP
from local_sagemaker.records.own_members import own_step, public_step

DETAIL_TYPE = "SageMaker Model Building Pipeline Execution Step Status Change"
FindRecord = Callable[[str, str], Mapping[str, Any] | None]
"""The record of a kind and a key."""


def step_events_of(event: Event, record: FindRecord) -> list[tuple[str, list[str], dict[str, Any]]]:
    """(detail-type, resources, detail) of a step's new status; nothing of a pipeline that was deleted."""
    if event.kind != PIPELINE_STEP.kind or event.status == DELETED:
        return []
    execution = record(PIPELINE_EXECUTION.kind, event.key.rpartition("/")[0])
    step = record(PIPELINE_STEP.kind, event.key)
    if execution is None or step is None:
        return []
    body = event.body
    arns = {name[:1].lower() + name[1:]: str(execution[name]) for name in ("PipelineArn", "PipelineExecutionArn")}
    detail = {
        "metadata": _lower_first_letters(public_step(body).get("Metadata", {})),
        "stepStartTime": _time(body.get("StartTime")),
        "stepEndTime": _time(body.get("EndTime")),
        "stepName": body["StepName"],
        "stepDisplayName": body.get("StepDisplayName"),
        "stepDescription": body.get("StepDescription"),
        "stepType": own_step(step).get("_type"),
        "previousStepStatus": event.previous,
        "currentStepStatus": event.status,
        "failureReason": body.get("FailureReason"),
        "cacheHitResult": _lower_first_letters(body.get("CacheHitResult")),
        **arns,
    }
    kept = {name: value for name, value in detail.items() if value is not None}
    return [(DETAIL_TYPE, list(arns.values()), kept)]


def _lower_first_letters(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name[:1].lower() + name[1:]: _lower_first_letters(one) for name, one in value.items()}
    return [_lower_first_letters(one) for one in value] if isinstance(value, list) else value


def _time(value: Any) -> str | None:
    return iso(value)[:19] + "Z" if isinstance(value, int | float) else None
