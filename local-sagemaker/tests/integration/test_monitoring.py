"""Monitoring through boto3 and the command line: schedules, executions, violations, metrics (DEL-38, 40, 42)."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.integration.monitored_endpoint import ANALYZER, CLUSTER, COLUMNS, HOURLY, Monitored
from tests.support import ROLE, Service, read_json, until


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
    arn = monitored.schedule("drift", "drift", **HOURLY)
    assert arn.endswith(":monitoring-schedule/drift")
    monitored.invoke(monitored.rows(80, shift=9))
    done = command(service, "monitor", "run", "drift", "--json")
    assert done.returncode == 4, done.stderr
    shown = json.loads(done.stdout)
    assert shown["MonitoringExecutionStatus"] == "CompletedWithViolations"
    assert {one["feature_name"] for one in shown["violations"]} == {"c"}
    name = shown["ProcessingJobArn"].rpartition("/")[2]
    job = monitored.sagemaker.describe_processing_job(ProcessingJobName=name)
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
    client = service.client("cloudwatch")
    client.put_metric_alarm(
        AlarmName="drift", Namespace=namespace, MetricName="feature_baseline_drift_c",
        Dimensions=[{"Name": key, "Value": value} for key, value in dimensions.items()], Statistic="Maximum",
        Period=3600, EvaluationPeriods=1, Threshold=0.2, ComparisonOperator="GreaterThanThreshold",
        TreatMissingData="notBreaching",
    )  # fmt: skip
    until(lambda: state_of(client, "drift") == "ALARM", "the alarm of the drift", 60)
    described = monitored.sagemaker.describe_monitoring_schedule(MonitoringScheduleName="drift")
    assert described["MonitoringScheduleStatus"] == "Scheduled"
    assert described["LastMonitoringExecutionSummary"] in monitored.executions("drift")
    assert "drift  DataQuality  Scheduled" in command(service, "monitor", "list").stdout


def test_the_clock_jumps_over_schedules_and_a_kill_interrupts_an_execution(own_service: Service) -> None:
    """A crash in the middle of an execution loses nothing; of the hours that are jumped over only the newest is run."""
    monitored = Monitored(own_service)
    monitored.leave_the_full_hour()
    monitored.data_quality("jump", monitored.baseline())
    monitored.schedule("jump", "jump", **HOURLY)
    monitored.invoke(monitored.rows(80, shift=9))
    queue = scheduled_queue(own_service)
    assert command(own_service, "clock", "1h").returncode == 0
    until(lambda: any("ProcessingJobArn" in one for one in monitored.executions("jump")), "the execution's job")
    own_service.kill()
    own_service.up()
    monitored.sagemaker = own_service.client("sagemaker")
    execution = monitored.ended("jump")
    assert execution["MonitoringExecutionStatus"] == "CompletedWithViolations", execution
    assert len(monitored.executions("jump")) == 1
    sqs = own_service.client("sqs")
    message = until(lambda: sqs.receive_message(QueueUrl=queue).get("Messages"), "the scheduled event")[0]
    assert json.loads(message["Body"])["detail-type"] == "Scheduled Event"
    assert command(own_service, "clock", "5h").returncode == 0
    newest = monitored.ended("jump", 2)
    assert (newest["MonitoringExecutionStatus"], newest["FailureReason"]) == ("Failed", "Job inputs had no data")
    assert "4 times were missed" in command(own_service, "monitor", "list").stdout
    assert command(own_service, "clock", "2026-01-01").returncode == 1
    history = monitored.sagemaker.list_monitoring_alert_history(MonitoringScheduleName="jump")
    assert [one["AlertStatus"] for one in history["MonitoringAlertHistory"]] == ["InAlert"]


def test_labels_that_come_late_are_found_by_a_window_that_waits_for_them(own_service: Service) -> None:
    """DEL-38: the labels of an hour's requests are collected in the next hour, under whose key they are."""
    monitored = Monitored(own_service)
    monitored.leave_the_full_hour()
    rows = monitored.rows(20)
    monitored.invoke(rows, inference_id="late")
    for name, end in (("short", "-PT1H"), ("long", "-PT0H")):
        monitored.model_quality(name, StartTimeOffset="-PT2H", EndTimeOffset=end)
        monitored.schedule(name, name, "ModelQuality", **HOURLY)
    assert command(own_service, "clock", "1h").returncode == 0
    for name in ("short", "long"):  # one has no captured data in its window yet, the other no labels
        first = monitored.ended(name)
        assert (first["MonitoringExecutionStatus"], first["FailureReason"]) == ("Failed", "Job inputs had no data")
    monitored.labels(rows, "late", hour=monitored.hour)
    assert command(own_service, "clock", "1h").returncode == 0
    passed = monitored.ended("short", 2)
    assert (passed["MonitoringExecutionStatus"], passed["FailureReason"]) == ("Failed", "Job inputs had no data")
    assert "ProcessingJobArn" not in passed
    merged = monitored.ended("long", 2)
    assert merged["MonitoringExecutionStatus"] == "Completed", merged
    report = read_json(monitored.s3, f"{monitored.result(merged)}/statistics.json")
    metrics = report["binary_classification_metrics"]
    assert metrics["accuracy"]["value"] == 0.5
    assert report["dataset"]["item_count"] == len(rows)


