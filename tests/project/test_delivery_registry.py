"""``model-registry``: groups, versions, metrics and decisions, as its user sees them, against the service."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from delivery.comparison import VersionMetrics, best, flat
from delivery.versions import DeliveredVersion
from tests.commands import run_command
from tests.project.delivering import mistaken, register, registry, regressor, upload
from tests.support import ROLE, XGBOOST, Service, create_pipeline, finished, script_step, start

REPORT = {"regression_metrics": {"mse": {"value": 4.5, "standard_deviation": 1.0}, "r2": {"value": 0.6}}}


def evaluation(path: Path, mse: float) -> str:
    path.write_text(json.dumps({"regression_metrics": {"mse": {"value": mse}, "r2": {"value": 1 / mse}}}))
    return str(path)


def group_of(service: Service, name: str) -> list[dict[str, Any]]:
    listed = service.client("sagemaker").list_model_packages(ModelPackageGroupName=name)
    return list(listed["ModelPackageSummaryList"])


def test_a_group_is_made_once(service: Service) -> None:
    assert registry(service, "create-group", "r-group", "--description", "of mine").startswith("created: arn:")
    assert registry(service, "create-group", "r-group").startswith("already there: arn:")
    groups = {group["group"]: group for group in json.loads(registry(service, "list", "--json"))}
    assert groups["r-group"]["description"] == "of mine"


def test_a_file_is_registered_with_its_metrics_and_described(service: Service, tmp_path: Path) -> None:
    archive = tmp_path / "model.tar.gz"
    archive.write_bytes(regressor()[0])
    metrics = evaluation(tmp_path / "evaluation.json", 4.0)
    said = registry(
        service, "register", "r-file", "--model-data", str(archive), "--metrics", metrics, "--description", "mine"
    )
    assert said.startswith("registered: r-file/1 (PendingManualApproval) arn:") and "approve r-file/1" in said
    described = json.loads(registry(service, "describe", "r-file/1"))
    container = described["InferenceSpecification"]["Containers"][0]
    assert container["Image"].endswith("/sagemaker-xgboost:3.0-5")
    bucket, _, key = container["ModelDataUrl"].removeprefix("s3://").partition("/")
    assert service.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read() == archive.read_bytes()
    assert described["ModelPackageDescription"] == "mine"
    assert described == json.loads(registry(service, "describe", described["ModelPackageArn"]))


def test_a_training_job_is_registered_with_its_final_metrics(service: Service) -> None:
    s3, sagemaker = service.client("s3"), service.client("sagemaker")
    s3.create_bucket(Bucket="r-training")
    s3.put_object(Bucket="r-training", Key="train.csv", Body="\n".join(f"{n},{n},{n % 7}" for n in range(50)))
    data = {"S3DataType": "S3Prefix", "S3Uri": "s3://r-training/train.csv"}
    sagemaker.create_training_job(
        TrainingJobName="r-training",
        RoleArn=ROLE,
        AlgorithmSpecification={"TrainingImage": XGBOOST, "TrainingInputMode": "File"},
        HyperParameters={"num_round": "5"},
        InputDataConfig=[
            {"ChannelName": "train", "ContentType": "text/csv", "DataSource": {"S3DataSource": data}},
        ],
        OutputDataConfig={"S3OutputPath": "s3://r-training/out"},
        ResourceConfig={"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1},
        StoppingCondition={"MaxRuntimeInSeconds": 60},
    )
    sagemaker.get_waiter("training_job_completed_or_stopped").wait(
        TrainingJobName="r-training", WaiterConfig={"Delay": 1}
    )
    registry(service, "register", "r-training", "--from-training-job", "r-training", "--approved")
    job = sagemaker.describe_training_job(TrainingJobName="r-training")
    described = json.loads(registry(service, "describe", "r-training/latest"))
    container = described["InferenceSpecification"]["Containers"][0]
    assert container["ModelDataUrl"] == job["ModelArtifacts"]["S3ModelArtifacts"]
    compared = json.loads(registry(service, "compare", "r-training", "--json"))["r-training/1"]
    finals = {item["MetricName"]: item["Value"] for item in job["FinalMetricDataList"]}
    assert compared == pytest.approx(finals)
    assert registry(service, "latest", "r-training").strip() == described["ModelPackageArn"]


def pipeline(service: Service, name: str, *steps: dict[str, Any]) -> str:
    sagemaker = service.client("sagemaker")
    create_pipeline(sagemaker, name, *steps)
    execution = start(sagemaker, name)
    assert finished(sagemaker, execution)["PipelineExecutionStatus"] == "Succeeded"
    return execution


def training(name: str, bucket: str) -> dict[str, Any]:
    data = {"S3DataType": "S3Prefix", "S3Uri": f"s3://{bucket}/train.csv", "S3DataDistributionType": "FullyReplicated"}
    return {
        "Name": name,
        "Type": "Training",
        "Arguments": {
            "AlgorithmSpecification": {"TrainingImage": XGBOOST, "TrainingInputMode": "File"},
            "HyperParameters": {"num_round": "2"},
            "InputDataConfig": [
                {"ChannelName": "train", "ContentType": "text/csv", "DataSource": {"S3DataSource": data}}
            ],
            "OutputDataConfig": {"S3OutputPath": f"s3://{bucket}/out"},
            "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1},
            "StoppingCondition": {"MaxRuntimeInSeconds": 60},
            "RoleArn": ROLE,
        },
    }


def evaluating(bucket: str) -> dict[str, Any]:
    code = f"import json; json.dump({REPORT}, open('/opt/ml/processing/out/evaluation.json', 'w'))"
    output = {"S3Uri": f"s3://{bucket}/evaluation", "LocalPath": "/opt/ml/processing/out", "S3UploadMode": "EndOfJob"}
    outputs = {"Outputs": [{"OutputName": "evaluation", "S3Output": output}]}
    step = script_step("Evaluate", code, ProcessingOutputConfig=outputs)
    file = {"PropertyFileName": "Report", "OutputName": "evaluation", "FilePath": "evaluation.json"}
    return {**step, "PropertyFiles": [file]}


def test_a_pipelines_model_is_registered_with_its_evaluation(service: Service) -> None:
    s3 = service.client("s3")
    s3.create_bucket(Bucket="r-pipeline")
    s3.put_object(Bucket="r-pipeline", Key="train.csv", Body="\n".join(f"{n},{n}" for n in range(50)))
    steps = (training("One", "r-pipeline"), training("Two", "r-pipeline"), evaluating("r-pipeline"))
    execution = pipeline(service, "r-pipeline", *steps)
    several = registry(service, "register", "r-pipeline", "--from-pipeline", "r-pipeline", fails=1)
    assert "choose one with --step: One, Two" in several
    wrong = registry(service, "register", "r-pipeline", "--from-pipeline", execution, "--step", "Tow", fails=1)
    assert "did you mean Two?" in wrong
    for source in ("r-pipeline", execution):
        registry(service, "register", "r-pipeline", "--from-pipeline", source, "--step", "Two")
    compared = json.loads(registry(service, "compare", "r-pipeline", "--json"))
    assert set(compared) == {"r-pipeline/1", "r-pipeline/2"}
    assert compared["r-pipeline/2"]["mse"] == 4.5 and compared["r-pipeline/2"]["r2"] == 0.6


def test_what_a_pipeline_has_registered_is_not_registered_again(service: Service) -> None:
    uri = upload(service, "r-registered")
    service.client("sagemaker").create_model_package_group(ModelPackageGroupName="r-registered")
    specification = {
        "Containers": [{"Image": XGBOOST, "ModelDataUrl": uri}],
        "SupportedContentTypes": ["text/csv"],
        "SupportedResponseMIMETypes": ["text/csv"],
    }
    arguments = {"ModelPackageGroupName": "r-registered", "InferenceSpecification": specification}
    pipeline(service, "r-registered", {"Name": "Register", "Type": "RegisterModel", "Arguments": arguments})
    said = registry(service, "register", "r-registered", "--from-pipeline", "r-registered")
    assert said.startswith("already registered: r-registered/1 ") and len(group_of(service, "r-registered")) == 1
    other = registry(service, "register", "r-registered-too", "--from-pipeline", "r-registered")
    assert other.startswith("registered: r-registered-too/1 ")
    described = json.loads(registry(service, "describe", "r-registered-too/1"))
    assert described["InferenceSpecification"]["Containers"][0]["ModelDataUrl"] == uri


def test_versions_are_compared_as_a_table_and_as_a_plot(service: Service, tmp_path: Path) -> None:
    uri = upload(service, "r-compare")
    for number, mse in enumerate((5.0, 4.0, 4.5)):
        metrics = evaluation(tmp_path / f"{number}.json", mse)
        registry(service, "register", "r-compare", "--model-data", uri, "--image", XGBOOST, "--metrics", metrics)
    for suffix, signature in (("svg", b"<?xml"), ("png", b"\x89PNG")):
        plot = tmp_path / f"plot.{suffix}"
        shown = registry(service, "compare", "r-compare", "--plot", str(plot))
        assert plot.read_bytes().startswith(signature)
    rows = [[cell.strip() for cell in line.strip("│").split("│")] for line in shown.splitlines() if "│" in line]
    assert ["mse", "5", "4 *", "4.5"] in rows and ["r2", "0.2", "0.25 *", "0.222222"] in rows
    two = registry(service, "compare", "r-compare", "3", "1")
    heads = next(line for line in two.splitlines() if "Metric" in line)
    assert heads.replace("┃", " ").split() == ["Metric", "3", "1"]
    assert "must end in" in registry(service, "compare", "r-compare", "--plot", "plot.txt", fails=1)


def test_a_version_without_metrics_is_shown_as_that(service: Service) -> None:
    uri = upload(service, "r-bare")
    service.client("sagemaker").create_model_package_group(ModelPackageGroupName="r-bare")
    register(service, "r-bare", uri)
    assert "r-bare/1: registered without metrics" in registry(service, "compare", "r-bare")
    assert (
        "nothing to plot"
        in run_command(service, "model-registry", "compare", "r-bare", "--plot", "x.png", check=False).stderr
    )


def test_versions_are_approved_and_rejected_with_a_comment(service: Service) -> None:
    uri = upload(service, "r-decide")
    service.client("sagemaker").create_model_package_group(ModelPackageGroupName="r-decide")
    for _ in range(3):
        register(service, "r-decide", uri, ModelApprovalStatus="PendingManualApproval")
    assert "has no approved version" in registry(service, "latest", "r-decide", fails=1)
    said = registry(service, "approve", "r-decide/1", "--comment", "good enough")
    assert said.startswith("r-decide/1 is Approved, before PendingManualApproval")
    registry(service, "approve", "r-decide/2")
    registry(service, "reject", "r-decide/latest", "--comment", "drifts")
    described = [json.loads(registry(service, "describe", f"r-decide/{number}")) for number in (1, 2, 3)]
    assert [item["ModelApprovalStatus"] for item in described] == ["Approved", "Approved", "Rejected"]
    assert [item.get("ApprovalDescription") for item in described] == ["good enough", None, "drifts"]
    assert registry(service, "latest", "r-decide").strip() == described[1]["ModelPackageArn"]
    registry(service, "reject", "r-decide/approved")
    latest = json.loads(registry(service, "latest", "r-decide", "--json"))
    assert latest["version"] == "r-decide/1"
    rejected = json.loads(registry(service, "list", "r-decide", "--status", "Rejected", "--json"))
    assert [item["version"] for item in rejected] == ["r-decide/3", "r-decide/2"]


MISTAKES = [
    (["aprove", "r-errors/1"], 2, "aprove does not exist; did you mean approve?"),
    (["approve", "r-errors/1", "--coment", "x"], 2, "there is no option --coment; did you mean --comment?"),
    (["register", "r-errors"], 2, "one of the arguments --from-pipeline --from-training-job --model-data is required"),
    (["list", "r-erors"], 1, "there is no group r-erors; did you mean r-errors?"),
    (["describe", "r-errors/7"], 1, "the group r-errors has no version 7; there are: 1"),
    (["describe", "r-errors/x"], 1, "a version is a number, latest or approved"),
    (["describe", "arn:aws:sagemaker:us-east-1:123456789012:model-package/r-errors/9"], 1, "there is no version arn:"),
    (["register", "r-errors", "--model-data", "none.tar.gz"], 1, "none.tar.gz: No such file or directory"),
    (["register", "r-errors", "--model-data", "s3://r-errors/none.tar.gz"], 1, "there is no object s3://r-errors/none"),
    (["register", "r-errors", "--from-training-job", "none"], 1, "there is no training job none"),
    (["register", "r-errors", "--from-pipeline", "none-such"], 1, "there is no pipeline none-such"),
    (["register", "r-errors", "--model-data", "s3://r-errors/model.tar.gz", "--step", "x"], 1, "--step goes with"),
]


@pytest.mark.parametrize(("words", "code", "text"), MISTAKES, ids=[" ".join(words)[:50] for words, _, _ in MISTAKES])
def test_a_mistake_is_one_line_that_helps(
    service: Service, errors: None, capsys: pytest.CaptureFixture[str], words: list[str], code: int, text: str
) -> None:
    assert text in mistaken(service, capsys, words, code)


@pytest.fixture(scope="module")
def errors(service: Service) -> None:
    uri = upload(service, "r-errors")
    service.client("sagemaker").create_model_package_group(ModelPackageGroupName="r-errors")
    register(service, "r-errors", uri)


def test_help_shows_examples_and_debug_a_traceback(service: Service) -> None:
    assert "model-registry approve abalone/latest --comment" in registry(service, "--help")
    assert "--comment" in registry(service, "approve", "--help")
    traced = run_command(service, "model-registry", "latest", "no-such", "--debug", check=False)
    assert traced.returncode == 1 and "Traceback" in traced.stderr


@pytest.mark.parametrize(
    ("report", "expected"),
    [
        (REPORT, {"mse": 4.5, "r2": 0.6}),
        ({"training_metrics": {"validation:rmse": {"value": 2}}}, {"validation:rmse": 2.0}),
        ({"version": 0.0, "dataset": {"item_count": 9}, "regression_metrics": {"mae": {"value": 1}}}, {"mae": 1.0}),
        ({"auc": 0.9, "nested": {"f1": 0.5}, "name": "x", "flag": True}, {"auc": 0.9, "nested.f1": 0.5}),
    ],
)
def test_metrics_have_short_names(report: Any, expected: dict[str, float]) -> None:
    assert flat(report) == expected


@pytest.mark.parametrize(
    ("metric", "values", "winner"),
    [
        ("mse", [5.0, 4.0, 4.5], 1),
        ("validation:rmse", [1.0, 2.0], 0),
        ("mlogloss", [0.2, 0.1], 1),
        ("r2", [0.5, 0.6], 1),
        ("auc", [0.9, float("nan"), 0.8], 0),
        ("r2", [0.5], None),
    ],
)
def test_the_best_is_the_smallest_error_or_the_largest_score(metric: str, values: Any, winner: int | None) -> None:
    versions = [DeliveredVersion(f"arn{n}", "g", n, "Approved", None) for n in range(len(values))]  # type: ignore[arg-type]
    measured = [VersionMetrics(version, {metric: value}) for version, value in zip(versions, values, strict=True)]
    assert best(measured, metric) is (None if winner is None else measured[winner])
