"""Monitoring through unmodified boto3 and the command line: schedules, executions, violations, metrics, the clock."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.integration.monitored_endpoint import Monitored
from tests.support import Service, read_json, until


@pytest.fixture(scope="module")
def monitored(service: Service) -> Iterator[Monitored]:
    yield Monitored(service)


@pytest.fixture(scope="module")
def baseline(monitored: Monitored) -> dict[str, str]:
    return monitored.baseline()


def command(service: Service, *words: str) -> subprocess.CompletedProcess[str]:
    return service.run("local-sagemaker", "--home", str(service.home), *words, check=False)


def refused(call: Any, **request: Any) -> str:
    with pytest.raises(ClientError) as error:
        call(**request)
    return str(error.value.response["Error"]["Code"] + ": " + error.value.response["Error"]["Message"])


def metric(service: Service, namespace: str, name: str, dimensions: dict[str, str]) -> list[float]:
    now = datetime.now().astimezone()
    found = service.client("cloudwatch").get_metric_statistics(
        Namespace=namespace, MetricName=name, StartTime=now.replace(year=now.year - 1),
        EndTime=now.replace(year=now.year + 1), Period=86_400, Statistics=["Average"],
        Dimensions=[{"Name": key, "Value": value} for key, value in dimensions.items()],
    )  # fmt: skip
    return [point["Average"] for point in found["Datapoints"]]


def test_a_schedule_is_run_now_and_finds_what_drifted(
    service: Service, monitored: Monitored, baseline: dict[str, str]
) -> None:
    monitored.data_quality("drift", baseline)
    arn = monitored.schedule("drift", "drift")
    assert arn.endswith(":monitoring-schedule/drift")
    monitored.invoke(monitored.rows(80, shift=9))
    done = command(service, "monitor", "run", "drift", "--json")
    assert done.returncode == 4, done.stderr
    shown = json.loads(done.stdout)
    assert shown["MonitoringExecutionStatus"] == "CompletedWithViolations"
    assert {one["feature_name"] for one in shown["violations"]} == {"c"}
    execution = monitored.ended("drift")
    job = monitored.sagemaker.describe_processing_job(ProcessingJobName=execution["ProcessingJobArn"].split("/")[-1])
    assert job["ProcessingJobName"].startswith("data-quality-monitoring-")
    place = job["ProcessingOutputConfig"]["Outputs"][0]["S3Output"]["S3Uri"]
    assert place.startswith(f"s3://{monitored.bucket}/reports/{monitored.endpoint}/drift/20")
    report = read_json(monitored.s3, f"{place}/constraint_violations.json")
    assert {one["constraint_check_type"] for one in report["violations"]} == {"baseline_drift_check"}
    dimensions = {"Endpoint": monitored.endpoint, "MonitoringSchedule": "drift"}
    namespace = "aws/sagemaker/Endpoints/data-metrics"
    drifts = until(
        lambda: metric(service, namespace, "feature_baseline_drift_c", dimensions), "the metric of the drift"
    )
    assert drifts[0] > 0.5
    described = monitored.sagemaker.describe_monitoring_schedule(MonitoringScheduleName="drift")
    assert described["MonitoringScheduleStatus"] == "Scheduled"
    assert described["LastMonitoringExecutionSummary"]["ProcessingJobArn"] == execution["ProcessingJobArn"]
    assert "drift  DataQuality  Scheduled" in command(service, "monitor", "list").stdout