def scheduled_queue(service: Service) -> str:
    """A queue that a rule sends an event to each hour; its URL."""
    sqs, events = service.client("sqs"), service.client("events")
    queue = str(sqs.create_queue(QueueName="hourly")["QueueUrl"])
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    events.put_rule(Name="hourly", ScheduleExpression="rate(1 hour)")
    events.put_targets(Rule="hourly", Targets=[{"Id": "1", "Arn": arn}])
    return queue


def state_of(client: Any, name: str) -> str:
    found = client.describe_alarms(AlarmNames=[name], AlarmTypes=["MetricAlarm", "CompositeAlarm"])
    return str([*found["MetricAlarms"], *found.get("CompositeAlarms", [])][0]["StateValue"])


def test_alarms_change_state_notify_and_have_a_history(service: Service) -> None:
    client, sns, sqs = service.client("cloudwatch"), service.client("sns"), service.client("sqs")
    topic = sns.create_topic(Name="alarms")["TopicArn"]
    queue = sqs.create_queue(QueueName="alarms")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    events = service.client("events")
    events.put_rule(Name="alarms", EventPattern=json.dumps({"detail-type": ["CloudWatch Alarm State Change"]}))
    events.put_targets(Rule="alarms", Targets=[{"Id": "1", "Arn": arn}])
    client.put_metric_alarm(
        AlarmName="high", Namespace="Tests", MetricName="Load", Statistic="Average", Period=60, EvaluationPeriods=1,
        Threshold=5, ComparisonOperator="GreaterThanThreshold", AlarmActions=[topic],
    )  # fmt: skip
    client.put_composite_alarm(AlarmName="both", AlarmRule="ALARM(high) AND NOT ALARM(absent)")
    assert state_of(client, "high") == "INSUFFICIENT_DATA"
    now = json.loads(command(service, "clock", "--json").stdout)["now"]
    client.put_metric_data(
        Namespace="Tests", MetricData=[{"MetricName": "Load", "Value": 9, "Timestamp": datetime.fromisoformat(now)}]
    )
    until(lambda: state_of(client, "high") == "ALARM", "the alarm", 60)
    until(lambda: state_of(client, "both") == "ALARM", "the composite alarm", 60)
    received: list[Any] = []

    def both() -> bool:
        for message in sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages", []):
            received.append(json.loads(message["Body"]))
            sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
        names = {one.get("detail", {}).get("alarmName") for one in received}
        return names >= {"high", "both"} and any("Message" in one for one in received)

    until(both, "the notification and the events", 60)
    message = json.loads(next(one["Message"] for one in received if "Message" in one))
    assert (message["AlarmName"], message["NewStateValue"], message["OldStateValue"]) == (
        "high", "ALARM", "INSUFFICIENT_DATA",
    )  # fmt: skip
    event = next(one for one in received if one.get("detail", {}).get("alarmName") == "high")
    assert event["source"] == "aws.cloudwatch"
    assert event["detail"]["state"]["value"] == "ALARM"
    history = client.describe_alarm_history(AlarmName="high")["AlarmHistoryItems"]
    assert [one["HistoryItemType"] for one in history] == ["Action", "StateUpdate", "ConfigurationUpdate"]


