"""The multi-model pipeline (A2): its definition, and a run of it against the service, item by item."""

from __future__ import annotations

import json
import os
import time
from functools import cache
from pathlib import Path
from typing import Any
from unittest import mock

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from pipelines.data import training_csv
from tests.project.building import edges, steps
from tests.project.delivering import registry, run
from tests.support import ROLE, XGBOOST, Service, steps_of

ROW = "1,0.455,0.365,0.095,0.514,0.2245,0.101,0.15"
MODULE = "pipelines.multi_model.pipeline"
OLD_IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.0-1-cpu-py3"
SOURCE_ONE = {"objective": "reg:linear", "num_round": 40, "max_depth": 4, "eta": 0.1, "gamma": 3,
              "min_child_weight": 5, "subsample": 0.6, "silent": 0}  # fmt: skip
SOURCE_TWO = {"objective": "reg:linear", "num_round": 50, "max_depth": 5, "eta": 0.2, "gamma": 4,
              "min_child_weight": 6, "subsample": 0.7, "silent": 0}  # fmt: skip


@cache
def definition() -> dict[str, Any]:
    """Built against in-process doubles, with the function's role given."""
    with mock_aws(), mock.patch.dict(os.environ, SAGEMAKER_VALIDATE_ROLE="false"):
        boto3.client("s3").create_bucket(Bucket="multi-model")
        trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
        document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
        boto3.client("iam").create_role(RoleName=ROLE.rpartition("/")[2], AssumeRolePolicyDocument=document)
        from pipelines.multi_model.pipeline import get_pipeline

        pipeline = get_pipeline("us-east-1", role=ROLE, default_bucket="multi-model", lambda_role=ROLE)
        assert boto3.client("sagemaker").list_training_jobs()["TrainingJobSummaries"] == []  # item 1
        return dict(json.loads(pipeline.definition()))


def test_item_1_2_parameters_have_the_sources_names_and_defaults() -> None:
    defaults = {item["Name"]: item["DefaultValue"] for item in definition()["Parameters"]}
    assert defaults["training_input"] == "s3://multi-model/xgboost-regression/train.csv"
    assert defaults["training_instance"] == "ml.c5.xlarge"
    assert {item["Type"] for item in definition()["Parameters"]} == {"String"}


def test_item_2_an_image_is_found_whatever_the_parameter_will_be() -> None:
    from sagemaker.core import image_uris
    from sagemaker.core.workflow.parameters import ParameterString

    instance = ParameterString("training_instance", default_value="ml.c5.xlarge")
    uri = image_uris.retrieve("xgboost", "us-east-1", version="1.0-1", py_version="py3", instance_type=instance)
    assert uri == OLD_IMAGE
    for name in ("TrainOne", "TrainTwo"):
        resources = steps(definition())[name]["Arguments"]["ResourceConfig"]
        assert resources["InstanceType"] == {"Get": "Parameters.training_instance"}


def test_item_3_the_trainings_have_the_sources_hyperparameters() -> None:
    made = steps(definition())
    for name, source in (("TrainOne", SOURCE_ONE), ("TrainTwo", SOURCE_TWO)):
        given = made[name]["Arguments"]["HyperParameters"]
        # The image of the default refuses silent, and has reg:linear under its newer name.
        expected = {key: str(value) for key, value in source.items() if key not in ("silent", "objective")}
        assert given == {**expected, "objective": "reg:squarederror"}
    outputs = [made[name]["Arguments"]["OutputDataConfig"] for name in ("TrainOne", "TrainTwo")]
    assert outputs[0] == outputs[1]


def test_item_4_the_trainings_are_independent_and_the_lambda_waits_for_both() -> None:
    assert edges(definition()) == {("TrainOne", "LambdaStep"), ("TrainTwo", "LambdaStep")}
    inputs = steps(definition())["LambdaStep"]["Arguments"]
    for name, step in (("model_artifacts_one", "TrainOne"), ("model_artifacts_two", "TrainTwo")):
        assert inputs[name] == {"Get": f"Steps.{step}.ModelArtifacts.S3ModelArtifacts"}


def test_item_9_image_and_role_are_parameters() -> None:
    inputs = steps(definition())["LambdaStep"]["Arguments"]
    assert inputs["image_uri"] == {"Get": "Parameters.image_uri"}
    assert inputs["role_arn"] == {"Get": "Parameters.model_role"}
    defaults = {item["Name"]: item["DefaultValue"] for item in definition()["Parameters"]}
    assert defaults["image_uri"] == XGBOOST and defaults["model_role"] == ROLE
    code = Path("pipelines/multi_model/deploy_endpoint.py").read_text()
    assert "dkr.ecr" not in code and "arn:aws:iam" not in code


