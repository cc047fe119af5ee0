"""Definitions: what is read, and what is refused with which text."""

from __future__ import annotations

import ast
import importlib
import json
import pkgutil
from typing import Any

import pytest

from local_sagemaker.engine import steps as step_package
from local_sagemaker.engine.definition import Dependency, parse
from local_sagemaker.engine.durations import seconds
from local_sagemaker.engine.graph import cycle, graph
from local_sagemaker.engine.steps import STEP_TYPES, StepType, step_type
from local_sagemaker.engine.validation import read
from local_sagemaker.errors import ValidationError
from tests.support import SHARED
from tests.unit.engine.world import get, processing, training

TRUTH = SHARED / "truth"
PREFIX = "Unable to parse pipeline definition. "


def text(*steps: Any, **more: Any) -> str:
    return json.dumps({"Version": "2020-12-01", "Steps": list(steps), **more})


def register(**more: Any) -> dict[str, Any]:
    return {"Name": "R", "Type": "RegisterModel", "Arguments": {"ModelPackageGroupName": "g", **more}}


def condition(*conditions: Any) -> dict[str, Any]:
    return {"Name": "If", "Type": "Condition", "Arguments": {"Conditions": list(conditions)}}


_OTHER_TYPES = "EMR, EMRServerless, AutoML, ForEach, Cleanup, Lineage, InferenceComponent, Job, Athena, HubContent"
_OF_BEDROCK = ("CustomModel", "CustomModelDeployment", "ModelImport", "ProvisionedModelThroughput")
UNSUPPORTED = (*_OTHER_TYPES.split(", "), *(f"Bedrock{name}" for name in _OF_BEDROCK))
FAIL = {"Name": "Stop", "Type": "Fail", "Arguments": {"ErrorMessage": "no"}}
EXPRESSION_FOR_LIST = processing("A", AppSpecification={"ImageUri": "i", "ContainerArguments": get("Parameters.X")})


@pytest.mark.parametrize(
    ("definition", "message"),
    [
        ("", "Expecting start of Json Object."),
        ("no json", "Expecting start of Json Object."),
        ("[]", "Expecting start of Json Object."),
        (text({"Name": "A", "Type": "Processing", "Arguments": []}), "Expecting start of Json Object."),
        (json.dumps({"Steps": {}}), "Expecting start of Json Array."),
        (text(EXPRESSION_FOR_LIST), "Expecting start of Json Array."),
        (text(training("T", InputDataConfig=get("Parameters.X"))), "Expecting start of Json Array."),
        (text(register(ModelPackageName="x")), "Unknown Argument member 'ModelPackageName'."),
        (text(processing("A", Nonsense=1)), "Unknown Argument member 'Nonsense'."),
        (
            text(register(InferenceSpecification={"Containers": [{"Image": "i", "Unknown": []}]})),
            "Unknown Argument member 'Unknown'",
        ),
        (text({**FAIL, "Arguments": {"Message": "x"}}), "Unknown Argument member 'Message'."),
        (json.dumps({"Version": "2020-12-01"}), "The definition has no Steps."),
        (text(Version="2019-01-01"), "Version '2019-01-01' is not supported; it must be '2020-12-01'."),
        (text(processing("a.b")), 'Step name "a.b" must match ^[A-Za-z0-9\\-_]{1,64}$.'),
        (text(processing("A", DependsOn=["B"])), "Step 'A' depends on step 'B', which is not in the pipeline."),
        (text(processing("A", Environment={"E": {"Get": 1}})), "Get must be a string."),
        (
            text(processing("A", Environment={"E": {"Std:Join": {"On": "", "Values": get("Parameters.X")}}})),
            "Expecting start of Json Array.",
        ),
        (text(processing("A", Environment={"E": {"Std:Join": ["a"]}})), "Expecting start of Json Object."),
        (
            text(processing("A", Environment={"E": {"Std:JsonGet": {"Path": "a"}}})),
            "either a PropertyFile or an S3Uri.",
        ),
        (text(FAIL, processing("A", DependsOn=["Stop"])), "A can not depends on Stop."),
        (
            text(FAIL, processing("A", Environment={"E": get("Steps.Stop.X")})),
            "Step 'A' can not depends on Stop: a Fail step has no properties.",
        ),
        (text(processing("A", Environment={"E": get("Parameters.P")})), "Step 'A' refers to parameter 'P', which"),
        (text(processing("A", Environment={"E": get("Execution.P")})), "Step 'A' refers to 'Execution.P'; known are"),
        (text(processing("A", Environment={"E": get("Steps.B.X")})), "Step 'A' refers to step 'B', which is not"),
        (text(processing("A", Environment={"E": get("Nothing")})), "'Nothing', which has an unknown root."),
        (
            text(processing("A"), processing("B", Environment={"E": get("Steps.A.PropertyFiles.F")})),
            "property file 'Steps.A.PropertyFiles.F', which step 'A' does not declare.",
        ),
        (
            text(processing("A", DependsOn=["C"]), processing("B", DependsOn=["A"]), processing("C", DependsOn=["B"])),
            "in a cycle: ",
        ),
        (text(condition({"Type": "Between"})), "Type of a condition must be one of Equals,"),
        (
            text({**processing("Q"), "Type": "QualityCheck", "CheckType": "DATA_BIAS"}),
            "CheckType of step 'Q' must be one of DATA_QUALITY, MODEL_QUALITY",
        ),
        (
            text(processing("A", RetryPolicies=[{"ExceptionType": ["X"]}])),
            "ExceptionType in RetryPolicies of step 'A' must be of",
        ),
        (
            text(
                processing(
                    "A",
                    RetryPolicies=[{"ExceptionType": "Step.THROTTLING", "MaxAttempts": 1, "ExpireAfterMin": 1}],
                )
            ),
            "can't have both MaxAttempts and ExpireAfterMin.",
        ),
        (text(processing("A", CacheConfig={"Enabled": True, "ExpireAfter": "soon"})), "'soon' is not an ISO-8601"),
        (text(Parameters=[{"Name": "P", "Type": "List"}]), "Type of parameter 'P' must be one of String,"),
        (text(Parameters=[{"Name": "P", "Type": "Integer", "DefaultValue": "1"}]), "must be of type Integer"),
        (text(Parameters=[{"Name": "P", "Type": "Integer", "DefaultValue": True}]), "must be of type Integer"),
        (text(Parameters=[{"Name": f"P{i}", "Type": "String"} for i in range(201)]), "at most 200 parameters, not 201"),
        (text(Parameters=[{"Name": "P", "Type": "String"}] * 2), "Parameter names must be unique: 'P'"),
        (
            text(Parameters=[{"Name": "P", "Type": "String", "DefaultValue": "c", "EnumValues": ["a"]}]),
            "is not one of its EnumValues",
        ),
    ],
)
def test_refusals(definition: str, message: str) -> None:
    with pytest.raises(ValidationError) as refused:
        read(definition)
    assert refused.value.code == "ValidationException"
    assert refused.value.message.startswith(PREFIX) and message in refused.value.message
    if message.startswith(("Expecting", "Unknown Argument")):
        assert refused.value.message == PREFIX + message


