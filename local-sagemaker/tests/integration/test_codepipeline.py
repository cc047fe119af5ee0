"""CodePipeline through boto3, against a real service: modes, approvals, retries, conditions (DEL-27, 29)."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.integration.code_pipelines import ROLE, STORE, Pipelines, action, ask, code_of, conditions, rule, soon
from tests.support import Service, create_function

FUNCTION = """
import boto3

def handler(event, _context):
    job = event["CodePipeline.job"]
    words = job["data"]["actionConfiguration"]["configuration"]["UserParameters"]
    boto3.client("codepipeline").put_job_success_result(jobId=job["id"], outputVariables={"WORDS": words.upper()})
"""


@pytest.fixture(scope="module")
def pipelines(service: Service) -> Pipelines:
    return Pipelines(service)


def test_an_approval_is_answered_once_and_a_rejected_stage_is_retried(pipelines: Pipelines) -> None:
    first = pipelines.create("approvals", {"name": "Ask", "actions": [ask()]})
    value = pipelines.token("approvals")
    wrong = {"pipelineName": "approvals", "stageName": "Ask", "actionName": "Ask",
             "result": {"status": "Approved", "summary": ""}}  # fmt: skip
    stale = "00000000-0000-4000-8000-000000000000"
    assert code_of(pipelines.client.put_approval_result, token=stale, **wrong) == "InvalidApprovalTokenException"
    pipelines.decide("approvals", value, "Rejected")
    assert code_of(pipelines.client.put_approval_result, token=value, **wrong) == "ApprovalAlreadyCompletedException"
    soon(lambda: pipelines.status("approvals", first) == "Failed", "the execution fails")
    pipelines.client.retry_stage_execution(
        pipelineName="approvals", stageName="Ask", pipelineExecutionId=first, retryMode="FAILED_ACTIONS"
    )
    again = pipelines.token("approvals", other_than=value)
    assert again != value
    pipelines.decide("approvals", again)
    soon(lambda: pipelines.status("approvals", first) == "Succeeded", "the retried execution succeeds")
    assert pipelines.stage("approvals", "Ask")["retryStageMetadata"]["manualStageRetryAttempt"] == 1
    request = {"pipelineName": "approvals", "stageName": "Ask", "pipelineExecutionId": first}
    assert (
        code_of(pipelines.client.retry_stage_execution, retryMode="ALL_ACTIONS", **request)
        == "StageNotRetryableException"
    )
    absent = {"pipelineName": "approvals", "filter": {"pipelineExecutionId": stale}}
    assert code_of(pipelines.client.list_action_executions, **absent) == "PipelineExecutionNotFoundException"


def test_a_newer_execution_replaces_the_one_that_waits(pipelines: Pipelines) -> None:
    first = pipelines.create("superseded", {"name": "Ask", "actions": [ask()]}, executionMode="SUPERSEDED")
    pipelines.token("superseded")
    second = pipelines.client.start_pipeline_execution(name="superseded")["pipelineExecutionId"]

    def waiting() -> str | None:
        found = pipelines.stage("superseded", "Ask").get("inboundExecution")
        return found["pipelineExecutionId"] if found else None

    soon(lambda: waiting() == second, "the second one waits before the stage")
    third = pipelines.client.start_pipeline_execution(name="superseded")["pipelineExecutionId"]
    soon(lambda: pipelines.status("superseded", second) == "Superseded", "the third one replaces the second")
    pipelines.client.stop_pipeline_execution(
        pipelineName="superseded", pipelineExecutionId=first, abandon=True, reason="enough"
    )
    soon(lambda: pipelines.status("superseded", first) == "Stopped", "the first one stops")
    pipelines.decide("superseded", pipelines.token("superseded"))
    soon(lambda: pipelines.status("superseded", third) == "Succeeded", "the third one succeeds")


def test_conditions_skip_a_stage_and_a_stage_is_rolled_back(pipelines: Pipelines) -> None:
    rule = {
        "name": "Word", "ruleTypeId": {"category": "Rule", "owner": "AWS", "provider": "VariableCheck", "version": "1"},
        "configuration": {"Variable": "#{variables.STATE}", "Value": "ready", "Operator": "EQ"},
    }  # fmt: skip
    skipped = {
        "name": "Ask", "actions": [ask()], "beforeEntry": {"conditions": [{"result": "SKIP", "rules": [rule]}]},
    }  # fmt: skip
    first = pipelines.create("conditions", skipped,
        {"name": "Last", "actions": [ask(configuration={"CustomData": "#{Source.BranchName}"})]},
        variables=[{"name": "STATE", "defaultValue": "waiting"}],
    )  # fmt: skip
    pipelines.decide("conditions", pipelines.token("conditions", "Last"), wanted="Last")
    soon(lambda: pipelines.status("conditions", first) == "Succeeded", "the execution succeeds")
    assert pipelines.stage("conditions", "Ask")["latestExecution"]["status"] == "Skipped"
    request = {"name": "conditions", "variables": [{"name": "STATE", "value": "ready"}]}
    second = pipelines.client.start_pipeline_execution(**request)["pipelineExecutionId"]
    pipelines.decide("conditions", pipelines.token("conditions"), "Rejected")
    soon(lambda: pipelines.status("conditions", second) == "Failed", "the second execution fails")
    back = pipelines.client.rollback_stage(
        pipelineName="conditions", stageName="Last", targetPipelineExecutionId=first
    )["pipelineExecutionId"]  # fmt: skip
    pipelines.decide("conditions", pipelines.token("conditions", "Last"), wanted="Last")
    soon(lambda: pipelines.status("conditions", back) == "Succeeded", "the rollback succeeds")
    newest = pipelines.rows("conditions")[0]
    assert (newest["executionType"], newest["trigger"]["triggerType"]) == ("ROLLBACK", "ManualRollback")


def test_objects_are_sources_and_functions_and_buckets_are_reached(service: Service, pipelines: Pipelines) -> None:
    create_function(service.client("lambda"), "shout", FUNCTION)
    words = {"FunctionName": "shout", "UserParameters": "#{Source.CommitMessage}"}
    first = pipelines.create("reaching",
        {"name": "Shout", "actions": [action("Invoke", "Lambda", "Shout", configuration=words, namespace="Shout")]},
        {
            "name": "Store",
            "actions": [
                action("Deploy", "S3", "Store", inputArtifacts=[{"name": "Code"}],
                       configuration={"BucketName": STORE, "Extract": "true", "ObjectKey": "#{Shout.WORDS}"})
            ],
        },
    )  # fmt: skip
    soon(lambda: pipelines.status("reaching", first) != "InProgress", "the execution ends")
    details = pipelines.client.list_action_executions(pipelineName="reaching")["actionExecutionDetails"]
    assert pipelines.status("reaching", first) == "Succeeded", details[0]["output"]
    store = details[0]["input"]["resolvedConfiguration"]["ObjectKey"]
    body = service.client("s3").get_object(Bucket=STORE, Key=f"{store}/site/a.txt")["Body"].read()
    assert body == b"1"
    assert store == store.upper()


def test_what_is_not_executed_is_refused_by_name(pipelines: Pipelines) -> None:
    def refused(*stages: dict[str, Any]) -> str:
        with pytest.raises(ClientError) as raised:
            pipelines.create("refused", *stages)
        return str(raised.value.response["Error"]["Message"])

    assert "Deploy by AWS/ECS" in refused({"name": "X", "actions": [action("Deploy", "ECS", "Ship")]})
    missing = action("Build", "CodeBuild", "Build", inputArtifacts=[{"name": "Nothing"}],
                     configuration={"ProjectName": "p"})  # fmt: skip
    assert "Nothing" in refused({"name": "X", "actions": [missing]})
    assert "at least 2" in refused()
    build = action("Build", "CodeBuild", "B", inputArtifacts=[{"name": "Code"}])
    for settings, text in (
        ({"ProjectName": "p", "Odd": "1"}, "Action configuration for action 'B' contains unknown configuration 'Odd'"),
        ({}, "Action configuration for action 'B' is missing required configuration 'ProjectName'"),
        ({"ProjectName": "p", "BuildspecOverride": "x"}, "LocalUnsupported: BuildspecOverride"),
    ):
        assert text in refused({"name": "X", "actions": [{**build, "configuration": settings}]})
    for odd, text in (
        (rule("VariableCheck", Variable="a", Value="b", Operator="LIKE"), "Operator LIKE of rule VariableCheck"),
        (rule("CloudWatchAlarm", AlarmName="a", Odd="1"), "contains unknown configuration 'Odd'"),
    ):
        assert text in refused({"name": "X", "actions": [ask()], "beforeEntry": conditions("FAIL", odd)})


def test_tags_come_in_pages_and_those_of_no_pipeline_are_refused(pipelines: Pipelines) -> None:
    client, arn = pipelines.client, "arn:aws:codepipeline:us-east-1:123456789012:tagged"
    for call, more in (
        (client.list_tags_for_resource, {}),
        (client.tag_resource, {"tags": [{"key": "a", "value": "1"}]}),
        (client.untag_resource, {"tagKeys": ["a"]}),
    ):
        with pytest.raises(client.exceptions.ResourceNotFoundException, match="does not include a pipeline"):
            call(resourceArn=arn, **more)
    pipelines.create("tagged", {"name": "X", "actions": [ask()]})
    client.tag_resource(resourceArn=arn, tags=[{"key": key, "value": "1"} for key in ("a", "b")])
    with pytest.raises(client.exceptions.InvalidTagsException, match="Not allowed to modify system tags"):
        client.tag_resource(resourceArn=arn, tags=[{"key": "aws:a", "value": "1"}])
    with pytest.raises(client.exceptions.TooManyTagsException, match="Tag limit exceeded for resource"):
        client.tag_resource(resourceArn=arn, tags=[{"key": f"k{number}", "value": "1"} for number in range(49)])
    first = client.list_tags_for_resource(resourceArn=arn, maxResults=1)
    second = client.list_tags_for_resource(resourceArn=arn, maxResults=1, nextToken=first["nextToken"])
    assert [tag["key"] for page in (first, second) for tag in page["tags"]] == ["a", "b"]


def test_a_pipeline_whose_variable_has_no_default_waits_for_a_start_that_says_it(pipelines: Pipelines) -> None:
    client = pipelines.client
    client.create_pipeline(pipeline=pipelines.structure("unset", {"name": "X", "actions": [ask()]},
                                                        variables=[{"name": "STAGE"}]))  # fmt: skip
    assert client.list_pipeline_executions(pipelineName="unset")["pipelineExecutionSummaries"] == []
    with pytest.raises(ClientError, match="The variable STAGE has no default value"):
        client.start_pipeline_execution(name="unset")
    client.start_pipeline_execution(name="unset", variables=[{"name": "STAGE", "value": "test"}])
    assert pipelines.token("unset", "X")
    many = [{"key": f"k{number}", "value": "1"} for number in range(51)]
    with pytest.raises(client.exceptions.TooManyTagsException):
        client.create_pipeline(pipeline=pipelines.structure("many", {"name": "X", "actions": [ask()]}), tags=many)
    assert "many" not in [row["name"] for row in client.list_pipelines()["pipelines"]]


def test_a_rule_that_cannot_be_evaluated_fails(pipelines: Pipelines) -> None:
    """A pattern that is none and a time zone that there is not: the execution ends, and the rules say why."""
    rules = [rule("VariableCheck", Variable="word", Value="(", Operator="MATCHES"),
             rule("DeploymentWindow", Cron="* * * ? * *", TimeZone="No/Where")]  # fmt: skip
    stage = {"name": "Ask", "actions": [ask()], "beforeEntry": conditions("FAIL", *rules)}
    pipelines.ends("unclear", pipelines.create("unclear", stage), "Failed")
    states = pipelines.stage("unclear", "Ask")["beforeEntryConditionState"]["conditionStates"][0]["ruleStates"]
    said = [row["latestExecution"]["summary"] for row in states]
    assert [text.partition(":")[0] for text in said] == [
        "VariableCheck can't be evaluated", "DeploymentWindow can't be evaluated",
    ]  # fmt: skip


def test_a_build_without_artifacts_succeeds_and_makes_none(service: Service, pipelines: Pipelines) -> None:
    """As in AWS's own project templates: the output of the build that trains is declared and never made.

    The specification is a line of JSON, as Terraform and boto3 write them.
    """
    specification = {"version": 0.2, "phases": {"build": {"commands": ["true"]}}}
    service.client("codebuild").create_project(
        name="trains", serviceRole=ROLE, artifacts={"type": "CODEPIPELINE"},
        source={"type": "CODEPIPELINE", "buildspec": json.dumps(specification)},
        environment={"type": "LINUX_CONTAINER", "image": "image", "computeType": "BUILD_GENERAL1_SMALL"},
    )  # fmt: skip
    build = action("Build", "CodeBuild", "Train", configuration={"ProjectName": "trains"},
                   inputArtifacts=[{"name": "Code"}], outputArtifacts=[{"name": "Model"}])  # fmt: skip
    store = action("Deploy", "S3", "Store", inputArtifacts=[{"name": "Model"}],
                   configuration={"BucketName": STORE, "Extract": "false", "ObjectKey": "model.zip"})  # fmt: skip
    stages = [{"name": "Train", "actions": [build]}, {"name": "Store", "actions": [store]}]
    pipelines.ends("no-artifacts", pipelines.create("no-artifacts", *stages), "Failed")
    rows = pipelines.actions("no-artifacts", pipelines.rows("no-artifacts")[0]["pipelineExecutionId"])
    assert [row["status"] for row in rows] == ["Failed", "Succeeded", "Succeeded"], rows[0]["output"]
    last, first, _source = rows
    assert (first["status"], first["output"]["outputArtifacts"]) == ("Succeeded", [])
    details = last["output"]["executionResult"]["errorDetails"]
    assert details == {"code": "ConfigurationError", "message": "No action has made the input artifact Model."}