def test_refusals_and_lists_of_schedules(service: Service, monitored: Monitored, baseline: dict[str, str]) -> None:
    sagemaker = monitored.sagemaker
    monitored.data_quality("listed", baseline)
    assert "ResourceInUse" in refused(monitored.data_quality, name="listed", baseline=baseline)
    assert "ScheduleExpression" in refused(
        monitored.schedule, name="odd", definition="listed", ScheduleExpression="rate(1 hour)"
    )
    assert "ResourceNotFound" in refused(monitored.schedule, name="odd", definition="absent")
    monitored.schedule("listed", "listed")
    until(
        lambda: (
            sagemaker.describe_monitoring_schedule(MonitoringScheduleName="listed")["MonitoringScheduleStatus"]
            == "Scheduled"
        ),
        "the schedule",
    )
    assert "ResourceInUse" in refused(monitored.schedule, name="listed", definition="listed")
    sagemaker.stop_monitoring_schedule(MonitoringScheduleName="listed")
    found = sagemaker.list_monitoring_schedules(StatusEquals="Stopped", EndpointName=monitored.endpoint)
    assert [one["MonitoringScheduleName"] for one in found["MonitoringScheduleSummaries"]] == ["listed"]
    names = sagemaker.list_data_quality_job_definitions(EndpointName=monitored.endpoint, NameContains="listed")
    assert [one["MonitoringJobDefinitionName"] for one in names["JobDefinitionSummaries"]] == ["listed"]
    alert = sagemaker.list_monitoring_alerts(MonitoringScheduleName="listed")["MonitoringAlertSummaries"][0]
    assert (alert["AlertStatus"], alert["DatapointsToAlert"]) == ("OK", 1)
    sagemaker.update_monitoring_alert(
        MonitoringScheduleName="listed", MonitoringAlertName=alert["MonitoringAlertName"], DatapointsToAlert=2,
        EvaluationPeriod=3,
    )  # fmt: skip
    sagemaker.delete_monitoring_schedule(MonitoringScheduleName="listed")
    assert "ResourceNotFound" in refused(sagemaker.describe_monitoring_schedule, MonitoringScheduleName="listed")
    sagemaker.delete_data_quality_job_definition(JobDefinitionName="listed")


NOW = {"ScheduleExpression": "NOW", "DataAnalysisStartTime": "-PT1H", "DataAnalysisEndTime": "-PT0H"}


def test_executions_without_labels_or_baseline_fail_and_say_so(
    service: Service, monitored: Monitored, baseline: dict[str, str]
) -> None:
    monitored.invoke(monitored.rows(2), inference_id="unlabelled")
    monitored.model_quality("unlabelled", labels=f"s3://{monitored.bucket}/no-labels")
    monitored.schedule("unlabelled", "unlabelled", "ModelQuality", **NOW)
    execution = monitored.ended("unlabelled")
    assert (execution["MonitoringExecutionStatus"], execution["FailureReason"]) == ("Failed", "Job inputs had no data")
    assert "ProcessingJobArn" not in execution
    gone = {name: f"s3://{monitored.bucket}/gone/{name}.json" for name in baseline}
    monitored.data_quality("gone", gone)
    monitored.schedule("gone", "gone", **NOW)
    execution = monitored.ended("gone")
    assert execution["MonitoringExecutionStatus"] == "Failed"
    assert "gone" in execution["FailureReason"]
    alert = monitored.sagemaker.list_monitoring_alerts(MonitoringScheduleName="gone")["MonitoringAlertSummaries"][0]
    assert alert["AlertStatus"] == "InAlert"


def test_what_a_batch_transform_captured_is_monitored(
    service: Service, monitored: Monitored, baseline: dict[str, str]
) -> None:
    lines = [",".join(COLUMNS)] + [",".join(map(str, [1, *row])) for row in monitored.rows(80, shift=9)]
    monitored.put("batch/in/rows.csv", "\n".join(lines).encode())
    monitored.put(
        f"batch/capture/input/{monitored.hour}/one.json",
        [{"prefix": f"s3://{monitored.bucket}/batch/in/"}, "rows.csv"],
    )
    monitored.sagemaker.create_data_quality_job_definition(
        JobDefinitionName="batch", RoleArn=ROLE, JobResources=CLUSTER,
        DataQualityAppSpecification={"ImageUri": ANALYZER},
        DataQualityBaselineConfig={"ConstraintsResource": {"S3Uri": baseline["constraints"]},
                                   "StatisticsResource": {"S3Uri": baseline["statistics"]}},
        DataQualityJobInput={"BatchTransformInput": {
            "DataCapturedDestinationS3Uri": f"s3://{monitored.bucket}/batch/capture",
            "DatasetFormat": {"Csv": {"Header": True}}, "LocalPath": "/opt/ml/processing/input_data",
            "ExcludeFeaturesAttribute": "prediction"}},
        DataQualityJobOutputConfig=monitored.output(),
    )  # fmt: skip
    monitored.schedule("batch", "batch", **NOW)
    execution = monitored.ended("batch")
    assert execution["MonitoringExecutionStatus"] == "CompletedWithViolations", execution
    assert "EndpointName" not in execution
    job = monitored.sagemaker.describe_processing_job(ProcessingJobName=execution["ProcessingJobArn"].split("/")[-1])
    place = job["ProcessingOutputConfig"]["Outputs"][0]["S3Output"]["S3Uri"]
    assert place.startswith(f"s3://{monitored.bucket}/reports/batch/20")
    report = read_json(monitored.s3, f"{place}/constraint_violations.json")
    assert {one["feature_name"] for one in report["violations"]} == {"c"}
    features = read_json(monitored.s3, f"{place}/statistics.json")["features"]
    assert [one["name"] for one in features] == ["a", "b", "c"]
