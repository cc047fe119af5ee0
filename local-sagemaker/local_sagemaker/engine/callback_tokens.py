"""Results that operations bring for steps that wait for them, by token.

A token is a record, written before anybody else sees the token; the result is written into it, so that neither is lost
in a crash. The record's change is the event that the execution waits for.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field

from local_sagemaker.errors import Conflict, ResourceNotFound
from local_sagemaker.records import Records
from local_sagemaker.records.kinds import STEP_DELIVERY
from local_sagemaker.records.status import JobStatus
from local_sagemaker.records.store import Body

KIND = STEP_DELIVERY.kind


@dataclass(frozen=True)
class Delivery:
    """What an operation brought: the values of a success by name, or the reason of a failure."""

    succeeded: bool
    outputs: dict[str, str] = field(default_factory=dict)
    reason: str = ""


class Deliveries:
    """The tokens of a region."""

    def __init__(self, records: Records) -> None:
        self._records = records

    def expect(self, token: str, execution_arn: str) -> None:
        """Makes a token known, before it is sent; a token that is known stays as it is."""
        with self._records.transaction():
            if self._records.get(KIND, token) is None:
                body = {"PipelineExecutionArn": execution_arn, STEP_DELIVERY.status: JobStatus.IN_PROGRESS}
                self._records.put(KIND, token, body)

    def deliver(self, token: str, outcome: Delivery) -> str:
        """Writes the result down, once, which wakes the step; the ARN of the token's execution.

        Raises ResourceNotFound for an unknown token, Conflict when a result was delivered before.
        """

        def change(body: Body) -> None:
            if "outcome" in body:
                raise Conflict(f"The step with callback token {token} has been completed before.")
            body["outcome"] = asdict(outcome)
            body[STEP_DELIVERY.status] = JobStatus.COMPLETED

        body = self._records.update(KIND, token, change)
        if body is None:
            raise ResourceNotFound(f"No pipeline execution step has the callback token {token}.")
        return str(body["PipelineExecutionArn"])

    def outcome(self, token: str) -> Delivery | None:
        """What was delivered so far."""
        body = self._records.get(KIND, token) or {}
        return Delivery(**body["outcome"]) if "outcome" in body else None


def forget_deliveries(records: Records, pipeline_arn: str) -> None:
    """Removes the tokens of a pipeline's executions."""
    for token, body in records.items(KIND):
        if body["PipelineExecutionArn"].lower().startswith(f"{pipeline_arn.lower()}/"):
            records.delete(KIND, token)
