"""QualityCheck and ClarifyCheck: the truth table of their switches, baselines, violations, metadata."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.unit.engine.world import IMAGE, World, get, processing

CHECKS = {
    "DATA_QUALITY": ("QualityCheck", "ModelDataQuality"),
    "MODEL_QUALITY": ("QualityCheck", "ModelQuality"),
    "DATA_BIAS": ("ClarifyCheck", "Bias"),
    "MODEL_BIAS": ("ClarifyCheck", "Bias"),
    "MODEL_EXPLAINABILITY": ("ClarifyCheck", "Explainability"),
}
OUT = "s3://bucket/Check/out"


def check(check_type: str, **members: Any) -> dict[str, Any]:
    """A check step with its job; for Clarify with a configuration in S3."""
    kind = CHECKS[check_type][0]
    inputs = []
    if kind == "ClarifyCheck":
        source = {
            "S3Uri": "s3://bucket/conf/analysis_config.json",
            "LocalPath": "/opt/ml/processing/input/config",
            "S3DataType": "S3Prefix",
            "S3InputMode": "File",
        }
        inputs = [{"InputName": "analysis_config", "S3Input": source}]
    step = processing("Check", ProcessingInputs=inputs, Environment={"output_path": "/opt/ml/processing/output"})
    return {**step, "Type": kind, "CheckType": check_type, **members}


def approve(world: World, baselines: dict[str, Any], group: str = "Group", status: str = "Approved") -> str:
    """Registers a version with these drift-check baselines."""
    if not world.records.list("model-package-group"):
        world.sagemaker("CreateModelPackageGroup", ModelPackageGroupName=group)
    world.put("model.tar.gz", b"x")
    answer = world.sagemaker(
        "CreateModelPackage",
        ModelPackageGroupName=group,
        ModelApprovalStatus=status,
        DriftCheckBaselines=baselines,
        InferenceSpecification={
            "Containers": [{"Image": IMAGE, "ModelDataUrl": "s3://bucket/model.tar.gz"}],
            "SupportedContentTypes": ["text/csv"],
            "SupportedResponseMIMETypes": ["text/csv"],
        },
    )
    return str(answer["ModelPackageArn"])


def source(uri: str) -> dict[str, str]:
    return {"S3Uri": uri, "ContentType": "application/json"}


def registered(folder: str) -> dict[str, Any]:
    """Baselines of all five checks under a folder."""
    both = {"Statistics": source(f"{folder}/stats.json"), "Constraints": source(f"{folder}/cons.json")}
    bias = {
        "PreTrainingConstraints": source(f"{folder}/pre.json"),
        "PostTrainingConstraints": source(f"{folder}/post.json"),
    }
    explained = {"Constraints": source(f"{folder}/explained.json")}
    return {"ModelDataQuality": both, "ModelQuality": both, "Bias": bias, "Explainability": explained}


REGISTERED_CONSTRAINTS = {
    "DATA_QUALITY": "s3://old/b/cons.json",
    "MODEL_QUALITY": "s3://old/b/cons.json",
    "DATA_BIAS": "s3://old/b/pre.json",
    "MODEL_BIAS": "s3://old/b/post.json",
    "MODEL_EXPLAINABILITY": "s3://old/b/explained.json",
}


@pytest.mark.parametrize("check_type", CHECKS)
@pytest.mark.parametrize(
    ("skip", "register", "available", "drift", "used", "status"),
    [
        (False, False, True, True, "previous", "Succeeded"),
        (False, False, False, False, None, "Failed"),
        (False, True, True, True, "new", "Succeeded"),
        (False, True, False, False, None, "Failed"),
        (True, False, True, False, "previous", "Succeeded"),
        (True, False, False, False, None, "Failed"),
        (True, True, True, False, "new", "Succeeded"),
        (True, True, False, False, "new", "Succeeded"),
    ],
)
def test_truth_table(
    world: World, check_type: str, skip: bool, register: bool, available: bool, drift: bool, used: Any, status: str
) -> None:
    world.put("conf/analysis_config.json", {"label": "y"})
    world.put("Check/out/constraint_violations.json", {"violations": []})
    if available:
        approve(world, registered("s3://old/b"))
        approve(world, registered("s3://wrong"), status="Rejected")
    kind = CHECKS[check_type][0]
    switches = {"SkipCheck": skip, "RegisterNewBaseline": register, "ModelPackageGroupName": "Group"}
    arn = world.run([check(check_type, **switches)])
    step = world.steps(arn)["Check"]
    details = step["Metadata"].get(kind, {})
    assert step["StepStatus"] == status
    if status == "Failed":
        assert "must be available" in step["FailureReason"] and world.processing.requests == []
        return
    new = f"{OUT}/{'constraints' if kind == 'QualityCheck' else 'analysis'}.json"
    assert details["CalculatedBaselineConstraints"] == new
    expected = new if used == "new" else REGISTERED_CONSTRAINTS[check_type]
    assert details["BaselineUsedForDriftCheckConstraints"] == expected
    assert ("CalculatedBaselineStatistics" in details) == (kind == "QualityCheck")
    assert (details["SkipCheck"], details["RegisterNewBaseline"]) == (skip, register)
    assert "ViolationReport" not in details and details["CheckJobArn"].count("processing-job/") == 1
    names = {entry["InputName"] for entry in world.processing.requests[0].get("ProcessingInputs", [])}
    assert ("baseline_constraints" in names) == drift


def test_the_analyzer_is_told_of_the_previous_baseline(world: World) -> None:
    supplied = {
        "SuppliedBaselineConstraints": "s3://bucket/my/cons-7.json",
        "SuppliedBaselineStatistics": "s3://bucket/my/stats-7.json",
    }
    arn = world.run([check("DATA_QUALITY", **supplied)])
    request = world.processing.requests[0]
    inputs = {entry["InputName"]: entry["S3Input"] for entry in request["ProcessingInputs"]}
    assert inputs["baseline_constraints"]["LocalPath"] == "/opt/ml/processing/baseline/constraints"
    assert inputs["baseline_statistics"]["S3Uri"] == "s3://bucket/my/stats-7.json"
    assert request["Environment"] == {
        "output_path": "/opt/ml/processing/output",
        "baseline_constraints": "/opt/ml/processing/baseline/constraints/cons-7.json",
        "baseline_statistics": "/opt/ml/processing/baseline/stats/stats-7.json",
    }
    details = world.steps(arn)["Check"]["Metadata"]["QualityCheck"]
    assert details["BaselineUsedForDriftCheckStatistics"] == "s3://bucket/my/stats-7.json"


def test_supplied_wins_and_the_registry_fills_what_is_missing(world: World) -> None:
    approve(world, registered("s3://old/b"))
    members = {"SuppliedBaselineConstraints": "s3://bucket/mine.json", "SuppliedBaselineStatistics": ""}
    arn = world.run([check("MODEL_QUALITY", ModelPackageGroupName="Group", **members)])
    details = world.steps(arn)["Check"]["Metadata"]["QualityCheck"]
    assert details["BaselineUsedForDriftCheckConstraints"] == "s3://bucket/mine.json"
    assert details["BaselineUsedForDriftCheckStatistics"] == "s3://old/b/stats.json"


def test_half_a_baseline_is_none(world: World) -> None:
    arn = world.run([check("DATA_QUALITY", SuppliedBaselineConstraints="s3://bucket/mine.json")])
    assert world.statuses(arn) == {"Check": "Failed"} and world.processing.requests == []


def test_the_latest_approved_version_counts(world: World) -> None:
    for number in range(1, 4):
        approve(world, registered(f"s3://v{number}"))
    latest = approve(world, registered("s3://v4"), status="PendingManualApproval")
    arn = world.run([check("DATA_QUALITY", ModelPackageGroupName="Group")])
    details = world.steps(arn)["Check"]["Metadata"]["QualityCheck"]
    assert details["BaselineUsedForDriftCheckConstraints"] == "s3://v3/cons.json"
    world.sagemaker("UpdateModelPackage", ModelPackageArn=latest, ModelApprovalStatus="Approved")
    arn = world.run([check("DATA_QUALITY", ModelPackageGroupName="Group")])
    details = world.steps(arn)["Check"]["Metadata"]["QualityCheck"]
    assert details["BaselineUsedForDriftCheckConstraints"] == "s3://v4/cons.json"


@pytest.mark.parametrize(("check_type", "title"), [("DATA_QUALITY", "Quality"), ("DATA_BIAS", "Clarify")])
@pytest.mark.parametrize(
    ("members", "violated", "status", "reported"),
    [
        ({}, True, "Failed", True),
        ({"FailOnViolation": True}, True, "Failed", True),
        ({"FailOnViolation": False}, True, "Succeeded", True),
        ({}, False, "Succeeded", False),
        ({"SkipCheck": True}, True, "Succeeded", False),
    ],
)
def test_violations(
    world: World, check_type: str, title: str, members: Any, violated: bool, status: str, reported: bool
) -> None:
    world.put("conf/analysis_config.json", {"label": "y"})

    def work(_: dict[str, Any]) -> None:
        if violated:
            world.put("Check/out/constraint_violations.json", {"violations": [{"feature_name": "x"}]})

    world.plan = {"Check": work}
    supplied = {"SuppliedBaselineConstraints": "s3://bucket/c.json"}
    if title == "Quality":
        supplied["SuppliedBaselineStatistics"] = "s3://bucket/s.json"
    arn = world.run([check(check_type, **supplied, **members)])
    step = world.steps(arn)["Check"]
    details = step["Metadata"][CHECKS[check_type][0]]
    report = f"{OUT}/constraint_violations.json"
    assert (step["StepStatus"], details.get("ViolationReport")) == (status, report if reported else None)
    text = f"ClientError: {title} check failed. See violation report: {report}"
    assert step.get("FailureReason") == (text if status == "Failed" else None)
    assert "CalculatedBaselineConstraints" in details


@pytest.mark.parametrize("check_type", ["MODEL_BIAS", "MODEL_EXPLAINABILITY"])
def test_the_models_name_is_put_into_a_copy_of_the_configuration(world: World, check_type: str) -> None:
    original = {"predictor": {"instance_type": "ml.m5.large"}, "label": "y"}
    world.put("conf/analysis_config.json", original)
    steps = [
        processing("Make"),
        check(check_type, SkipCheck=True, RegisterNewBaseline=True, ModelName=get("Steps.Make.ProcessingJobName")),
    ]
    arn = world.run(steps)
    uri = f"s3://bucket/conf/{arn.rsplit('/', 1)[-1]}/Check/analysis_config.json"
    entry = world.processing.requests[1]["ProcessingInputs"][0]
    assert entry["S3Input"]["S3Uri"] == uri and entry["S3Input"]["LocalPath"] == "/opt/ml/processing/input/config"
    copy = json.loads(world.objects.read("bucket", uri.removeprefix("s3://bucket/")) or b"")
    assert copy == {**original, "predictor": {"instance_type": "ml.m5.large", "model_name": world.job_of(arn, "Make")}}
    assert json.loads(world.objects.read("bucket", "conf/analysis_config.json") or b"") == original


def test_properties_of_checks(world: World) -> None:
    names = [
        f"{kind}{file}" for kind in ("CalculatedBaseline", "BaselineUsedForDriftCheck") for file in ("Statistics",)
    ]
    uses = {name: get(f"Steps.Check.{name}") for name in names}
    first = check("DATA_QUALITY", SkipCheck=True, RegisterNewBaseline=True)
    world.run([first, processing("Use", Environment=uses)])
    assert world.processing.requests[1]["Environment"] == dict.fromkeys(names, f"{OUT}/statistics.json")


def test_a_failed_check_job_fails_the_step(world: World) -> None:
    def work(_: dict[str, Any]) -> None:
        raise RuntimeError("AlgorithmError: Error: no data, exit code: 255")

    world.plan = {"Check": work}
    arn = world.run([check("DATA_QUALITY", SkipCheck=True, RegisterNewBaseline=True)])
    assert world.steps(arn)["Check"]["FailureReason"] == "ClientError: AlgorithmError: Error: no data, exit code: 255"
