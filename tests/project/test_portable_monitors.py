"""Portable monitors: the scheduled pipeline that needs no Model Monitor, from its stack to its metrics."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from delivery.modelmonitor.portable.definition import MonitorCheck, MonitoringPlan, make_definition
from delivery.modelmonitor.portable.merge import label_rows, list_hours, make_rows, read_time
from delivery.modelmonitor.portable.notify import make_metrics
from delivery.modelmonitor.portable.options import find_hours, refuse_others
from delivery.stages.configuration import ConfigurationError
from model_checks import quality
from model_checks.datasets.dataset import Dataset
from model_checks.datasets.predictions import PredictionAttributes
from tests.commands import run_command
from tests.project.delivering import register, regressor
from tests.support import ROLE, ROOT, SCIKIT_LEARN, Service, finished, read_json, steps_of, until

NAME, BUCKET = "portably", "portable-monitors"
ENDPOINT = f"{NAME}-staging"
HOUR = "2026/11/29/13"
END = "2026-11-29T14:00:00Z"
FEATURES = 2
EVENTS_ROLE = ROLE
FACET = {"name_or_index": 1, "value_or_threshold": [0.5]}
CLARIFY: dict[str, dict[str, Any]] = {
    "Bias/ConfigFile": {"label_values_or_threshold": [1.0], "facet": [FACET], "label": 0},
    "Bias/PostTrainingConstraints": {"version": "1.0", "post_training_bias_metrics": {
        "label": "0", "facets": {"1": [{"value_or_threshold": "(0.5, 1.0]", "metrics": []}]}}},
    "Explainability/ConfigFile": {"methods": {"shap": {"baseline": [[0.5, 0.5]], "num_samples": 10, "seed": 1,
                                                       "agg_method": "mean_abs"}},
                                  "predictor": {"instance_type": "ml.m5.large", "initial_instance_count": 1}},
    "Explainability/Constraints": {"version": "1.0", "explanations": {
        "kernel_shap": {"label0": {"global_shap_values": {"1": 0.3, "2": 0.2}, "expected_value": 1.0}}}},
}  # fmt: skip
"""Files of a version's DriftCheckBaselines."""


def rows(count: int, shift: float = 0.0, seed: int = 1) -> Iterator[tuple[float, str]]:
    """Label and features; the second feature is shifted."""
    choose = random.Random(seed)
    for _ in range(count):
        first, second = choose.random(), choose.random()
        yield first + second, f"{first:.4f},{second + shift:.4f}"


def event(number: int, features: str, prediction: float) -> str:
    """A captured request, as endpoints write it."""
    side = {"observedContentType": "text/csv", "encoding": "CSV"}
    return json.dumps({
        "captureData": {"endpointInput": {**side, "mode": "INPUT", "data": features},
                        "endpointOutput": {**side, "mode": "OUTPUT", "data": f"{prediction:.4f}"}},
        "eventMetadata": {"eventId": f"e{number}", "inferenceTime": f"2026-11-29T13:{number % 60:02}:30Z"},
        "eventVersion": "0",
    })  # fmt: skip


@dataclass(frozen=True)
class Watched:
    """A stage with an endpoint, whose stack of portable monitors is complete."""

    service: Service
    parameters: dict[str, str]

    def run(self, end: str) -> dict[str, str]:
        """The statuses of the steps of one execution."""
        sagemaker = self.service.client("sagemaker")
        started = sagemaker.start_pipeline_execution(
            PipelineName=f"{ENDPOINT}-monitoring", PipelineParameters=[{"Name": "WindowEnd", "Value": end}]
        )
        arn = started["PipelineExecutionArn"]
        done = finished(sagemaker, arn)
        statuses = {step["StepName"]: step["StepStatus"] for step in steps_of(sagemaker, arn).values()}
        assert done["PipelineExecutionStatus"] == "Succeeded", (done, statuses)
        return statuses


def baselines(service: Service, folder: Path) -> dict[str, Any]:
    """Of the training data, by the library of the checks, in S3."""
    (folder / "data").mkdir()
    (folder / "data/train.csv").write_text("".join(f"{label:.4f},{row}\n" for label, row in rows(300)))
    (folder / "scored").mkdir()
    (folder / "scored/test.csv").write_text("".join(f"{label:.4f},{label + 0.01:.4f}\n" for label, _ in rows(300)))
    csv = {"csv": {"header": False}}
    data = quality.analyse_data_quality(Dataset(folder / "data", csv))
    attributes = PredictionAttributes.of({"inference_attribute": "_c1", "ground_truth_attribute": "_c0"}, merged=False)
    model = quality.analyse_model_quality(Dataset(folder / "scored", csv), "Regression", attributes)
    found: dict[str, Any] = {}
    for kind, analysis in (("ModelDataQuality", data), ("ModelQuality", model)):
        for name, text in analysis.files().items():
            uri, field = put(service, f"baselines/{kind}/{name}", text), name.partition(".")[0].capitalize()
            found.setdefault(kind, {})[field] = {"ContentType": "application/json", "S3Uri": uri}
    for path, content in CLARIFY.items():
        kind, field = path.split("/")
        uri = put(service, f"baselines/{kind}/{field}/analysis.json", json.dumps(content))
        found.setdefault(kind, {})[field] = {"ContentType": "application/json", "S3Uri": uri}
    return found


