"""Every error text that was recorded from AWS, of the operations that exist here, through an unmodified boto3."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.support import ROLE, SCIKIT_LEARN, XGBOOST, Service, finished, shared_file, start, steps_of, until

BUCKET = "error-texts"
BAD_NAME = "x_" * 40
VARIANT = {"VariantName": "A", "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}


@pytest.fixture(scope="module")
def sagemaker(service: Service) -> Any:
    """A client of a service with the bucket and what must be there already."""
    service.client("s3").create_bucket(Bucket=BUCKET)
    made = service.client("sagemaker")
    made.create_model(ModelName="error-texts", ExecutionRoleArn=ROLE, PrimaryContainer={"Image": XGBOOST})
    made.create_model_package_group(ModelPackageGroupName="error-texts")
    made.create_endpoint_config(
        EndpointConfigName="error-texts", ProductionVariants=[{**VARIANT, "ModelName": "error-texts"}]
    )
    return made


def pipeline(sagemaker: Any, definition: Any) -> Any:
    text = definition if isinstance(definition, str) else json.dumps({"Version": "2020-12-01", **definition})
    return sagemaker.create_pipeline(PipelineName="error-texts", PipelineDefinition=text, RoleArn=ROLE)


def step(kind: str, arguments: dict[str, Any]) -> dict[str, Any]:
    return {"Steps": [{"Name": "A", "Type": kind, "Arguments": arguments}]}


def model(sagemaker: Any, name: str, **container: str) -> Any:
    container = {"Image": XGBOOST, **container}
    return sagemaker.create_model(ModelName=name, ExecutionRoleArn=ROLE, PrimaryContainer=container)


def transform(sagemaker: Any) -> Any:
    source = {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": f"s3://{BUCKET}/none/"}}
    return sagemaker.create_transform_job(
        TransformJobName="error-texts",
        ModelName="error-texts",
        TransformInput={"DataSource": source},
        TransformOutput={"S3OutputPath": f"s3://{BUCKET}/out"},
        TransformResources={"InstanceType": "ml.m5.large", "InstanceCount": 1},
    )


def endpoint_config(sagemaker: Any, name: str, model_name: str) -> Any:
    return sagemaker.create_endpoint_config(
        EndpointConfigName=name, ProductionVariants=[{**VARIANT, "ModelName": model_name}]
    )


# By operation and the beginning of the recorded text: how the error is caused here.
CAUSES: dict[tuple[str, str], Callable[[Any], Any]] = {
    ("DescribeTrainingJob", "Requested"): lambda c: c.describe_training_job(TrainingJobName="none"),
    ("DeleteMonitoringSchedule", "Monitoring"): lambda c: c.delete_monitoring_schedule(MonitoringScheduleName="none"),
    ("DescribeFeatureGroup", "Resource"): (
        lambda c: c.describe_feature_group(FeatureGroupName="device-feature-group-16-16-29-15")
    ),
    ("DeleteEndpointConfig", "Could"): lambda c: c.delete_endpoint_config(EndpointConfigName="none"),
    ("CreatePipeline", "Unable to parse pipeline definition. Expecting start of Json Object"): (
        lambda c: pipeline(c, "[]")
    ),
    ("CreatePipeline", "Unable to parse pipeline definition. Expecting start of Json Array"): (
        lambda c: pipeline(c, step("Processing", {"ProcessingInputs": {"Get": "Parameters.X"}}))
    ),
    ("CreatePipeline", "Unable to parse pipeline definition. Unknown Argument member 'ModelPackageName'"): (
        lambda c: pipeline(c, step("RegisterModel", {"ModelPackageName": "x"}))
    ),
    ("CreatePipeline", "Unable to parse pipeline definition. Unknown Argument member 'AdditionalModelDataSources'"): (
        lambda c: pipeline(c, step("Model", {"AdditionalModelDataSources": []}))
    ),
    ("CreateTransformJob", "No S3"): transform,
    ("CreateModel", "Could"): lambda c: model(c, "none", ModelDataUrl=f"s3://{BUCKET}/none/model.tar.gz"),
    ("CreateModel", "2 validation"): lambda c: model(c, BAD_NAME),
    ("CreateEndpointConfig", "1 validation"): lambda c: endpoint_config(c, "none", "ENTER MODEL NAME"),
    ("CreateEndpointConfig", "Cannot"): lambda c: endpoint_config(c, "error-texts", "error-texts"),
    ("CreateModelPackageGroup", "Model"): lambda c: c.create_model_package_group(ModelPackageGroupName="error-texts"),
}


# Recorded texts that another test holds, by operation.
HELD = {
    "StartPipelineExecution", "DescribePipelineExecution FailureReason",
    "pipeline step FailureReason (CreateProcessingJob)",  # below
    "FailStep FailureReason",  # test_engine_truth
    "model monitor job FailureReason", "monitor job ExitMessage",  # test_containers_model_monitor
    "monitoring execution FailureReason",  # test_monitoring
    "clarify job ExitMessage",  # test_truth_monitors
    "pipeline execution waiter",  # the client's own, of a status that test_engine_truth holds
}  # fmt: skip
# Those that are others here (docs/reference/differences.md): there are no quotas and no model cards.
DIFFERENT = {"CreateEndpoint", "CreateModelCard"}


def recorded() -> list[dict[str, str]]:
    return list(json.loads(shared_file("truth/api-errors/errors.json").read_text("utf-8")))


def general(text: str) -> str:
    """The text without what differs by account: values in quotes, ARNs, S3 locations, regions."""
    for pattern, name in (
        (r'"[^"]*"', '"..."'), (r"arn:[^\s\"]+", "ARN"), (r"s3://\S+", "S3"), (r"\(?[a-z]{2}-[a-z]+-\d\)?", "REGION"),
        (r"Value '[^']*'", "VALUE"),
    ):  # fmt: skip
        text = re.sub(pattern, name, text)
    return text.rstrip(".")


@pytest.mark.truth
@pytest.mark.parametrize(("operation", "beginning"), CAUSES)
def test_the_recorded_text(sagemaker: Any, operation: str, beginning: str) -> None:
    found = [r for r in recorded() if r["operation"] == operation and r["message"].startswith(beginning)]
    assert len(found) == 1
    with pytest.raises(ClientError) as raised:
        CAUSES[operation, beginning](sagemaker)
    error = raised.value.response["Error"]
    assert error["Code"] == found[0]["code"]
    assert general(error["Message"]) == general(found[0]["message"])


@pytest.mark.truth
def test_every_recorded_text_is_answered() -> None:
    caused = {r["operation"] for r in recorded() for operation, _ in CAUSES if r["operation"] == operation}
    assert {r["operation"] for r in recorded()} == caused | HELD | DIFFERENT


def test_there_are_no_quotas_and_no_model_cards(sagemaker: Any) -> None:
    """The recorded account may have 0 instances of this type; CreateModelCard is an operation that is not here."""
    variant = {**VARIANT, "ModelName": "error-texts", "InstanceType": "ml.m4.xlarge"}
    sagemaker.create_endpoint_config(EndpointConfigName="no-quota", ProductionVariants=[variant])
    assert sagemaker.create_endpoint(EndpointName="no-quota", EndpointConfigName="no-quota")["EndpointArn"]
    until(lambda: sagemaker.describe_endpoint(EndpointName="no-quota")["EndpointStatus"] != "Creating", "its end")
    sagemaker.delete_endpoint(EndpointName="no-quota")
    with pytest.raises(ClientError) as raised:
        sagemaker.create_model_card(ModelCardName="breast-cancer", Content="{}", ModelCardStatus="Draft")
    assert raised.value.response["ResponseMetadata"]["HTTPStatusCode"] == 501


@pytest.mark.truth
def test_the_recorded_texts_of_executions(sagemaker: Any) -> None:
    texts = {r["operation"]: r["message"] for r in recorded()}
    source = {"S3Uri": f"s3://{BUCKET}/none/", "LocalPath": "/opt/ml/processing/in", "S3DataType": "S3Prefix"}
    arguments = {
        "ProcessingResources": {
            "ClusterConfig": {"InstanceType": "ml.t3.medium", "InstanceCount": 1, "VolumeSizeInGB": 1}
        },
        "AppSpecification": {"ImageUri": SCIKIT_LEARN, "ContainerEntrypoint": ["true"]},
        "RoleArn": ROLE,
        "ProcessingInputs": [{"InputName": "in", "S3Input": source}],
    }
    definition = {
        **step("Processing", arguments), "Parameters": [{"Name": "P", "Type": "String", "DefaultValue": ""}],
    }  # fmt: skip
    definition["Steps"].append({"Name": "B", "Type": "Model", "Arguments": {}, "DependsOn": ["A"]})
    pipeline(sagemaker, definition)
    with pytest.raises(ClientError, match=re.escape('[string "" is too short (length: 0, required minimum: 1)]')):
        start(sagemaker, "error-texts", P="")
    with pytest.raises(ClientError) as raised:
        sagemaker.start_pipeline_execution(
            PipelineName="error-texts", SelectiveExecutionConfig={"SelectedSteps": [{"StepName": "B"}]}
        )
    expected = "Invalid SourcePipelineExecutionArn: null. The selected steps [B] have dependencies on [A]"
    assert raised.value.response["Error"]["Message"] == expected
    execution = start(sagemaker, "error-texts")
    assert finished(sagemaker, execution)["FailureReason"] == texts["DescribePipelineExecution FailureReason"]
    reason = steps_of(sagemaker, execution)["A"]["FailureReason"]
    assert general(reason) == general(texts["pipeline step FailureReason (CreateProcessingJob)"])
