"""A stack with a resource of every type but those of endpoints and monitors, and what their own services show of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from tests.integration.stack_of_other_types import looks_at_others, other_types
from tests.support import Service

ACCOUNT = "123456789012"
PASS = json.dumps({"Version": "2020-12-01", "Parameters": [], "Steps": [
    {"Name": "Stop", "Type": "Fail", "Arguments": {"ErrorMessage": "PLACE"}}]})  # fmt: skip


def allow(action: str, resource: Any = "*", **principal: Any) -> dict[str, Any]:
    statement = {"Sid": "it", "Effect": "Allow", "Action": action, "Resource": resource, **principal}
    return {"Version": "2012-10-17", "Statement": [statement]}


def role(service: str) -> dict[str, Any]:
    trusted = {"Service": f"{service}.amazonaws.com"}
    statement = {"Effect": "Allow", "Principal": trusted, "Action": "sts:AssumeRole"}
    return {"Version": "2012-10-17", "Statement": [statement]}


def tags(word: str) -> list[dict[str, str]]:
    return [{"Key": "stage", "Value": word}, {"Key": f"only-{word}", "Value": "x"}]


def resource(kind: str, **properties: Any) -> dict[str, Any]:
    return {"Type": f"AWS::{kind}", "Properties": properties}


def stages(name: str, mode: str) -> dict[str, Any]:
    def action(stage: str, category: str, provider: str, **more: Any) -> dict[str, Any]:
        kind = {"Category": category, "Owner": "AWS", "Provider": provider, "Version": "1"}
        return {"Name": stage, "Actions": [{"Name": stage, "ActionTypeId": kind, **more}]}

    source = action(
        "Source", "Source", "CodeCommit", OutputArtifacts=[{"Name": "Code"}],
        Configuration={"RepositoryName": {"Fn::GetAtt": "Repository.Name"}, "BranchName": "main",
                       "PollForSourceChanges": False},
    )  # fmt: skip
    return {
        "Name": name, "RoleArn": {"Fn::GetAtt": "Role.Arn"}, "PipelineType": "V2", "ExecutionMode": mode,
        "ArtifactStore": {"Type": "S3", "Location": {"Ref": "Bucket"}},
        "Stages": [source, action("Wait", "Approval", "Manual")],
    }  # fmt: skip


def template(word: str, name: str = "types") -> dict[str, Any]:
    """`word` is in every property that may change in place, `name` in every name."""
    second = word == "two"
    arn = {"Fn::GetAtt": "Role.Arn"}
    return {
        "Resources": {
            "Boundary": resource(
                "IAM::ManagedPolicy", PolicyDocument=allow(f"s3:Get{word}"), ManagedPolicyName=f"{name}-boundary"
            ),
            "Role": resource(
                "IAM::Role",
                RoleName=f"{name}-role",
                AssumeRolePolicyDocument=role("codebuild" if second else "codepipeline"),
                Description=word,
                MaxSessionDuration=7200 if second else 3600,
                Tags=tags(word),
                Policies=[{"PolicyName": word, "PolicyDocument": allow("s3:*")}],
                **({"PermissionsBoundary": {"Ref": "Boundary"}} if second else {}),
            ),
            "Inline": resource(
                "IAM::Policy", PolicyName=f"{name}-inline", Roles=[{"Ref": "Role"}], PolicyDocument=allow(f"sns:{word}")
            ),
            "Provider": resource(
                "IAM::OIDCProvider",
                Url=f"https://{name}.example.com",
                ClientIdList=[word],
                ThumbprintList=["a" * 40],
                Tags=tags(word),
            ),
            "Bucket": resource(
                "S3::Bucket",
                BucketName=f"{name}-{ACCOUNT}",
                AccessControl="Private",
                Tags=tags(word),
                VersioningConfiguration={"Status": "Enabled" if second else "Suspended"},
                CorsConfiguration={"CorsRules": [{"AllowedMethods": ["GET"], "AllowedOrigins": [f"https://{word}"]}]},
            ),
            "BucketPolicy": resource(
                "S3::BucketPolicy",
                Bucket={"Ref": "Bucket"},
                PolicyDocument=allow(f"s3:{word}", {"Fn::Sub": "${Bucket.Arn}/*"}, Principal="*"),
            ),
            "Topic": resource("SNS::Topic", TopicName=f"{name}-topic", DisplayName=word, Tags=tags(word)),
            "TopicPolicy": resource(
                "SNS::TopicPolicy",
                Topics=[{"Ref": "Topic"}],
                PolicyDocument=allow("sns:Publish", {"Ref": "Topic"}, Principal={"Service": f"{word}.amazonaws.com"}),
            ),
            "Queue": resource(
                "SQS::Queue", QueueName=f"{name}-queue", VisibilityTimeout=60 if second else 30, Tags=tags(word)
            ),
            "QueuePolicy": resource(
                "SQS::QueuePolicy",
                Queues=[{"Ref": "Queue"}],
                PolicyDocument=allow(
                    "sqs:SendMessage", {"Fn::GetAtt": "Queue.Arn"}, Principal={"Service": f"{word}.amazonaws.com"}
                ),
            ),
            "Subscription": resource(
                "SNS::Subscription",
                TopicArn={"Ref": "Topic"},
                Protocol="sqs",
                Endpoint={"Fn::GetAtt": "Queue.Arn"},
                RawMessageDelivery=second,
            ),
            "Logs": resource(
                "Logs::LogGroup", LogGroupName=f"/{name}/logs", RetentionInDays=7 if second else 3, Tags=tags(word)
            ),
            "Alarm": resource(
                "CloudWatch::Alarm",
                AlarmName=f"{name}-alarm",
                Namespace="n",
                MetricName="m",
                Statistic="Sum",
                Period=60,
                EvaluationPeriods=1,
                Threshold=2 if second else 1,
                ComparisonOperator="GreaterThanThreshold",
                Tags=tags(word),
            ),
            "Key": resource("KMS::Key", Description=word, EnableKeyRotation=second, Tags=tags(word)),
            "Alias": resource("KMS::Alias", AliasName=f"alias/{name}", TargetKeyId={"Ref": "Key"}),
            "Parameter": resource(
                "SSM::Parameter", Name=f"/{name}/p", Type="String", Value=word, Description=word, Tags={"stage": word}
            ),
            "Function": resource(
                "Lambda::Function",
                FunctionName=f"{name}-function",
                Role=arn,
                Runtime="python3.12",
                Handler="index.handler",
                Code={"ZipFile": f"def handler(event, context): return '{word}'"},
                Timeout=5 if second else 4,
                Environment={"Variables": {"WORD": word}},
                Tags=tags(word),
            ),
            "Permission": resource(
                "Lambda::Permission",
                FunctionName={"Ref": "Function"},
                Action="lambda:InvokeFunction",
                Principal=f"{word}.amazonaws.com",
            ),
            **other_types(word, name),
            "Mapping": resource(
                "Lambda::EventSourceMapping",
                FunctionName={"Ref": "Function"},
                EventSourceArn={"Fn::GetAtt": "Queue.Arn"},
                Enabled="false",
                BatchSize=2 if second else "1",
                Tags=tags(word),
                **({} if second else {"ScalingConfig": {"MaximumConcurrency": 3}}),
            ),
            "Rule": resource(
                "Events::Rule",
                Name=f"{name}-rule",
                Description=word,
                EventPattern={"source": [word]},
                State="DISABLED" if second else "ENABLED",
                Targets=[{"Id": word, "Arn": {"Ref": "Topic"}}],
            ),
            "Archive": resource(
                "Events::Archive",
                ArchiveName=f"{name}-archive",
                SourceArn=f"arn:aws:events:us-east-1:{ACCOUNT}:event-bus/default",
                RetentionDays=2 if second else 1,
                **({} if second else {"Description": word, "EventPattern": {"source": [word]}}),
            ),
            "Schedule": resource(
                "Scheduler::Schedule",
                Name=f"{name}-schedule",
                ScheduleExpression="rate(2 days)" if second else "rate(1 day)",
                FlexibleTimeWindow={"Mode": "OFF"},
                State="DISABLED",
                Target={"Arn": {"Ref": "Topic"}, "RoleArn": arn},
            ),
            "Build": resource(
                "CodeBuild::Project",
                Name=f"{name}-build",
                ServiceRole=f"arn:aws:iam::{ACCOUNT}:role/elsewhere",
                Description=word,
                Artifacts={"Type": "NO_ARTIFACTS"},
                TimeoutInMinutes=20 if second else 10,
                Tags=tags(word),
                Source={"Type": "NO_SOURCE", "BuildSpec": "version: 0.2\nphases: {build: {commands: [pwd]}}\n"},
                Environment={
                    "Type": "LINUX_CONTAINER",
                    "ComputeType": "BUILD_GENERAL1_SMALL",
                    "Image": "aws/codebuild/x:1",
                },
            ),
            "Repository": resource(
                "CodeCommit::Repository",
                RepositoryName=f"{name}-repository",
                RepositoryDescription=word,
                Tags=tags(word),
            ),
            "Connection": resource(
                "CodeConnections::Connection", ConnectionName=f"{name}-c", ProviderType="GitHub", Tags=tags(word)
            ),
            "Delivery": resource(
                "CodePipeline::Pipeline",
                Tags=tags(word),
                **stages(f"{name}-delivery", "QUEUED" if second else "SUPERSEDED"),
            ),
            "Notebooks": resource(
                "SageMaker::CodeRepository",
                CodeRepositoryName=f"{name}-notebooks",
                GitConfig={"RepositoryUrl": "https://example.com/notebooks.git"},
                Tags=tags(word),
            ),
            "Group": resource(
                "SageMaker::ModelPackageGroup",
                ModelPackageGroupName=f"{name}-group",
                Tags=tags(word),
                ModelPackageGroupPolicy=allow(
                    "sagemaker:DescribeModelPackageGroup", f"arn:{word}", Principal={"AWS": ACCOUNT}
                ),
            ),
            "Pipeline": resource(
                "SageMaker::Pipeline",
                PipelineName=f"{name}-pipeline",
                RoleArn=arn,
                PipelineDisplayName=word,
                PipelineDescription=word,
                PipelineDefinition={"PipelineDefinitionBody": PASS.replace("PLACE", word)},
                Tags=tags(word),
            ),
        }
    }


def seen(service: Service, name: str = "types") -> dict[str, Callable[[], Any]]:
    """What each type's own service says of it. Each raises when there is none."""
    c = service.client
    arn = f"arn:aws:%s:us-east-1:{ACCOUNT}:"
    iam, s3, sm = c("iam"), c("s3"), c("sagemaker")
    topic, queue = arn % "sns" + f"{name}-topic", lambda: c("sqs").get_queue_url(QueueName=f"{name}-queue")["QueueUrl"]

    def only(rows: list[Any]) -> Any:
        if not rows:
            raise LookupError("there is none")
        return rows

    def key() -> Any:
        return c("kms").describe_key(KeyId=f"alias/{name}")["KeyMetadata"]

    return {
        "Boundary": lambda: [
            row["Document"]
            for row in [
                iam.get_policy_version(
                    PolicyArn=f"arn:aws:iam::{ACCOUNT}:policy/{name}-boundary",
                    VersionId=iam.get_policy(PolicyArn=f"arn:aws:iam::{ACCOUNT}:policy/{name}-boundary")["Policy"][
                        "DefaultVersionId"
                    ],
                )["PolicyVersion"]
            ]
        ],
        "Role": lambda: [
            {
                k: v
                for k, v in iam.get_role(RoleName=f"{name}-role")["Role"].items()
                if k not in ("RoleLastUsed", "CreateDate")
            },
            iam.list_role_policies(RoleName=f"{name}-role")["PolicyNames"],
        ],
        "Inline": lambda: iam.get_role_policy(RoleName=f"{name}-role", PolicyName=f"{name}-inline")["PolicyDocument"],
        "Provider": lambda: iam.get_open_id_connect_provider(
            OpenIDConnectProviderArn=f"arn:aws:iam::{ACCOUNT}:oidc-provider/{name}.example.com"
        ),
        "Bucket": lambda: [
            s3.get_bucket_tagging(Bucket=f"{name}-{ACCOUNT}")["TagSet"],
            s3.get_bucket_versioning(Bucket=f"{name}-{ACCOUNT}")["Status"],
            s3.get_bucket_cors(Bucket=f"{name}-{ACCOUNT}")["CORSRules"],
        ],
        "BucketPolicy": lambda: s3.get_bucket_policy(Bucket=f"{name}-{ACCOUNT}")["Policy"],
        "Topic": lambda: [
            c("sns").get_topic_attributes(TopicArn=topic)["Attributes"]["DisplayName"],
            c("sns").list_tags_for_resource(ResourceArn=topic)["Tags"],
        ],
        "TopicPolicy": lambda: c("sns").get_topic_attributes(TopicArn=topic)["Attributes"]["Policy"],
        "Queue": lambda: [
            c("sqs").get_queue_attributes(QueueUrl=queue(), AttributeNames=["All"])["Attributes"]["VisibilityTimeout"],
            c("sqs").list_queue_tags(QueueUrl=queue())["Tags"],
        ],
        "QueuePolicy": lambda: c("sqs").get_queue_attributes(QueueUrl=queue(), AttributeNames=["Policy"])["Attributes"][
            "Policy"
        ],
        "Subscription": lambda: [
            c("sns").get_subscription_attributes(SubscriptionArn=row["SubscriptionArn"])["Attributes"][
                "RawMessageDelivery"
            ]
            for row in only(c("sns").list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"])
        ],
        "Logs": lambda: [
            only(c("logs").describe_log_groups(logGroupNamePrefix=f"/{name}/logs")["logGroups"])[0]["retentionInDays"],
            c("logs").list_tags_for_resource(resourceArn=arn % "logs" + f"log-group:/{name}/logs")["tags"],
        ],
        "Alarm": lambda: [
            only(c("cloudwatch").describe_alarms(AlarmNames=[f"{name}-alarm"])["MetricAlarms"])[0]["Threshold"],
            c("cloudwatch").list_tags_for_resource(ResourceARN=arn % "cloudwatch" + f"alarm:{name}-alarm")["Tags"],
        ],
        "Key": lambda: [
            key()["Description"],
            c("kms").get_key_rotation_status(KeyId=key()["KeyId"])["KeyRotationEnabled"],
            c("kms").list_resource_tags(KeyId=key()["KeyId"])["Tags"],
        ],
        "Alias": lambda: key()["KeyId"],
        "Parameter": lambda: [
            c("ssm").get_parameter(Name=f"/{name}/p")["Parameter"]["Value"],
            c("ssm").list_tags_for_resource(ResourceType="Parameter", ResourceId=f"/{name}/p")["TagList"],
        ],
        "Function": lambda: (
            [
                c("lambda").get_function(FunctionName=f"{name}-function")["Configuration"][member]
                for member in ("Timeout", "Environment", "CodeSha256")
            ]
            + [c("lambda").get_function(FunctionName=f"{name}-function").get("Tags")]
        ),
        "Permission": lambda: c("lambda").get_policy(FunctionName=f"{name}-function")["Policy"],
        **looks_at_others(service, name),
        "Mapping": lambda: [
            [row["BatchSize"], row.get("ScalingConfig"), c("lambda").list_tags(Resource=row["EventSourceMappingArn"])]
            for row in only(
                c("lambda").list_event_source_mappings(EventSourceArn=arn % "sqs" + f"{name}-queue")[
                    "EventSourceMappings"
                ]
            )
        ],
        "Archive": lambda: [
            c("events").describe_archive(ArchiveName=f"{name}-archive").get(member)
            for member in ("Description", "RetentionDays", "EventPattern")
        ],
        "Rule": lambda: [
            [
                c("events").describe_rule(Name=f"{name}-rule")[member]
                for member in ("Description", "State", "EventPattern")
            ],
            c("events").list_targets_by_rule(Rule=f"{name}-rule")["Targets"],
        ],
        "Schedule": lambda: c("scheduler").get_schedule(Name=f"{name}-schedule")["ScheduleExpression"],
        "Build": lambda: [
            only(c("codebuild").batch_get_projects(names=[f"{name}-build"])["projects"])[0][member]
            for member in ("description", "timeoutInMinutes", "tags")
        ],
        "Repository": lambda: [
            c("codecommit").get_repository(repositoryName=f"{name}-repository")["repositoryMetadata"][
                "repositoryDescription"
            ],
            c("codecommit").list_tags_for_resource(resourceArn=arn % "codecommit" + f"{name}-repository")["tags"],
        ],
        "Connection": lambda: [
            c("codeconnections").list_tags_for_resource(ResourceArn=row["ConnectionArn"])["Tags"]
            for row in only(
                [
                    row
                    for row in c("codeconnections").list_connections()["Connections"]
                    if row["ConnectionName"] == f"{name}-c"
                ]
            )
        ],
        "Delivery": lambda: [
            c("codepipeline").get_pipeline(name=f"{name}-delivery")["pipeline"]["executionMode"],
            c("codepipeline").list_tags_for_resource(resourceArn=arn % "codepipeline" + f"{name}-delivery")["tags"],
        ],
        "Notebooks": lambda: [
            sm.describe_code_repository(CodeRepositoryName=f"{name}-notebooks")["GitConfig"],
            sm.list_tags(ResourceArn=arn % "sagemaker" + f"code-repository/{name}-notebooks")["Tags"],
        ],
        "Group": lambda: [
            sm.get_model_package_group_policy(ModelPackageGroupName=f"{name}-group")["ResourcePolicy"],
            sm.list_tags(ResourceArn=arn % "sagemaker" + f"model-package-group/{name}-group")["Tags"],
        ],
        "Pipeline": lambda: [
            *(
                sm.describe_pipeline(PipelineName=f"{name}-pipeline")[member]
                for member in ("PipelineDisplayName", "PipelineDescription", "PipelineDefinition")
            ),
            sm.list_tags(ResourceArn=arn % "sagemaker" + f"pipeline/{name}-pipeline")["Tags"],
        ],
    }