def test_item_10_the_outputs_are_declared_as_text() -> None:
    assert "get_waiter" not in Path("pipelines/multi_model/deploy_endpoint.py").read_text()  # it answers at once
    outputs = steps(definition())["LambdaStep"]["OutputParameters"]
    assert {item["OutputName"]: item["OutputType"] for item in outputs} == dict.fromkeys(
        ("statusCode", "body", "endpoint_name"), "String"
    )


def test_item_5_the_role_is_made_once_and_then_reused(capsys: pytest.CaptureFixture[str]) -> None:
    from pipelines.multi_model.function import create_lambda_role

    with mock_aws(config={"iam": {"load_aws_managed_policies": True}}):
        iam = boto3.client("iam")
        arn = create_lambda_role(iam, "lambda-deployment-role", ROLE, "multi-model")
        trust = iam.get_role(RoleName="lambda-deployment-role")["Role"]["AssumeRolePolicyDocument"]
        assert trust["Statement"][0]["Principal"] == {"Service": "lambda.amazonaws.com"}
        attached = iam.list_attached_role_policies(RoleName="lambda-deployment-role")["AttachedPolicies"]
        assert {item["PolicyName"] for item in attached} == {
            "AWSLambdaBasicExecutionRole",
            "AmazonSageMakerFullAccess",
        }
        assert capsys.readouterr().err == ""
        assert create_lambda_role(iam, "lambda-deployment-role", ROLE, "multi-model") == arn
        assert capsys.readouterr().err == "Using the role lambda-deployment-role, which is already there\n"


@pytest.fixture(scope="module")
def ran(service: Service) -> dict[str, Any]:
    """A run with the image and the hyperparameters of the source; the steps by name."""
    s3 = service.client("s3")
    s3.create_bucket(Bucket="multi-model-source")
    s3.put_object(Bucket="multi-model-source", Key="train.csv", Body=training_csv())
    kwargs = {
        "pipeline_name": "mm-source",
        "base_job_prefix": "mm-source",
        "hyperparameters_one": SOURCE_ONE,
        "hyperparameters_two": SOURCE_TWO,
    }
    words = ("--kwargs", str(kwargs), "--parameter", f"image_uri={OLD_IMAGE}")
    data = ("--parameter", "training_input=s3://multi-model-source/train.csv")
    said = run(service, "run-pipeline", "-n", MODULE, "--role-arn", ROLE, *words, *data).stdout
    assert "Output LambdaStep.endpoint_name: mme-source" in said
    sagemaker = service.client("sagemaker")
    listed = sagemaker.list_pipeline_executions(PipelineName="mm-source")["PipelineExecutionSummaries"]
    return steps_of(sagemaker, listed[0]["PipelineExecutionArn"])


def outputs(ran: dict[str, Any]) -> dict[str, str]:
    found = ran["LambdaStep"]["Metadata"]["Lambda"]["OutputParameters"]
    return {item["Name"]: item["Value"] for item in found}


def test_item_4_11_both_trainings_run_at_the_same_time(ran: dict[str, Any]) -> None:
    one, two = ran["TrainOne"], ran["TrainTwo"]
    assert max(one["StartTime"], two["StartTime"]) < min(one["EndTime"], two["EndTime"])
    assert ran["LambdaStep"]["StartTime"] >= max(one["EndTime"], two["EndTime"])


def test_item_6_the_function_has_code_handler_and_role(service: Service, ran: dict[str, Any]) -> None:
    described = service.client("lambda").get_function(FunctionName="mm-source-deploy-endpoint")
    assert described["Configuration"]["Handler"] == "deploy_endpoint.lambda_handler"
    assert described["Configuration"]["Role"].endswith("role/lambda-deployment-role")
    assert described["Tags"]["delivery:made-by"] == "multi-model"


def container_of(service: Service, endpoint: str) -> dict[str, Any]:
    sagemaker = service.client("sagemaker")
    name = sagemaker.describe_endpoint(EndpointName=endpoint)["EndpointConfigName"]
    variant = sagemaker.describe_endpoint_config(EndpointConfigName=name)["ProductionVariants"][0]
    assert (variant["VariantName"], variant["InstanceType"]) == ("xgbvariant", "ml.c5.large")
    return dict(sagemaker.describe_model(ModelName=variant["ModelName"])["Containers"][0])


def test_item_7_8_both_artifacts_lie_under_the_models_prefix(service: Service, ran: dict[str, Any]) -> None:
    container = container_of(service, outputs(ran)["endpoint_name"])
    assert container["Mode"] == "MultiModel" and container["Image"] == OLD_IMAGE
    assert container["ModelDataUrl"].endswith("/models/")
    bucket, _, prefix = container["ModelDataUrl"].removeprefix("s3://").partition("/")
    s3, sagemaker = service.client("s3"), service.client("sagemaker")
    keys = [item["Key"] for item in s3.list_objects_v2(Bucket=bucket, Prefix=prefix)["Contents"]]
    assert keys == [f"{prefix}model-0.tar.gz", f"{prefix}model-1.tar.gz"]
    for key, step in zip(keys, ("TrainOne", "TrainTwo"), strict=True):
        job = ran[step]["Metadata"]["TrainingJob"]["Arn"].rpartition("/")[2]
        uri = sagemaker.describe_training_job(TrainingJobName=job)["ModelArtifacts"]["S3ModelArtifacts"]
        source_bucket, _, source = uri.removeprefix("s3://").partition("/")
        copied = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
        assert copied == s3.get_object(Bucket=source_bucket, Key=source)["Body"].read()


