"""Which properties of each resource type are executed here. All others are refused before anything happens.

A type whose properties become a request has those of the request's members, at every depth; others are listed.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from local_sagemaker.api import members, models
from local_sagemaker.cloudformation import parameters, rules
from local_sagemaker.cloudformation.dynamic_references import refuse_secure
from local_sagemaker.cloudformation.errors import UnsupportedTemplate
from local_sagemaker.cloudformation.resource_types import CUSTOM, is_custom
from local_sagemaker.cloudformation.template import ResourceDeclaration, Template, branches, is_function
from local_sagemaker.services.cloudformation.handlers import HANDLERS
from local_sagemaker.services.cloudformation.handlers.s3 import SETTINGS, WITHOUT_ACL

_JOB_DEFINITIONS = ("DataQuality", "ModelQuality", "ModelBias", "ModelExplainability")
_REQUESTS: dict[str, tuple[str, str, tuple[str, ...]]] = {
    "AWS::ApplicationAutoScaling::ScalableTarget": ("application-autoscaling", "RegisterScalableTarget", ()),
    "AWS::ApplicationAutoScaling::ScalingPolicy": ("application-autoscaling", "PutScalingPolicy", ("ScalingTargetId",)),
    "AWS::CloudWatch::Alarm": ("cloudwatch", "PutMetricAlarm", ()),
    "AWS::CloudWatch::Dashboard": ("cloudwatch", "PutDashboard", ()),
    "AWS::CodeBuild::Project": ("codebuild", "CreateProject", ()),
    "AWS::CodeConnections::Connection": ("codeconnections", "CreateConnection", ()),
    "AWS::CodePipeline::Pipeline": (
        "codepipeline", "CreatePipeline", ("Tags", "DisableInboundStageTransitions", "RestartExecutionOnUpdate"),
    ),
    "AWS::CodeStarConnections::Connection": ("codestar-connections", "CreateConnection", ()),
    "AWS::Events::Rule": ("events", "PutRule", ("Targets",)),
    "AWS::IAM::Role": ("iam", "CreateRole", ("Policies", "ManagedPolicyArns")),
    "AWS::KMS::Alias": ("kms", "CreateAlias", ()),
    "AWS::Lambda::Alias": ("lambda", "CreateAlias", ()),
    "AWS::Lambda::EventInvokeConfig": ("lambda", "PutFunctionEventInvokeConfig", ()),
    "AWS::Lambda::EventSourceMapping": ("lambda", "CreateEventSourceMapping", ()),
    "AWS::Lambda::Function": ("lambda", "CreateFunction", ()),
    "AWS::Lambda::Permission": ("lambda", "AddPermission", ()),
    "AWS::Lambda::Version": ("lambda", "PublishVersion", ()),
    "AWS::SSM::Parameter": ("ssm", "PutParameter", ()),
    "AWS::SageMaker::CodeRepository": ("sagemaker", "CreateCodeRepository", ()),
    "AWS::SageMaker::Endpoint": (
        "sagemaker", "CreateEndpoint",
        ("RetainAllVariantProperties", "ExcludeRetainedVariantProperties", "RetainDeploymentConfig"),
    ),
    "AWS::SageMaker::EndpointConfig": ("sagemaker", "CreateEndpointConfig", ()),
    "AWS::SageMaker::Model": ("sagemaker", "CreateModel", ()),
    "AWS::SageMaker::ModelPackageGroup": ("sagemaker", "CreateModelPackageGroup", ("ModelPackageGroupPolicy",)),
    "AWS::SageMaker::MonitoringSchedule": (
        "sagemaker", "CreateMonitoringSchedule", ("MonitoringScheduleStatus", "EndpointName"),
    ),
    "AWS::Scheduler::Schedule": ("scheduler", "CreateSchedule", ()),
    **{
        f"AWS::SageMaker::{kind}JobDefinition": ("sagemaker", f"Create{kind}JobDefinition", ("EndpointName",))
        for kind in _JOB_DEFINITIONS
    },
}  # fmt: skip
"""The operation whose request a type's properties become, and the properties that other operations take care of."""
_LISTED: dict[str, frozenset[str]] = {
    "AWS::CodeCommit::Repository": frozenset({"RepositoryName", "RepositoryDescription", "Code", "KmsKeyId", "Tags"}),
    "AWS::CDK::Metadata": frozenset({"Analytics", "Modules"}),
    "AWS::ECR::Repository": frozenset({
        "EmptyOnDelete", "EncryptionConfiguration", "ImageScanningConfiguration", "ImageTagMutability",
        "LifecyclePolicy", "RepositoryName", "RepositoryPolicyText", "Tags",
    }),
    "AWS::Events::Archive": frozenset({"ArchiveName", "Description", "EventPattern", "RetentionDays", "SourceArn"}),
    "AWS::IAM::ManagedPolicy": frozenset({"ManagedPolicyName", "Path", "Description", "PolicyDocument", "Roles"}),
    "AWS::IAM::OIDCProvider": frozenset({"Url", "ClientIdList", "ThumbprintList", "Tags"}),
    "AWS::IAM::Policy": frozenset({"PolicyName", "PolicyDocument", "Roles"}),
    "AWS::KMS::Key": frozenset({
        "Description", "Enabled", "EnableKeyRotation", "KeyPolicy", "KeySpec", "KeyUsage", "MultiRegion",
        "PendingWindowInDays", "Tags",
    }),
    "AWS::Logs::LogGroup": frozenset({"LogGroupName", "RetentionInDays", "KmsKeyId", "Tags"}),
    "AWS::S3::Bucket": frozenset({"AccessControl", "BucketName", *SETTINGS}),
    "AWS::S3::BucketPolicy": frozenset({"Bucket", "PolicyDocument"}),
    "AWS::SNS::Subscription": frozenset({
        "TopicArn", "Protocol", "Endpoint", "FilterPolicy", "FilterPolicyScope", "RawMessageDelivery", "RedrivePolicy",
        "DeliveryPolicy",
    }),
    "AWS::SNS::Topic": frozenset({
        "TopicName", "FifoTopic", "ContentBasedDeduplication", "DisplayName", "KmsMasterKeyId", "Subscription", "Tags",
    }),
    "AWS::SNS::TopicPolicy": frozenset({"PolicyDocument", "Topics"}),
    "AWS::SQS::Queue": frozenset({
        "ContentBasedDeduplication", "DeduplicationScope", "DelaySeconds", "FifoQueue", "FifoThroughputLimit",
        "KmsDataKeyReusePeriodSeconds", "KmsMasterKeyId", "MaximumMessageSize", "MessageRetentionPeriod", "QueueName",
        "ReceiveMessageWaitTimeSeconds", "RedriveAllowPolicy", "RedrivePolicy", "SqsManagedSseEnabled", "Tags",
        "VisibilityTimeout",
    }),
    "AWS::SQS::QueuePolicy": frozenset({"PolicyDocument", "Queues"}),
    "AWS::SageMaker::Pipeline": frozenset({
        "PipelineName", "PipelineDefinition", "RoleArn", "PipelineDisplayName", "PipelineDescription",
        "ParallelismConfiguration", "Tags",
    }),
    "AWS::SecretsManager::Secret": frozenset({
        "Description", "GenerateSecretString", "KmsKeyId", "Name", "SecretString", "Tags",
    }),
    "AWS::SageMaker::Project": frozenset({"ProjectName", "ProjectDescription", "TemplateProviderDetails", "Tags"}),
}  # fmt: skip
_NESTED: dict[str, frozenset[str]] = {
    "AWS::CodeCommit::Repository.Code": frozenset({"S3", "BranchName"}),
    "AWS::ECR::Repository.EncryptionConfiguration": frozenset({"EncryptionType", "KmsKey"}),
    "AWS::ECR::Repository.ImageScanningConfiguration": frozenset({"ScanOnPush"}),
    "AWS::ECR::Repository.LifecyclePolicy": frozenset({"LifecyclePolicyText"}),
    "AWS::S3::Bucket.NotificationConfiguration": frozenset({"EventBridgeConfiguration"}),
    "AWS::S3::Bucket.LoggingConfiguration": frozenset({"DestinationBucketName", "LogFilePrefix"}),
    "AWS::SecretsManager::Secret.GenerateSecretString": frozenset({
        "ExcludeCharacters", "ExcludeLowercase", "ExcludeNumbers", "ExcludePunctuation", "ExcludeUppercase",
        "GenerateStringKey", "IncludeSpace", "PasswordLength", "RequireEachIncludedType", "SecretStringTemplate",
    }),
    "AWS::SageMaker::Pipeline.PipelineDefinition": frozenset({
        "PipelineDefinitionBody", "PipelineDefinitionS3Location",
    }),
    "AWS::SageMaker::Pipeline.PipelineDefinition.PipelineDefinitionS3Location": frozenset({"Bucket", "Key", "Version"}),
}  # fmt: skip
"""Members of properties that are executed, where no request's shape says it."""
_ANYWAY: dict[str, tuple[Any, ...]] = {
    "AWS::CodeBuild::Project.Triggers": ({}, {"Webhook": False}, {"Webhook": "false"}),
    "AWS::CodeBuild::Project.Visibility": ("PRIVATE",),
    "AWS::KMS::Key.Origin": ("AWS_KMS",),
    "AWS::Logs::LogGroup.LogGroupClass": ("STANDARD",),
    "AWS::SNS::Topic.SignatureVersion": ("1", 1),
    "AWS::SNS::Topic.TracingConfig": ("PassThrough",),
}
"""Values of properties that are not executed, which ask for what happens anyway."""


