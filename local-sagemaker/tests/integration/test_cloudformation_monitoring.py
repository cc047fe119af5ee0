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
        **watched_otherwise(monitored, image, hour),
        "Job": {"Type": "AWS::SageMaker::DataQualityJobDefinition", "Properties": definition},
        "Schedule": {"Type": "AWS::SageMaker::MonitoringSchedule", "Properties": schedule},
        "Alarm": {"Type": "AWS::CloudWatch::Alarm", "Properties": alarm},
    }
    return json.dumps({"Resources": resources, "Outputs": {"Schedule": {"Value": {"Ref": "Schedule"}}}})


def watched_otherwise(monitored: Monitored, image: str, hour: int) -> dict[str, Any]:
    """Definitions of the other kinds, and a target of scaling with its policy."""
    cluster = {"ClusterConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 20}}
    source = {"EndpointName": monitored.endpoint, "LocalPath": "/opt/ml/processing/input_data"}
    made: dict[str, Any] = {}
    for kind, own, labels in (
        ("ModelQuality", {"ImageUri": image, "ProblemType": "Regression"}, True),
        ("ModelBias", {"ImageUri": image, "ConfigUri": f"s3://{monitored.bucket}/bias.json"}, True),
        ("ModelExplainability", {"ImageUri": image, "ConfigUri": f"s3://{monitored.bucket}/shap.json"}, False),
    ):
        truth = {"GroundTruthS3Input": {"S3Uri": monitored.label_place}} if labels else {}
        extra = {"InferenceAttribute": "0"} if labels else {}
        made[kind] = {"Type": f"AWS::SageMaker::{kind}JobDefinition", "Properties": {
            "JobDefinitionName": f"stack-{kind}-{hour}", "RoleArn": ROLE, "JobResources": cluster,
            f"{kind}AppSpecification": own, f"{kind}JobOutputConfig": monitored.output(),
            f"{kind}JobInput": {"EndpointInput": {**source, **extra}, **truth}}}  # fmt: skip
    target = {"ServiceNamespace": "sagemaker", "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
              "ResourceId": f"endpoint/{monitored.endpoint}/variant/AllTraffic", "MinCapacity": 1,
              "MaxCapacity": hour}  # fmt: skip
    metric = {"PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"}
    policy = {"PolicyName": f"stack-scaling-{hour}", "PolicyType": "TargetTrackingScaling",
              "ScalingTargetId": {"Ref": "Target"}, "TargetTrackingScalingPolicyConfiguration": {
                  "TargetValue": 1_000_000 + hour, "PredefinedMetricSpecification": metric}}  # fmt: skip
    made["Target"] = {"Type": "AWS::ApplicationAutoScaling::ScalableTarget", "Properties": target}
    made["Policy"] = {"Type": "AWS::ApplicationAutoScaling::ScalingPolicy", "Properties": policy}
    return made


def scaled(service: Service, monitored: Monitored) -> list[Any]:
    """What application autoscaling has of the endpoint: the greatest count and the target's value by policy."""
    scaling, resource = service.client("application-autoscaling"), f"endpoint/{monitored.endpoint}/variant/AllTraffic"
    targets = scaling.describe_scalable_targets(ServiceNamespace="sagemaker", ResourceIds=[resource])["ScalableTargets"]
    rows = scaling.describe_scaling_policies(ServiceNamespace="sagemaker", ResourceId=resource)["ScalingPolicies"]
    values = {row["PolicyName"]: row["TargetTrackingScalingPolicyConfiguration"]["TargetValue"] for row in rows}
    return [*(row["MaxCapacity"] for row in targets), *([values] if values else [])]


def other_definitions(sagemaker: Any) -> list[str]:
    listed = [
        getattr(sagemaker, f"list_{kind}_job_definitions")(NameContains="stack-")["JobDefinitionSummaries"]
        for kind in ("model_quality", "model_bias", "model_explainability")
    ]
    return [row["MonitoringJobDefinitionName"] for rows in listed for row in rows]


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
    """DEL-9: also the definitions of the other kinds, and the scaling of the endpoint."""
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
    kinds = ("ModelQuality", "ModelBias", "ModelExplainability")
    assert other_definitions(sagemaker) == [f"stack-{kind}-5" for kind in kinds]
    assert scaled(service, monitored) == [5, {"stack-scaling-5": 1_000_005}]
    taken = {"Endpoint": endpoint["EndpointName"], "EndpointConfig": endpoint["EndpointConfigName"],
             "Model": monitored.model, "MonitoringSchedule": "stack-watch",
             "DataQualityJobDefinition": first}  # fmt: skip
    others = {f"{kind}JobDefinition": f"stack-{kind}-5" for kind in kinds}
    assert wrongly_told(service, named({**taken, **others}), there=True) == [], "a second stack would take it over"
    assert wrongly_told(service, named(dict.fromkeys([*taken, *others, "Project"], "none")), there=False) == []
    stacks.update_stack(StackName="watch", TemplateBody=template(monitored, f"{ANALYZER}:latest", 6))
    until(lambda: status()["StackStatus"] == "UPDATE_COMPLETE", "the update", 120)
    assert other_definitions(sagemaker) == [f"stack-{kind}-6" for kind in kinds]
    assert scaled(service, monitored) == [6, {"stack-scaling-6": 1_000_006}]
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
    until(lambda: not other_definitions(sagemaker) and not scaled(service, monitored), "the end of the others", 120)
