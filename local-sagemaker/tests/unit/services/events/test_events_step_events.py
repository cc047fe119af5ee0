"""Events of steps: what a rule's targets are told of one, without what the service notes for itself."""

from __future__ import annotations

from typing import Any

from local_sagemaker.events import Event
from local_sagemaker.services.events.step_events import step_events_of

STEP: dict[str, Any] = {
    "StepName": "Call", "StepStatus": "Succeeded", "_type": "Lambda",
    "Metadata": {"Lambda": {"Arn": "arn:f", "OutputParameters": [{"Name": "a", "Value": "1"}],
                            "_types": {"a": "Integer"}}},
}  # fmt: skip
EXECUTION = {"PipelineArn": "arn:p", "PipelineExecutionArn": "arn:p/execution/e"}


def test_metadata_are_those_that_clients_see() -> None:
    event = Event("", "pipeline-step", "Succeeded", key="p/e/call", body=STEP, previous="Executing")
    ((_, resources, detail),) = step_events_of(event, lambda kind, _: STEP if kind == "pipeline-step" else EXECUTION)
    assert detail["metadata"] == {"lambda": {"arn": "arn:f", "outputParameters": [{"name": "a", "value": "1"}]}}
    assert (resources, detail["stepType"]) == (["arn:p", "arn:p/execution/e"], "Lambda")
