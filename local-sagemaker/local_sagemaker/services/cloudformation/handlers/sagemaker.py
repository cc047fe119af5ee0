"""SageMaker's types: models, endpoint configurations, endpoints, groups of versions, pipelines, monitoring."""

from __future__ import annotations

from typing import Any

from local_sagemaker.cloudformation.comparison import changes
from local_sagemaker.errors import ServiceError
from local_sagemaker.records.status import EndpointStatus, ScheduleStatus
from local_sagemaker.services.cloudformation.handlers.handler import (
    ApiResource,
    Cancelled,
    DeploymentContext,
    Find,
    Handler,
    Identity,
    Properties,
    fit_to_operation,
    is_absent,
    policy_text,
)

POLL = 0.1
"""Seconds between two looks at an endpoint."""


def _finder(describe: str, name: str, arn: str, *more: str) -> Find:
    """Reads the identity of what an operation describes: its ARN, with some members as attributes."""

    def find(context: DeploymentContext, properties: Properties) -> Identity:
        body = context.call(f"sagemaker:{describe}", {name: properties[name]})
        attributes = {member: body[member] for member in (name, arn, *more) if member in body}
        return Identity(body[arn], body[arn], {key: _text(value) for key, value in attributes.items()})

    return find


def _text(value: Any) -> Any:
    return str(value) if isinstance(value, float) else value


class SageMakerResource(ApiResource):
    """A type of SageMaker's: of everything but tags, its operations take care."""

    def update(self, context: DeploymentContext, identity: Identity, before: Properties, after: Properties) -> Identity:
        """Tags are changed by operations of their own."""
        if "Tags" in changes(before, after):
            arn = identity.attributes.get("PipelineArn", identity.physical)  # Ref of a pipeline is its name
            _retag(context, arn, before.get("Tags", []), after.get("Tags", []))
        if changes({**before, "Tags": None}, {**after, "Tags": None}):
            return super().update(context, identity, before, after)
        return identity


def _retag(context: DeploymentContext, arn: str, before: list[dict[str, str]], after: list[dict[str, str]]) -> None:
    """CloudFormation's own tags stay what they are: the stack and the logical name do not change."""
    before, after = ([tag for tag in tags if not tag["Key"].startswith("aws:")] for tags in (before, after))
    wanted = {tag["Key"] for tag in after}
    removed = [tag["Key"] for tag in before if tag["Key"] not in wanted]
    if removed:
        context.call("sagemaker:DeleteTags", {"ResourceArn": arn, "TagKeys": removed})
    if after:
        context.call("sagemaker:AddTags", {"ResourceArn": arn, "Tags": after})


class GroupHandler(SageMakerResource):
    """A group of versions, with its resource policy."""

    def create(self, context: DeploymentContext, properties: Properties) -> Identity:
        """Makes it, then puts its policy."""
        identity = super().create(context, properties)
        self._settle(context, {}, properties)
        return identity

    def update(self, context: DeploymentContext, identity: Identity, before: Properties, after: Properties) -> Identity:
        """Policy and tags change in place."""
        self._settle(context, before, after)
        return super().update(context, identity, before, after)

    @staticmethod
    def _settle(context: DeploymentContext, before: Properties, after: Properties) -> None:
        policy, group = after.get("ModelPackageGroupPolicy"), after["ModelPackageGroupName"]
        if policy and policy != before.get("ModelPackageGroupPolicy"):
            request = {"ModelPackageGroupName": group, "ResourcePolicy": policy_text(policy)}
            context.call("sagemaker:PutModelPackageGroupPolicy", request)
        elif before.get("ModelPackageGroupPolicy") and not policy:
            context.call("sagemaker:DeleteModelPackageGroupPolicy", {"ModelPackageGroupName": group})


class StackEndpoint(SageMakerResource):
    """An endpoint: made, updated and deleted when it is in service, as it was before, or no longer there."""

    def create(self, context: DeploymentContext, properties: Properties) -> Identity:
        """Makes it and waits until it is in service."""
        context.call("sagemaker:CreateEndpoint", fit_to_operation("sagemaker", "CreateEndpoint", properties))
        self._wait(context, properties)
        return self.find(context, properties)

    def find(self, context: DeploymentContext, properties: Properties) -> Identity:
        """Waits for it, too: after a restart it may still be in the making."""
        self._wait(context, properties)
        return super().find(context, properties)

    def update(self, context: DeploymentContext, identity: Identity, before: Properties, after: Properties) -> Identity:
        """Moves it to its new configuration; what was rolled back there is a failure here."""
        present = context.call("sagemaker:DescribeEndpoint", {"EndpointName": after["EndpointName"]})
        if (
            present["EndpointStatus"] == EndpointStatus.FAILED
            or present.get("EndpointConfigName") != after["EndpointConfigName"]
        ):
            context.call("sagemaker:UpdateEndpoint", fit_to_operation("sagemaker", "UpdateEndpoint", after))
        body = self._wait(context, after)
        if body["EndpointConfigName"] != after["EndpointConfigName"]:
            reason = body.get("FailureReason") or f"The update of {after['EndpointName']} was rolled back."
            raise ServiceError(reason, code="NotStabilized", status=400)
        if "Tags" in changes(before, after):
            _retag(context, identity.physical, before.get("Tags", []), after.get("Tags", []))
        return identity

    def delete(self, context: DeploymentContext, identity: Identity, properties: Properties) -> None:
        """Deletes it, and waits until it no longer exists."""
        super().delete(context, identity, properties)
        while True:
            try:
                context.call("sagemaker:DescribeEndpoint", {"EndpointName": properties["EndpointName"]})
            except ServiceError as error:
                if is_absent(error, "Could not find"):
                    return
                raise
            context.cancelled.wait(POLL)

    @staticmethod
    def _wait(context: DeploymentContext, properties: Properties) -> dict[str, Any]:
        while True:
            body = context.call("sagemaker:DescribeEndpoint", {"EndpointName": properties["EndpointName"]})
            status = body["EndpointStatus"]
            if status == EndpointStatus.IN_SERVICE:
                return body
            if not status.endswith("ing"):
                raise ServiceError(
                    body.get("FailureReason", f"The endpoint is {status}."), code="NotStabilized", status=400
                )
            if context.cancelled.wait(POLL):
                raise Cancelled


