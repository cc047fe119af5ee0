"""CodePipeline through boto3, against a real service: modes, approvals, retries, conditions (delivery 4)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.support import Service, create_function, until

ROLE = "arn:aws:iam::123456789012:role/service-role/delivery"
STORE = "store-of-pipelines"
FUNCTION = """
import boto3

def handler(event, _context):
    job = event["CodePipeline.job"]
    words = job["data"]["actionConfiguration"]["configuration"]["UserParameters"]
    boto3.client("codepipeline").put_job_success_result(jobId=job["id"], outputVariables={"WORDS": words.upper()})
"""


def soon(condition: Callable[[], Any], what: str) -> Any:
    return until(condition, what, seconds=240)


def action(category: str, provider: str, name: str, **more: Any) -> dict[str, Any]:
    kind = {"category": category, "owner": "AWS", "provider": provider, "version": "1"}
    return {"name": name, "actionTypeId": kind, **more}


def ask(**more: Any) -> dict[str, Any]:
    return action("Approval", "Manual", "Ask", **more)


@pytest.fixture(scope="module")
def pipelines(service: Service) -> Any:
    s3 = service.client("s3")
    s3.create_bucket(Bucket=STORE)
    s3.put_bucket_versioning(Bucket=STORE, VersioningConfiguration={"Status": "Enabled"})
    code = service.client("codecommit")
    code.create_repository(repositoryName="words")
    code.create_commit(
        repositoryName="words", branchName="main", putFiles=[{"filePath": "site/a.txt", "fileContent": b"1"}]
    )
    return service.client("codepipeline")


def create(pipelines: Any, name: str, *stages: dict[str, Any], **more: Any) -> str:
    source = {"RepositoryName": "words", "BranchName": "main", "PollForSourceChanges": "false"}
    code = action("Source", "CodeCommit", "Code", configuration=source, outputArtifacts=[{"name": "Code"}],
                  namespace="Source")  # fmt: skip
    pipelines.create_pipeline(
        pipeline={
            "name": name, "roleArn": ROLE, "pipelineType": "V2", "executionMode": "QUEUED",
            "artifactStore": {"type": "S3", "location": STORE},
            "stages": [{"name": "Source", "actions": [code]}, *stages], **more,
        }
    )  # fmt: skip
    return str(rows(pipelines, name)[0]["pipelineExecutionId"])


def rows(pipelines: Any, name: str) -> list[dict[str, Any]]:
    return list(pipelines.list_pipeline_executions(pipelineName=name)["pipelineExecutionSummaries"])


def status(pipelines: Any, name: str, identity: str) -> str:
    return str(
        pipelines.get_pipeline_execution(pipelineName=name, pipelineExecutionId=identity)["pipelineExecution"]["status"]
    )


def stage(pipelines: Any, name: str, wanted: str) -> dict[str, Any]:
    states = pipelines.get_pipeline_state(name=name)["stageStates"]
    return next(dict(row) for row in states if row["stageName"] == wanted)


def token(pipelines: Any, name: str, wanted: str = "Ask") -> str | None:
    return stage(pipelines, name, wanted)["actionStates"][0].get("latestExecution", {}).get("token")


def decide(pipelines: Any, name: str, value: str, result: str = "Approved", wanted: str = "Ask") -> None:
    pipelines.put_approval_result(
        pipelineName=name, stageName=wanted, actionName="Ask", token=value,
        result={"status": result, "summary": "so"},
    )  # fmt: skip


def code_of(call: Callable[..., Any], **request: Any) -> str:
    with pytest.raises(ClientError) as raised:
        call(**request)
    return str(raised.value.response["Error"]["Code"])


def test_an_approval_is_answered_once_and_a_rejected_stage_is_retried(pipelines: Any) -> None:
    first = create(pipelines, "approvals", {"name": "Ask", "actions": [ask()]})
    value = soon(lambda: token(pipelines, "approvals"), "the approval waits")
    wrong = {"pipelineName": "approvals", "stageName": "Ask", "actionName": "Ask",
             "result": {"status": "Approved", "summary": ""}}  # fmt: skip
    stale = "00000000-0000-4000-8000-000000000000"
    assert code_of(pipelines.put_approval_result, token=stale, **wrong) == "InvalidApprovalTokenException"
    decide(pipelines, "approvals", value, "Rejected")
    assert code_of(pipelines.put_approval_result, token=value, **wrong) == "ApprovalAlreadyCompletedException"
    soon(lambda: status(pipelines, "approvals", first) == "Failed", "the execution fails")
    pipelines.retry_stage_execution(
        pipelineName="approvals", stageName="Ask", pipelineExecutionId=first, retryMode="FAILED_ACTIONS"
    )
    again = soon(lambda: token(pipelines, "approvals"), "the approval waits again")
    assert again != value
    decide(pipelines, "approvals", again)
    soon(lambda: status(pipelines, "approvals", first) == "Succeeded", "the retried execution succeeds")
    assert stage(pipelines, "approvals", "Ask")["retryStageMetadata"]["manualStageRetryAttempt"] == 1
    request = {"pipelineName": "approvals", "stageName": "Ask", "pipelineExecutionId": first}
    assert code_of(pipelines.retry_stage_execution, retryMode="ALL_ACTIONS", **request) == "StageNotRetryableException"


def test_a_newer_execution_replaces_the_one_that_waits(pipelines: Any) -> None:
    first = create(pipelines, "superseded", {"name": "Ask", "actions": [ask()]}, executionMode="SUPERSEDED")
    soon(lambda: token(pipelines, "superseded"), "the first one waits for its approval")
    second = pipelines.start_pipeline_execution(name="superseded")["pipelineExecutionId"]

    def waiting() -> str | None:
        found = stage(pipelines, "superseded", "Ask").get("inboundExecution")
        return found["pipelineExecutionId"] if found else None

    soon(lambda: waiting() == second, "the second one waits before the stage")
    third = pipelines.start_pipeline_execution(name="superseded")["pipelineExecutionId"]
    soon(lambda: status(pipelines, "superseded", second) == "Superseded", "the third one replaces the second")
    pipelines.stop_pipeline_execution(
        pipelineName="superseded", pipelineExecutionId=first, abandon=True, reason="enough"
    )
    soon(lambda: status(pipelines, "superseded", first) == "Stopped", "the first one stops")
    decide(pipelines, "superseded", soon(lambda: token(pipelines, "superseded"), "the third one is asked for"))
    soon(lambda: status(pipelines, "superseded", third) == "Succeeded", "the third one succeeds")


def test_conditions_skip_a_stage_and_a_stage_is_rolled_back(pipelines: Any) -> None:
    rule = {
        "name": "Word", "ruleTypeId": {"category": "Rule", "owner": "AWS", "provider": "VariableCheck", "version": "1"},
        "configuration": {"Variable": "#{variables.STATE}", "Value": "ready", "Operator": "EQ"},
    }  # fmt: skip
    skipped = {
        "name": "Ask", "actions": [ask()], "beforeEntry": {"conditions": [{"result": "SKIP", "rules": [rule]}]},
    }  # fmt: skip
    first = create(
        pipelines, "conditions", skipped,
        {"name": "Last", "actions": [ask(configuration={"CustomData": "#{Source.BranchName}"})]},
        variables=[{"name": "STATE", "defaultValue": "waiting"}],
    )  # fmt: skip
    decide(
        pipelines, "conditions", soon(lambda: token(pipelines, "conditions", "Last"), "the last stage"), wanted="Last"
    )
    soon(lambda: status(pipelines, "conditions", first) == "Succeeded", "the execution succeeds")
    assert stage(pipelines, "conditions", "Ask")["latestExecution"]["status"] == "Skipped"
    request = {"name": "conditions", "variables": [{"name": "STATE", "value": "ready"}]}
    second = pipelines.start_pipeline_execution(**request)["pipelineExecutionId"]
    decide(
        pipelines, "conditions", soon(lambda: token(pipelines, "conditions"), "the stage is not skipped"), "Rejected"
    )
    soon(lambda: status(pipelines, "conditions", second) == "Failed", "the second execution fails")
    back = pipelines.rollback_stage(
        pipelineName="conditions", stageName="Last", targetPipelineExecutionId=first
    )["pipelineExecutionId"]  # fmt: skip
    decide(pipelines, "conditions", soon(lambda: token(pipelines, "conditions", "Last"), "the rollback"), wanted="Last")
    soon(lambda: status(pipelines, "conditions", back) == "Succeeded", "the rollback succeeds")
    newest = rows(pipelines, "conditions")[0]
    assert (newest["executionType"], newest["trigger"]["triggerType"]) == ("ROLLBACK", "ManualRollback")


def test_objects_are_sources_and_functions_and_buckets_are_reached(service: Service, pipelines: Any) -> None:
    create_function(service.client("lambda"), "shout", FUNCTION)
    words = {"FunctionName": "shout", "UserParameters": "#{Source.CommitMessage}"}
    first = create(
        pipelines, "reaching",
        {"name": "Shout", "actions": [action("Invoke", "Lambda", "Shout", configuration=words, namespace="Shout")]},
        {
            "name": "Store",
            "actions": [
                action("Deploy", "S3", "Store", inputArtifacts=[{"name": "Code"}],
                       configuration={"BucketName": STORE, "Extract": "true", "ObjectKey": "#{Shout.WORDS}"})
            ],
        },
    )  # fmt: skip
    soon(lambda: status(pipelines, "reaching", first) != "InProgress", "the execution ends")
    details = pipelines.list_action_executions(pipelineName="reaching")["actionExecutionDetails"]
    assert status(pipelines, "reaching", first) == "Succeeded", details[0]["output"]
    store = details[0]["input"]["resolvedConfiguration"]["ObjectKey"]
    body = service.client("s3").get_object(Bucket=STORE, Key=f"{store}/site/a.txt")["Body"].read()
    assert body == b"1"
    assert store == store.upper()


def test_what_is_not_executed_is_refused_by_name(pipelines: Any) -> None:
    def refused(*stages: dict[str, Any]) -> str:
        with pytest.raises(ClientError) as raised:
            create(pipelines, "refused", *stages)
        return str(raised.value.response["Error"]["Message"])

    assert "Deploy by AWS/ECS" in refused({"name": "X", "actions": [action("Deploy", "ECS", "Ship")]})
    missing = action("Build", "CodeBuild", "Build", inputArtifacts=[{"name": "Nothing"}],
                     configuration={"ProjectName": "p"})  # fmt: skip
    assert "Nothing" in refused({"name": "X", "actions": [missing]})
    assert "at least 2" in refused()
