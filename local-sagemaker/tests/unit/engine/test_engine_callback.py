"""Callback steps: what is sent, what brings the token back, typed outputs, stopping, and a crash while waiting."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from local_sagemaker.api.operations import Request, Response
from local_sagemaker.errors import Conflict, ResourceNotFound, ServiceError, ValidationError
from tests.unit.engine.world import World, get, processing, until

QUEUE = "https://sqs.us-east-1.amazonaws.com/123456789012/approvals"


class CallbackWorld(World):
    """A world with one queue."""

    def __init__(self, home: Path) -> None:
        self.messages: list[dict[str, Any]] = []
        self.queues = {QUEUE}
        super().__init__(home)

    def call(self, name: str, request: Request) -> Response:
        if name != "sqs:SendMessage":
            return super().call(name, request)
        if request["QueueUrl"] not in self.queues:
            raise ServiceError(
                "The specified queue does not exist for this wsdl version.",
                code="AWS.SimpleQueueService.NonExistentQueue",
                status=400,
            )
        self.messages.append(json.loads(request["MessageBody"]))
        return {"MessageId": "m"}

    def token(self, count: int = 1) -> str:
        until(lambda: len(self.messages) == count)
        return str(self.messages[-1]["token"])

    def succeed(self, token: str, **outputs: str) -> Response:
        values = [{"Name": name, "Value": value} for name, value in outputs.items()]
        return self.sagemaker("SendPipelineExecutionStepSuccess", CallbackToken=token, OutputParameters=values)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[CallbackWorld]:
    made = CallbackWorld(tmp_path / "home")
    yield made
    made.close()


def step(name: str = "Approve", arguments: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    return {"Name": name, "Type": "Callback", "SqsQueueUrl": QUEUE, "Arguments": arguments or {}, **more}


def output(name: str, kind: str = "String") -> dict[str, str]:
    return {"OutputName": name, "OutputType": kind}


def test_the_message_and_what_brings_the_token_back(world: CallbackWorld) -> None:
    outputs = [output("location"), output("count", "Integer"), output("good", "Boolean"), output("score", "Float")]
    names = ("location", "count", "good", "score")
    used = {"Environment": {name: get(f"Steps.Approve.OutputParameters['{name}']") for name in names[:1]}}
    condition = {
        "Name": "If", "Type": "Condition", "Arguments": {
            "Conditions": [
                {"Type": "Equals", "LeftValue": get("Steps.Approve.OutputParameters['count']"), "RightValue": 3},
                {"Type": "Equals", "LeftValue": get("Steps.Approve.OutputParameters['good']"), "RightValue": True},
                {"Type": "LessThan", "LeftValue": get("Steps.Approve.OutputParameters['score']"), "RightValue": 0.75},
            ],
            "IfSteps": [processing("Use", **used)], "ElseSteps": [],
        },
    }  # fmt: skip
    arguments = {"bucket": get("Parameters.Bucket"), "limit": 5, "by": get("Execution.PipelineExecutionArn")}
    parameter = {"Name": "Bucket", "Type": "String", "DefaultValue": "b"}
    world.create([step(arguments=arguments, OutputParameters=outputs), condition], Parameters=[parameter])
    arn = world.start()
    token = world.token()
    assert re.fullmatch(r"[a-zA-Z0-9]{10}", token)
    assert world.messages == [{
        "token": token, "pipelineExecutionArn": arn, "arguments": {"bucket": "b", "limit": 5, "by": arn},
        "status": "Executing",
    }]  # fmt: skip
    until(lambda: world.steps(arn)["Approve"]["StepStatus"] == "Executing")
    waiting = world.steps(arn)["Approve"]["Metadata"]["Callback"]
    assert (waiting["CallbackToken"], waiting["SqsQueueUrl"]) == (token, QUEUE)
    assert "OutputParameters" not in waiting
    answer = world.succeed(token, location="s3://b/x", count="3.0", good="True", score="0.5", extra="kept")
    assert answer == {"PipelineExecutionArn": arn}
    world.wait(arn)
    assert world.statuses(arn) == {"Approve": "Succeeded", "If": "Succeeded", "Use": "Succeeded"}
    shown = world.steps(arn)["Approve"]["Metadata"]["Callback"]["OutputParameters"]
    values = {"location": "s3://b/x", "count": "3.0", "good": "True", "score": "0.5", "extra": "kept"}
    assert {item["Name"]: item["Value"] for item in shown} == values
    assert world.processing.requests[0]["Environment"] == {"location": "s3://b/x"}
    assert len(world.messages) == 1


def test_the_failure_is_the_steps(world: CallbackWorld) -> None:
    world.create([step()])
    arn = world.start()
    answer = world.sagemaker(
        "SendPipelineExecutionStepFailure", CallbackToken=world.token(), FailureReason="the data is too old"
    )
    assert answer == {"PipelineExecutionArn": arn}
    world.wait(arn)
    assert world.status(arn) == "Failed"
    assert world.steps(arn)["Approve"]["FailureReason"] == "the data is too old"


def test_a_token_is_good_once(world: CallbackWorld) -> None:
    world.create([step()])
    arn = world.start()
    token = world.token()
    with pytest.raises(ResourceNotFound):
        world.succeed("0123456789")
    request = {"CallbackToken": token, "ClientRequestToken": "t" * 32}
    first = world.sagemaker("SendPipelineExecutionStepSuccess", **request)
    world.wait(arn)
    assert world.sagemaker("SendPipelineExecutionStepSuccess", **request) == first
    with pytest.raises(Conflict):
        world.succeed(token)
    with pytest.raises(Conflict):
        world.sagemaker("SendPipelineExecutionStepFailure", CallbackToken=token)
    assert world.status(arn) == "Succeeded"


@pytest.mark.parametrize(
    ("outputs", "reason"),
    [
        ({}, "did not return the declared output 'count'."),
        ({"count": "many"}, "returned 'many' for 'count', which is no Integer."),
        ({"count": "1e999"}, "returned '1e999' for 'count', which is no Integer."),
    ],
)
def test_outputs_that_are_not_what_was_declared(world: CallbackWorld, outputs: dict[str, str], reason: str) -> None:
    world.create([step(OutputParameters=[output("count", "Integer")])])
    arn = world.start()
    token = world.token()
    world.succeed(token, **outputs)
    world.wait(arn)
    assert world.steps(arn)["Approve"]["FailureReason"] == f"ClientError: The callback with token {token} {reason}"


def test_names_given_twice_are_refused(world: CallbackWorld) -> None:
    world.create([step()])
    world.start()
    twice = [{"Name": "a", "Value": "1"}, {"Name": "a", "Value": "2"}]
    with pytest.raises(ValidationError, match="unique"):
        world.sagemaker("SendPipelineExecutionStepSuccess", CallbackToken=world.token(), OutputParameters=twice)


def test_a_queue_that_does_not_exist_fails_the_step(world: CallbackWorld) -> None:
    world.queues = set()
    arn = world.run([step()])
    assert world.steps(arn)["Approve"]["FailureReason"] == (
        "ClientError: Failed to invoke sqs:SendMessage. Error Details: The specified queue does not exist for this "
        "wsdl version."
    )


@pytest.mark.parametrize("operation", ["SendPipelineExecutionStepSuccess", "SendPipelineExecutionStepFailure"])
def test_a_stop_waits_for_the_token(world: CallbackWorld, operation: str) -> None:
    world.create([step()])
    arn = world.start()
    token = world.token()
    until(lambda: world.steps(arn)["Approve"]["StepStatus"] == "Executing")
    world.sagemaker("StopPipelineExecution", PipelineExecutionArn=arn)
    assert world.token(2) == token
    assert world.messages[1] == {**world.messages[0], "status": "Stopping"}
    assert world.status(arn) == "Stopping"
    world.sagemaker(operation, CallbackToken=token)
    world.wait(arn)
    assert (world.status(arn), world.statuses(arn)) == ("Stopped", {"Approve": "Stopped"})


def test_a_crash_while_waiting_loses_neither_token_nor_result(world: CallbackWorld) -> None:
    world.create([step(OutputParameters=[output("n", "Integer")])])
    first, second = world.start(), world.start()
    until(lambda: len(world.messages) == 2)
    tokens = {message["pipelineExecutionArn"]: message["token"] for message in world.messages}
    for arn in (first, second):
        until(lambda arn=arn: world.steps(arn)["Approve"]["StepStatus"] == "Executing")
    world.close()
    world.open()
    world.succeed(tokens[first], n="1")  # before anything is resumed
    world.executions.resume()
    world.wait(first)
    world.succeed(tokens[second], n="2")
    world.wait(second)
    assert [world.status(arn) for arn in (first, second)] == ["Succeeded", "Succeeded"]
    assert len(world.messages) == 2, "nothing is sent twice"


def test_a_stop_that_a_crash_came_into_is_sent(world: CallbackWorld) -> None:
    world.create([step()])
    arn = world.start()
    token = world.token()
    until(lambda: world.steps(arn)["Approve"]["StepStatus"] == "Executing")
    world.close()
    world.open()
    world.sagemaker("StopPipelineExecution", PipelineExecutionArn=arn)
    world.executions.resume()
    assert world.token(2) == token
    assert world.messages[1]["status"] == "Stopping"
    world.succeed(token)
    world.wait(arn)
    assert world.status(arn) == "Stopped"


def test_a_cache_hit_sends_nothing(world: CallbackWorld) -> None:
    cached = step(OutputParameters=[output("n", "Integer")], CacheConfig={"Enabled": True, "ExpireAfter": "P1D"})
    world.create([cached])
    first = world.start()
    world.succeed(world.token(), n="4")
    world.wait(first)
    again = world.wait(world.start())
    assert len(world.messages) == 1
    assert world.steps(again)["Approve"]["CacheHitResult"] == {"SourcePipelineExecutionArn": first}
    other = world.start(name="P")
    world.wait(other)
    world.create([{**cached, "Arguments": {"a": 1}}])
    third = world.start()
    world.succeed(world.token(2), n="5")
    world.wait(third)
    assert "CacheHitResult" not in world.steps(third)["Approve"]


def test_a_retried_execution_sends_another_token(world: CallbackWorld) -> None:
    world.create([step()])
    arn = world.start()
    token = world.token()
    world.sagemaker("SendPipelineExecutionStepFailure", CallbackToken=token)
    world.wait(arn)
    world.sagemaker("RetryPipelineExecution", PipelineExecutionArn=arn)
    again = world.token(2)
    assert again != token
    world.succeed(again)
    world.wait(arn)
    assert world.status(arn) == "Succeeded"


def test_tokens_go_with_their_pipeline(world: CallbackWorld) -> None:
    world.create([step()])
    arn = world.start()
    token = world.token()
    world.succeed(token)
    world.wait(arn)
    world.sagemaker("DeletePipeline", PipelineName="P", ClientRequestToken="c" * 32)
    with pytest.raises(ResourceNotFound):
        world.succeed(token)


@pytest.mark.parametrize(
    ("changed", "text"),
    [
        ({"SqsQueueUrl": ""}, "Callback step 'Approve' has no SqsQueueUrl"),
        ({"Arguments": {"Get": "Parameters.X"}}, "can't be an expression"),
        ({"OutputParameters": [{"OutputName": "a", "OutputType": "List"}]}, "OutputType of 'a' must be one of"),
        ({"OutputParameters": [output("a"), output("a")]}, "two output parameters 'a'"),
        ({"RetryPolicies": []}, "RetryPolicies"),
    ],
)
def test_definitions_that_are_refused(world: CallbackWorld, changed: dict[str, Any], text: str) -> None:
    with pytest.raises(ValidationError, match=text):
        world.create([{**step(), **changed}])


def test_only_declared_outputs_can_be_referred_to(world: CallbackWorld) -> None:
    user = processing("Use", Environment={"A": get("Steps.Approve.OutputParameters['b']")})
    with pytest.raises(ValidationError):
        world.create([step(OutputParameters=[output("a")]), user])
