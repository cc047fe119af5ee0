"""What tests of CodePipeline share: pipelines over boto3, and what is read of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.support import Service, until

ROLE = "arn:aws:iam::123456789012:role/service-role/delivery"
STORE = "store-of-pipelines"


def soon(condition: Callable[[], Any], what: str) -> Any:
    """Waits for something on a machine that may be busy."""
    return until(condition, what, seconds=240)


def action(category: str, provider: str, name: str, **more: Any) -> dict[str, Any]:
    kind = {"category": category, "owner": "AWS", "provider": provider, "version": "1"}
    return {"name": name, "actionTypeId": kind, **more}


def ask(name: str = "Ask", **more: Any) -> dict[str, Any]:
    """A manual approval."""
    return action("Approval", "Manual", name, **more)


def rule(provider: str, **configuration: str) -> dict[str, Any]:
    """A rule of a condition."""
    kind = {"category": "Rule", "owner": "AWS", "provider": provider, "version": "1"}
    return {"name": provider, "ruleTypeId": kind, "configuration": configuration}


def conditions(result: str, *rules: dict[str, Any]) -> dict[str, Any]:
    return {"conditions": [{"result": result, "rules": list(rules)}]}


class Pipelines:
    """CodePipeline of a service, with a bucket for artifacts and a repository with one commit."""

    def __init__(self, service: Service) -> None:
        self.service, self.client = service, service.client("codepipeline")
        s3 = service.client("s3")
        s3.create_bucket(Bucket=STORE)
        s3.put_bucket_versioning(Bucket=STORE, VersioningConfiguration={"Status": "Enabled"})
        code = service.client("codecommit")
        if "words" not in [row["repositoryName"] for row in code.list_repositories()["repositories"]]:
            code.create_repository(repositoryName="words")
            code.create_commit(
                repositoryName="words", branchName="main", putFiles=[{"filePath": "site/a.txt", "fileContent": b"1"}]
            )

    def create(self, name: str, *stages: dict[str, Any], **more: Any) -> str:
        """Creates a pipeline, and returns the id of its first execution."""
        self.client.create_pipeline(pipeline=self.structure(name, *stages, **more))
        return str(self.rows(name)[0]["pipelineExecutionId"])

    def structure(self, name: str, *stages: dict[str, Any], **more: Any) -> dict[str, Any]:
        """A pipeline's structure. `source` is the source action, if another."""
        settings = {"RepositoryName": "words", "BranchName": "main", "PollForSourceChanges": "false"}
        code = more.pop("source", None) or action(
            "Source", "CodeCommit", "Code", configuration=settings, outputArtifacts=[{"name": "Code"}],
            namespace="Source",
        )  # fmt: skip
        return {
            "name": name, "roleArn": ROLE, "pipelineType": "V2", "executionMode": "QUEUED",
            "artifactStore": {"type": "S3", "location": STORE},
            "stages": [{"name": "Source", "actions": [code]}, *stages], **more,
        }  # fmt: skip

    def start(self, name: str, **variables: str) -> str:
        rows = [{"name": key, "value": value} for key, value in variables.items()]
        more = {"variables": rows} if rows else {}
        return str(self.client.start_pipeline_execution(name=name, **more)["pipelineExecutionId"])

    def rows(self, name: str) -> list[dict[str, Any]]:
        """The executions, the newest first."""
        return list(self.client.list_pipeline_executions(pipelineName=name)["pipelineExecutionSummaries"])

    def status(self, name: str, identity: str) -> str:
        request = {"pipelineName": name, "pipelineExecutionId": identity}
        return str(self.client.get_pipeline_execution(**request)["pipelineExecution"]["status"])

    def ends(self, name: str, identity: str, wanted: str) -> None:
        """Waits for the end of an execution, which must be the wanted one."""
        soon(lambda: self.status(name, identity) not in ("InProgress", "Stopping"), f"the end of {name}")
        assert self.status(name, identity) == wanted, self.actions(name, identity)

    def actions(self, name: str, identity: str) -> list[dict[str, Any]]:
        """The runs of an execution's actions, the newest first."""
        request = {"pipelineName": name, "filter": {"pipelineExecutionId": identity}}
        return list(self.client.list_action_executions(**request)["actionExecutionDetails"])

    def stage(self, name: str, wanted: str) -> dict[str, Any]:
        states = self.client.get_pipeline_state(name=name)["stageStates"]
        return next(dict(row) for row in states if row["stageName"] == wanted)

    def latest(self, name: str, wanted: str, action_name: str = "Ask") -> dict[str, Any]:
        states = self.stage(name, wanted)["actionStates"]
        return next(dict(row.get("latestExecution", {})) for row in states if row["actionName"] == action_name)

    def token(self, name: str, wanted: str = "Ask", action_name: str = "Ask", other_than: str = "") -> str:
        """Waits for an approval's token."""

        def new() -> str | None:
            value = self.latest(name, wanted, action_name).get("token")
            return value if value != other_than else None

        return str(soon(new, f"the approval {action_name} of {name} waits"))

    def decide(
        self, name: str, value: str, result: str = "Approved", wanted: str = "Ask", action_name: str = "Ask"
    ) -> None:
        self.client.put_approval_result(
            pipelineName=name, stageName=wanted, actionName=action_name, token=value,
            result={"status": result, "summary": "so"},
        )  # fmt: skip

    def waiting(self, name: str, wanted: str) -> list[str]:
        """The executions that wait before a stage."""
        return [row["pipelineExecutionId"] for row in self.stage(name, wanted).get("inboundExecutions", [])]


def code_of(call: Callable[..., Any], **request: Any) -> str:
    """The code of the error that a call must end in."""
    with pytest.raises(ClientError) as raised:
        call(**request)
    return str(raised.value.response["Error"]["Code"])