class ProjectHandler(SageMakerResource):
    """A project: made and deleted when its own stack is."""

    def create(self, context: DeploymentContext, properties: Properties) -> Identity:
        """Makes it and waits for its stack."""
        rest = {name: value for name, value in properties.items() if name != "TemplateProviderDetails"}
        providers = [
            {"CfnTemplateProvider": row["CfnTemplateProviderDetail"]}
            for row in properties.get("TemplateProviderDetails", [])
        ]
        request = {**rest, **({"TemplateProviders": providers} if providers else {})}
        context.call("sagemaker:CreateProject", fit_to_operation("sagemaker", "CreateProject", request))
        return self.find(context, properties)

    def find(self, context: DeploymentContext, properties: Properties) -> Identity:
        """Waits for it, too: after a restart it may still be in the making."""
        body = self._wait(context, properties)
        if body["ProjectStatus"] != "CreateCompleted":
            detail = body["TemplateProviderDetails"][0]["CfnTemplateProviderDetail"]["StackDetail"]
            raise ServiceError(detail["StatusMessage"], code="NotStabilized", status=400)
        return super().find(context, properties)

    def delete(self, context: DeploymentContext, identity: Identity, properties: Properties) -> None:
        """Deletes it, and waits until its stack no longer exists."""
        try:
            super().delete(context, identity, properties)
        except ServiceError as error:
            if not is_absent(error, "in DeleteCompleted status"):
                raise
        body = self._wait(context, properties)
        if body["ProjectStatus"] == "DeleteFailed":
            raise ServiceError(f"The project {properties['ProjectName']} could not be deleted.", code="NotStabilized",
                               status=400)  # fmt: skip

    @staticmethod
    def _wait(context: DeploymentContext, properties: Properties) -> dict[str, Any]:
        while True:
            body = context.call("sagemaker:DescribeProject", {"ProjectName": properties["ProjectName"]})
            if not body["ProjectStatus"].endswith("InProgress"):
                return body
            if context.cancelled.wait(POLL):
                raise Cancelled


class PipelineHandler(SageMakerResource):
    """A pipeline: its definition is a text, or an object in S3."""

    def create(self, context: DeploymentContext, properties: Properties) -> Identity:
        """Makes it."""
        context.call(
            "sagemaker:CreatePipeline", fit_to_operation("sagemaker", "CreatePipeline", _with_definition(properties))
        )
        return self.find(context, properties)

    def update(self, context: DeploymentContext, identity: Identity, before: Properties, after: Properties) -> Identity:
        """Changes it."""
        return super().update(context, identity, _with_definition(before), _with_definition(after))


def _with_definition(properties: Properties) -> Properties:
    definition = properties["PipelineDefinition"]
    rest = {name: value for name, value in properties.items() if not name.startswith("PipelineD")}
    renamed = {"PipelineDisplayName": properties.get("PipelineDisplayName"),
               "PipelineDescription": properties.get("PipelineDescription")}  # fmt: skip
    request = {**rest, **{name: value for name, value in renamed.items() if value is not None}}
    if not isinstance(definition, dict) or "PipelineDefinitionBody" in definition:
        body = definition["PipelineDefinitionBody"] if isinstance(definition, dict) else definition
        return {**request, "PipelineDefinition": body}
    place = definition["PipelineDefinitionS3Location"]
    names = {"Bucket": "Bucket", "Key": "ObjectKey", "Version": "VersionId"}
    return {**request, "PipelineDefinitionS3Location": {names[k]: v for k, v in place.items() if k in names}}


def _pipeline(context: DeploymentContext, properties: Properties) -> Identity:
    body = context.call("sagemaker:DescribePipeline", {"PipelineName": properties["PipelineName"]})
    return Identity(properties["PipelineName"], properties["PipelineName"], {"PipelineArn": body["PipelineArn"]})


