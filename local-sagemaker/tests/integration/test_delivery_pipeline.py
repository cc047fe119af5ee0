"""From a push to a deployed stack by unmodified git, boto3 and the AWS CLI, on a real service (DEL-1)."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support import Service, until

ROLE = "arn:aws:iam::123456789012:role/service-role/delivery"
TEMPLATE = {
    "Parameters": {"Name": {"Type": "String"}, "Commit": {"Type": "String"}},
    "Resources": {
        "Group": {
            "Type": "AWS::SageMaker::ModelPackageGroup",
            "Properties": {
                "ModelPackageGroupName": {"Ref": "Name"},
                "ModelPackageGroupDescription": {"Ref": "Commit"},
            },
        }
    },
    "Outputs": {"Group": {"Value": {"Fn::GetAtt": ["Group", "ModelPackageGroupArn"]}}},
}
BUILDSPEC = """\
version: 0.2
env:
  exported-variables: [WORD]
phases:
  install:
    commands:
      - cd scripts
  build:
    commands:
      - export WORD="built $(basename "$PWD")"
      - python3 render.py > ../parameters.json
  post_build:
    commands:
      - echo "service at $AWS_ENDPOINT_URL"
artifacts:
  files: [template.json, parameters.json]
"""
RENDER = """\
import json, os
commit = os.environ["CODEBUILD_RESOLVED_SOURCE_VERSION"]
print(json.dumps({"Parameters": {"Name": os.environ["GROUP"], "Commit": commit}}))
"""


def environment(service: Service, home: Path) -> dict[str, str]:
    """What git and the AWS CLI need. The helper gives the access key itself, which saves starts of the AWS CLI."""
    home.mkdir(exist_ok=True)
    helper = '!f() { echo "username=$AWS_ACCESS_KEY_ID"; echo "password=$AWS_SECRET_ACCESS_KEY"; }; f'
    settings = {"credential.helper": helper, "credential.UseHttpPath": "true", "user.name": "Ann",
                "user.email": "ann@example.com", "init.defaultBranch": "main"}  # fmt: skip
    git = {"GIT_CONFIG_COUNT": str(len(settings))}
    for number, (name, value) in enumerate(settings.items()):
        git |= {f"GIT_CONFIG_KEY_{number}": name, f"GIT_CONFIG_VALUE_{number}": value}
    return {**os.environ, **service.environment(), **git, "HOME": str(home), "GIT_TERMINAL_PROMPT": "0"}


def soon(condition: Callable[[], Any], what: str) -> Any:
    """Waits for something on a machine that may be busy."""
    return until(condition, what, seconds=240)


def run(folder: Path, variables: dict[str, str], *command: str) -> str:
    done = subprocess.run(command, cwd=folder, env=variables, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
    return done.stdout


def action(category: str, provider: str, name: str, **more: Any) -> dict[str, Any]:
    kind = {"category": category, "owner": "AWS", "provider": provider, "version": "1"}
    return {"name": name, "actionTypeId": kind, **more}


def stages(repository: str, project: str, stack: str) -> list[dict[str, Any]]:
    source = {"RepositoryName": repository, "BranchName": "main", "PollForSourceChanges": "false"}
    deploy = {
        "ActionMode": "CREATE_UPDATE", "StackName": stack, "TemplatePath": "Built::template.json",
        "TemplateConfiguration": "Built::parameters.json",
    }  # fmt: skip
    return [
        {
            "name": "Source",
            "actions": [
                action(
                    "Source", "CodeCommit", "Code", configuration=source, outputArtifacts=[{"name": "Code"}],
                    namespace="Source",
                )
            ],
        },
        {
            "name": "Build",
            "actions": [
                action(
                    "Build", "CodeBuild", "Render", inputArtifacts=[{"name": "Code"}],
                    outputArtifacts=[{"name": "Built"}], namespace="Build", configuration={"ProjectName": project},
                )
            ],
        },
        {
            "name": "Approve",
            "actions": [action("Approval", "Manual", "Ask", configuration={"CustomData": "#{Build.WORD}"})],
        },
        {
            "name": "Deploy",
            "actions": [
                action("Deploy", "CloudFormation", "Stack", inputArtifacts=[{"name": "Built"}], configuration=deploy)
            ],
        },
    ]  # fmt: skip


def project(service: Service, name: str, **environment_variables: str) -> None:
    variables = [{"name": key, "value": value} for key, value in environment_variables.items()]
    service.client("codebuild").create_project(
        name=name,
        source={"type": "CODEPIPELINE"},
        artifacts={"type": "CODEPIPELINE"},
        serviceRole=ROLE,
        environment={
            "type": "LINUX_CONTAINER",
            "image": "aws/codebuild/amazonlinux-x86_64-standard:5.0",
            "computeType": "BUILD_GENERAL1_SMALL",
            "environmentVariables": variables,
        },
    )


def pushed(service: Service, folder: Path, name: str) -> tuple[Path, dict[str, str]]:
    """A clone of a new CodeCommit repository."""
    variables = environment(service, folder / "home")
    url = service.client("codecommit").create_repository(repositoryName=name)["repositoryMetadata"]["cloneUrlHttp"]
    clone = folder / name
    run(folder, variables, "git", "clone", "--quiet", url, str(clone))
    return clone, variables


def commit(clone: Path, variables: dict[str, str], message: str, branch: str = "main", **files: str) -> str:
    for name, content in files.items():
        file = clone / name.replace("__", "/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content)
    run(clone, variables, "git", "add", "--all")
    run(clone, variables, "git", "commit", "--quiet", "--message", message)
    run(clone, variables, "git", "push", "--quiet", "origin", f"HEAD:refs/heads/{branch}")
    return run(clone, variables, "git", "rev-parse", "HEAD").strip()


@pytest.fixture(scope="module")
def pipelines(service: Service) -> Any:
    return service.client("codepipeline")


def executions(pipelines: Any, name: str) -> list[dict[str, Any]]:
    return list(pipelines.list_pipeline_executions(pipelineName=name)["pipelineExecutionSummaries"])


def token(pipelines: Any, name: str, stage: str = "Approve") -> str | None:
    for row in pipelines.get_pipeline_state(name=name)["stageStates"]:
        if row["stageName"] == stage:
            found = row["actionStates"][0].get("latestExecution", {}).get("token")
            return str(found) if found else None
    return None


def test_a_push_is_built_approved_and_deployed(service: Service, tmp_path: Path, pipelines: Any) -> None:
    name = "push-to-stack"
    service.client("s3").create_bucket(Bucket=f"{name}-store")
    clone, variables = pushed(service, tmp_path, name)
    project(service, name, GROUP=name)
    pipelines.create_pipeline(
        pipeline={
            "name": name, "roleArn": ROLE, "pipelineType": "V2", "executionMode": "QUEUED",
            "artifactStore": {"type": "S3", "location": f"{name}-store"}, "stages": stages(name, name, name),
        }
    )  # fmt: skip
    soon(lambda: executions(pipelines, name)[0]["status"] == "Failed", "the first execution fails without a branch")
    events = service.client("events")
    pattern = {
        "source": ["aws.codecommit"], "detail-type": ["CodeCommit Repository State Change"],
        "detail": {"event": ["referenceCreated", "referenceUpdated"], "referenceName": ["main"],
                   "repositoryName": [name]},
    }  # fmt: skip
    rule = events.put_rule(Name=name, EventPattern=json.dumps(pattern))["RuleArn"]
    arn = pipelines.get_pipeline(name=name)["metadata"]["pipelineArn"]
    events.put_targets(Rule=name, Targets=[{"Id": "pipeline", "Arn": arn, "RoleArn": ROLE}])

    sha = commit(
        clone, variables, "First", **{"buildspec.yml": BUILDSPEC, "scripts__render.py": RENDER,
                                      "template.json": json.dumps(TEMPLATE)},
    )  # fmt: skip

    waiting = soon(lambda: token(pipelines, name), "the approval waits")
    newest, *_ = executions(pipelines, name)
    assert newest["trigger"] == {"triggerType": "CloudWatchEvent", "triggerDetail": rule}
    assert newest["sourceRevisions"][0]["revisionId"] == sha
    details = pipelines.list_action_executions(pipelineName=name)["actionExecutionDetails"]
    assert details[0]["input"]["resolvedConfiguration"] == {"CustomData": "built scripts"}
    pipelines.put_approval_result(
        pipelineName=name, stageName="Approve", actionName="Ask", token=waiting,
        result={"status": "Approved", "summary": "fine"},
    )  # fmt: skip
    soon(lambda: executions(pipelines, name)[0]["status"] == "Succeeded", "the execution succeeds")
    group = service.client("sagemaker").describe_model_package_group(ModelPackageGroupName=name)
    assert group["ModelPackageGroupDescription"] == sha
    build = service.client("codebuild").batch_get_builds(
        ids=service.client("codebuild").list_builds_for_project(projectName=name)["ids"]
    )["builds"][0]
    assert build["initiator"] == f"codepipeline/{name}"
    log = service.client("logs").get_log_events(
        logGroupName=build["logs"]["groupName"], logStreamName=build["logs"]["streamName"], startFromHead=True
    )["events"]
    assert f"service at {service.url}" in [line["message"] for line in log]
    assert run(tmp_path, variables, "aws", "codepipeline", "list-pipeline-executions", "--pipeline-name", name)


def test_a_stack_makes_repository_project_pipeline_and_connection(service: Service, pipelines: Any) -> None:
    name = "delivery-stack"
    service.client("s3").create_bucket(Bucket=f"{name}-store")
    kind = {"Category": "Source", "Owner": "AWS", "Provider": "CodeCommit", "Version": "1"}
    source = {"RepositoryName": {"Fn::GetAtt": ["Code", "Name"]}, "BranchName": "main", "PollForSourceChanges": False}
    approval = {"Category": "Approval", "Owner": "AWS", "Provider": "Manual", "Version": "1"}
    template = {
        "Resources": {
            "Code": {"Type": "AWS::CodeCommit::Repository", "Properties": {"RepositoryName": name}},
            "Connection": {
                "Type": "AWS::CodeConnections::Connection",
                "Properties": {"ConnectionName": name, "ProviderType": "GitHub"},
            },
            "Project": {
                "Type": "AWS::CodeBuild::Project",
                "Properties": {
                    "Name": name,
                    "ServiceRole": ROLE,
                    "Source": {"Type": "CODEPIPELINE", "BuildSpec": "buildspec.yml"},
                    "Artifacts": {"Type": "CODEPIPELINE"},
                    "Environment": {
                        "Type": "LINUX_CONTAINER",
                        "ComputeType": "BUILD_GENERAL1_SMALL",
                        "Image": "aws/codebuild/amazonlinux-x86_64-standard:5.0",
                    },
                    "TimeoutInMinutes": "10",
                },
            },
            "Pipeline": {
                "Type": "AWS::CodePipeline::Pipeline",
                "Properties": {
                    "Name": name,
                    "RoleArn": ROLE,
                    "PipelineType": "V2",
                    "ArtifactStore": {"Type": "S3", "Location": f"{name}-store"},
                    "Stages": [
                        {
                            "Name": "Source",
                            "Actions": [
                                {
                                    "Name": "Code", "ActionTypeId": kind, "Configuration": source,
                                    "OutputArtifacts": [{"Name": "Code"}], "RunOrder": "1",
                                }
                            ],
                        },
                        {"Name": "Approve", "Actions": [{"Name": "Ask", "ActionTypeId": approval}]},
                    ],
                },
            },
        },
        "Outputs": {"Url": {"Value": {"Fn::GetAtt": ["Code", "CloneUrlHttp"]}}},
    }  # fmt: skip
    stacks = service.client("cloudformation")
    stacks.create_stack(StackName=name, TemplateBody=json.dumps(template))

    def status() -> str:
        return str(stacks.describe_stacks(StackName=name)["Stacks"][0]["StackStatus"])

    soon(lambda: not status().endswith("_IN_PROGRESS"), "the stack settles")
    assert status() == "CREATE_COMPLETE", stacks.describe_stack_events(StackName=name)["StackEvents"]
    assert service.client("codebuild").batch_get_projects(names=[name])["projects"][0]["timeoutInMinutes"] == 10
    file = {"filePath": "a.txt", "fileContent": b"1"}
    service.client("codecommit").create_commit(repositoryName=name, branchName="main", putFiles=[file])
    pipelines.start_pipeline_execution(name=name)
    soon(lambda: token(pipelines, name), "the approval waits")
    command = [sys.executable, "-m", "local_sagemaker.cli", "--home", str(service.home)]
    done = subprocess.run(
        [*command, "reject", name, "--comment", "not yet"], capture_output=True, text=True, timeout=240, check=False
    )
    assert done.stdout == f"Rejected: {name}, Approve / Ask\n", done.stderr
    soon(lambda: executions(pipelines, name)[0]["status"] == "Failed", "the execution fails")
    details = pipelines.list_action_executions(pipelineName=name)["actionExecutionDetails"][0]
    assert details["output"]["executionResult"]["errorDetails"]["message"] == "Approval was rejected. not yet"
    stacks.delete_stack(StackName=name)
    soon(lambda: name not in [row["name"] for row in pipelines.list_pipelines()["pipelines"]], "the pipeline goes")


def test_a_trigger_starts_the_pipeline_of_the_paths_that_changed(
    service: Service, tmp_path: Path, pipelines: Any
) -> None:
    name = "paths"
    service.client("s3").create_bucket(Bucket=f"{name}-store")
    connections = service.client("codeconnections")
    arn = connections.create_connection(ConnectionName=name, ProviderType="GitHub")["ConnectionArn"]
    assert connections.get_connection(ConnectionArn=arn)["Connection"]["ConnectionStatus"] == "PENDING"
    variables = environment(service, tmp_path / "home")
    clone = tmp_path / name
    url = f"{service.url}/v1/connections/ann/{name}.git"
    run(tmp_path, variables, "git", "clone", "--quiet", url, str(clone))
    commit(clone, variables, "Begin", a__x="1", b__x="1")
    assert connections.get_connection(ConnectionArn=arn)["Connection"]["ConnectionStatus"] == "AVAILABLE"
    source = {"ConnectionArn": arn, "FullRepositoryId": f"ann/{name}", "BranchName": "main", "DetectChanges": "false"}
    for folder in ("a", "b"):
        push = [{"branches": {"includes": ["main", "experiment/**"]}, "filePaths": {"includes": [f"{folder}/**"]}}]
        code = action(
            "Source", "CodeStarSourceConnection", "Code", configuration=source, outputArtifacts=[{"name": "Code"}]
        )
        pipelines.create_pipeline(
            pipeline={
                "name": f"{name}-{folder}", "roleArn": ROLE, "pipelineType": "V2", "executionMode": "QUEUED",
                "artifactStore": {"type": "S3", "location": f"{name}-store"},
                "stages": [
                    {"name": "Source", "actions": [code]},
                    {"name": "Ask", "actions": [action("Approval", "Manual", "Ask")]},
                ],
                "triggers": [{"providerType": "CodeStarSourceConnection",
                              "gitConfiguration": {"sourceActionName": "Code", "push": push}}],
            }
        )  # fmt: skip
    sha = commit(clone, variables, "Only in b", b__x="2")
    soon(lambda: len(executions(pipelines, f"{name}-b")) == 2, "the push starts a pipeline")
    assert executions(pipelines, f"{name}-b")[0]["trigger"] == {"triggerType": "WebhookV2", "triggerDetail": arn}
    pushed_again = executions(pipelines, f"{name}-b")[0]["pipelineExecutionId"]
    for row in executions(pipelines, f"{name}-b")[1:]:
        pipelines.stop_pipeline_execution(
            pipelineName=f"{name}-b", pipelineExecutionId=row["pipelineExecutionId"], abandon=True
        )

    def revision() -> str | None:
        row = next(r for r in executions(pipelines, f"{name}-b") if r["pipelineExecutionId"] == pushed_again)
        return str(row["sourceRevisions"][0]["revisionId"]) if row["sourceRevisions"] else None

    assert soon(revision, "the source is fetched") == sha
    assert len(executions(pipelines, f"{name}-a")) == 1
    sha = commit(clone, variables, "On a branch", "experiment/x", a__x="2")
    soon(lambda: len(executions(pipelines, f"{name}-a")) == 2, "the push to the branch starts the other pipeline")

    def fetched() -> dict[str, str]:
        identity = executions(pipelines, f"{name}-a")[0]["pipelineExecutionId"]
        rows = pipelines.list_action_executions(
            pipelineName=f"{name}-a", filter={"pipelineExecutionId": identity}
        )["actionExecutionDetails"]  # fmt: skip
        found = [row["output"].get("outputVariables", {}) for row in rows if row["actionName"] == "Code"]
        return dict(found[0]) if found else {}

    variables_of_source = soon(fetched, "the branch's commit is fetched")
    assert (variables_of_source["BranchName"], variables_of_source["CommitId"]) == ("experiment/x", sha)
