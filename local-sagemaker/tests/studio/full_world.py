"""Something to see on every page: a monitored endpoint, a delivery with an approval and a failed build, rules, APIs."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass
from typing import Any

from tests.integration.monitored_endpoint import Monitored
from tests.integration.rest_apis import Api, function
from tests.support import ROLE, Service, create_function, create_pipeline, until

SECRET = "s3cr3t-of-the-tests"
"""What no page shows: it is in variables that sound secret, of each kind of resource."""
BUILD_FAILS = "version: 0.2\nphases:\n  build:\n    commands:\n      - echo fine\n      - cat absent.txt\n"
BUILD_WORKS = "version: 0.2\nphases:\n  build:\n    commands:\n      - echo built\n"
BATCH = BUILD_WORKS + "batch:\n  build-list:\n    - identifier: unit\n"
ECHO = "def handler(event, context): return {'statusCode': 200, 'body': __import__('json').dumps(event)}"
PROJECT_TEMPLATE = {
    "Parameters": {"SageMakerProjectName": {"Type": "String"}, "SageMakerProjectId": {"Type": "String"}},
    "Resources": {
        "Group": {"Type": "AWS::SageMaker::ModelPackageGroup", "Properties": {"ModelPackageGroupName": "churn-models"}},
        "Code": {"Type": "AWS::CodeCommit::Repository", "Properties": {"RepositoryName": "churn-code"}},
    },
}  # fmt: skip
ODD_KEYS = ("odd/../up.txt", "odd//twice.csv", "odd/a b 'c' \"d\" <e>&f.txt", "odd/ünï/%2e%2e.json", "odd/#?x=1.txt")
HOSTILE_PAGE = b"<h1>Report</h1><script>parent.document.title='taken'</script><img src=http://127.0.0.1:9/x>"


@dataclass
class Full:
    """What was made, by name."""

    service: Service
    monitored: Monitored
    schedule: str = "drift"
    delivery: str = "deploy-demo"
    failing_build: str = ""
    batch: str = ""
    api: str = ""
    project: str = "churn"
    stack: str = ""
    foreign_stack: str = "iris-delivery"
    """One with the tag of a project that SageMaker does not know."""

    @property
    def endpoint(self) -> str:
        """The monitored endpoint."""
        return self.monitored.endpoint


def fill(service: Service) -> Full:
    """Makes all of it and waits until nothing changes any more."""
    full = Full(service, Monitored(service))
    _fill_bucket(service)
    _make_sagemaker_project(full)
    _make_delivery(service)
    project = _make_project(service, "broken-build", BUILD_FAILS)
    full.failing_build = str(service.client("codebuild").start_build(projectName=project)["build"]["id"])
    project = _make_project(service, "batches", BATCH)
    service.client("codebuild").update_project(name=project, buildBatchConfig={"serviceRole": ROLE})
    full.batch = str(service.client("codebuild").start_build_batch(projectName=project)["buildBatch"]["id"])
    arn = create_function(
        service.client("lambda"), "echo", ECHO, Timeout=30, Environment={"Variables": {"API_TOKEN": SECRET}}
    )
    api = Api(service, "predictions")
    api.method(api.resource("predict"), "POST", **function(arn, "AWS_PROXY"))
    api.deploy()
    full.api = api.id
    _make_rules(service, arn)
    _monitor(full)
    builds = service.client("codebuild")
    until(lambda: builds.batch_get_builds(ids=[full.failing_build])["builds"][0]["buildComplete"], "the build", 240)
    until(lambda: builds.batch_get_build_batches(ids=[full.batch])["buildBatches"][0]["complete"], "the batch", 240)
    projects = service.client("sagemaker")
    until(
        lambda: projects.describe_project(ProjectName=full.project)["ProjectStatus"] == "CreateCompleted",
        "the project", 240,
    )  # fmt: skip
    until(lambda: _token(service, full.delivery), "the approval waits", 240)
    return full


def _make_sagemaker_project(full: Full) -> None:
    """A project whose stack makes a model group, and an empty pipeline that carries its tag."""
    s3, sagemaker = full.service.client("s3"), full.service.client("sagemaker")
    s3.create_bucket(Bucket="studio-templates")
    s3.put_object(Bucket="studio-templates", Key="project.json", Body=json.dumps(PROJECT_TEMPLATE).encode())
    url = "https://studio-templates.s3.us-east-1.amazonaws.com/project.json"
    provider = {"TemplateName": "ours", "TemplateURL": url}
    made = sagemaker.create_project(ProjectName=full.project, TemplateProviders=[{"CfnTemplateProvider": provider}])
    full.stack = f"SP-{made['ProjectId']}"
    group = {"Type": "AWS::SageMaker::ModelPackageGroup", "Properties": {"ModelPackageGroupName": "iris-models"}}
    full.service.client("cloudformation").create_stack(
        StackName=full.foreign_stack, TemplateBody=json.dumps({"Resources": {"Group": group}}),
        Tags=[{"Key": "sagemaker:project-name", "Value": "iris"}],
    )  # fmt: skip
    stop = {"Name": "Stop", "Type": "Fail", "Arguments": {"ErrorMessage": "no data"}}
    create_pipeline(sagemaker, "Churn", stop)
    arn = sagemaker.describe_pipeline(PipelineName="Churn")["PipelineArn"]
    sagemaker.add_tags(ResourceArn=arn, Tags=[
        {"Key": "sagemaker:project-name", "Value": full.project},
        {"Key": "s3:model-approval-and-its-reason", "Value": "s3://studio-odd/" + "a-long-folder/" * 12},
    ])  # fmt: skip


def _fill_bucket(service: Service) -> None:
    s3 = service.client("s3")
    s3.create_bucket(Bucket="studio-odd")
    for key in ODD_KEYS:
        s3.put_object(Bucket="studio-odd", Key=key, Body=b"a,b\n1,2\n")
    s3.put_object(Bucket="studio-odd", Key="reports/hostile.html", Body=HOSTILE_PAGE, ContentType="text/html")


def action(category: str, provider: str, name: str, **more: Any) -> dict[str, Any]:
    """An action of a delivery pipeline."""
    kind = {"category": category, "owner": "AWS", "provider": provider, "version": "1"}
    return {"name": name, "actionTypeId": kind, **more}


def _make_project(service: Service, name: str, spec: str, kind: str = "NO_SOURCE") -> str:
    artifacts = "NO_ARTIFACTS" if kind == "NO_SOURCE" else kind
    service.client("codebuild").create_project(
        name=name, source={"type": kind, "buildspec": spec}, serviceRole=ROLE, artifacts={"type": artifacts},
        environment={"type": "LINUX_CONTAINER", "image": "aws/codebuild/amazonlinux-x86_64-standard:5.0",
                     "computeType": "BUILD_GENERAL1_SMALL",
                     "environmentVariables": [{"name": "API_TOKEN", "value": SECRET}]},
    )  # fmt: skip
    return name


def _make_delivery(service: Service) -> None:
    s3, code = service.client("s3"), service.client("codecommit")
    s3.create_bucket(Bucket="studio-delivery")
    s3.put_bucket_versioning(Bucket="studio-delivery", VersioningConfiguration={"Status": "Enabled"})
    code.create_repository(repositoryName="model-code")
    code.create_commit(
        repositoryName="model-code", branchName="main", commitMessage="Train with more rounds",
        putFiles=[{"filePath": "a.txt", "fileContent": b"1"}],
    )  # fmt: skip
    _make_project(service, "unit-tests", BUILD_WORKS, "CODEPIPELINE")
    variables = json.dumps([{"name": "API_TOKEN", "value": SECRET, "type": "PLAINTEXT"}])
    source = {"RepositoryName": "model-code", "BranchName": "main", "PollForSourceChanges": "false"}
    stages = [
        {"name": "Source", "actions": [action("Source", "CodeCommit", "Code", configuration=source,
                                              outputArtifacts=[{"name": "Code"}])]},
        {"name": "Build", "actions": [action("Build", "CodeBuild", "Test", inputArtifacts=[{"name": "Code"}],
                                             configuration={
                                                 "ProjectName": "unit-tests", "EnvironmentVariables": variables})]},
        {"name": "Production", "actions": [action("Approval", "Manual", "ApproveDeployment", configuration={
            "CustomData": "Is version 1 good enough for production?"})]},
    ]  # fmt: skip
    service.client("codepipeline").create_pipeline(
        pipeline={"name": "deploy-demo", "roleArn": ROLE, "pipelineType": "V2", "executionMode": "QUEUED",
                  "artifactStore": {"type": "S3", "location": "studio-delivery"}, "stages": stages},
    )  # fmt: skip


def _token(service: Service, name: str) -> str | None:
    state = service.client("codepipeline").get_pipeline_state(name=name)
    latest = state["stageStates"][-1]["actionStates"][0].get("latestExecution", {})
    return latest.get("token")


def _make_rules(service: Service, function_arn: str) -> None:
    events = service.client("events")
    pattern = {"source": ["aws.sagemaker"], "detail-type": ["SageMaker Model Package State Change"],
               "detail": {"ModelApprovalStatus": ["Approved"]}}  # fmt: skip
    events.put_rule(Name="approved-model", EventPattern=json.dumps(pattern))
    events.put_targets(Rule="approved-model", Targets=[{"Id": "echo", "Arn": function_arn}])
    events.put_rule(Name="demo-events", EventPattern=json.dumps({"source": ["demo"]}))
    events.put_targets(Rule="demo-events", Targets=[{"Id": "echo", "Arn": function_arn}])


def _monitor(full: Full) -> None:
    """Two executions of a schedule: one as the baseline, one that drifts; and an alarm on the drift."""
    monitored = full.monitored
    monitored.data_quality("drift", monitored.baseline())
    monitored.schedule(full.schedule, "drift")
    for number, shift in enumerate((0.0, 9.0), 1):
        monitored.invoke(monitored.rows(40, shift=shift))
        full.service.run("local-sagemaker", "--home", str(full.service.home), "monitor", "run", full.schedule,
                         check=False)  # fmt: skip
        monitored.ended(full.schedule, number)
    dimensions = {"Endpoint": full.endpoint, "MonitoringSchedule": full.schedule}
    full.service.client("cloudwatch").put_metric_alarm(
        AlarmName=f"drift-{uuid.uuid4().hex[:6]}", Namespace="aws/sagemaker/Endpoints/data-metrics",
        MetricName="feature_baseline_drift_c", Statistic="Maximum", Period=3600, EvaluationPeriods=1, Threshold=0.2,
        Dimensions=[{"Name": key, "Value": value} for key, value in dimensions.items()],
        ComparisonOperator="GreaterThanThreshold", TreatMissingData="notBreaching",
    )  # fmt: skip
