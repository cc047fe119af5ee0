"""Overlapping executions, retries, rollbacks and conditions of stages, through boto3 (contracts: delivery 4.3)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.integration.code_pipelines import Pipelines, ask, code_of, conditions, rule, soon
from tests.support import Service, create_function


@pytest.fixture(scope="module")
def pipelines(service: Service) -> Pipelines:
    return Pipelines(service)


def test_queued_executions_enter_a_stage_in_their_order(pipelines: Pipelines) -> None:
    name = "queued"
    first = pipelines.create(name, {"name": "Ask", "actions": [ask()]})
    token = pipelines.token(name)
    others = [pipelines.start(name), pipelines.start(name)]
    soon(lambda: pipelines.waiting(name, "Ask") == others, "both wait before the stage, in order")
    for identity in [first, *others]:
        assert pipelines.stage(name, "Ask")["latestExecution"]["pipelineExecutionId"] == identity
        pipelines.decide(name, token)
        pipelines.ends(name, identity, "Succeeded")
        token = "" if identity == others[-1] else pipelines.token(name, other_than=token)
    assert [row["status"] for row in pipelines.rows(name)] == ["Succeeded"] * 3


def test_parallel_executions_share_a_stage_and_their_approvals_are_told_apart(pipelines: Pipelines) -> None:
    name = "parallel"
    first = pipelines.create(name, {"name": "Ask", "actions": [ask()]}, executionMode="PARALLEL")
    both = [first, pipelines.start(name)]

    def token(identity: str) -> str | None:
        newest = pipelines.actions(name, identity)[:1]
        return newest[0]["output"]["executionResult"].get("externalExecutionId") if _asks(newest) else None

    tokens = [soon(lambda identity=identity: token(identity), "each execution asks") for identity in both]  # type: ignore[misc]
    assert tokens[0] != tokens[1]
    assert "token" not in pipelines.latest(name, "Ask")
    pipelines.decide(name, tokens[1])
    pipelines.ends(name, both[1], "Succeeded")
    assert pipelines.status(name, both[0]) == "InProgress"
    pipelines.decide(name, tokens[0], "Rejected")
    pipelines.ends(name, both[0], "Failed")
    target = {"pipelineName": name, "stageName": "Ask", "targetPipelineExecutionId": both[1]}
    assert code_of(pipelines.client.rollback_stage, **target) == "UnableToRollbackStageException"
    rolling = {"name": "Ask", "actions": [ask()], "onFailure": {"result": "ROLLBACK"}}
    with pytest.raises(pipelines.client.exceptions.InvalidStructureException):
        pipelines.create("parallel-rolling", rolling, executionMode="PARALLEL")


def _asks(rows: list[dict[str, Any]]) -> bool:
    return bool(rows) and rows[0]["actionName"] == "Ask" and rows[0]["status"] == "InProgress"


def test_failed_or_all_actions_of_a_stage_are_retried(pipelines: Pipelines) -> None:
    name = "retried"
    first = pipelines.create(name, {"name": "Ask", "actions": [ask("Left"), ask("Right")]})

    def answer(side: str, result: str, other_than: str = "") -> str:
        token = pipelines.token(name, action_name=side, other_than=other_than)
        pipelines.decide(name, token, result, action_name=side)
        return token

    left, right = answer("Left", "Approved"), answer("Right", "Rejected")
    pipelines.ends(name, first, "Failed")
    request = {"pipelineName": name, "stageName": "Ask", "pipelineExecutionId": first}
    pipelines.client.retry_stage_execution(retryMode="FAILED_ACTIONS", **request)
    kept = pipelines.latest(name, "Ask", "Left")
    again = answer("Right", "Rejected", right)
    pipelines.ends(name, first, "Failed")
    assert pipelines.latest(name, "Ask", "Left") == kept, "what succeeded is not run again"
    pipelines.client.retry_stage_execution(retryMode="ALL_ACTIONS", **request)
    answer("Left", "Approved", left)
    answer("Right", "Approved", again)
    pipelines.ends(name, first, "Succeeded")
    assert pipelines.stage(name, "Ask")["retryStageMetadata"]["manualStageRetryAttempt"] == 2
    second = pipelines.start(name)
    answer("Left", "Rejected")
    answer("Right", "Approved")
    pipelines.ends(name, second, "Failed")
    third = pipelines.start(name)
    soon(lambda: pipelines.latest(name, "Ask", "Left").get("token"), "the next execution has entered the stage")
    newer = {**request, "pipelineExecutionId": second, "retryMode": "FAILED_ACTIONS"}
    assert code_of(pipelines.client.retry_stage_execution, **newer) == "NotLatestPipelineExecutionException"
    pipelines.client.stop_pipeline_execution(pipelineName=name, pipelineExecutionId=third, abandon=True)
    pipelines.ends(name, third, "Stopped")
    assert {row["status"] for row in pipelines.actions(name, third) if row["stageName"] == "Ask"} == {"Abandoned"}


def test_a_stage_is_retried_by_itself_once(pipelines: Pipelines) -> None:
    name = "retries-itself"
    retry = {"result": "RETRY", "retryConfiguration": {"retryMode": "ALL_ACTIONS"}}
    first = pipelines.create(name, {"name": "Ask", "actions": [ask()], "onFailure": retry})
    token = pipelines.token(name)
    pipelines.decide(name, token, "Rejected")
    pipelines.decide(name, pipelines.token(name, other_than=token), "Rejected")
    pipelines.ends(name, first, "Failed")
    metadata = pipelines.stage(name, "Ask")["retryStageMetadata"]
    assert metadata == {"autoStageRetryAttempt": 1, "latestRetryTrigger": "AutomatedStageRetry"}


def test_a_failed_stage_goes_back_to_its_last_success_by_itself(pipelines: Pipelines) -> None:
    name = "rolls-back"
    rolling = {"name": "Ask", "actions": [ask()], "onFailure": {"result": "ROLLBACK"}}
    first = pipelines.create(name, rolling)
    pipelines.decide(name, pipelines.token(name), "Rejected")
    pipelines.ends(name, first, "Failed")
    assert len(pipelines.rows(name)) == 1, "there is nothing to go back to"
    good = pipelines.start(name)
    pipelines.decide(name, pipelines.token(name))
    pipelines.ends(name, good, "Succeeded")
    bad = pipelines.start(name)
    pipelines.decide(name, pipelines.token(name), "Rejected")
    pipelines.ends(name, bad, "Failed")
    soon(lambda: len(pipelines.rows(name)) == 4, "the rollback begins")
    back = pipelines.rows(name)[0]
    assert back["trigger"] == {"triggerType": "AutomatedRollback", "triggerDetail": bad}
    assert (back["executionType"], back["rollbackMetadata"]) == (
        "ROLLBACK", {"rollbackTargetPipelineExecutionId": good},
    )  # fmt: skip
    pipelines.decide(name, pipelines.token(name))
    pipelines.ends(name, back["pipelineExecutionId"], "Succeeded")
    again = {"pipelineName": name, "stageName": "Ask"}
    call, refusal = pipelines.client.rollback_stage, "UnableToRollbackStageException"
    assert code_of(call, targetPipelineExecutionId=back["pipelineExecutionId"], **again) == refusal
    assert code_of(call, targetPipelineExecutionId=bad, **again) == refusal
    structure = pipelines.client.get_pipeline(name=name)["pipeline"]
    pipelines.client.update_pipeline(pipeline=structure)
    assert code_of(call, targetPipelineExecutionId=good, **again) == refusal, "it is of an older version"


EQUAL = rule("VariableCheck", Variable="#{variables.STATE}", Value="ready", Operator="EQ")
STATE = [{"name": "STATE", "defaultValue": "waiting"}]


def test_conditions_before_a_stage_and_on_success_fail_it_unless_overridden(pipelines: Pipelines) -> None:
    name = "overridden"
    guarded = {"name": "Ask", "actions": [ask()], "beforeEntry": conditions("FAIL", EQUAL),
               "onSuccess": conditions("FAIL", EQUAL)}  # fmt: skip
    first = pipelines.create(name, guarded, variables=STATE)
    pipelines.ends(name, first, "Failed")
    assert pipelines.actions(name, first)[0]["stageName"] == "Source", "the stage's actions are not begun"
    state = pipelines.stage(name, "Ask")["beforeEntryConditionState"]
    assert state["latestExecution"]["status"] == "Failed"
    assert "'waiting' EQ 'ready'" in state["conditionStates"][0]["ruleStates"][0]["latestExecution"]["summary"]
    request = {"pipelineName": name, "stageName": "Ask", "pipelineExecutionId": first}
    override = pipelines.client.override_stage_condition
    assert code_of(override, conditionType="ON_SUCCESS", **request) == "ConditionNotOverridableException"
    override(conditionType="BEFORE_ENTRY", **request)
    pipelines.decide(name, pipelines.token(name))
    pipelines.ends(name, first, "Failed")
    assert pipelines.stage(name, "Ask")["onSuccessConditionState"]["latestExecution"]["status"] == "Failed"
    override(conditionType="ON_SUCCESS", **request)
    pipelines.ends(name, first, "Succeeded")
    states = pipelines.stage(name, "Ask")
    for place in ("beforeEntry", "onSuccess"):
        assert states[f"{place}ConditionState"]["latestExecution"]["status"] == "Overridden"
    assert code_of(override, conditionType="ON_SUCCESS", **request) == "ConditionNotOverridableException"


def test_conditions_on_success_and_on_failure_roll_back(pipelines: Pipelines) -> None:
    for place, result in (("onSuccess", "Approved"), ("onFailure", "Rejected")):
        name = f"condition-{place}"
        operator = "EQ" if place == "onSuccess" else "NE"
        passing = rule("VariableCheck", Variable="#{variables.STATE}", Value="ready", Operator=operator)
        stage = {"name": "Ask", "actions": [ask()], place: conditions("ROLLBACK", passing)}
        good = pipelines.create(name, stage, variables=[{"name": "STATE", "defaultValue": "ready"}])
        pipelines.decide(name, pipelines.token(name))
        pipelines.ends(name, good, "Succeeded")
        bad = pipelines.start(name, STATE="waiting" if place == "onSuccess" else "ready")
        pipelines.decide(name, pipelines.token(name), result)
        pipelines.ends(name, bad, "Failed")
        soon(lambda name=name: pipelines.rows(name)[0]["executionType"] == "ROLLBACK", "the rollback begins")  # type: ignore[misc]
        metadata = pipelines.rows(name)[0]["rollbackMetadata"]
        assert metadata == {"rollbackTargetPipelineExecutionId": good}
        pipelines.decide(name, pipelines.token(name))


def test_rules_look_at_alarms_functions_and_times(service: Service, pipelines: Pipelines) -> None:
    alarms, name = service.client("cloudwatch"), "ruled"
    alarms.put_metric_alarm(
        AlarmName="guard", Namespace="Guard", MetricName="Errors", Statistic="Sum", Period=60, EvaluationPeriods=1,
        Threshold=1, ComparisonOperator="GreaterThanThreshold",
    )  # fmt: skip
    code = "def handler(event, _):\n    if event['userParameters'] == 'bad':\n        raise ValueError('no')\n"
    create_function(service.client("lambda"), "guard", code)
    rules = [
        rule("CloudWatchAlarm", AlarmName="guard", WaitTime="1"),
        rule("LambdaInvoke", FunctionName="guard", UserParameters="#{variables.WORD}"),
        rule("DeploymentWindow", Cron="* * * ? * *", TimeZone="Europe/Berlin"),
    ]
    guarded = {"name": "Ask", "actions": [ask()], "beforeEntry": conditions("FAIL", *rules)}

    def outcomes() -> list[str]:
        states = pipelines.stage(name, "Ask")["beforeEntryConditionState"]["conditionStates"][0]["ruleStates"]
        return [row["latestExecution"]["status"] for row in states]

    first = pipelines.create(name, guarded, variables=[{"name": "WORD", "defaultValue": "good"}])
    pipelines.decide(name, pipelines.token(name))
    pipelines.ends(name, first, "Succeeded")
    assert outcomes() == ["Succeeded"] * 3
    alarms.set_alarm_state(AlarmName="guard", StateValue="ALARM", StateReason="a test")
    pipelines.ends(name, pipelines.start(name, WORD="bad"), "Failed")
    assert outcomes() == ["Failed", "Failed", "Succeeded"]
    listed = pipelines.client.list_rule_executions(pipelineName=name)["ruleExecutionDetails"]
    provided = [(row["input"]["ruleTypeId"]["provider"], row["status"]) for row in listed]
    names = ["DeploymentWindow", "LambdaInvoke", "CloudWatchAlarm"]
    assert provided == list(zip(names * 2, ["Succeeded", "Failed", "Failed", *["Succeeded"] * 3], strict=True))
    chosen = {"pipelineExecutionId": first}
    rows = pipelines.client.list_rule_executions(pipelineName=name, filter=chosen)["ruleExecutionDetails"]
    assert rows == listed[3:]
    assert rows[1]["input"]["resolvedConfiguration"] == {"FunctionName": "guard", "UserParameters": "good"}
    assert listed[2]["output"]["executionResult"]["externalExecutionSummary"] == "The alarm guard is ALARM"
    alarms.delete_alarms(AlarmNames=["guard"])
