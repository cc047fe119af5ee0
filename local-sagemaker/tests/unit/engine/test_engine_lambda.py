"""Lambda steps whose function the test decides: time-outs, stopping, a kill, and the definitions that are refused."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from local_sagemaker.api.operations import Request, Response
from local_sagemaker.engine import steps
from local_sagemaker.engine.steps.lambda_ import LambdaStep
from local_sagemaker.errors import ValidationError
from tests.unit.engine.world import World, until

ARN = "arn:aws:lambda:us-east-1:123456789012:function:f"


class LambdaWorld(World):
    """A world with one function."""

    def __init__(self, home: Path) -> None:
        self.function: Callable[[Any], Any] = lambda event: event
        self.events_seen: list[Any] = []
        super().__init__(home)

    def call(self, name: str, request: Request) -> Response:
        if name != "lambda:Invoke":
            return super().call(name, request)
        event = json.loads(request["Payload"])
        self.events_seen.append(event)
        return {"StatusCode": 200, "Payload": json.dumps(self.function(event)).encode()}


@pytest.fixture
def world(tmp_path: Path) -> Iterator[LambdaWorld]:
    made = LambdaWorld(tmp_path / "home")
    yield made
    made.close()


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lambda steps wait for a third of a second only."""
    monkeypatch.setitem(steps._BY_NAME, "Lambda", LambdaStep(seconds=0.3))


def step(**more: Any) -> dict[str, Any]:
    return {"Name": "L", "Type": "Lambda", "Arguments": {}, "FunctionArn": ARN, "OutputParameters": [], **more}


def test_a_function_that_takes_too_long_fails_its_step_and_goes_on(world: LambdaWorld, quick: None) -> None:
    go, gone_on = threading.Event(), threading.Event()

    def slow(_: Any) -> Any:
        go.wait(30)
        gone_on.set()

    world.function = slow
    execution = world.run([step()])
    assert world.status(execution) == "Failed"
    assert world.steps(execution)["L"]["FailureReason"].startswith(f"ClientError: Lambda function {ARN} did not return")
    go.set()
    assert gone_on.wait(30)


def test_a_time_out_while_stopping_fails_the_execution(world: LambdaWorld, quick: None) -> None:
    go = threading.Event()
    world.function = lambda _: go.wait(30)
    world.create([step()])
    execution = world.start()
    until(lambda: world.events_seen)
    world.sagemaker("StopPipelineExecution", PipelineExecutionArn=execution, ClientRequestToken="t" * 32)
    world.wait(execution)
    go.set()
    assert (world.status(execution), world.statuses(execution)) == ("Failed", {"L": "Failed"})


def test_an_invocation_that_a_kill_interrupted_is_made_again(world: LambdaWorld) -> None:
    go = threading.Event()
    world.function = lambda _: go.wait(30)
    world.create([step(Arguments={"x": 1})])
    execution = world.start()
    until(lambda: world.events_seen)
    world.close()
    world.function = lambda _: {"again": True}
    world.open()
    world.executions.resume()
    world.wait(execution)
    go.set()
    assert world.status(execution) == "Succeeded"
    assert world.events_seen == [{"x": 1}, {"x": 1}]


def test_outputs_in_their_declared_types(world: LambdaWorld) -> None:
    world.function = lambda _: {"i": "3", "f": 0.5, "b": True, "s": 7, "other": {}}
    outputs = [
        {"OutputName": name, "OutputType": kind}
        for name, kind in (("i", "Integer"), ("f", "Float"), ("b", "Boolean"), ("s", "String"))
    ]
    checks: list[dict[str, Any]] = [
        {"Type": "GreaterThan", "LeftValue": {"Get": "Steps.L.OutputParameters['i']"}, "RightValue": 2},
        {"Type": "LessThan", "LeftValue": {"Get": "Steps.L.OutputParameters['f']"}, "RightValue": 1.0},
        {"Type": "Equals", "LeftValue": {"Get": "Steps.L.OutputParameters['b']"}, "RightValue": True},
        {"Type": "Equals", "LeftValue": {"Get": "Steps.L.OutputParameters['s']"}, "RightValue": "7"},
    ]
    condition = {"Conditions": checks, "IfSteps": [], "ElseSteps": []}
    execution = world.run([step(OutputParameters=outputs), {"Name": "C", "Type": "Condition", "Arguments": condition}])
    assert world.steps(execution)["C"]["Metadata"]["Condition"]["Outcome"] == "True"
    details = world.steps(execution)["L"]["Metadata"]["Lambda"]
    assert details.keys() == {"Arn", "OutputParameters"}, "what the service notes for itself stays there"
    shown = {i["Name"]: i["Value"] for i in details["OutputParameters"]}
    assert shown == {"i": "3", "f": "0.5", "b": "true", "s": "7"}


@pytest.mark.parametrize(
    ("members", "reason"),
    [
        ({"FunctionArn": None}, "Lambda step 'L' has no FunctionArn."),
        ({"Arguments": {"Get": "Parameters.X"}}, "The Arguments of step 'L' can't be an expression; each of them can."),
        ({"Arguments": {"x": [1]}}, "Expecting a value or an expression for 'x'."),
        ({"OutputParameters": [{"OutputName": "o", "OutputType": "List"}]}, "OutputType of 'o' must be one of String"),
        ({"OutputParameters": [{}]}, "An output parameter of step 'L' has no OutputName."),
    ],
)
def test_definitions_that_are_refused(world: LambdaWorld, members: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValidationError) as raised:
        world.create([step(**members)])
    assert reason in raised.value.message
