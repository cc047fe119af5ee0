"""The events of CodeCommit, CodeBuild and CodePipeline, as rules see them (DEL-35; contracts: delivery 5.3)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.integration.code_pipelines import ROLE, Pipelines, action, ask
from tests.integration.event_targets import Queue, rule
from tests.support import Service, until

NAME = "told"
SPEC = b"version: 0.2\nphases: {build: {commands: ['true']}}\n"
ENDS = ("CodePipeline Pipeline Execution State Change", "SUCCEEDED")


@pytest.fixture(scope="module")
def told(service: Service) -> Iterator[list[dict[str, Any]]]:
    """The events of one execution: a build, an approval that is rejected, its retry; and of the deleted branch."""
    queue, pipelines, code = Queue(service, NAME), Pipelines(service), service.client("codecommit")
    names = [{"detail": {member: [NAME]}} for member in ("pipeline", "project-name", "repositoryName")]
    rule(service.client("events"), NAME, {"$or": names}, Arn=queue.arn)
    code.create_repository(repositoryName=NAME)
    put = {"filePath": "buildspec.yml", "fileContent": SPEC}
    first = code.create_commit(repositoryName=NAME, branchName="main", putFiles=[put])["commitId"]
    service.client("codebuild").create_project(
        name=NAME, source={"type": "CODEPIPELINE"}, artifacts={"type": "CODEPIPELINE"}, serviceRole=ROLE,
        environment={
            "type": "LINUX_CONTAINER", "image": "aws/codebuild/amazonlinux-x86_64-standard:5.0",
            "computeType": "BUILD_GENERAL1_SMALL",
        },
    )  # fmt: skip
    source = action("Source", "CodeCommit", "Code", outputArtifacts=[{"name": "Code"}], configuration={
        "RepositoryName": NAME, "BranchName": "main", "PollForSourceChanges": "false"})  # fmt: skip
    build = action(
        "Build", "CodeBuild", "Build", configuration={"ProjectName": NAME}, inputArtifacts=[{"name": "Code"}]
    )
    identity = pipelines.create(
        NAME, {"name": "Build", "actions": [build]}, {"name": "Ask", "actions": [ask()]}, source=source
    )
    token = pipelines.token(NAME)
    pipelines.decide(NAME, token, "Rejected")
    pipelines.ends(NAME, identity, "Failed")
    pipelines.client.retry_stage_execution(
        pipelineName=NAME, stageName="Ask", pipelineExecutionId=identity, retryMode="FAILED_ACTIONS"
    )
    pipelines.decide(NAME, pipelines.token(NAME, other_than=token))
    code.create_branch(repositoryName=NAME, branchName="side", commitId=first)
    code.delete_branch(repositoryName=NAME, branchName="side")
    events: list[dict[str, Any]] = []

    def all_of_them() -> bool:
        events.extend(queue.messages())
        kinds = [(one["detail-type"], one["detail"].get("state")) for one in events]
        deleted = [one for one in events if one["detail"].get("event") == "referenceDeleted"]
        return ENDS in kinds and bool(deleted)

    until(all_of_them, "the last events", 240)
    yield events
    service.client("events").remove_targets(Rule=NAME, Ids=["t"])
    pipelines.client.delete_pipeline(name=NAME)


def of_type(events: list[dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    return sorted((one for one in events if one["detail-type"] == kind), key=lambda one: str(one["time"]))


def test_of_codecommit(told: list[dict[str, Any]]) -> None:
    made, side, gone = of_type(told, "CodeCommit Repository State Change")
    assert made["source"] == "aws.codecommit"
    assert made["resources"] == [f"arn:aws:codecommit:us-east-1:123456789012:{NAME}"]
    detail = made["detail"]
    assert (detail["event"], detail["referenceType"], detail["referenceName"], detail["referenceFullName"]) == (
        "referenceCreated", "branch", "main", "refs/heads/main",
    )  # fmt: skip
    assert len(detail["commitId"]) == 40 and "oldCommitId" not in detail
    assert detail["repositoryId"] and detail["callerUserArn"].startswith("arn:aws:")
    assert [(one["detail"]["event"], one["detail"]["referenceName"]) for one in (side, gone)] == [
        ("referenceCreated", "side"), ("referenceDeleted", "side"),
    ]  # fmt: skip
    assert gone["detail"]["oldCommitId"] == detail["commitId"]


def test_of_codebuild(told: list[dict[str, Any]]) -> None:
    changes = of_type(told, "CodeBuild Build State Change")
    assert [one["detail"]["build-status"] for one in changes] == ["IN_PROGRESS", "SUCCEEDED"]
    last = changes[-1]
    assert (last["source"], last["resources"]) == ("aws.codebuild", [last["detail"]["build-id"]])
    more = last["detail"]["additional-information"]
    assert (more["initiator"], more["build-complete"]) == (f"codepipeline/{NAME}", True)
    assert more["environment"]["compute-type"] == "BUILD_GENERAL1_SMALL"
    rows = {row["phase-type"]: row for row in more["phases"]}
    assert rows["BUILD"]["phase-context"] == [": "] and rows["BUILD"]["phase-status"] == "SUCCEEDED"
    assert rows["BUILD"]["start-time"][-2:] in ("AM", "PM") and "phase-status" not in rows["COMPLETED"]
    phases = [one["detail"] for one in of_type(told, "CodeBuild Build Phase Change")]
    assert {"SUBMITTED", "DOWNLOAD_SOURCE", "INSTALL", "BUILD", "FINALIZING"} <= {
        one["completed-phase"] for one in phases
    }
    assert {one["completed-phase-status"] for one in phases} == {"SUCCEEDED"}


def test_of_codepipeline(told: list[dict[str, Any]]) -> None:
    arn = f"arn:aws:codepipeline:us-east-1:123456789012:{NAME}"
    executions = of_type(told, "CodePipeline Pipeline Execution State Change")
    assert {one["source"] for one in executions} == {"aws.codepipeline"}
    assert [one["resources"] for one in executions] == [[arn]] * 4
    assert [one["detail"]["state"] for one in executions] == ["STARTED", "FAILED", "RESUMED", "SUCCEEDED"]
    assert executions[0]["detail"]["execution-trigger"]["trigger-type"] == "CreatePipeline"
    (identity,) = {one["detail"]["execution-id"] for one in executions}
    stages = [one["detail"] for one in of_type(told, "CodePipeline Stage Execution State Change")]
    assert {one["execution-id"] for one in stages} == {identity}
    assert [one["state"] for one in stages if one["stage"] == "Ask"] == ["STARTED", "FAILED", "RESUMED", "SUCCEEDED"]
    assert [one["state"] for one in stages if one["stage"] == "Build"] == ["STARTED", "SUCCEEDED"]
    actions = [one["detail"] for one in of_type(told, "CodePipeline Action Execution State Change")]
    begun, done = [one for one in actions if one["action"] == "Build"]
    assert (begun["state"], done["state"]) == ("STARTED", "SUCCEEDED")
    assert begun["type"] == {"owner": "AWS", "category": "Build", "provider": "CodeBuild", "version": "1"}
    assert [one["name"] for one in begun["input-artifacts"]] == ["Code"]
    assert done["execution-result"]["external-execution-id"].startswith(f"{NAME}:")
    rejected = next(one for one in actions if one["action"] == "Ask" and one["state"] == "FAILED")
    assert "Approval was rejected" in rejected["execution-result"]["external-execution-summary"]
    assert rejected["action-execution-id"] and rejected["region"] == "us-east-1"