def check(template: Template) -> None:
    """Refuses what can't be executed here, or nowhere, whatever the parameters' values are. Raises `TemplateError`."""
    parameters.check_shape(template.parameters)
    rules.check_shape(template.rules)
    for resource in template.resources.values():
        refuse_secure(resource)
        refuse_unexecuted(resource)


def refuse_unexecuted(resource: ResourceDeclaration) -> None:
    """Raises `UnsupportedTemplate` for the first type or property that is not executed here."""
    kind, place = resource.type.name, f"Resources/{resource.logical}"
    if kind not in HANDLERS:
        raise UnsupportedTemplate(kind, place)
    for properties in branches(resource.properties):
        executed = {name: value for name, value in properties.items() if value not in _ANYWAY.get(f"{kind}.{name}", ())}
        for name in _unexecuted(kind, executed):
            raise UnsupportedTemplate(f"{kind}.{name}", place)


def _unexecuted(kind: str, properties: dict[str, Any]) -> Iterator[str]:
    """The paths of properties that are not executed."""
    if kind == CUSTOM.name or is_custom(kind):
        return
    if kind == "AWS::S3::Bucket" and any(
        option not in WITHOUT_ACL for option in branches(properties.get("AccessControl", "Private"))
    ):
        yield "AccessControl"  # buckets have no ACLs
    if kind in _LISTED:
        yield from (name for name in properties if name not in _LISTED[kind])
        yield from _in_lists(kind, properties)
        return
    service, operation, others = _REQUESTS[kind]
    shape: Any = models.operation(service, operation).input_shape
    if kind == "AWS::CodePipeline::Pipeline":
        shape = shape.members["pipeline"]
    yield from _not_in(service, shape, {name: value for name, value in properties.items() if name not in others}, "")
    if kind == "AWS::Events::Rule":
        put: Any = models.operation("events", "PutTargets").input_shape
        yield from _not_in(service, put.members["Targets"], properties.get("Targets", []), "Targets.")


