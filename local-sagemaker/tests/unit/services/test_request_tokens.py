"""Idempotency tokens of every service: the window of each, a request sent again, another one under the same token."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from local_sagemaker.api.operations import Call, Resource, Response, dispatcher, table
from local_sagemaker.clock import now
from local_sagemaker.config import Settings
from local_sagemaker.errors import Conflict, ServiceError
from local_sagemaker.objects.disk import DiskObjects
from local_sagemaker.records import Records
from local_sagemaker.records.delivery_status import BuildStatus, StackStatus
from local_sagemaker.records.kinds import BUILD
from local_sagemaker.services import cloudformation, request_tokens, scheduler
from local_sagemaker.services.cloudformation.custom_responses import CustomResponses
from local_sagemaker.services.cloudformation.stack_runs import StackRuns
from local_sagemaker.services.codebuild.batch_store import BatchStore
from local_sagemaker.services.codebuild.batches import BuildBatches
from local_sagemaker.services.codebuild.build_run import BuildServices
from local_sagemaker.services.codebuild.build_store import PROJECT, BuildStore
from local_sagemaker.services.codebuild.builds import Builds, PipelineOrder
from local_sagemaker.services.codebuild.requests import CLIENT_TOKENS, ORDER_TOKENS
from local_sagemaker.services.codepipeline.engine import Engine
from local_sagemaker.services.codepipeline.execution_start import ExecutionStart
from local_sagemaker.services.codepipeline.executions import DeliveryExecutions
from local_sagemaker.services.codepipeline.pipeline_store import PipelineStore
from local_sagemaker.services.request_tokens import KIND, WEEK, RequestTokens, TokenRules, forget_old_tokens

ROLE = "arn:aws:iam::123456789012:role/r"
Later = Callable[[float], None]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path)


@pytest.fixture
def records(settings: Settings) -> Iterator[Records]:
    records = Records(settings.records_file)
    yield records
    records.close()


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> Later:
    """Moves the clock that tokens are looked at with."""
    return lambda seconds: monkeypatch.setattr(request_tokens, "now", lambda: now() + seconds)


def calls(service: str, resources: list[Resource]) -> Call:
    def refuse(operation: str, request: dict[str, Any]) -> Response:
        raise AssertionError(operation)

    return dispatcher(dict(table(service, resources)), lambda *_: None, cast(Any, refuse))


def refusal(call: Call, operation: str, request: dict[str, Any]) -> str:
    with pytest.raises(ServiceError) as raised:
        call(operation, request)
    return raised.value.code


class Counted:
    """An act that says how often it was done."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self) -> Response:
        self.count += 1
        return {"Number": self.count}


def test_a_token_holds_over_a_restart_until_its_window_ends(settings: Settings, later: Later) -> None:
    act = Counted()
    request = {"Name": "a", "ClientRequestToken": "t"}
    for _ in range(3):
        records = Records(settings.records_file)
        assert RequestTokens(records).once("Make", request, act)[0] == {"Number": 1}
        records.close()
    records = Records(settings.records_file)
    tokens = RequestTokens(records)
    with pytest.raises(Conflict, match="ClientRequestToken t was used before, with a different Make request"):
        tokens.once("Make", {**request, "Name": "b"}, act)
    assert tokens.once("Remove", request, act) == ({"Number": 2}, True), "another operation has tokens of its own"
    assert tokens.once("Make", {"Name": "a"}, act) == ({"Number": 3}, True), "without a token nothing is the same"
    later(WEEK - 10)
    forget_old_tokens(records)
    assert tokens.once("Make", request, act) == ({"Number": 1}, False)
    later(WEEK + 10)
    assert tokens.once("Make", {**request, "Name": "b"}, act) == ({"Number": 4}, True)
    later(3 * WEEK)
    forget_old_tokens(records)
    assert records.list(KIND) == []
    records.close()


def test_what_an_act_refuses_leaves_no_token_and_what_no_longer_exists_has_none(records: Records) -> None:
    tokens, act = RequestTokens(records), Counted()
    request = {"ClientRequestToken": "t"}

    def refuse() -> Response:
        records.put("thing", "half", {})
        raise Conflict("no")

    with pytest.raises(Conflict, match="no"):
        tokens.once("Make", request, refuse)
    assert records.get("thing", "half") is None
    assert tokens.once("Make", request, act) == ({"Number": 1}, True)
    assert tokens.once("Make", request, act, exists=lambda response: response["Number"] > 1) == ({"Number": 2}, True)
    first = RequestTokens(records, TokenRules(mismatch=None))
    assert first.once("Make", {**request, "Name": "other"}, act) == ({"Number": 2}, False)


