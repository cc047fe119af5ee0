"""Lambda steps: the arguments are the function's event, the declared keys of what it returns are the step's outputs.

The function is invoked in a thread of the step, which wakes the execution. Nothing of a running invocation survives a
crash of the service: it is made again.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from typing import Any

from local_sagemaker.engine.expressions import text
from local_sagemaker.engine.retry import cause_of_error
from local_sagemaker.engine.steps import output_parameters
from local_sagemaker.engine.steps.called_step import CalledStep
from local_sagemaker.engine.steps.step_type import (
    CACHED,
    STOPPED,
    SUCCEEDED,
    Prepared,
    Record,
    StepContext,
    StepResult,
    StepRun,
    failure,
)
from local_sagemaker.errors import ServiceError
from local_sagemaker.json_text import JsonError, load
from local_sagemaker.records.own_members import StepOutputs, own_step
from local_sagemaker.records.status import StepStatus

SECONDS = 600.0
"""The longest that a Lambda step waits (SageMaker Developer Guide, "Lambda step"); the function itself continues."""


class LambdaStep(CalledStep):
    """Invokes a function and waits for it."""

    type = "Lambda"
    called = "FunctionArn"
    members = CACHED | {called, "OutputParameters"}

    def __init__(self, seconds: float = SECONDS) -> None:
        self.seconds = seconds

    def prepare(self, run: StepRun) -> Prepared:
        """The function, its event and the declared outputs."""
        name = self.new_name(run)
        request = {
            "FunctionArn": self.resolve_called(run, name),
            "Event": self.resolve_arguments(run, name),
            "Outputs": output_parameters.types_of(run.step),
        }
        return Prepared(name, request)

    def signature(self, request: Record) -> Record | None:
        """All arguments and the function."""
        return {"FunctionArn": request["FunctionArn"], "Arguments": request["Event"]}

    def start(self, run: StepRun) -> StepResult | None:
        """Begins the invocation."""
        run.result = None
        lock, attempt = threading.Lock(), run.job_name

        def finish(response: Any) -> None:
            with lock:
                if run.result is not None or own_step(run.record).get("_job") != attempt:
                    return
                run.result = response
            timer.cancel()
            run.wake()

        timer = threading.Timer(self.seconds, finish, [TimeoutError()])
        timer.daemon = True
        timer.start()
        arguments = (run.context, run.request, finish)
        threading.Thread(target=_invoke, args=arguments, name=f"lambda {attempt}", daemon=True).start()
        return None

    def resume(self, run: StepRun) -> StepResult | None:
        """The invocation ended with the service."""
        return STOPPED if run.is_stopping else self.start(run)

    def result(self, run: StepRun) -> StepResult | None:
        """The outcome by what came back. A step that was being stopped waited for that, too."""
        response, function = run.result, run.request["FunctionArn"]
        if response is None:
            return None
        if isinstance(response, TimeoutError):
            reason = f"ClientError: Lambda function {function} did not return within {self.seconds:.0f} seconds."
            return StepResult(StepStatus.FAILED, reason, final=run.is_stopping)
        if run.is_stopping:
            return STOPPED
        if isinstance(response, ServiceError):
            reason = f"ClientError: Failed to invoke lambda:Invoke. Error Details: {response.message}"
            return failure(reason, cause_of_error(response))
        try:
            outputs = _outputs(response, run.request["Outputs"])
        except ValueError as error:
            return failure(f"ClientError: {error}".replace("{}", f"Lambda function {function}", 1))
        types = run.request["Outputs"]
        run.record["Metadata"] = {"Lambda": {"Arn": function, "OutputParameters": outputs, **StepOutputs(_types=types)}}
        return SUCCEEDED


def _invoke(context: StepContext, request: Record, done: Callable[[Any], None]) -> None:
    try:
        event = json.dumps(request["Event"]).encode()
        done(context.call("lambda:Invoke", {"FunctionName": request["FunctionArn"], "Payload": event}))
    except ServiceError as error:
        done(error)
    except Exception as error:  # whatever it is, the step must not wait for ever
        done(ServiceError(repr(error)))


def _outputs(response: Record, declared: dict[str, str]) -> list[dict[str, str]]:
    """The declared keys of what the function returned. Raises ValueError with what is wrong; ``{}`` is the function."""
    try:
        payload = load(response["Payload"])
    except JsonError as error:
        raise ValueError(f"What {{}} returned can't be read: {error}") from error
    if "FunctionError" in response:
        kind, message = payload.get("errorType", response["FunctionError"]), payload.get("errorMessage", "")
        raise ValueError(f"{{}} failed: {kind}: {message}")
    if not declared:
        return []
    if not isinstance(payload, dict):
        shown = text(payload)[:100]
        raise ValueError(f"{{}} returned {shown!r}, which is no JSON object with the declared outputs.")
    shown_values = {
        name: json.dumps(payload[name]) if isinstance(payload[name], dict | list) else text(payload[name])
        for name in declared
        if name in payload
    }
    try:
        return output_parameters.collect(shown_values, declared)
    except ValueError as error:
        raise ValueError(f"{{}} {error}") from error


LAMBDA = LambdaStep()
