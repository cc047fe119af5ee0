"""What CreatePipeline refuses of the values that a definition gives. Each table is one kind."""

from __future__ import annotations

from typing import Any

import pytest

from local_sagemaker.engine.validation import read
from tests.unit.engine.definitions import (
    EQUAL,
    FAILED,
    JSON_GET,
    OUTPUTS,
    PREFIX,
    check,
    cluster,
    condition,
    container,
    endpoint,
    endpoint_config,
    function,
    join,
    longer,
    model,
    no_enum,
    no_match,
    null,
    refusal,
    register,
    source,
    text,
    transform,
)
from tests.unit.engine.world import get, processing, training, tuning


@pytest.mark.parametrize(
    ("steps", "reference", "place"),
    [
        *[([container(ContainerArguments=["-n", get(f"Parameters.{p}")])], f"Parameters.{p}", "String") for p in "IFB"],
        *[([processing("A", Environment={"E": get(f"Parameters.{p}")})], f"Parameters.{p}", "String") for p in "IFB"],
        ([training("T", HyperParameters={"eta": get("Parameters.F")})], "Parameters.F", "String"),
        ([cluster(InstanceType=get("Parameters.I"))], "Parameters.I", "String"),
        ([cluster(InstanceCount=get("Parameters.S"))], "Parameters.S", "Integer"),
        ([cluster(InstanceCount=get("Parameters.U"))], "Parameters.U", "Integer"),
        ([cluster(VolumeSizeInGB=get("Parameters.F"))], "Parameters.F", "Integer"),
        ([cluster(VolumeSizeInGB=get("Execution.PipelineName"))], "Execution.PipelineName", "Integer"),
        ([training("T", EnableNetworkIsolation=get("Parameters.S"))], "Parameters.S", "Boolean"),
        ([training("T", EnableManagedSpotTraining=get("Parameters.I"))], "Parameters.I", "Boolean"),
        ([endpoint_config(InitialVariantWeight=get("Parameters.B"))], "Parameters.B", "Float"),
        ([transform(MaxPayloadInMB=get("Parameters.S"))], "Parameters.S", "Integer"),
        ([register(ModelApprovalStatus=get("Parameters.B"))], "Parameters.B", "String"),
        ([model(Tags=[{"Key": "k", "Value": get("Parameters.I")}])], "Parameters.I", "String"),
        ([check(SkipCheck=get("Parameters.S"))], "Parameters.S", "Boolean"),
        ([check(SuppliedBaselineStatistics=get("Parameters.B"))], "Parameters.B", "String"),
        ([{"Name": "F", "Type": "Fail", "Arguments": {"ErrorMessage": get("Parameters.F")}}], "Parameters.F", "String"),
        ([function(FunctionArn=get("Parameters.I"))], "Parameters.I", "String"),
        # what steps give has the types of the Describe operations
        (
            [training("T"), processing("A", Environment={"E": get("Steps.T.FinalMetricDataList['m'].Value")})],
            "Steps.T.FinalMetricDataList['m'].Value",
            "String",
        ),
        (
            [training("T"), processing("A", Environment={"E": get("Steps.T.ModelArtifacts")})],
            "Steps.T.ModelArtifacts",
            "String",
        ),
        (
            [
                function(OutputParameters=OUTPUTS),
                processing("A", Environment={"E": get("Steps.L.OutputParameters['n']")}),
            ],
            "Steps.L.OutputParameters['n']",
            "String",
        ),
        (
            [condition(EQUAL), processing("A", Environment={"E": get("Steps.If.Outcome")})],
            "Steps.If.Outcome",
            "String",
        ),
        ([training("T"), function(Arguments={"x": get("Steps.T.ModelArtifacts")})], "Steps.T.ModelArtifacts", "Any"),
    ],
)
def test_references_of_another_type_than_their_place(steps: list[Any], reference: str, place: str) -> None:
    expected = f"Cannot assign property reference [{reference}] to argument of type [{place}]."
    assert refusal(text(*steps)) == expected


