"""A stack that watches an endpoint: job definition, schedule and alarm, replaced and removed in the right order."""

from __future__ import annotations

import json
from typing import Any

from tests.integration.calls_of_stacks import wrongly_told
from tests.integration.monitored_endpoint import ANALYZER, Monitored
from tests.support import ROLE, Service, until


def template(monitored: Monitored, image: str, hour: int) -> str:
    """The stack; `image` changes the definition, which replaces it, `hour` the schedule."""
    definition = {
        "RoleArn": ROLE,
        "JobResources": {"ClusterConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 20}},
        "DataQualityAppSpecification": {"ImageUri": image},
        "DataQualityJobInput": {
            "EndpointInput": {"EndpointName": monitored.endpoint, "LocalPath": "/opt/ml/processing/input_data"}
        },
        "DataQualityJobOutputConfig": monitored.output(),
    }
    schedule = {
        "MonitoringScheduleName": "stack-watch",
        "MonitoringScheduleConfig": {
            "MonitoringType": "DataQuality",
            "MonitoringJobDefinitionName": {"Fn::Select": [1, {"Fn::Split": ["/", {"Ref": "Job"}]}]},
            "ScheduleConfig": {"ScheduleExpression": f"cron(0 {hour} ? * * *)"},
        },
    }
    alarm = {
        "AlarmName": "stack-drift", "Namespace": "aws/sagemaker/Endpoints/data-metrics",
        "MetricName": "feature_baseline_drift_c", "Statistic": "Maximum", "Period": 3600, "EvaluationPeriods": 1,
        "Threshold": 0.2, "ComparisonOperator": "GreaterThanThreshold", "TreatMissingData": "notBreaching",
    }  # fmt: skip
    resources = {
        "Job": {"Type": "AWS::SageMaker::DataQualityJobDefinition", "Properties": definition},
        "Schedule": {"Type": "AWS::SageMaker::MonitoringSchedule", "Properties": schedule},
        "Alarm": {"Type": "AWS::CloudWatch::Alarm", "Properties": alarm},
    }
    return json.dumps({"Resources": resources, "Outputs": {"Schedule": {"Value": {"Ref": "Schedule"}}}})


def named(names: dict[str, str]) -> dict[str, Any]:
    """Resources of SageMaker's types, with their names alone."""
    return {
        kind: {
            "Type": f"AWS::SageMaker::{kind}",
            "Properties": {"JobDefinitionName" if kind.endswith("Definition") else f"{kind}Name": name},
        }
        for kind, name in names.items()
    }


def test_a_stack_of_monitoring_is_created_updated_and_deleted(service: Service) -> None:
    monitored, stacks = Monitored(service), service.client("cloudformation")

    def status() -> Any:
        return stacks.describe_stacks(StackName="watch")["Stacks"][0]

    stacks.create_stack(StackName="watch", TemplateBody=template(monitored, ANALYZER, 5))
    created = until(lambda: status() if status()["StackStatus"] == "CREATE_COMPLETE" else None, "the stack", 120)
    assert created["Outputs"][0]["OutputValue"].endswith(":monitoring-schedule/stack-watch")
    sagemaker = monitored.sagemaker
    before = sagemaker.describe_monitoring_schedule(MonitoringScheduleName="stack-watch")
    assert before["MonitoringScheduleStatus"] == "Scheduled"
    first = before["MonitoringScheduleConfig"]["MonitoringJobDefinitionName"]
    endpoint = sagemaker.describe_endpoint(EndpointName=monitored.endpoint)
    taken = {"Endpoint": endpoint["EndpointName"], "EndpointConfig": endpoint["EndpointConfigName"],
             "Model": monitored.model, "MonitoringSchedule": "stack-watch",
             "DataQualityJobDefinition": first}  # fmt: skip
    others = {f"{kind}JobDefinition": "none" for kind in ("ModelQuality", "ModelBias", "ModelExplainability")}
    assert wrongly_told(service, named(taken), there=True) == [], "a second stack would take it over"
    assert wrongly_told(service, named(dict.fromkeys([*taken, *others, "Project"], "none")), there=False) == []
    stacks.update_stack(StackName="watch", TemplateBody=template(monitored, f"{ANALYZER}:latest", 6))
    until(lambda: status()["StackStatus"] == "UPDATE_COMPLETE", "the update", 120)
    after = sagemaker.describe_monitoring_schedule(MonitoringScheduleName="stack-watch")["MonitoringScheduleConfig"]
    assert after["ScheduleConfig"]["ScheduleExpression"] == "cron(0 6 ? * * *)"
    names = [
        one["MonitoringJobDefinitionName"].lower()  # ARNs, which Ref gives, are in lower case
        for one in sagemaker.list_data_quality_job_definitions()["JobDefinitionSummaries"]
    ]
    assert after["MonitoringJobDefinitionName"] in names
    assert first not in names
    stacks.delete_stack(StackName="watch")
    until(lambda: not sagemaker.list_monitoring_schedules(NameContains="stack-watch")["MonitoringScheduleSummaries"],
          "the end of the schedule", 120)  # fmt: skip
    until(lambda: not service.client("cloudwatch").describe_alarms(AlarmNames=["stack-drift"])["MetricAlarms"],
          "the end of the alarm", 120)  # fmt: skip