def test_a_token_of_an_older_version_is_still_one(records: Records) -> None:
    digest = "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"  # of the request {}
    records.put(KIND, "Make/t", {"digest": digest, "answer": {"Number": 7}, "time": now() - 60})
    records.put(KIND, "Make/u", {"digest": digest, "answer": {"Number": 8}, "time": now() - WEEK - 1})
    forget_old_tokens(records)
    assert RequestTokens(records).once("Make", {"ClientRequestToken": "t"}, Counted()) == ({"Number": 7}, False)
    assert [key for key, _ in records.items(KIND)] == ["Make/t"]


def test_tokens_of_builds_and_of_pipelines_of_earlier_versions_start_nothing_again(settings: Settings) -> None:
    """Each service had a form of its own."""
    request = {"projectName": "p", "idempotencyToken": "t"}
    digest = hashlib.sha256(b'{"projectName": "p"}').hexdigest()
    run = {"startTime": now() - 60, "_token": "t", "_digest": digest}
    records = Records(settings.records_file)
    records.put("codepipeline-token", "delivery/t", {"id": "1"})
    records.put(BUILD.kind, "p/a", {"id": "p:a", **run})
    records.put(BUILD.kind, "p/b", {"id": "p:b", **run, "_token": "order", "_digest": "", "_order": {"token": "order"}})
    records.put(BUILD.kind, "p/c", {"id": "p:c", "startTime": now()})
    records.put("codebuild-batch", "p/d", {"id": "p:d", **run})
    records.put("codebuild-batch", "p/e", {"id": "p:e", **run, "_token": "old", "startTime": now() - 600})
    records.close()
    with sqlite3.connect(settings.records_file) as connection:
        connection.execute("PRAGMA user_version = 1")  # as a file of an earlier version has it
    connection.close()

    for _ in range(2):
        records = Records(settings.records_file)
        clients, orders = RequestTokens(records, CLIENT_TOKENS), RequestTokens(records, ORDER_TOKENS)
        assert clients.earlier("StartBuild", request, scope="p") == {"id": "p:a"}
        assert clients.earlier("StartBuildBatch", request, scope="p") == {"id": "p:d"}
        assert clients.earlier("StartBuildBatch", {**request, "idempotencyToken": "old"}, scope="p") is None
        assert orders.earlier("build", {"token": "order"}, scope="p") == {"id": "p:b"}
        with pytest.raises(ServiceError, match="token"):
            clients.earlier("StartBuild", {**request, "sourceVersion": "x"}, scope="p")
        executions = RequestTokens(records, TokenRules("clientRequestToken", mismatch=None))
        started = executions.earlier("codepipeline", {"name": "delivery", "clientRequestToken": "t"}, scope="delivery")
        assert started == {"pipelineExecutionId": "1"}
        records.close()


class IdleBuilds(Builds):
    """Builds that stay as they are recorded."""

    def begin_run(self, body: dict[str, Any]) -> None:
        self.begun = [*getattr(self, "begun", []), body["id"]]


class IdleBatches(BuildBatches):
    """Batches that stay as they are recorded."""

    def begin_run(self, body: dict[str, Any], kept: frozenset[str] = frozenset()) -> None:
        self.begun = [*getattr(self, "begun", []), body["id"]]


@pytest.fixture
def codebuild(settings: Settings, records: Records) -> tuple[Call, IdleBuilds, IdleBatches]:
    store = BuildStore(records, settings.arns)
    records.put(PROJECT, "p", {
        "name": "p", "source": {"type": "NO_SOURCE", "buildspec": "version: 0.2"}, "serviceRole": ROLE,
        "artifacts": {"type": "NO_ARTIFACTS"}, "timeoutInMinutes": 60, "queuedTimeoutInMinutes": 60,
        "environment": {"type": "LINUX_CONTAINER", "image": "i", "computeType": "BUILD_GENERAL1_SMALL"},
        "buildBatchConfig": {"serviceRole": ROLE},
    })  # fmt: skip
    roles = SimpleNamespace(distrusts=lambda *_: False)
    services = cast(BuildServices, SimpleNamespace(store=store, roles=roles))
    builds = IdleBuilds(store=store, services=services)
    batches = IdleBatches(store=BatchStore(store), builds=builds, services=services)
    return calls("codebuild", [builds, batches]), builds, batches


