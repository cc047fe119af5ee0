"""Lambda steps: the arguments are the function's event, the declared keys of what it returns are the step's outputs.

The function is invoked in a thread of the step, which wakes the execution by an event like that of a job. Nothing of
a running invocation survives a kill of the service: it is made again.
"""

# ruff: noqa: ARG002 - methods of the contract take what other step types need

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from local_sagemaker.engine.definition import Step
from local_sagemaker.engine.expressions import ExpressionError, is_expression, resolve, text
from local_sagemaker.engine.grammar import read_object
from local_sagemaker.engine.paths import Token
from local_sagemaker.engine.retry import cause_of_error
from local_sagemaker.engine.steps.step_type import CACHED, SUCCEEDED, Ended, Record, StepRun, Tools, failed
from local_sagemaker.engine.value_types import ANY, COMPOSITE, STRING, member_of
from local_sagemaker.errors import ServiceError
from local_sagemaker.events import Event
from local_sagemaker.json_text import JsonError, load

SECONDS = 600.0
"""The longest that a Lambda step waits (SageMaker Developer Guide, "Lambda step"); the function itself goes on."""
_TYPES: dict[str, Callable[[str], Any]] = {
    "String": str,
    "Integer": lambda value: int(float(value)),
    "Float": float,
    "Boolean": lambda value: {"true": True, "false": False}[value.lower()],
}
_MOST, _LONGEST = 50, 1024
_KIND = "lambda-invocation"


@dataclass(frozen=True)
class LambdaStep:
    """Invokes a function and waits for it."""

    type: str = "Lambda"
    operation: str | None = None
    refused: frozenset[str] = frozenset()
    members: frozenset[str] = CACHED | {"FunctionArn", "OutputParameters"}
    job: str | None = _KIND
    name_member: str | None = None
    seconds: float = SECONDS

    def problems(self, step: Step) -> Iterator[str]:
        """The function and the outputs must be named, each output once."""
        if not step.members.get("FunctionArn"):
            yield f"Lambda step '{step.name}' has no FunctionArn"
        if is_expression(step.arguments):
            yield f"The Arguments of step '{step.name}' can't be an expression; each of them can"
        outputs = step.members.get("OutputParameters", [])
        if not isinstance(outputs, list) or len(outputs) > _MOST:
            yield f"OutputParameters of step '{step.name}' must be an array of at most {_MOST}"
            return
        names: set[str] = set()
        for output in outputs:
            name = read_object(output, "OutputName", "OutputType").get("OutputName")
            if not isinstance(name, str) or not name:
                yield f"An output parameter of step '{step.name}' has no OutputName"
            elif output.get("OutputType", STRING) not in tuple(_TYPES):
                yield f"OutputType of '{name}' must be one of {', '.join(_TYPES)}"
            elif name in names:
                yield f"Step '{step.name}' has two output parameters '{name}'"
            else:
                names.add(name)

    def scalars(self, step: Step) -> Iterator[tuple[str, Any, str]]:
        """The function, and its flat event."""
        yield "FunctionArn", step.members["FunctionArn"], STRING
        for name, value in step.arguments.items():
            yield name, value, ANY

    def property_type(self, step: Step, path: tuple[Token, ...]) -> str:
        """``OutputParameters['name']`` has the declared type."""
        if path[:1] != ("OutputParameters",):
            return member_of({"OutputParameters": COMPOSITE}, path[:1])
        declared = step.members.get("OutputParameters", [])
        return member_of({item["OutputName"]: item.get("OutputType", STRING) for item in declared}, path[1:])

    def resolve(self, run: StepRun) -> Record:
        """The function, its event and the declared outputs."""
        event = resolve(run.step.arguments, run.scope)
        for name, value in event.items():
            if isinstance(value, dict | list):
                raise ExpressionError(f"Argument '{name}' of a Lambda step must be a primitive value.")
        outputs = run.step.members.get("OutputParameters", [])
        return {
            "FunctionArn": text(resolve(run.step.members["FunctionArn"], run.scope)),
            "Event": event,
            "Outputs": {output["OutputName"]: output.get("OutputType", "String") for output in outputs},
        }

    def signature(self, request: Record) -> Record | None:
        """All arguments and the function."""
        return {"FunctionArn": request["FunctionArn"], "Arguments": request["Event"]}

    def start(self, run: StepRun) -> Ended | None:
        """Begins the invocation."""
        run.answer = None
        lock = threading.Lock()

        def done(answer: Any) -> None:
            with lock:
                if run.answer is not None:
                    return
                run.answer = answer
            timer.cancel()
            run.tools.publish(Event(f"{_KIND}/{run.job_name}", _KIND, "Completed"))

        timer = threading.Timer(self.seconds, done, [TimeoutError()])
        timer.daemon = True
        timer.start()
        arguments = (run.tools, run.request, done)
        threading.Thread(target=_invoke, args=arguments, name=f"lambda {run.job_name}", daemon=True).start()
        return None

    def resume(self, run: StepRun) -> Ended | None:
        """The invocation ended with the service."""
        return Ended("Stopped") if run.record["StepStatus"] == "Stopping" else self.start(run)

    def ended(self, run: StepRun) -> Ended | None:
        """The outcome by what came back. A step that was asked to stop waited for that, too."""
        answer, stopping = run.answer, run.record["StepStatus"] == "Stopping"
        if answer is None:
            return None
        function = run.request["FunctionArn"]
        if isinstance(answer, TimeoutError):
            reason = f"ClientError: Lambda function {function} did not return within {self.seconds:.0f} seconds."
            return Ended("Failed", reason, final=stopping)
        if stopping:
            return Ended("Stopped")
        if isinstance(answer, ServiceError):
            reason = f"ClientError: Failed to invoke lambda:Invoke. Error Details: {answer.message}"
            return failed(reason, cause_of_error(answer))
        try:
            payload = load(answer["Payload"])
        except JsonError as error:
            return failed(f"ClientError: What Lambda function {function} returned can't be read: {error}")
        if "FunctionError" in answer:
            kind, message = payload.get("errorType", answer["FunctionError"]), payload.get("errorMessage", "")
            return failed(f"ClientError: Lambda function {function} failed: {kind}: {message}")
        try:
            outputs = _outputs(payload, run.request["Outputs"])
        except ValueError as error:
            return failed(f"ClientError: Lambda function {function} {error}")
        types = run.request["Outputs"]
        run.record["Metadata"] = {"Lambda": {"Arn": function, "OutputParameters": outputs, "_types": types}}
        return SUCCEEDED

    def stop(self, run: StepRun) -> None:
        """A function can't be stopped: its end is awaited."""

    def properties(self, record: Record, tools: Tools) -> Record:
        """``OutputParameters['name']``, each value in its declared type."""
        found = record["Metadata"]["Lambda"]
        types = found["_types"]
        values = {item["Name"]: _TYPES[types[item["Name"]]](item["Value"]) for item in found["OutputParameters"]}
        return {"OutputParameters": values}

    def outputs(self, properties: Record) -> list[str]:
        """No files that the step itself would know of."""
        return []


