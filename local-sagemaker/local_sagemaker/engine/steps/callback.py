"""Callback steps: a message with a token goes to an SQS queue, and the step waits until an operation brings the token
back: SendPipelineExecutionStepSuccess with the step's outputs, or SendPipelineExecutionStepFailure with a reason.

On a stop a second message with the same token is sent, and the execution ends once the token came back, by whichever
operation (API reference, StopPipelineExecution; contracts: pipelines 2.5).
"""

from __future__ import annotations

import json
import secrets
import string

from local_sagemaker.engine.callback_tokens import KIND
from local_sagemaker.engine.retry import cause_of_error
from local_sagemaker.engine.steps import output_parameters
from local_sagemaker.engine.steps.called_step import CalledStep
from local_sagemaker.engine.steps.step_type import (
    CACHED,
    STOPPED,
    SUCCEEDED,
    Prepared,
    Record,
    StepResult,
    StepRun,
    failure,
)
from local_sagemaker.errors import ServiceError
from local_sagemaker.records.own_members import StepOutputs
from local_sagemaker.records.status import StepStatus

_TOKEN = string.ascii_letters + string.digits
_TOKEN_LENGTH = 10


class CallbackStep(CalledStep):
    """Sends a token and waits for it. The token is the run's name, so it survives a crash with the step's record."""

    type = "Callback"
    called = "SqsQueueUrl"
    members = CACHED | {called, "OutputParameters"}
    job = KIND

    def prepare(self, run: StepRun) -> Prepared:
        """A new token, the queue, the arguments and the declared outputs."""
        token = "".join(secrets.choice(_TOKEN) for _ in range(_TOKEN_LENGTH))
        request = {
            "SqsQueueUrl": self.resolve_called(run, ""),
            "Arguments": self.resolve_arguments(run, ""),
            "Outputs": output_parameters.types_of(run.step),
        }
        return Prepared(token, request)

    def signature(self, request: Record) -> Record | None:
        """All arguments and the queue."""
        return {"SqsQueueUrl": request["SqsQueueUrl"], "Arguments": request["Arguments"]}

    def start(self, run: StepRun) -> StepResult | None:
        """Sends the token."""
        run.context.deliveries.expect(run.job_name, run.execution.arn)
        run.record["Metadata"] = _metadata(run)
        try:
            _send(run, StepStatus.EXECUTING)
        except ServiceError as error:
            reason = f"ClientError: Failed to invoke sqs:SendMessage. Error Details: {error.message}"
            return failure(reason, cause_of_error(error))
        run.notes["sent"] = True
        return None

    def resume(self, run: StepRun) -> StepResult | None:
        """Waits on, or sends the token when the crash may have come before it was sent: queues deliver at least once,
        so a consumer can't be surprised by a message that comes twice."""
        result = self.result(run)
        if result is None and "sent" not in run.notes:
            return STOPPED if run.is_stopping else self.start(run)
        return result

    def result(self, run: StepRun) -> StepResult | None:
        """The outcome by what was delivered; whatever it is, a step that was being stopped is Stopped."""
        outcome = run.context.deliveries.outcome(run.job_name)
        if outcome is None:
            return None
        if run.is_stopping:
            return STOPPED
        if not outcome.succeeded:
            return StepResult(StepStatus.FAILED, outcome.reason or None)
        types = run.request["Outputs"]
        try:
            outputs = output_parameters.collect(outcome.outputs, types)
        except ValueError as error:
            return failure(f"ClientError: The callback with token {run.job_name} {error}")
        extra = [{"Name": name, "Value": value} for name, value in outcome.outputs.items() if name not in types]
        run.record["Metadata"] = _metadata(run, [*outputs, *extra])
        return SUCCEEDED

    def stop(self, run: StepRun) -> None:
        """Sends the token once more; the consumer must bring it back before the execution ends."""
        _send(run, StepStatus.STOPPING)


def _metadata(run: StepRun, outputs: list[dict[str, str]] | None = None) -> Record:
    request = run.request
    details = {
        "CallbackToken": run.job_name,
        "SqsQueueUrl": request["SqsQueueUrl"],
        **StepOutputs(_types=request["Outputs"]),
    }
    return {"Callback": details if outputs is None else {**details, "OutputParameters": outputs}}


def _send(run: StepRun, status: str) -> None:
    body = {
        "token": run.job_name,
        "pipelineExecutionArn": run.execution.arn,
        "arguments": run.request["Arguments"],
        "status": status,
    }
    run.context.call("sqs:SendMessage", {"QueueUrl": run.request["SqsQueueUrl"], "MessageBody": json.dumps(body)})


CALLBACK = CallbackStep()
