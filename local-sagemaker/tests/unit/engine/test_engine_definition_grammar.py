"""What CreatePipeline refuses of the form of a definition. Each table is one kind."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from local_sagemaker.engine.validation import read
from tests.unit.engine.definitions import (
    EQUAL,
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
    model,
    refusal,
    register,
    source,
    text,
    transform,
)
from tests.unit.engine.world import get, processing, training, tuning


@pytest.mark.parametrize(
    ("definition", "name"),
    [
        (text(condition({"Type": "Not", "Expression": EQUAL})), "Expression"),
        (text(condition({**EQUAL, "Colour": 1})), "Colour"),
        (text(condition({"Type": "Or", "Conditions": [{**EQUAL, "Deep": 1}]})), "Deep"),
        (text(condition({"Type": "In", "QueryValue": 1, "In": [1]})), "QueryValue"),
        (text({**processing("A"), "Nonsense": 1}), "Nonsense"),
        (text({**training("T"), "PropertyFiles": []}), "PropertyFiles"),
        (text({**model(), "CacheConfig": {"Enabled": True}}), "CacheConfig"),
        (text({**endpoint(), "RetryPolicies": []}), "RetryPolicies"),
        (text({**condition(EQUAL), "CacheConfig": {}}), "CacheConfig"),
        (text({**processing("A"), "SkipCheck": True}), "SkipCheck"),
        (text(check("ClarifyCheck", "DATA_BIAS", SuppliedBaselineStatistics="s3://b/k")), "SuppliedBaselineStatistics"),
        (text(processing("A", CacheConfig={"Enabled": True, "Expires": "P1D"})), "Expires"),
        (text(processing("A", RetryPolicies=[{"ExceptionType": ["Step.THROTTLING"], "Times": 1}])), "Times"),
        (text(processing("A", DependsOn=[{"Step": "A", "When": "Any"}])), "When"),
        (text(processing("A", PropertyFiles=[{"Name": "x"}])), "Name"),
        (text(function(OutputParameters=[{"OutputName": "o", "Type": "String"}])), "Type"),
        (text(processing("A", Environment={"E": {"Std:Join": {"With": "", "Values": []}}})), "With"),
        (text(processing("A", Environment={"E": {"Std:JsonGet": {"S3Uri": "s3://b/k", "Path": "a", "X": 1}}})), "X"),
        (text(Extra=1), "Extra"),
        (text(PipelineExperimentConfig={"ExperimentName": "x", "Trial": "y"}), "Trial"),
        (text(MlflowConfig={"Arn": "x"}), "Arn"),
        (json.dumps({"Parameters": [{"Name": "P", "Default": 1}], "Steps": []}), "Default"),
    ],
)
def test_unknown_properties_of_the_grammar(definition: str, name: str) -> None:
    assert refusal(definition) == f"{PREFIX}Cannot parse object, unknown property '{name}'."


@pytest.mark.parametrize(
    ("step", "text_of_problem"),
    [
        (container(Colour=1), "Unknown Argument member 'Colour'"),
        (source(S3InputModes="File"), "Unknown Argument member 'S3InputModes'"),
        (endpoint_config(Colour=1), "Unknown Argument member 'Colour'"),
        (model(Colour=1), "Unknown Argument member 'Colour'."),
        (condition(EQUAL, Then=[]), "Unknown Argument member 'Then'."),
        (container(ContainerArguments=get("Parameters.S")), "Expecting start of Json Array."),
        (processing("A", Environment=get("Parameters.S")), "'Environment' can't be an expression; its values can."),
        (processing("A", Environment=[]), "Expecting start of Json Object."),
        (processing("A", NetworkConfig="none"), "Expecting start of Json Object."),
        (
            container(ContainerArguments=["a", None]),
            "Expecting a value or an expression for 'AppSpecification.ContainerArguments'.",
        ),
        (
            container(ContainerArguments=[["a"]]),
            "Expecting a value or an expression for 'AppSpecification.ContainerArguments'.",
        ),
        (
            cluster(InstanceCount={"Get": "Parameters.I", "X": 1}),
            "Expecting a value or an expression for 'ProcessingResources.ClusterConfig.InstanceCount'.",
        ),
        (
            cluster(InstanceCount=join("1")),
            "Std:Join makes a String, which 'ProcessingResources.ClusterConfig.InstanceCount' of type [Integer] can't "
            "take.",
        ),
        (container(ContainerArguments=[{"Std:Join": {"On": ""}}]), "Std:Join must have Values."),
        (container(ContainerArguments=[join(["a"])]), "Values of Std:Join must be values or expressions."),
        (container(ContainerArguments=[join(None)]), "Values of Std:Join must be values or expressions."),
        (condition({"Type": "Equals", "LeftValue": 1}), "A condition of type Equals has no RightValue."),
        (
            condition({"Type": "And", "Conditions": []}),
            "Type of a condition must be one of Equals, NotEquals, GreaterThan, GreaterThanOrEqualTo, LessThan, "
            'LessThanOrEqualTo, In, NotIn, Not, Or, not "And".',
        ),
        (condition({"Type": "In", "QueryValue": 1, "Values": 2}), "Values of a condition must be an array."),
        (
            condition({"Type": "Equals", "LeftValue": [1], "RightValue": 1}),
            "Expecting a value or an expression for 'LeftValue'.",
        ),
        ({"Name": "F", "Type": "Fail"}, "Fail step 'F' has no Arguments."),
        (function(OutputParameters=[OUTPUTS[0]] * 2), "Step 'L' has two output parameters 'n'."),
        (
            {
                **check(),
                "Arguments": {
                    key: value for key, value in processing("Q")["Arguments"].items() if key != "ProcessingOutputConfig"
                },
            },
            "The job of step 'Q' has no output, where its baseline would be.",
        ),
    ],
)
def test_forms_that_can_not_be_read(step: dict[str, Any], text_of_problem: str) -> None:
    assert refusal(text(step)) == f"{PREFIX}{text_of_problem}"


@pytest.mark.parametrize(
    ("steps", "problem"),
    [
        ([processing("A")], "refers to 'Steps.A.Outputs', which Processing steps do not have: 'Outputs' does"),
        ([training("A")], "refers to 'Steps.A.ModelArtifacts.S3Uri', which Training steps do not have: 'S3Uri' does"),
        ([tuning("A")], "refers to 'Steps.A.BestTrainingJobs', which Tuning steps do not have"),
        ([model() | {"Name": "A"}], "refers to 'Steps.A.ModelData', which Model steps do not have"),
        ([register() | {"Name": "A"}], "refers to 'Steps.A.ModelPackage', which RegisterModel steps do not have"),
        ([check() | {"Name": "A"}], "refers to 'Steps.A.ProcessingJobName', which QualityCheck steps do not have"),
        (
            [check("ClarifyCheck", "DATA_BIAS") | {"Name": "A"}],
            "refers to 'Steps.A.CalculatedBaselineStatistics', which ClarifyCheck steps do not have",
        ),
        ([condition(EQUAL) | {"Name": "A"}], "refers to 'Steps.A.Result', which Condition steps do not have"),
        (
            [function(OutputParameters=OUTPUTS) | {"Name": "A"}],
            "refers to 'Steps.A.OutputParameters['x']', which Lambda steps do not have: 'x' does not exist "
            "(there are: n, s)",
        ),
        ([endpoint() | {"Name": "A"}], "refers to 'Steps.A.Arn', which Endpoint steps do not have"),
        (
            [endpoint_config() | {"Name": "A"}],
            "refers to 'Steps.A.EndpointName', which EndpointConfig steps do not have",
        ),
        ([transform() | {"Name": "A"}], "refers to 'Steps.A.TransformOutput['x']', which Transform steps do not have"),
    ],
)
def test_properties_that_a_step_does_not_have(steps: list[Any], problem: str) -> None:
    path = problem.split(", which", 1)[0].removeprefix("refers to '").removesuffix("'")
    for reader in (
        processing("B", Environment={"E": get(path)}),
        processing("B", Environment={"E": join("x", join(get(path)))}),
        condition({"Type": "Not", "Condition": {"Type": "Equals", "LeftValue": get(path), "RightValue": 1}}),
    ):
        assert f"Step '{reader['Name']}' {problem}" in refusal(text(*steps, reader))


def test_property_files() -> None:
    file = {"PropertyFileName": "F", "OutputName": "out", "FilePath": "f.json"}
    reader = {"PropertyFile": get("Steps.A.PropertyFiles.F"), "Path": "a"}
    given = processing("A", PropertyFiles=[file])
    read(text(given, processing("B", Environment={"E": {"Std:JsonGet": reader}})))
    outside = refusal(text(given, processing("B", Environment={"E": get("Steps.A.PropertyFiles.F")})))
    assert outside == f"{PREFIX}Step 'B' uses 'Steps.A.PropertyFiles.F' outside of Std:JsonGet."
    missing = refusal(text(processing("A"), processing("B", Environment={"E": {"Std:JsonGet": reader}})))
    assert "refers to property file 'Steps.A.PropertyFiles.F', which step 'A' does not declare." in missing
    bare = {"PropertyFile": "Steps.A.PropertyFiles.F", "Path": "a"}
    assert "must be a reference to Steps.<step>.PropertyFiles.<name>" in refusal(
        text(given, processing("B", Environment={"E": {"Std:JsonGet": bare}}))
    )


@pytest.mark.parametrize(
    "steps",
    [
        [processing("Encode"), processing("Encode")],
        [condition(EQUAL, IfSteps=[processing("Encode")], ElseSteps=[training("Encode")])],
        [processing("Encode"), condition(EQUAL, IfSteps=[processing("Encode")])],
        [condition(EQUAL, IfSteps=[{**condition(EQUAL, ElseSteps=[processing("Encode")]), "Name": "Encode"}])],
    ],
)
def test_a_name_used_twice(steps: list[Any]) -> None:
    assert refusal(text(*steps)) == "Step name [Encode] is used multiple times."


def nested(levels: int, inner: Any, wrap: Any) -> Any:
    for _ in range(levels):
        inner = wrap(inner)
    return inner


@pytest.mark.parametrize(
    "definition",
    [
        "[" * 100_000,
        '{"Steps":' * 50_000,
        '{"Steps": [' + '{"a":' * 3_000 + "1" + "}" * 3_000 + "]}",
        text(condition(nested(300, EQUAL, lambda inner: {"Type": "Not", "Condition": inner}))),
        text(condition(nested(300, EQUAL, lambda inner: {"Type": "Or", "Conditions": [inner]}))),
        text(processing("A", Environment={"E": nested(200, "x", join)})),
        text(nested(100, condition(EQUAL), lambda inner: condition(EQUAL, IfSteps=[inner]))),
        text(processing("A", Environment=nested(300, {}, lambda inner: {"x": inner}))),
        '{"Steps": [], "Metadata": {"a": NaN}}',
        '{"Steps": [], "Metadata": {"a": "\\ud800"}}',
        '{"Steps": [], "Metadata": {"a": ' + "1" * 5000 + "}}",
        "\ufeff{}",
        "{}{}",
        "null",
    ],
)
def test_deep_and_malformed_definitions_are_refused_in_bounded_time(definition: str) -> None:
    start = time.monotonic()
    assert refusal(definition).startswith(PREFIX)
    assert time.monotonic() - start < 2


def test_what_is_nested_less_deep_is_read() -> None:
    conditions = nested(60, EQUAL, lambda inner: {"Type": "Not", "Condition": inner})
    steps = nested(20, condition(conditions), lambda inner: condition(EQUAL, IfSteps=[inner]))
    for number, part in enumerate(walk(steps)):
        part["Name"] = f"If{number}"
    read(text(steps, processing("A", Environment={"E": nested(50, "x", join)})))


def walk(step: dict[str, Any]) -> list[dict[str, Any]]:
    found = [step]
    while "IfSteps" in found[-1]["Arguments"]:
        found.append(found[-1]["Arguments"]["IfSteps"][0])
    return found


@pytest.mark.parametrize(
    "parameter",
    [
        {"Name": "P", "Type": "Float", "DefaultValue": 10**400},
        {"Name": "P", "Type": "Integer", "DefaultValue": 2**63},
        {"Name": "P", "Type": "String", "DefaultValue": 1},
        {"Name": "P", "DefaultValue": 1},
        {"Name": "P", "Type": "Boolean", "DefaultValue": 0},
        {"Name": "P", "Type": "Boolean", "DefaultValue": "true"},
        {"Name": "P", "Type": "String", "Description": 1},
        {"Name": "P", "Type": "String", "Description": "x" * 4097},
        {"Name": "x" * 65, "Type": "String"},
        {"Name": "a.b", "Type": "String"},
        {"Name": "P", "Type": ["String"]},
        {"Type": "String"},
    ],
)
def test_parameters_that_are_refused(parameter: dict[str, Any]) -> None:
    assert refusal(json.dumps({"Parameters": [parameter], "Steps": []})).startswith(PREFIX)