@pytest.mark.parametrize("type_", UNSUPPORTED)
def test_step_types_that_are_absent_are_refused_by_name(type_: str) -> None:
    with pytest.raises(ValidationError) as refused:
        read(text({"Name": "L", "Type": type_, "Arguments": {}}))
    begin = f"{PREFIX}Step type '{type_}' of step 'L' is not supported by the local service; supported are Processing, "
    assert refused.value.message.startswith(begin)


@pytest.mark.parametrize(
    "step",
    [
        processing("A", Environment={"E": {"Std:If": [True, "a", "b"]}}),
        processing("A", Environment={"E": {"Std:Join": {"On": "", "Values": [{"Std:If": {}}]}}}),
        training("A", HyperParameters={"Std:If": {}}),
        {"Name": "A", "Type": "Fail", "Arguments": {"ErrorMessage": {"Std:If": {}}}},
        {"Name": "A", "Type": "Lambda", "FunctionArn": "f", "Arguments": {"a": {"Std:If": {}}}, "OutputParameters": []},
        {**condition({"Type": "Equals", "LeftValue": {"Std:If": {}}, "RightValue": 1}), "Name": "A"},
    ],
)
def test_functions_of_expressions_that_are_absent_are_refused_by_name(step: dict[str, Any]) -> None:
    with pytest.raises(ValidationError) as refused:
        read(text(step))
    assert refused.value.message == (
        f"{PREFIX}'Std:If' in step 'A' is not supported by the local service; supported are Std:Join and Std:JsonGet."
    )


def test_null_means_absent_everywhere() -> None:
    step = {**processing("A", Environment=None), "DependsOn": None, "CacheConfig": None, "Description": None}
    more = {"MlflowConfig": None, "PipelineExperimentConfig": None, "Parameters": None, "Metadata": None}
    definition = read(text(step, **more))
    assert "Environment" not in definition.steps["A"].arguments
    assert definition.experiment is None and definition.mlflow is None


def test_both_forms_of_depends_on() -> None:
    step = processing("B", DependsOn=["A", {"Step": "A", "Trigger": "Any"}, {"Step": "A"}])
    depends = parse(text(processing("A"), step)).steps["B"].depends_on
    assert depends == (Dependency("A"), Dependency("A", "Any"), Dependency("A", "Completed"))


def test_a_condition_may_lack_either_branch_and_hold_conditions() -> None:
    inner = {"Name": "In", "Type": "Condition", "Arguments": {"Conditions": [], "ElseSteps": [processing("A")]}}
    outer = {"Name": "Out", "Type": "Condition", "Arguments": {"Conditions": [], "IfSteps": [inner]}}
    steps = read(text(outer)).steps
    assert [(step.name, step.parent, step.branch) for step in steps.values()] == [
        ("Out", None, True), ("In", "Out", True), ("A", "In", False),
    ]  # fmt: skip