@pytest.mark.parametrize(("suffix", "noun"), [("Build", "build"), ("BuildBatch", "buildBatch")])
def test_a_token_of_codebuild_holds_for_five_minutes(
    codebuild: tuple[Call, IdleBuilds, IdleBatches], records: Records, later: Later, suffix: str, noun: str
) -> None:
    call, builds, batches = codebuild
    request = {"projectName": "p", "idempotencyToken": "t"}

    def start(**more: str) -> str:
        return str(call(f"codebuild:Start{suffix}", {**request, **more})[noun]["id"])

    first = start()
    assert start() == first and (builds if noun == "build" else batches).begun == [first]
    assert refusal(call, f"codebuild:Start{suffix}", {**request, "sourceVersion": "v2"}) == "InvalidInputException"
    later(299)
    assert start() == first
    later(301)
    second = start(sourceVersion="v2")
    assert second != first and start(sourceVersion="v2") == second

    kind = "codebuild-build" if noun == "build" else "codebuild-batch"
    failed = {f"{noun}Status": BuildStatus.FAILED, "endTime": now(), "phases": [{"phaseType": "BUILD"}]}
    records.update(kind, second.replace(":", "/"), lambda body: {**body, **failed})
    again = {"id": second, "idempotencyToken": "r"}
    retried = call(f"codebuild:Retry{suffix}", dict(again))[noun]["id"]
    assert call(f"codebuild:Retry{suffix}", dict(again))[noun]["id"] == retried
    assert len((builds if noun == "build" else batches).begun) == 3


def test_an_action_of_a_pipeline_starts_one_build(
    codebuild: tuple[Call, IdleBuilds, IdleBatches], later: Later
) -> None:
    _, builds, batches = codebuild
    for resource in (builds, batches):
        first = resource.start_for("p", PipelineOrder("codepipeline/d", "one", [], []))
        later(WEEK - 10)
        assert resource.start_for("p", PipelineOrder("codepipeline/d", "one", [], [])) == first
        assert resource.start_for("p", PipelineOrder("codepipeline/d", "two", [], [])) != first
        later(0)


@pytest.fixture
def stacks(settings: Settings, records: Records, monkeypatch: pytest.MonkeyPatch) -> Iterator[Call]:
    """CloudFormation whose stacks stay in the status that a request brings them to."""
    monkeypatch.setattr(StackRuns, "start", lambda *_: None)
    objects = DiskObjects(settings.objects)
    resources = cloudformation.build(
        settings=settings, records=records, objects=objects, call=cast(Call, None), distrusts=lambda *_: False,
        responses=cast(CustomResponses, None),
    )  # fmt: skip
    yield calls("cloudformation", resources)
    objects.close()


def settle(records: Records, status: StackStatus) -> None:
    ((key, _),) = records.items("stack")
    records.update("stack", key, lambda body: {**body, "StackStatus": status})


def test_a_token_of_cloudformation_is_of_one_operation(stacks: Call, records: Records, later: Later) -> None:
    body = "Resources: {T: {Type: 'AWS::SNS::Topic'}}"
    create = {"StackName": "s", "TemplateBody": body, "ClientRequestToken": "one"}
    made = stacks("cloudformation:CreateStack", create)
    assert stacks("cloudformation:CreateStack", create) == made
    used = "TokenAlreadyExistsException"
    assert refusal(stacks, "cloudformation:CreateStack", {**create, "TemplateBody": body + " "}) == used
    assert refusal(stacks, "cloudformation:CreateStack", {**create, "ClientRequestToken": "x"}) == (
        "AlreadyExistsException"
    )
    settle(records, StackStatus.CREATE_COMPLETE)
    update = {**create, "TemplateBody": body.replace("T:", "U:"), "ClientRequestToken": "two"}
    assert refusal(stacks, "cloudformation:UpdateStack", {**update, "ClientRequestToken": "one"}) == used
    assert stacks("cloudformation:UpdateStack", update) == made == stacks("cloudformation:UpdateStack", update)
    settle(records, StackStatus.UPDATE_ROLLBACK_FAILED)
    proceed = {"StackName": "s", "ClientRequestToken": "three"}
    assert [stacks("cloudformation:ContinueUpdateRollback", proceed) for _ in range(2)] == [{}, {}]
    settle(records, StackStatus.UPDATE_COMPLETE)
    delete = {"StackName": "s", "ClientRequestToken": "four"}
    assert refusal(stacks, "cloudformation:DeleteStack", {**delete, "ClientRequestToken": "two"}) == used
    assert [stacks("cloudformation:DeleteStack", delete) for _ in range(2)] == [{}, {}]
    events = stacks("cloudformation:DescribeStackEvents", {"StackName": "s"})["StackEvents"]
    assert [event["ClientRequestToken"] for event in events] == ["four", "three", "two", "one"]
    later(WEEK - 10)
    settle(records, StackStatus.CREATE_COMPLETE)
    assert stacks("cloudformation:CreateStack", create) == made
    settle(records, StackStatus.DELETE_COMPLETE)
    assert stacks("cloudformation:CreateStack", create) != made, "what is deleted is made anew"