class MonitoringSchedule(SageMakerResource):
    """A monitoring schedule: made when it is no longer pending, and started or stopped as MonitoringScheduleStatus."""

    def create(self, context: DeploymentContext, properties: Properties) -> Identity:
        """Makes it and waits until it is scheduled."""
        name = properties["MonitoringScheduleName"]
        context.call(
            "sagemaker:CreateMonitoringSchedule", fit_to_operation("sagemaker", "CreateMonitoringSchedule", properties)
        )
        while self._status(context, name) == ScheduleStatus.PENDING:
            if context.cancelled.wait(POLL):
                raise Cancelled
        self._set(context, properties)
        return self.find(context, properties)

    def update(self, context: DeploymentContext, identity: Identity, before: Properties, after: Properties) -> Identity:
        """Changes it; its job definition may be another one by now."""
        same = {"Tags": None, "MonitoringScheduleStatus": None}
        if changes({**before, **same}, {**after, **same}):
            identity = super().update(context, identity, before, after)
        elif "Tags" in changes(before, after):
            _retag(context, identity.physical, before.get("Tags", []), after.get("Tags", []))
        self._set(context, after)
        return identity

    def _set(self, context: DeploymentContext, properties: Properties) -> None:
        wanted, name = properties.get("MonitoringScheduleStatus"), properties["MonitoringScheduleName"]
        if wanted in (ScheduleStatus.SCHEDULED, ScheduleStatus.STOPPED) and self._status(context, name) != wanted:
            verb = "Start" if wanted == ScheduleStatus.SCHEDULED else "Stop"
            context.call(f"sagemaker:{verb}MonitoringSchedule", {"MonitoringScheduleName": name})

    @staticmethod
    def _status(context: DeploymentContext, name: str) -> str:
        body = context.call("sagemaker:DescribeMonitoringSchedule", {"MonitoringScheduleName": name})
        return str(body["MonitoringScheduleStatus"])


def _job_definition(kind: str) -> SageMakerResource:
    """The handler of one kind of monitoring job definition: every change makes a new one."""
    return SageMakerResource(
        "sagemaker", create=f"Create{kind}JobDefinition", delete=f"Delete{kind}JobDefinition",
        name_property="JobDefinitionName",
        find=_finder(f"Describe{kind}JobDefinition", "JobDefinitionName", "JobDefinitionArn", "CreationTime"),
    )  # fmt: skip


HANDLERS: dict[str, Handler] = {
    "AWS::SageMaker::Model": SageMakerResource(
        "sagemaker", create="CreateModel", delete="DeleteModel", name_property="ModelName",
        find=_finder("DescribeModel", "ModelName", "ModelArn"),
    ),
    "AWS::SageMaker::CodeRepository": SageMakerResource(
        "sagemaker", create="CreateCodeRepository", update="UpdateCodeRepository", delete="DeleteCodeRepository",
        name_property="CodeRepositoryName",
        find=_finder("DescribeCodeRepository", "CodeRepositoryName", "CodeRepositoryArn"),
    ),
    "AWS::SageMaker::EndpointConfig": SageMakerResource(
        "sagemaker", create="CreateEndpointConfig", delete="DeleteEndpointConfig", name_property="EndpointConfigName",
        find=_finder("DescribeEndpointConfig", "EndpointConfigName", "EndpointConfigArn"),
    ),
    "AWS::SageMaker::Endpoint": StackEndpoint(
        "sagemaker", create="CreateEndpoint", update="UpdateEndpoint", delete="DeleteEndpoint",
        name_property="EndpointName", find=_finder("DescribeEndpoint", "EndpointName", "EndpointArn"),
    ),
    "AWS::SageMaker::ModelPackageGroup": GroupHandler(
        "sagemaker", create="CreateModelPackageGroup", delete="DeleteModelPackageGroup",
        name_property="ModelPackageGroupName",
        find=_finder("DescribeModelPackageGroup", "ModelPackageGroupName", "ModelPackageGroupArn",
                       "ModelPackageGroupStatus", "CreationTime"),
    ),
    "AWS::SageMaker::Project": ProjectHandler(
        "sagemaker", create="CreateProject", delete="DeleteProject", name_property="ProjectName", longest=32,
        find=_finder("DescribeProject", "ProjectName", "ProjectArn", "ProjectId", "ProjectStatus", "CreationTime"),
    ),
    "AWS::SageMaker::Pipeline": PipelineHandler(
        "sagemaker", create="CreatePipeline", update="UpdatePipeline", delete="DeletePipeline", longest=256,
        name_property="PipelineName",
        find=_pipeline,
    ),
    **{
        f"AWS::SageMaker::{kind}JobDefinition": _job_definition(kind)
        for kind in ("DataQuality", "ModelQuality", "ModelBias", "ModelExplainability")
    },
    "AWS::SageMaker::MonitoringSchedule": MonitoringSchedule(
        "sagemaker", create="CreateMonitoringSchedule", update="UpdateMonitoringSchedule",
        delete="DeleteMonitoringSchedule", name_property="MonitoringScheduleName",
        find=_finder("DescribeMonitoringSchedule", "MonitoringScheduleName", "MonitoringScheduleArn", "CreationTime",
                       "LastModifiedTime"),
    ),
}  # fmt: skip