def put(service: Service, key: str, text: str) -> str:
    """The URI of an object with this text."""
    service.client("s3").put_object(Bucket=BUCKET, Key=key, Body=text.encode())
    return f"s3://{BUCKET}/{key}"


@pytest.fixture(scope="module")
def watched(service: Service, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    """Captures of one hour are in S3, shifted, and labels for half of them."""
    folder = tmp_path_factory.mktemp("portable")
    s3, sagemaker = service.client("s3"), service.client("sagemaker")
    s3.create_bucket(Bucket=BUCKET)
    s3.put_object(Bucket=BUCKET, Key="model.tar.gz", Body=regressor(2, FEATURES)[0])
    sagemaker.create_model_package_group(ModelPackageGroupName=NAME)
    version = register(
        service, NAME, f"s3://{BUCKET}/model.tar.gz", ModelApprovalStatus="Approved",
        DriftCheckBaselines=baselines(service, folder),
    )  # fmt: skip
    deploy(service, version)
    events = [event(number, row, label) for number, (label, row) in enumerate(rows(200, shift=2.0, seed=2))]
    s3.put_object(Bucket=BUCKET, Key=f"capture/{ENDPOINT}/AllTraffic/{HOUR}/a.jsonl", Body="\n".join(events).encode())
    labels = [
        json.dumps({"groundTruthData": {"data": "9.0", "encoding": "CSV"}, "eventMetadata": {"eventId": f"e{number}"},
                    "eventVersion": "0"})
        for number in range(100)
    ]  # fmt: skip
    s3.put_object(Bucket=BUCKET, Key=f"labels/{HOUR}/a.jsonl", Body="\n".join(labels).encode())
    render(service, folder)
    command = ("-m", "delivery.stages.deploy", "--stack", f"{NAME}-monitors", "--template",
               str(folder / "monitor-template.yml"), "--configuration",
               str(folder / "staging-config-export.json"))  # fmt: skip
    done = run_command(service, *command, cwd=ROOT, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    content = json.loads((folder / "staging-config-export.json").read_text())
    yield Watched(service, content["Parameters"])
    service.client("cloudformation").delete_stack(StackName=f"{NAME}-monitors")
    sagemaker.delete_endpoint(EndpointName=ENDPOINT)


def deploy(service: Service, version: str) -> None:
    sagemaker = service.client("sagemaker")
    sagemaker.create_model(ModelName=NAME, ExecutionRoleArn=ROLE, Containers=[{"ModelPackageName": version}])
    variant = {"VariantName": "AllTraffic", "ModelName": NAME, "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
    capture = {
        "EnableCapture": True, "InitialSamplingPercentage": 100, "DestinationS3Uri": f"s3://{BUCKET}/capture",
        "CaptureOptions": [{"CaptureMode": "Input"}, {"CaptureMode": "Output"}],
    }  # fmt: skip
    sagemaker.create_endpoint_config(EndpointConfigName=NAME, ProductionVariants=[variant], DataCaptureConfig=capture)
    sagemaker.create_endpoint(EndpointName=ENDPOINT, EndpointConfigName=NAME)
    until(lambda: sagemaker.describe_endpoint(EndpointName=ENDPOINT)["EndpointStatus"] == "InService", "it", 240)


def render(service: Service, folder: Path) -> None:
    """What the monitoring repository's build does."""
    configuration = json.loads((ROOT / "delivery/modelmonitor/staging-monitoring-config.json").read_text())
    configuration["Parameters"].update(
        {"GroundTruthInput": f"s3://{BUCKET}/labels", "DriftFeature": "_c2", "ModelQualityMetric": "rmse",
         "NoDataWindows": "1"}
    )  # fmt: skip
    (folder / "staging.json").write_text(json.dumps(configuration))
    arguments = {
        "--sagemaker-project-name": NAME, "--sagemaker-project-id": "p-1", "--monitor-role": ROLE,
        "--monitor-image": "1.dkr.ecr.us-east-1.amazonaws.com/monitor", "--s3-bucket": BUCKET,
        "--clarify-image": "1.dkr.ecr.us-east-1.amazonaws.com/clarify", "--output": str(folder),
        "--monitors-flavour": "portable", "--check-image": SCIKIT_LEARN, "--events-role": EVENTS_ROLE,
        "--staging-config": str(folder / "staging.json"),
    }  # fmt: skip
    flat = [word for pair in arguments.items() for word in pair]
    done = run_command(service, "-m", "delivery.modelmonitor.build", *flat, cwd=ROOT)
    assert f"monitors: the scheduled pipeline {ENDPOINT}-monitoring, without Model Monitor" in done.stdout


def test_a_window_without_data_is_no_failure(watched: Watched) -> None:
    statuses = watched.run("2026-11-28T14:00:00Z")
    assert statuses.get("NotifyNoData") == "Succeeded" and "DataQualityCheckStep" not in statuses
    assert statuses.get("NotifyNoRows") == "Succeeded" and "ModelExplainabilityCheckStep" not in statuses
    cloudwatch, name = watched.service.client("cloudwatch"), f"{ENDPOINT}-no-data"

    def state() -> str:
        return str(cloudwatch.describe_alarms(AlarmNames=[name])["MetricAlarms"][0]["StateValue"])

    until(lambda: state() == "ALARM", "the alarm of a window without data", 120)


def test_a_window_with_drift_and_labels_is_reported_where_model_monitor_reports(watched: Watched) -> None:
    statuses = watched.run(END)
    kinds = ("DataQuality", "ModelQuality", "ModelBias", "ModelExplainability")
    ran = {"Merge", *(f"{kind}CheckStep" for kind in kinds)}
    for data in ("Data", "Rows", "Labels", "LabelledRows"):
        ran.add(f"Has{data}")
        ran.add({"Data": "Notify", "Labels": "NotifyLabelled"}.get(data, f"Notify{data}"))
    assert {name for name, status in statuses.items() if status == "Succeeded"} == ran
    s3 = watched.service.client("s3")
    place = f"s3://{BUCKET}/monitor-output/staging"
    for kind, name in (("data-quality", "_c2"), ("model-quality", "rmse")):
        uri = f"{place}/{kind}/{ENDPOINT}/{ENDPOINT}-{kind}/2026/11/29/14/constraint_violations.json"
        violations = read_json(s3, uri)["violations"]
        assert name in json.dumps(violations), violations
    for kind, section in (("model-bias", "post_training_bias_metrics"), ("model-explainability", "explanations")):
        uri = f"{place}/{kind}/{ENDPOINT}/{ENDPOINT}-{kind}/2026/11/29/14/analysis.json"
        assert read_json(s3, uri)[section]
    cloudwatch = watched.service.client("cloudwatch")
    listed = cloudwatch.list_metrics(Namespace="Delivery/Monitoring")["Metrics"]
    metrics = {item["MetricName"] for item in listed}
    assert {"feature_baseline_drift__c2", "rmse", "violations", "no_data"} <= metrics
    alarms = cloudwatch.describe_alarms(AlarmNames=[f"{ENDPOINT}-drift"])["MetricAlarms"]
    assert alarms[0]["Namespace"] == "Delivery/Monitoring"
    until(
        lambda: cloudwatch.describe_alarms(AlarmNames=[f"{ENDPOINT}-no-data"])["MetricAlarms"][0]["StateValue"] == "OK",
        "the end of the alarm, as data came", 120,
    )  # fmt: skip


def test_the_schedule_starts_the_pipeline_with_the_end_of_the_window(watched: Watched) -> None:
    schedule = watched.service.client("scheduler").get_schedule(Name=f"{ENDPOINT}-monitoring")
    assert schedule["ScheduleExpression"] == "cron(0 * ? * * *)"
    assert schedule["Target"]["Arn"].endswith(":aws-sdk:sagemaker:startPipelineExecution")
    given = json.loads(schedule["Target"]["Input"])
    assert given["PipelineName"] == f"{ENDPOINT}-monitoring"
    assert given["PipelineParameters"] == [{"Name": "WindowEnd", "Value": "<aws.scheduler.scheduled-time>"}]
    listed = watched.service.client("sagemaker").list_monitoring_schedules(EndpointName=ENDPOINT)
    assert listed["MonitoringScheduleSummaries"] == []  # none of Model Monitor


def test_a_window_touches_the_hours_of_its_times() -> None:
    hours = list(list_hours(read_time("2026-11-29T12:30:00Z"), read_time("2026-11-29T14:00:00+00:00")))
    assert hours == ["2026/11/29/12", "2026/11/29/13"]


def test_rows_of_several_lines_and_of_base64() -> None:
    side = {"observedContentType": "text/csv", "encoding": "CSV"}
    two = {"endpointInput": {**side, "data": "1,2\n3,4"}, "endpointOutput": {**side, "data": "0.5,0.6"}}
    assert list(make_rows({"captureData": two})) == [("0.5", "1,2"), ("0.6", "3,4")]
    coded = {"endpointInput": {**side, "encoding": "BASE64", "data": "MSwy"}, "endpointOutput": {**side, "data": "7\n"}}
    assert list(make_rows({"captureData": coded})) == [("7", "1,2")]
    image = {"endpointInput": {"observedContentType": "image/png", "data": ""}, "endpointOutput": {**side, "data": "7"}}
    assert list(make_rows({"captureData": image})) == []


def test_metrics_are_those_of_violations_and_of_the_model() -> None:
    drift = {"feature_name": "_c7", "constraint_check_type": "baseline_drift_check",
             "description": "Baseline drift distance: 0.45 exceeds threshold: 0.1"}  # fmt: skip
    statistics = {"version": 0.0, "regression_metrics": {"rmse": {"value": 2.5, "standard_deviation": 1.0}}}
    assert dict(make_metrics(statistics, [drift])) == {"feature_baseline_drift__c7": 0.45, "rmse": 2.5}


@pytest.mark.parametrize(("hour", "hours"), [("*", 1), ("0/6", 6), ("1/2", 2), ("0", 24), ("23", 24)])
def test_a_window_is_as_long_as_the_interval(hour: str, hours: int) -> None:
    assert find_hours({"DataQualityScheduleExpression": f"cron(0 {hour} ? * * *)"}) == hours
    assert find_hours({}) == 1


@pytest.mark.parametrize("expression", ["NOW", "cron(0 0/5 ? * * *)", "cron(0 12/6 ? * * *)", "cron(0 24 ? * * *)"])
def test_an_expression_without_one_interval_is_refused(expression: str) -> None:
    with pytest.raises(ConfigurationError, match="portable monitors do not run at"):
        find_hours({"DataQualityScheduleExpression": expression})


def test_what_only_model_monitor_does_is_refused_by_name() -> None:
    refuse_others({"ModelBiasScheduleExpression": "cron(0 * ? * * *)", "MonitoringJobInstanceCount": "1"})
    others = {
        "ModelQualityStartTimeOffset": "-P1D", "ModelQualityEndTimeOffset": "-P0D", "FeaturesAttribute": "x",
        "MonitoringJobInstanceCount": "2", "ModelBiasScheduleExpression": "cron(0 0 ? * * *)",
    }  # fmt: skip
    with pytest.raises(ConfigurationError) as refused:
        refuse_others(others)
    lines = str(refused.value).splitlines()
    assert len(lines) == len(others) and all(any(name in line for line in lines) for name in others)


def test_each_data_set_has_a_condition_and_a_job_has_its_limits() -> None:
    check = MonitorCheck("ModelBiasCheckStep", "model-bias", "MODEL_BIAS", "truth-rows", "s3://b/c", "s3://b/d",
                         max_runtime=60)  # fmt: skip
    plan = MonitoringPlan(
        "e", "g", ROLE, SCIKIT_LEARN, "s3://b/capture", "s3://b/labels", "s3://b/out", "s3://b/work", "s3://b/a",
        "s3://b/m", "s3://b/n", [check], hours=6, volume_size=7,
    )  # fmt: skip
    merge, condition = make_definition(plan)["Steps"]
    words = merge["Arguments"]["AppSpecification"]["ContainerArguments"]
    assert words[words.index("--hours") + 1] == "6"
    assert merge["Arguments"]["ProcessingResources"]["ClusterConfig"]["VolumeSizeInGB"] == 7
    assert condition["Name"] == "HasLabelledRows" and condition["Arguments"]["ElseSteps"] == []
    assert condition["Arguments"]["Conditions"][0]["LeftValue"]["Std:JsonGet"]["Path"] == "labelled_rows"
    bias, notify = condition["Arguments"]["IfSteps"]
    assert bias["Arguments"]["StoppingCondition"] == {"MaxRuntimeInSeconds": 60}
    assert notify["DependsOn"] == ["ModelBiasCheckStep"]


def test_rows_of_a_request_have_a_label_each_or_none() -> None:
    two = [("0.5", "1,2"), ("0.6", "3,4")]
    assert label_rows(two, {"data": "1\n0\n", "encoding": "CSV"}) == ["1,1,2", "0,3,4"]
    assert label_rows(two, {"data": "1", "encoding": "CSV"}) == []
    assert label_rows(two, {"data": "{}", "encoding": "JSON"}) == label_rows(two, None) == []