def test_a_change_set_is_made_and_executed_once_for_its_token(stacks: Call) -> None:
    request = {
        "StackName": "s", "ChangeSetName": "c", "ChangeSetType": "CREATE", "ClientToken": "t",
        "TemplateBody": "Resources: {T: {Type: 'AWS::SNS::Topic'}}",
    }  # fmt: skip
    made = stacks("cloudformation:CreateChangeSet", request)
    assert stacks("cloudformation:CreateChangeSet", request) == made
    for other in ({"ClientToken": "u"}, {"Description": "other"}):
        assert refusal(stacks, "cloudformation:CreateChangeSet", {**request, **other}) == "AlreadyExistsException"
    execute = {"ChangeSetName": "c", "StackName": "s", "ClientRequestToken": "e"}
    assert [stacks("cloudformation:ExecuteChangeSet", execute) for _ in range(2)] == [{}, {}]
    assert refusal(stacks, "cloudformation:ExecuteChangeSet", {**execute, "ClientRequestToken": "f"}) == (
        "InvalidChangeSetStatus"
    )


def test_tokens_of_schedules_and_their_groups(settings: Settings, records: Records, later: Later) -> None:
    call = calls(
        "scheduler",
        scheduler.build(settings=settings, records=records, call=cast(Call, None), has=lambda _: True),
    )
    target = {"Arn": "arn:aws:lambda:us-east-1:123456789012:function:f", "RoleArn": ROLE}
    for noun, more in (
        ("ScheduleGroup", {}),
        ("Schedule", {
            "Target": target, "ScheduleExpression": "rate(1 day)", "FlexibleTimeWindow": {"Mode": "OFF"},
            "GroupName": "default",
        }),
    ):  # fmt: skip
        request = {"Name": "n", "ClientToken": "t", **more}
        made = call(f"scheduler:Create{noun}", dict(request))
        later(WEEK - 10)
        assert call(f"scheduler:Create{noun}", dict(request)) == made
        later(0)
        changed = {"Tags": []} if noun == "ScheduleGroup" else {"ScheduleExpression": "rate(2 days)"}
        for other in (changed, {"ClientToken": "u"}):
            assert refusal(call, f"scheduler:Create{noun}", {**request, **other}) == "ConflictException"
        delete = {"Name": "n", "ClientToken": "d"}
        assert [call(f"scheduler:Delete{noun}", dict(delete)) for _ in range(2)] == [{}, {}]
        assert refusal(call, f"scheduler:Delete{noun}", {**delete, "ClientToken": "e"}) == "ResourceNotFoundException"
        assert call(f"scheduler:Create{noun}", dict(request)) == made, "what is deleted is made anew"
        assert call(f"scheduler:Delete{noun}", dict(delete)) == {}
        assert refusal(call, f"scheduler:Get{noun}", {"Name": "n"}) == "ResourceNotFoundException"


def test_a_token_starts_one_execution_of_a_delivery_pipeline(
    settings: Settings, records: Records, later: Later
) -> None:
    store = PipelineStore(records, settings.arns)
    for name in ("p", "q"):
        store.put(name, {"version": 1, "executionMode": "QUEUED", "stages": [{"name": "S"}]}, {"version": 1})
    woken: list[bool] = []
    engine = cast(Engine, SimpleNamespace(wake=lambda: woken.append(True)))
    executions = DeliveryExecutions(store=store, starter=ExecutionStart(store, engine.wake, "caller"), engine=engine)
    call = calls("codepipeline", [executions])
    request = {"name": "p", "clientRequestToken": "t"}
    first = call("codepipeline:StartPipelineExecution", dict(request))
    later(WEEK - 10)
    revisions = [{"actionName": "A", "revisionType": "COMMIT_ID", "revisionValue": "1"}]
    for same in ({}, {"sourceRevisions": revisions}):
        assert call("codepipeline:StartPipelineExecution", {**request, **same}) == first
    assert len(woken) == 1
    assert call("codepipeline:StartPipelineExecution", {**request, "name": "q"}) != first