@pytest.mark.parametrize(
    "steps",
    [
        [container(ContainerArguments=["-n", join(get("Parameters.I")), JSON_GET, get("Parameters.S")])],
        [processing("A", Environment={"E": join(get("Parameters.F"), 1, True, "x", join(get("Parameters.B")))})],
        [cluster(InstanceCount=get("Parameters.I"), VolumeSizeInGB=JSON_GET, InstanceType=get("Parameters.U"))],
        [endpoint_config(InitialVariantWeight=get("Parameters.I"))],  # whole numbers are floats, too
        [endpoint_config(InitialVariantWeight=get("Parameters.F"), ModelName=join("m", get("Execution.PipelineName")))],
        [training("T", EnableNetworkIsolation=get("Parameters.B"))],
        [check(SkipCheck=get("Parameters.B"), FailOnViolation=True, ModelPackageGroupName=get("Parameters.S"))],
        [function(Arguments={"i": get("Parameters.I"), "f": get("Parameters.F"), "b": True, "s": JSON_GET})],
        [
            function(OutputParameters=OUTPUTS),
            cluster(InstanceCount=get("Steps.L.OutputParameters['n']")),
            register(ModelPackageDescription=get('Steps.L.OutputParameters["s"]')),
        ],
        [
            tuning("T"),
            processing("A", Environment={"E": get("Steps.T.TrainingJobSummaries[3].TrainingJobName")}),
            processing("B", Environment={"E": get("Steps.T.BestTrainingJob.TrainingJobName")}),
        ],
        [
            check("ClarifyCheck", "MODEL_BIAS", ModelName=get("Steps.M.ModelName")),
            model(PrimaryContainer={"Image": get("Parameters.S"), "ModelDataUrl": join("s3:/", "b", on="/")}),
            processing("A", Environment={"E": get("Steps.Q.BaselineUsedForDriftCheckConstraints")}),
        ],
        [
            processing("A", Environment={"in": "x"}),
            processing("B", Environment={"E": get("Steps.A.Environment['in']")}),
            processing("C", Environment={"E": get("Steps.A.ProcessingOutputConfig.Outputs['out'].S3Output.S3Uri")}),
            cluster(InstanceCount=get("Steps.B.ProcessingResources.ClusterConfig.InstanceCount")) | {"Name": "D"},
        ],
        [endpoint_config(), endpoint(EndpointConfigName=get("Steps.C.EndpointConfigName"))],
        [condition({"Type": "GreaterThan", "LeftValue": JSON_GET, "RightValue": get("Parameters.F")})],
    ],
)
def test_expressions_are_taken_wherever_their_type_fits(steps: list[Any]) -> None:
    read(text(*steps))


