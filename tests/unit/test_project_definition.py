"""The definition as JSON: steps, graph, parameters and their wiring, caching, registration, the gate."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.project.building import STEPS, STOCK_EDGES, build, edges, steps, stock

PARAMETERS = [
    ("ProcessingInstanceType", "String", "ml.m5.xlarge"),
    ("ProcessingInstanceCount", "Integer", 1),
    ("TrainingInstanceType", "String", "ml.m5.xlarge"),
    ("ModelApprovalStatus", "String", "PendingManualApproval"),
    ("InputDataUrl", "String", "s3://project-test/datasets/abalone/de37cdcdcaaa50c3/abalone.csv"),
    ("SkipDataQualityCheck", "Boolean", False),
    ("RegisterNewDataQualityBaseline", "Boolean", False),
    ("DataQualitySuppliedStatistics", "String", ""),
    ("DataQualitySuppliedConstraints", "String", ""),
    ("SkipDataBiasCheck", "Boolean", False),
    ("RegisterNewDataBiasBaseline", "Boolean", False),
    ("DataBiasSuppliedBaselineConstraints", "String", ""),
    ("SkipModelQualityCheck", "Boolean", False),
    ("RegisterNewModelQualityBaseline", "Boolean", False),
    ("ModelQualitySuppliedStatistics", "String", ""),
    ("ModelQualitySuppliedConstraints", "String", ""),
    ("SkipModelBiasCheck", "Boolean", False),
    ("RegisterNewModelBiasBaseline", "Boolean", False),
    ("ModelBiasSuppliedBaselineConstraints", "String", ""),
    ("SkipModelExplainabilityCheck", "Boolean", False),
    ("RegisterNewModelExplainabilityBaseline", "Boolean", False),
    ("ModelExplainabilitySuppliedBaselineConstraints", "String", ""),
]
CLUSTER = ("Arguments", "ProcessingResources", "ClusterConfig")
WIRING = [
    ("ProcessingInstanceType", "PreprocessAbaloneData", (*CLUSTER, "InstanceType")),
    ("ProcessingInstanceType", "EvaluateAbaloneModel", (*CLUSTER, "InstanceType")),
    ("ProcessingInstanceCount", "PreprocessAbaloneData", (*CLUSTER, "InstanceCount")),
    ("TrainingInstanceType", "TrainAbaloneModel", ("Arguments", "ResourceConfig", "InstanceType")),
    ("ModelApprovalStatus", "RegisterAbaloneModel", ("Arguments", "ModelApprovalStatus")),
    ("InputDataUrl", "PreprocessAbaloneData", ("Arguments", "AppSpecification", "ContainerArguments", 1)),
    ("SkipDataQualityCheck", "DataQualityCheckStep", ("SkipCheck",)),
    ("RegisterNewDataQualityBaseline", "DataQualityCheckStep", ("RegisterNewBaseline",)),
    ("DataQualitySuppliedStatistics", "DataQualityCheckStep", ("SuppliedBaselineStatistics",)),
    ("DataQualitySuppliedConstraints", "DataQualityCheckStep", ("SuppliedBaselineConstraints",)),
    ("SkipDataBiasCheck", "DataBiasCheckStep", ("SkipCheck",)),
    ("RegisterNewDataBiasBaseline", "DataBiasCheckStep", ("RegisterNewBaseline",)),
    ("DataBiasSuppliedBaselineConstraints", "DataBiasCheckStep", ("SuppliedBaselineConstraints",)),
    ("SkipModelQualityCheck", "ModelQualityCheckStep", ("SkipCheck",)),
    ("RegisterNewModelQualityBaseline", "ModelQualityCheckStep", ("RegisterNewBaseline",)),
    ("ModelQualitySuppliedStatistics", "ModelQualityCheckStep", ("SuppliedBaselineStatistics",)),
    ("ModelQualitySuppliedConstraints", "ModelQualityCheckStep", ("SuppliedBaselineConstraints",)),
    ("SkipModelBiasCheck", "ModelBiasCheckStep", ("SkipCheck",)),
    ("RegisterNewModelBiasBaseline", "ModelBiasCheckStep", ("RegisterNewBaseline",)),
    ("ModelBiasSuppliedBaselineConstraints", "ModelBiasCheckStep", ("SuppliedBaselineConstraints",)),
    ("SkipModelExplainabilityCheck", "ModelExplainabilityCheckStep", ("SkipCheck",)),
    ("RegisterNewModelExplainabilityBaseline", "ModelExplainabilityCheckStep", ("RegisterNewBaseline",)),
    (
        "ModelExplainabilitySuppliedBaselineConstraints",
        "ModelExplainabilityCheckStep",
        ("SuppliedBaselineConstraints",),
    ),
]  # fmt: skip


def test_the_twelve_steps_have_their_stock_names_and_types() -> None:
    assert {name: step["Type"] for name, step in steps(stock()).items()} == STEPS


def test_the_graph_is_the_stock_graph() -> None:
    assert edges(stock()) == STOCK_EDGES


def test_the_parameters_have_their_stock_names_order_and_defaults() -> None:
    assert [(p["Name"], p["Type"], p.get("DefaultValue")) for p in stock()["Parameters"]] == PARAMETERS


@pytest.mark.parametrize(("parameter", "step", "path"), WIRING, ids=[f"{row[0]}-{row[1]}" for row in WIRING])
def test_every_parameter_is_wired(parameter: str, step: str, path: tuple[Any, ...]) -> None:
    value = steps(stock())[step]
    for part in path:
        value = value[part]
    assert value == {"Get": f"Parameters.{parameter}"}


def test_no_parameter_is_left_out_of_the_wiring() -> None:
    assert {row[0] for row in WIRING} == {row[0] for row in PARAMETERS}


def test_caching_is_on_for_jobs_and_checks_and_off_for_what_makes_a_model() -> None:
    for name, step in steps(stock()).items():
        cached = STEPS[name] in ("Processing", "Training", "QualityCheck", "ClarifyCheck")
        assert step.get("CacheConfig") == ({"Enabled": True, "ExpireAfter": "P30D"} if cached else None), name


def test_two_builds_differ_only_where_the_sdk_stamps_the_monitoring_configuration() -> None:
    def stable(definition: dict[str, Any]) -> list[Any]:
        return [step for name, step in steps(definition).items() if STEPS[name] not in ("RegisterModel", "Condition")]

    assert stable(build()) == stable(stock())


def outputs(value: Any) -> Iterator[Any]:
    """The values of all output locations."""
    if isinstance(value, dict):
        for name, inner in value.items():
            if name == "S3Output":
                yield inner["S3Uri"]
            elif name == "S3OutputPath":
                yield inner
            else:
                yield from outputs(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from outputs(inner)


def test_every_output_is_under_the_execution_id_and_no_two_are_alike() -> None:
    found = list(outputs(stock()["Steps"]))
    assert len(found) == 3 + 1 + 1 + 5 + 1  # splits, model, transform, checks, evaluation
    for output in found:
        values = output["Std:Join"]["Values"]
        assert values[:4] == ["s3:/", "project-test", "Abalone", {"Get": "Execution.PipelineExecutionId"}]
    assert len({json.dumps(output) for output in found}) == len(found)


def test_images_and_hyperparameters() -> None:
    found = steps(stock())
    scikit_learn = found["PreprocessAbaloneData"]["Arguments"]["AppSpecification"]["ImageUri"]
    assert scikit_learn.endswith("/sagemaker-scikit-learn:1.4-2-cpu-py3")
    training = found["TrainAbaloneModel"]["Arguments"]
    assert training["AlgorithmSpecification"]["TrainingImage"].endswith("/sagemaker-xgboost:3.0-5")
    assert training["HyperParameters"] == {
        "objective": "reg:squarederror", "num_round": "50", "max_depth": "5", "eta": "0.2", "gamma": "4",
        "min_child_weight": "6", "subsample": "0.7",
    }  # fmt: skip
    assert "accelerator" not in json.dumps(stock()).lower()


def test_hyperparameters_and_names_can_be_given() -> None:
    given = build(
        hyperparameters={"max_depth": 1, "seed": 7}, pipeline_name="Own", base_job_prefix="own/prefix",
        model_package_group_name="OwnGroup", input_data_url="s3://elsewhere/data",
    )  # fmt: skip
    found = steps(given)
    hyperparameters = found["TrainAbaloneModel"]["Arguments"]["HyperParameters"]
    assert (hyperparameters["max_depth"], hyperparameters["seed"], hyperparameters["eta"]) == ("1", "7", "0.2")
    assert found["RegisterAbaloneModel"]["Arguments"]["ModelPackageGroupName"] == "OwnGroup"
    assert found["DataBiasCheckStep"]["ModelPackageGroupName"] == "OwnGroup"
    assert all(output["Std:Join"]["Values"][2] == "own/prefix" for output in outputs(given["Steps"]))
    assert next(p for p in given["Parameters"] if p["Name"] == "InputDataUrl")["DefaultValue"] == "s3://elsewhere/data"
    assert "/Own/code/" in json.dumps(found["PreprocessAbaloneData"])


def test_labels_and_predictions_are_the_right_way_round() -> None:
    found = steps(stock())
    processing = found["AbaloneTransform"]["Arguments"]["DataProcessing"]
    assert processing == {"InputFilter": "$[1:]", "OutputFilter": "$[0,-1]", "JoinSource": "Input"}
    environment = found["ModelQualityCheckStep"]["Arguments"]["Environment"]
    assert (environment["ground_truth_attribute"], environment["inference_attribute"]) == ("_c0", "_c1")


def test_registration_carries_eight_metrics_and_nine_baselines() -> None:
    arguments = steps(stock())["RegisterAbaloneModel"]["Arguments"]
    metrics = {f"{kind}.{name}": source["S3Uri"] for kind, sources in arguments["ModelMetrics"].items()
               for name, source in sources.items()}  # fmt: skip
    assert metrics == {
        "ModelDataQuality.Statistics": {"Get": "Steps.DataQualityCheckStep.CalculatedBaselineStatistics"},
        "ModelDataQuality.Constraints": {"Get": "Steps.DataQualityCheckStep.CalculatedBaselineConstraints"},
        "ModelQuality.Statistics": {"Get": "Steps.ModelQualityCheckStep.CalculatedBaselineStatistics"},
        "ModelQuality.Constraints": {"Get": "Steps.ModelQualityCheckStep.CalculatedBaselineConstraints"},
        "Bias.Report": {"Get": "Steps.ModelBiasCheckStep.CalculatedBaselineConstraints"},
        "Bias.PreTrainingReport": {"Get": "Steps.DataBiasCheckStep.CalculatedBaselineConstraints"},
        "Bias.PostTrainingReport": {"Get": "Steps.ModelBiasCheckStep.CalculatedBaselineConstraints"},
        "Explainability.Report": {"Get": "Steps.ModelExplainabilityCheckStep.CalculatedBaselineConstraints"},
    }
    baselines = {f"{kind}.{name}": source["S3Uri"] for kind, sources in arguments["DriftCheckBaselines"].items()
                 for name, source in sources.items()}  # fmt: skip
    bias, explainability = baselines.pop("Bias.ConfigFile"), baselines.pop("Explainability.ConfigFile")
    assert "/modelbiascheckstep/" in bias and "/bias-monitoring-configuration/" in bias
    assert "/modelexplainabilitycheckstep/" in explainability
    assert baselines == {
        name: {"Get": f"Steps.{step}.BaselineUsedForDriftCheck{what}"}
        for name, step, what in [
            ("ModelDataQuality.Statistics", "DataQualityCheckStep", "Statistics"),
            ("ModelDataQuality.Constraints", "DataQualityCheckStep", "Constraints"),
            ("ModelQuality.Statistics", "ModelQualityCheckStep", "Statistics"),
            ("ModelQuality.Constraints", "ModelQualityCheckStep", "Constraints"),
            ("Bias.PreTrainingConstraints", "DataBiasCheckStep", "Constraints"),
            ("Bias.PostTrainingConstraints", "ModelBiasCheckStep", "Constraints"),
            ("Explainability.Constraints", "ModelExplainabilityCheckStep", "Constraints"),
        ]
    }
    inference = arguments["InferenceSpecification"]
    assert inference["SupportedRealtimeInferenceInstanceTypes"] == ["ml.t2.medium", "ml.m5.large"]
    assert inference["SupportedTransformInstanceTypes"] == ["ml.m5.large"]
    assert inference["SupportedContentTypes"] == inference["SupportedResponseMIMETypes"] == ["text/csv"]


def test_the_gate_lets_a_mean_squared_error_of_six_pass_and_does_nothing_else() -> None:
    arguments = steps(stock())["CheckMSEAbaloneEvaluation"]["Arguments"]
    report = {"Get": "Steps.EvaluateAbaloneModel.PropertyFiles.AbaloneEvaluationReport"}
    (condition,) = arguments["Conditions"]
    assert condition == {
        "Type": "LessThanOrEqualTo",
        "LeftValue": {"Std:JsonGet": {"PropertyFile": report, "Path": "regression_metrics.mse.value"}},
        "RightValue": 6.0,
    }
    assert [step["Name"] for step in arguments["IfSteps"]] == ["RegisterAbaloneModel"]
    assert arguments["ElseSteps"] == []


def test_each_of_the_22_parameters_acts_on_the_same_steps_in_both_flavours() -> None:
    """DEL-44; what each does there, `tests/project/test_project_parameters.py` sees of the managed flavour."""

    def owners(definition: dict[str, Any]) -> dict[str, set[str]]:
        found: dict[str, set[str]] = {item["Name"]: set() for item in definition["Parameters"]}
        for name, step in steps(definition).items():
            own = {key: value for key, value in step["Arguments"].items() if key not in ("IfSteps", "ElseSteps")}
            text = json.dumps({**step, "Arguments": own})
            for parameter in re.findall(r"Parameters\.(\w+)", text):
                found[parameter].add(name)
        return found

    portable_steps = steps(build(checks="portable"))
    for check in ("DataQuality", "DataBias", "ModelQuality", "ModelBias", "ModelExplainability"):
        arguments = portable_steps[f"{check}CheckStep"]["Arguments"]["AppSpecification"]["ContainerArguments"]
        given = {option: re.findall(r"Parameters\.(\w+)", json.dumps(value))
                 for option, value in zip(arguments[::2], arguments[1::2], strict=True)}  # fmt: skip
        supplied = f"{check}Supplied" + ("" if check.endswith("Quality") else "Baseline")
        wanted = {"--skip": [f"Skip{check}Check"], "--register": [f"RegisterNew{check}Baseline"],
                  "--supplied-constraints": [f"{supplied}Constraints"]}  # fmt: skip
        if check.endswith("Quality"):
            wanted["--supplied-statistics"] = [f"{supplied}Statistics"]
        assert {option: names for option, names in given.items() if names} == wanted
    managed, portable = owners(stock()), owners(build(checks="portable"))
    assert len(managed) == 22 and list(managed) == list(portable)
    assert all(managed.values())
    assert portable == managed
