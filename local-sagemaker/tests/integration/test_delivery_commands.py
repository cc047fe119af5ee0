"""The unmodified AWS CLI drives the services of a delivery: events, schedules, builds, pipelines, and git's pushes."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.integration.code_pipelines import STORE, Pipelines, action, ask, soon
from tests.support import Service

ROLE = "arn:aws:iam::123456789012:role/service-role/delivery"
PATIENCE = 240


class Commands:
    """The AWS CLI and git, with the service's keys and a home of their own."""

    def __init__(self, service: Service, folder: Path) -> None:
        self.service, self.folder = service, folder
        self.variables = {**os.environ, **service.environment(), "HOME": str(folder), "GIT_TERMINAL_PROMPT": "0"}

    def run(self, *words: str) -> str:
        done = subprocess.run(
            words, cwd=self.folder, env=self.variables, capture_output=True, text=True, timeout=PATIENCE, check=False
        )
        assert done.returncode == 0, f"{words}: {done.stdout}{done.stderr}"
        return done.stdout

    def aws(self, *words: str) -> Any:
        text = self.run("aws", *words, "--output", "json")
        return json.loads(text) if text.strip() else {}


@pytest.fixture
def commands(service: Service, tmp_path: Path) -> Commands:
    return Commands(service, tmp_path)


def test_events_and_schedules(service: Service, commands: Commands) -> None:
    sqs = service.client("sqs")
    url = sqs.create_queue(QueueName="commands")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]

    def received() -> Any:
        found = soon(lambda: sqs.receive_message(QueueUrl=url).get("Messages"), "a message")[0]
        sqs.delete_message(QueueUrl=url, ReceiptHandle=found["ReceiptHandle"])
        return json.loads(found["Body"])

    commands.aws("events", "put-rule", "--name", "commands", "--event-pattern", '{"source": ["commands"]}')
    targets = commands.aws("events", "put-targets", "--rule", "commands", "--targets", f"Id=queue,Arn={arn}")
    assert targets["FailedEntryCount"] == 0
    entry = [{"Source": "commands", "DetailType": "Test", "Detail": '{"n": 1}'}]
    commands.aws("events", "put-events", "--entries", json.dumps(entry))
    assert received()["detail"] == {"n": 1}
    target = {"Arn": arn, "RoleArn": ROLE, "Input": '{"by": "schedule"}'}
    made = commands.aws(
        "scheduler", "create-schedule", "--name", "commands", "--schedule-expression", "rate(1 days)",
        "--flexible-time-window", "Mode=OFF", "--target", json.dumps(target),
    )  # fmt: skip
    assert made["ScheduleArn"].endswith("schedule/default/commands")
    assert received() == {"by": "schedule"}
    service.client("scheduler").delete_schedule(Name="commands")


def test_builds_and_pipelines(service: Service, commands: Commands) -> None:
    pipelines, name = Pipelines(service), "commands"
    project = {
        "name": name, "serviceRole": ROLE, "artifacts": {"type": "NO_ARTIFACTS"},
        "source": {"type": "NO_SOURCE",
                   "buildspec": "version: 0.2\nphases: {build: {commands: [\"echo built\"]}}\n"},
        "environment": {"type": "LINUX_CONTAINER", "computeType": "BUILD_GENERAL1_SMALL",
                        "image": "aws/codebuild/amazonlinux-x86_64-standard:5.0"},
    }  # fmt: skip
    commands.aws("codebuild", "create-project", "--cli-input-json", json.dumps(project))
    identity = commands.aws("codebuild", "start-build", "--project-name", name)["build"]["id"]
    builds = service.client("codebuild")
    soon(lambda: builds.batch_get_builds(ids=[identity])["builds"][0]["buildComplete"], "the build")
    assert builds.batch_get_builds(ids=[identity])["builds"][0]["buildStatus"] == "SUCCEEDED"
    settings = {"RepositoryName": "words", "BranchName": "main", "PollForSourceChanges": "false"}
    code = action("Source", "CodeCommit", "Code", configuration=settings, outputArtifacts=[{"name": "Code"}])
    pipeline = {
        "name": name, "roleArn": ROLE, "pipelineType": "V2", "artifactStore": {"type": "S3", "location": STORE},
        "stages": [{"name": "Source", "actions": [code]}, {"name": "Ask", "actions": [ask()]}],
    }  # fmt: skip
    (commands.folder / "pipeline.json").write_text(json.dumps(pipeline))
    commands.aws("codepipeline", "create-pipeline", "--pipeline", "file://pipeline.json")
    token = pipelines.token(name)
    commands.aws(
        "codepipeline", "put-approval-result", "--pipeline-name", name, "--stage-name", "Ask", "--action-name", "Ask",
        "--token", token, "--result", "summary=fine,status=Approved",
    )  # fmt: skip
    pipelines.ends(name, pipelines.rows(name)[0]["pipelineExecutionId"], "Succeeded")


def test_git_pushes_with_the_credential_helper_of_the_aws_cli(service: Service, commands: Commands) -> None:
    code = service.client("codecommit")
    url = code.create_repository(repositoryName="pushed")["repositoryMetadata"]["cloneUrlHttp"]
    helper = "!aws codecommit credential-helper --ignore-host-check $@"
    for setting in (("credential.helper", helper), ("credential.UseHttpPath", "true"), ("user.name", "Ann"),
                    ("user.email", "ann@example.com"), ("init.defaultBranch", "main")):  # fmt: skip
        commands.run("git", "config", "--global", *setting)
    commands.run("git", "init", "--quiet", "clone")
    commands.run("git", "-C", "clone", "commit", "--quiet", "--allow-empty", "--message", "First")
    commands.run("git", "-C", "clone", "push", "--quiet", url, "main")
    pushed = code.get_branch(repositoryName="pushed", branchName="main")["branch"]["commitId"]
    assert pushed == commands.run("git", "-C", "clone", "rev-parse", "HEAD").strip()
