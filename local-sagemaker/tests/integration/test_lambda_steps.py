"""Lambda steps: executions whose functions run for real, driven by unmodified boto3."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.support import Service, create_function, create_pipeline, finished, start, steps_of, until


@pytest.fixture
def functions(service: Service) -> Any:
    return service.client("lambda")


def lambda_step(name: str, arn: str, arguments: dict[str, Any], **outputs: str) -> dict[str, Any]:
    """A Lambda step with these outputs."""
    declared = [{"OutputName": output, "OutputType": kind} for output, kind in outputs.items()]
    step = {"Name": name, "Type": "Lambda", "Arguments": arguments, "FunctionArn": arn, "OutputParameters": declared}
    return {**step, "CacheConfig": {"Enabled": True, "ExpireAfter": "P1D"}}


def test_a_lambda_step_hands_its_outputs_on(service: Service, functions: Any) -> None:
    sagemaker = service.client("sagemaker")
    code = (
        "def handler(event, context):\n"
        "    return {'statusCode': 200, 'body': {'b': [1]}, 'endpoint_name': 'e-' + str(event['x']), 'more': 1}"
    )
    first = create_function(functions, "step-first", code)
    second = create_function(functions, "step-second", "def handler(event, context): return event")
    get = lambda output: {"Get": f"Steps.First.OutputParameters['{output}']"}  # noqa: E731 - a short name for an expression
    handed = {"y": get("endpoint_name"), "z": get("body")}
    condition = {
        "Name": "Check",
        "Type": "Condition",
        "Arguments": {
            "Conditions": [
                {"Type": "GreaterThanOrEqualTo", "LeftValue": get("statusCode"), "RightValue": 200},
            ],
            "IfSteps": [lambda_step("Second", second, handed, y="String", z="String")],
            "ElseSteps": [],
        },
    }  # fmt: skip
    declared = {"statusCode": "Integer", "body": "String", "endpoint_name": "String"}
    parameter = {"Name": "X", "Type": "Integer", "DefaultValue": 7}
    create_pipeline(
        sagemaker,
        "lambda-steps",
        lambda_step("First", first, {"x": {"Get": "Parameters.X"}}, **declared),
        condition,
        parameters=(parameter,),
    )  # fmt: skip
    execution = start(sagemaker, "lambda-steps")
    assert finished(sagemaker, execution)["PipelineExecutionStatus"] == "Succeeded", steps_of(sagemaker, execution)
    steps = steps_of(sagemaker, execution)
    assert steps["First"]["Metadata"]["Lambda"] == {
        "Arn": first,
        "OutputParameters": [
            {"Name": "endpoint_name", "Value": "e-7"},
            {"Name": "body", "Value": '{"b": [1]}'},
            {"Name": "statusCode", "Value": "200"},
        ],
    }
    values = {item["Name"]: item["Value"] for item in steps["Second"]["Metadata"]["Lambda"]["OutputParameters"]}
    assert values == {"y": "e-7", "z": '{"b": [1]}'}
    again = start(sagemaker, "lambda-steps")
    assert finished(sagemaker, again)["PipelineExecutionStatus"] == "Succeeded"
    hits = steps_of(sagemaker, again)
    assert hits["First"]["CacheHitResult"]["SourcePipelineExecutionArn"] == execution
    assert hits["Second"]["CacheHitResult"]["SourcePipelineExecutionArn"] == execution
    other = start(sagemaker, "lambda-steps", X="8")
    assert finished(sagemaker, other)["PipelineExecutionStatus"] == "Succeeded"
    assert "CacheHitResult" not in steps_of(sagemaker, other)["First"]


@pytest.mark.parametrize(
    ("name", "code", "reason"),
    [
        ("raising", "def handler(e, c): raise ValueError('no')", r"ClientError: .*step-raising failed: ValueError.*"),
        ("silent", "def handler(e, c): return {'b': 1}", r"ClientError: .* did not return the declared output 'a'\."),
        ("plain", "def handler(e, c): return 5", r"ClientError: .* returned '5', which is no JSON object .*"),
        ("typed", "def handler(e, c): return {'a': 'x'}", r"ClientError: .* 'x' for 'a', which is no Integer\."),
    ],
)  # fmt: skip
def test_a_failing_function_fails_its_step(service: Service, functions: Any, name: str, code: str, reason: str) -> None:
    sagemaker = service.client("sagemaker")
    arn = create_function(functions, f"step-{name}", code)
    create_pipeline(sagemaker, f"lambda-{name}", lambda_step("Call", arn, {}, a="Integer"))
    execution = start(sagemaker, f"lambda-{name}")
    assert finished(sagemaker, execution)["PipelineExecutionStatus"] == "Failed"
    assert re.fullmatch(reason, steps_of(sagemaker, execution)["Call"]["FailureReason"])


def test_a_lambda_step_of_a_missing_function_fails(service: Service) -> None:
    sagemaker = service.client("sagemaker")
    arn = "arn:aws:lambda:us-east-1:123456789012:function:nobody"
    create_pipeline(sagemaker, "lambda-nobody", lambda_step("Call", arn, {}))
    execution = start(sagemaker, "lambda-nobody")
    finished(sagemaker, execution)
    reason = steps_of(sagemaker, execution)["Call"]["FailureReason"]
    assert reason == f"ClientError: Failed to invoke lambda:Invoke. Error Details: Function not found: {arn}"


def test_a_stopped_execution_waits_for_its_function(service: Service, functions: Any) -> None:
    sagemaker, s3 = service.client("sagemaker"), service.client("s3")
    s3.create_bucket(Bucket="stop-go")

    def keys() -> list[str]:
        return [entry["Key"] for entry in s3.list_objects_v2(Bucket="stop-go").get("Contents", [])]

    code = (
        "import boto3, time\n"
        "def handler(e, c):\n    s3 = boto3.client('s3')\n    s3.put_object(Bucket='stop-go', Key='there')\n"
        "    while s3.list_objects_v2(Bucket='stop-go', Prefix='go')['KeyCount'] == 0: time.sleep(0.02)\n"
    )
    arn = create_function(functions, "step-stopped", code, Timeout=120)
    create_pipeline(sagemaker, "lambda-stopped", lambda_step("Call", arn, {}))
    execution = start(sagemaker, "lambda-stopped")
    until(lambda: "there" in keys(), "the function runs")
    sagemaker.stop_pipeline_execution(PipelineExecutionArn=execution)
    until(lambda: steps_of(sagemaker, execution)["Call"]["StepStatus"] == "Stopping", "the step is stopping")
    s3.put_object(Bucket="stop-go", Key="go")
    assert finished(sagemaker, execution)["PipelineExecutionStatus"] == "Stopped"
    assert steps_of(sagemaker, execution)["Call"]["StepStatus"] == "Stopped"