def _in_lists(place: str, value: Any) -> Iterator[str]:
    """Members that the lists of nested ones lack, by their path below the type."""
    for option in branches(value):
        for name, part in option.items() if isinstance(option, dict) else ():
            path = f"{place}.{name}"
            for inner in branches(part):
                known = _NESTED.get(path)
                if known is not None and isinstance(inner, dict):
                    yield from (f"{path.partition('.')[2]}.{key}" for key in inner if key not in known)
            yield from _in_lists(path, part)


def _not_in(service: str, shape: Any, value: Any, place: str) -> Iterator[str]:
    """Members that a request has no place for, whatever the case of their first letter, or that are refused there."""
    for option in branches(value):
        if shape.type_name == "structure" and isinstance(option, dict) and not is_function(option):
            names = {name.lower(): name for name in shape.members}
            for name, part in option.items():
                member = names.get(name.lower())
                known = [inner for inner in branches(part) if not is_function(inner)]
                if member is None or any(members.refuses(service, shape.name, member, inner) for inner in known):
                    yield f"{place}{name}"
                elif name != "Tags":  # lists in templates, maps in some requests
                    yield from _not_in(service, shape.members[member], part, f"{place}{name}.")
        elif shape.type_name == "list" and isinstance(option, list):
            for part in option:
                yield from _not_in(service, shape.member, part, place)