def test_item_10_12_the_outputs_come_back_by_name(ran: dict[str, Any]) -> None:
    found = outputs(ran)
    assert found["statusCode"] == "200" and json.loads(found["body"]) == "Created Endpoint!"
    assert found["endpoint_name"].startswith("mme-source2")
    names = [item["Name"] for item in ran["LambdaStep"]["Metadata"]["Lambda"]["OutputParameters"]]
    assert names[0] == "endpoint_name"  # which the source takes without looking at the name


def test_item_12_steps_are_listed_newest_first(service: Service, ran: dict[str, Any]) -> None:
    """So that the source finds its function's step at the index 0."""
    sagemaker = service.client("sagemaker")
    execution = sagemaker.list_pipeline_executions(PipelineName="mm-source")["PipelineExecutionSummaries"][0]
    listed = sagemaker.list_pipeline_execution_steps(PipelineExecutionArn=execution["PipelineExecutionArn"])
    assert listed["PipelineExecutionSteps"][0]["StepName"] == "LambdaStep"


def test_item_13_each_model_is_reached_and_answers_by_itself(service: Service, ran: dict[str, Any]) -> None:
    endpoint = outputs(ran)["endpoint_name"]
    registry(service, "wait", endpoint)
    runtime = service.client("sagemaker-runtime")
    answers = {}
    for target in ("model-0.tar.gz", "model-1.tar.gz"):
        said = registry(service, "invoke", endpoint, ROW, "--target-model", target, "--accept", "text/csv")
        answers[target] = float(said)
        response = runtime.invoke_endpoint(
            EndpointName=endpoint, TargetModel=target, Body=ROW.encode(), ContentType="text/csv", Accept="text/csv"
        )
        assert float(response["Body"].read()) == answers[target]
    assert answers["model-0.tar.gz"] != answers["model-1.tar.gz"]


def test_item_13_a_wrong_target_or_none_is_an_error(service: Service, ran: dict[str, Any]) -> None:
    endpoint = outputs(ran)["endpoint_name"]
    registry(service, "wait", endpoint)
    wrong = registry(service, "invoke", endpoint, ROW, "--target-model", "model-2.tar.gz", fails=1)
    assert "Failed to download model data" in wrong
    registry(service, "invoke", endpoint, ROW, fails=1)
    with pytest.raises(ClientError) as error:
        service.client("sagemaker-runtime").invoke_endpoint(EndpointName=endpoint, Body=ROW, ContentType="text/csv")
    assert error.value.response["Error"]["Code"] == "ValidationError"


def test_a_name_makes_the_next_run_update_the_endpoint(service: Service) -> None:
    kwargs = str({"pipeline_name": "mm-named", "base_job_prefix": "mm-named"})
    words = ("run-pipeline", "-n", MODULE, "--role-arn", ROLE, "--kwargs", kwargs)
    first = run(service, *words, "--parameter", "endpoint_name=mm-named").stdout
    assert 'LambdaStep.body: "Created Endpoint!"' in first
    registry(service, "wait", "mm-named")
    before = container_of(service, "mm-named")
    stamp = time.time()
    while time.time() < int(stamp) + 1:  # models are named by the second
        time.sleep(0.05)
    second = run(service, *words, "--parameter", "endpoint_name=mm-named").stdout
    assert 'LambdaStep.body: "Updated Endpoint!"' in second
    registry(service, "wait", "mm-named")
    assert container_of(service, "mm-named")["ModelDataUrl"] != before["ModelDataUrl"]
    registry(service, "clean-up", "mm-named", "--made-by", "multi-model", "--keep", "data")
    nothing = registry(service, "clean-up", "mm-named", "--made-by", "multi-model", "--keep", "data")
    assert nothing.startswith("There is nothing to clean up")


@pytest.mark.parametrize("lacking", ["model_artifacts_one", "image_uri", "role_arn", "models_prefix"])
def test_the_function_says_what_its_event_lacks(lacking: str) -> None:
    with mock_aws():
        from pipelines.multi_model import deploy_endpoint

        event = dict.fromkeys(deploy_endpoint.REQUIRED, "s3://x/y")
        with pytest.raises(ValueError, match=f"lacks {lacking}"):
            deploy_endpoint.lambda_handler({**event, lacking: ""}, None)