def _invoke(tools: Tools, request: Record, done: Callable[[Any], None]) -> None:
    try:
        event = json.dumps(request["Event"]).encode()
        done(tools.call("lambda:Invoke", {"FunctionName": request["FunctionArn"], "Payload": event}))
    except ServiceError as error:
        done(error)
    except Exception as error:  # whatever it is, the step must not wait for ever
        done(ServiceError(repr(error)))


def _outputs(returned: Any, declared: dict[str, str]) -> list[dict[str, str]]:
    """The declared keys as the API shows them. Raises ValueError with what is wrong."""
    if not declared:
        return []
    if not isinstance(returned, dict):
        raise ValueError(f"returned {text(returned)[:100]!r}, which is no JSON object with the declared outputs.")
    missing = [name for name in declared if name not in returned]
    if missing:
        raise ValueError(f"did not return the declared output '{missing[0]}'.")
    found = []
    for name in _in_order(list(declared)):
        value = returned[name]
        shown = json.dumps(value) if isinstance(value, dict | list) else text(value)
        if len(shown) > _LONGEST:
            raise ValueError(f"returned an output '{name}' of more than {_LONGEST} characters.")
        try:
            _TYPES[declared[name]](shown)
        except (ValueError, KeyError) as error:
            raise ValueError(f"returned {shown!r} for '{name}', which is no {declared[name]}.") from error
        found.append({"Name": name, "Value": shown})
    return found


def _in_order(names: list[str]) -> list[str]:
    """The order of a Java HashMap's keys: that of the one recorded listing, whose first output scripts read by [0]."""
    capacity = 16
    while len(names) > capacity * 0.75:
        capacity *= 2

    def bucket(name: str) -> int:
        code = 0
        for letter in name:
            code = (31 * code + ord(letter)) & 0xFFFFFFFF
        return (code ^ code >> 16) & (capacity - 1)

    return sorted(names, key=bucket)


LAMBDA = LambdaStep()