def test_edges_come_from_every_expression_of_a_step() -> None:
    check = {
        **processing("Q", Environment={"E": {"Std:Join": {"On": "", "Values": [get("Steps.A.ProcessingJobName")]}}}),
        "Type": "QualityCheck",
        "CheckType": "DATA_QUALITY",
        "SuppliedBaselineStatistics": get("Steps.B.ProcessingOutputConfig.Outputs['out'].S3Output.S3Uri"),
    }
    nodes = graph(read(text(check, processing("A"), processing("B"))))
    assert set(nodes["Q"].upstream) == {"A", "B"}


def test_a_cycle_is_named_in_its_order() -> None:
    steps = [processing("A", DependsOn=["C"]), processing("B", DependsOn=["A"]), processing("C", DependsOn=["B"])]
    found = cycle(graph(parse(text(processing("Z"), *steps))))
    assert found is not None and found[0] == found[-1]
    assert "-".join(found) in ("A-B-C-A", "B-C-A-B", "C-A-B-C")


def test_a_chain_of_two_thousand_steps_is_accepted() -> None:
    steps = [processing("S0"), *(processing(f"S{i}", DependsOn=[f"S{i - 1}"]) for i in range(1, 2000))]
    assert len(read(text(*steps)).steps) == 2000


@pytest.mark.parametrize(
    ("duration", "expected"),
    [
        ("P30D", 2592000), ("p30d", 2592000), ("30d", 2592000), ("T12H", 43200), ("PT12H", 43200),
        ("30dT5h", 2610000), ("T16m", 960), ("5y", 157680000), ("P1W", 604800), ("P1M", 2592000), ("PT1.5S", 1.5),
    ],
)  # fmt: skip
def test_durations(duration: str, expected: float) -> None:
    assert seconds(duration) == expected


@pytest.mark.parametrize("duration", ["", "P", "T", "PT", "30", "d30", "P30H"])
def test_what_is_no_duration(duration: str) -> None:
    with pytest.raises(ValueError, match="ISO-8601"):
        seconds(duration)


def test_every_step_type_is_listed_once() -> None:
    names = [item.type for item in STEP_TYPES]
    assert len(names) == len(set(names))
    assert all(step_type(name) is not None for name in names)
    defined: list[StepType] = []
    for found in pkgutil.iter_modules(step_package.__path__, f"{step_package.__name__}."):
        module = importlib.import_module(found.name)
        kinds = [kind for kind in vars(module).values() if isinstance(kind, type) and issubclass(kind, StepType)]
        own = [kind for kind in kinds if kind.__module__ == found.name and "type" in vars(kind)]
        instances = [value for value in vars(module).values() if isinstance(value, StepType)]
        assert {type(value) for value in instances} == set(own), f"{found.name} names an instance of each of its types"
        defined += instances
    assert {id(item) for item in defined} == {id(item) for item in STEP_TYPES}


@pytest.mark.truth
@pytest.mark.skipif(not TRUTH.is_dir(), reason="shared/truth is not here")
def test_a_definition_that_sdk_v2_wrote_for_aws() -> None:
    file = TRUTH / "abalone-pipeline-e2e" / "pipeline_definition_58_0.txt"
    definition = read(json.dumps(ast.literal_eval(file.read_text())))
    nodes = graph(definition)
    assert {name: set(node.upstream) for name, node in nodes.items()} == {
        "AbaloneProcess": set(),
        "AbaloneTrain": {"AbaloneProcess"},
        "AbaloneEval": {"AbaloneProcess", "AbaloneTrain"},
        "AbaloneMSECond": {"AbaloneEval"},
        "AbaloneRegisterModel-RegisterModel": {"AbaloneMSECond", "AbaloneTrain"},
        "AbaloneCreateModel-CreateModel": {"AbaloneMSECond", "AbaloneTrain"},
        "AbaloneTransform": {"AbaloneMSECond", "AbaloneCreateModel-CreateModel"},
        "AbaloneMSEFail": {"AbaloneMSECond"},
    }


@pytest.mark.truth
@pytest.mark.skipif(not TRUTH.is_dir(), reason="shared/truth is not here")
def test_the_recorded_parse_errors() -> None:
    recorded = json.loads((TRUTH / "api-errors" / "errors.json").read_text())
    texts = {entry["message"] for entry in recorded if entry["operation"] == "CreatePipeline"}
    ours = set()
    for definition in (
        "",
        text(EXPRESSION_FOR_LIST),
        text(register(ModelPackageName="x")),
        text(register(InferenceSpecification={"Containers": [{"AdditionalModelDataSources_": []}]})),
    ):
        with pytest.raises(ValidationError) as refused:
            read(definition)
        ours.add(refused.value.message.replace("Sources_", "Sources"))
    assert ours == texts