@pytest.mark.parametrize(
    ("step", "problem"),
    [
        (container(ContainerArguments=["x" * 257]), longer(257, 256, "ContainerArgument")),
        (container(ContainerEntrypoint=["x" * 257]), longer(257, 256, "ContainerEntrypointString")),
        (processing("A", Environment={"E": "x" * 257}), longer(257, 256, "ProcessingEnvironmentValue")),
        (processing("A", ProcessingJobName="x" * 64), longer(64, 63, "ProcessingJobName")),
        (training("T", HyperParameters={"a": "x" * 2501}), longer(2501, 2500, "HyperParameterValue")),
        (training("T", HyperParameters={"x" * 257: "a"}), longer(257, 256, "HyperParameterKey")),
        (
            processing("A", RoleArn="arn:aws:iam::1"),
            "string 'arn:aws:iam::1' with length=14 cannot be less than min=20.0 defined for RoleArn.",
        ),
        (
            register(Tags=[{"Key": "", "Value": ""}]),
            "string '' with length=0 cannot be less than min=1.0 defined for TagKey.",
        ),
        (
            processing("A", ProcessingInputs=[{"InputName": "i"}] * 11),
            "list with size=11 cannot be greater than max=10.0 defined for ProcessingInputs.",
        ),
        (
            container(ContainerArguments=[]),
            "list with size=0 cannot be less than min=1.0 defined for ContainerArguments.",
        ),
        (
            processing("A", Environment={str(i): "x" for i in range(101)}),
            "map with size=101 cannot be greater than max=100.0 defined for ProcessingEnvironmentMap.",
        ),
        (cluster(InstanceCount=0), "number 0 cannot be less than min=1.0 defined for ProcessingInstanceCount."),
        (
            cluster(InstanceCount=10**400),
            f"number {10**400} cannot be greater than max=100.0 defined for ProcessingInstanceCount.",
        ),
        (
            transform(MaxConcurrentTransforms=-1),
            "number -1 cannot be less than min=0.0 defined for MaxConcurrentTransforms.",
        ),
        (
            training("T", StoppingCondition={"MaxRuntimeInSeconds": 0}),
            "number 0 cannot be less than min=1.0 defined for MaxRuntimeInSeconds.",
        ),
        (source(S3InputMode="FastFile"), no_enum("FastFile", "ProcessingS3InputMode", "Pipe, File")),
        (source(S3DataType="Prefix"), no_enum("Prefix", "ProcessingS3DataType", "ManifestFile, S3Prefix")),
        (
            register(ModelApprovalStatus="Yes"),
            no_enum("Yes", "ModelApprovalStatus", "Approved, Rejected, PendingManualApproval"),
        ),
        (transform(BatchStrategy="Many"), no_enum("Many", "BatchStrategy", "MultiRecord, SingleRecord")),
        (
            tuning("T", config={"Strategy": "Guess"}),
            no_enum("Guess", "HyperParameterTuningJobStrategyType", "Bayesian, Random, Hyperband, Grid"),
        ),
        (source(S3Uri="file:///x"), no_match("file:///x", "S3Uri", "(https|s3)://([^/]+)/?(.*)")),
        (
            processing("A", RoleArn="a role that is no ARN"),
            no_match("a role that is no ARN", "RoleArn", r"arn:aws[a-z\-]*:iam::\d{12}:role/?[a-zA-Z_0-9+=,.@\-_/]+"),
        ),
        (register(ModelPackageGroupName="a b"), None),
        (endpoint(EndpointName="a_b"), None),
        (
            processing("A", ProcessingResources={"ClusterConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1}}),
            null("ProcessingResources.ClusterConfig.VolumeSizeInGB"),
        ),
        (endpoint_config(VariantName=None), null("ProductionVariants.VariantName")),
        ({"Name": "M", "Type": "Transform", "Arguments": {}}, null("ModelName")),
    ],
)
def test_literals_that_the_api_does_not_take(step: dict[str, Any], problem: str | None) -> None:
    message = refusal(text(step))
    assert message == f"{FAILED}{problem}" if problem else message.startswith(FAILED)


@pytest.mark.parametrize(
    ("step", "place", "where"),
    [
        (cluster(InstanceCount="1"), "Integer", "ProcessingResources.ClusterConfig.InstanceCount"),
        (cluster(InstanceCount=1.5), "Integer", "ProcessingResources.ClusterConfig.InstanceCount"),
        (cluster(InstanceType=5), "String", "ProcessingResources.ClusterConfig.InstanceType"),
        (training("T", HyperParameters={"depth": 5}), "String", "HyperParameters.depth"),
        (training("T", EnableNetworkIsolation="true"), "Boolean", "EnableNetworkIsolation"),
        (processing("A", Environment={"E": True}), "String", "Environment.E"),
        (check(SkipCheck="False"), "Boolean", "SkipCheck"),
        (check(ModelPackageGroupName=1), "String", "ModelPackageGroupName"),
        ({"Name": "F", "Type": "Fail", "Arguments": {"ErrorMessage": 1}}, "String", "ErrorMessage"),
    ],
)
def test_literals_of_another_type(step: dict[str, Any], place: str, where: str) -> None:
    assert refusal(text(step)).startswith(f"{PREFIX}Expecting a value of type [{place}] for '{where}', not ")


@pytest.mark.parametrize(
    "step",
    [
        container(ContainerArguments=["x" * 256], ContainerEntrypoint=["x" * 256]),
        processing("A", ProcessingInputs=[{"InputName": f"i{i}"} for i in range(10)]),
        cluster(InstanceCount=2.0),
        register(ModelMetrics={"Explainability": {}}),
        endpoint_config(InitialVariantWeight=1),
        training("T", TrainingJobName="a-prefix"),
    ],
)
def test_literals_at_their_limits(step: dict[str, Any]) -> None:
    read(text(step))


@pytest.mark.parametrize(
    ("config", "problem"),
    [
        (
            {"ExperimentName": "a b"},
            "Value 'a b' for 'ExperimentEntityName' failed to satisfy regular expression pattern: ",
        ),
        (
            {"ExperimentName": "e", "TrialName": "x" * 121},
            "with length=121 cannot be greater than max=120.0 defined for ",
        ),
        ({"ExperimentName": get("Execution.PipelineName"), "TrialName": get("Execution.PipelineExecutionId")}, None),
    ],
)
def test_names_of_the_experiment_are_names(config: dict[str, object], problem: str | None) -> None:
    definition = text(processing("A"), PipelineExperimentConfig=config)
    if problem is None:
        read(definition)
    else:
        assert problem in refusal(definition)
