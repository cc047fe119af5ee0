"""Resources called ``hostile`` of every service, so that requests get past "not found"."""

from __future__ import annotations

import json
from typing import Any

from tests.integration.endpoint_models import Made, booster
from tests.integration.rest_apis import Api, function
from tests.support import ROLE, Service, create_function

NAME = "hostile"
ECHO = "def handler(event, context):\n    return {'statusCode': 200, 'body': __import__('json').dumps(event)}\n"
_BUILDSPEC = "version: 0.2\nphases: {build: {commands: [echo built]}}\n"
_TEMPLATE = {"Resources": {"Group": {"Type": "AWS::Logs::LogGroup", "Properties": {"LogGroupName": "hostile-stack"}}}}
_ACCOUNT = "us-east-1:123456789012"


def make_world(service: Service) -> str:
    """Makes them; the id of the deployed REST API."""
    _make_data(service)
    _make_sagemaker(service)
    arn = create_function(service.client("lambda"), NAME, ECHO, Timeout=30)
    _make_events(service, arn)
    _make_code(service)
    return _make_api(service, arn)


def _make_data(service: Service) -> None:
    s3 = service.client("s3")
    s3.create_bucket(Bucket=NAME)
    s3.put_object(Bucket=NAME, Key="data", Body=b"1,2,3\n" * 1000)
    logs = service.client("logs")
    logs.create_log_group(logGroupName=NAME)
    logs.create_log_stream(logGroupName=NAME, logStreamName=NAME)


def _make_sagemaker(service: Service) -> None:
    sagemaker = service.client("sagemaker")
    document = json.dumps({"Version": "2020-12-01", "Steps": [
        {"Name": "A", "Type": "Fail", "Arguments": {"ErrorMessage": "x"}}]})  # fmt: skip
    sagemaker.create_pipeline(PipelineName=NAME, PipelineDefinition=document, RoleArn=ROLE)
    sagemaker.start_pipeline_execution(PipelineName=NAME)
    sagemaker.create_experiment(ExperimentName=NAME)
    sagemaker.create_trial(TrialName=NAME, ExperimentName=NAME)
    sagemaker.create_model_package_group(ModelPackageGroupName=NAME)
    made = Made(service)
    model = made.model(booster(1))
    variant = {"VariantName": "AllTraffic", "ModelName": model, "InstanceType": "ml.m5.large",
               "InitialInstanceCount": 1}  # fmt: skip
    capture = {"EnableCapture": True, "InitialSamplingPercentage": 100, "DestinationS3Uri": f"s3://{NAME}/capture",
               "CaptureOptions": [{"CaptureMode": "Input"}]}  # fmt: skip
    output = {"OutputConfig": {"S3OutputPath": f"s3://{NAME}/asynchronous"}}
    sagemaker.create_endpoint_config(EndpointConfigName=NAME, ProductionVariants=[variant], DataCaptureConfig=capture)
    sagemaker.create_endpoint_config(EndpointConfigName="hostile-1", ProductionVariants=[variant],
                                     AsyncInferenceConfig=output)  # fmt: skip
    for name in (NAME, "hostile-1"):
        sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)
    for name in (NAME, "hostile-1"):
        made.settled(name)


def _make_events(service: Service, arn: str) -> None:
    """A queue and a topic that reaches it, rules, schedules and alarms."""
    service.client("sqs").create_queue(QueueName=NAME)
    topic = service.client("sns").create_topic(Name=NAME)["TopicArn"]
    queue = f"arn:aws:sqs:{_ACCOUNT}:{NAME}"
    service.client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue)
    events = service.client("events")
    events.put_rule(Name=NAME, EventPattern=json.dumps({"source": [{"prefix": ""}]}))
    events.put_targets(Rule=NAME, Targets=[{"Id": "queue", "Arn": queue}, {"Id": "function", "Arn": arn}])
    service.client("scheduler").create_schedule(
        Name=NAME, ScheduleExpression="rate(1 minutes)", FlexibleTimeWindow={"Mode": "OFF"},
        Target={"Arn": queue, "RoleArn": ROLE, "Input": "{}"},
    )  # fmt: skip
    service.client("cloudwatch").put_metric_alarm(
        AlarmName=NAME, Namespace=NAME, MetricName=NAME, Statistic="Sum", Period=60, EvaluationPeriods=1, Threshold=1,
        ComparisonOperator="GreaterThanThreshold", AlarmActions=[topic],
    )  # fmt: skip
    service.client("ssm").put_parameter(Name=NAME, Value="1", Type="String")


def _make_code(service: Service) -> None:
    """A repository, a build project, a delivery pipeline, a stack, a connection's name."""
    code = service.client("codecommit")
    code.create_repository(repositoryName=NAME)
    code.create_commit(repositoryName=NAME, branchName="main",
                       putFiles=[{"filePath": "buildspec.yml", "fileContent": _BUILDSPEC.encode()}])  # fmt: skip
    environment = {"type": "LINUX_CONTAINER", "image": "aws/codebuild/standard:7.0",
                   "computeType": "BUILD_GENERAL1_SMALL"}  # fmt: skip
    service.client("codebuild").create_project(
        name=NAME, source={"type": "NO_SOURCE", "buildspec": _BUILDSPEC}, artifacts={"type": "NO_ARTIFACTS"},
        environment=environment, serviceRole=ROLE,
    )  # fmt: skip
    source = {"RepositoryName": NAME, "BranchName": "main", "PollForSourceChanges": "false"}
    service.client("codepipeline").create_pipeline(pipeline={
        "name": NAME, "roleArn": ROLE, "artifactStore": {"type": "S3", "location": NAME},
        "stages": [
            {"name": "Source", "actions": [
                _action("Source", "CodeCommit", source, outputArtifacts=[{"name": "Code"}])]},
            {"name": "Approve", "actions": [_action("Approval", "Manual", {})]},
        ],
    })  # fmt: skip
    service.client("cloudformation").create_stack(StackName=NAME, TemplateBody=json.dumps(_TEMPLATE))


def _action(category: str, provider: str, configuration: dict[str, str], **more: Any) -> dict[str, Any]:
    kind = {"category": category, "owner": "AWS", "provider": provider, "version": "1"}
    return {"name": provider, "actionTypeId": kind, "configuration": configuration, **more}


def _make_api(service: Service, arn: str) -> str:
    """Methods with a function behind them, with a mock, and with a function and a mapping template."""
    api = Api(service, NAME)
    api.method(api.resource("echo"), "ANY", **function(arn, "AWS_PROXY"))
    template = {"application/json": '{"statusCode": 200}'}
    api.method(api.resource("mock"), "GET", type="MOCK", requestTemplates=template, passthroughBehavior="NEVER")
    mapping = {"application/json": '{"a": $input.json(\'$.a\'), "b": "$util.escapeJavaScript($input.params(\'b\'))"}'}
    api.method(api.resource("mapped"), "POST", **function(arn), requestTemplates=mapping)
    api.deploy()
    return api.id
