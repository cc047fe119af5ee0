"""What requests do to a stack that another request or its own thread is at."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest.mock import MagicMock

import pytest

from local_sagemaker.cloudformation.errors import TemplateError
from local_sagemaker.records import Records
from local_sagemaker.records.delivery_status import StackStatus
from local_sagemaker.services.cloudformation.change_sets import ChangeSets
from local_sagemaker.services.cloudformation.stack_policies import StackPolicies
from local_sagemaker.services.cloudformation.stack_runs import STATES, StackRuns
from local_sagemaker.services.cloudformation.stack_store import StackStore
from local_sagemaker.services.cloudformation.stacks import Stacks

ID = "arn:aws:cloudformation:us-east-1:123456789012:stack/s/1"


def put(store: StackStore, status: StackStatus, **members: Any) -> None:
    store.insert({
        "StackId": ID, "StackName": "s", "StackStatus": status, "_template": "before", "CreationTime": 0, **members,
    })  # fmt: skip


def test_of_two_updates_at_once_one_is_refused(store: StackStore) -> None:
    """The second one has read the stack before the first has begun."""
    put(store, StackStatus.CREATE_COMPLETE)

    def members_from(*_: Any) -> tuple[dict[str, Any], None]:
        store.enter(ID, StackStatus.UPDATE_IN_PROGRESS, _next={"_template": "first"})
        return {"_template": "second"}, None

    operations = MagicMock()
    operations.earlier.return_value = None
    operations.begin.side_effect = lambda _name, _request, _stack, act: act()
    stacks = Stacks(store=store, requests=MagicMock(members_from=members_from), runs=MagicMock(), operations=operations)
    with pytest.raises(TemplateError, match="is in UPDATE_IN_PROGRESS state and can not be updated"):
        stacks.update({"StackName": "s"})
    assert store.require(ID)["_next"] == {"_template": "first"}


def interrupted(store: StackStore, status: StackStatus) -> MagicMock:
    """Operations whose stack gets another status between their first look at it and the transaction."""
    operations = MagicMock()
    operations.earlier.return_value = None

    def begin(_name: str, _request: Any, stack: Any, act: Callable[[], Any]) -> Any:
        store.enter(stack["StackId"], status)
        return act()

    operations.begin.side_effect = begin
    return operations


@pytest.mark.parametrize(
    ("name", "before", "other", "text"),
    [
        ("delete", "CREATE_COMPLETE", "UPDATE_IN_PROGRESS", "cannot be deleted while in status UPDATE_IN_PROGRESS"),
        ("continue_rollback", "UPDATE_ROLLBACK_FAILED", "DELETE_IN_PROGRESS", "can not continue rollback"),
        ("roll_back", "UPDATE_FAILED", "UPDATE_IN_PROGRESS", "UPDATE_IN_PROGRESS state and can not be rolled back"),
    ],
)
def test_a_stack_that_another_request_has_begun_on_is_left_to_it(
    store: StackStore, name: str, before: str, other: str, text: str
) -> None:
    """The later of two has read the stack before the other has begun."""
    put(store, StackStatus(before))
    operations = interrupted(store, StackStatus(other))
    stacks = Stacks(store=store, requests=MagicMock(), runs=MagicMock(), operations=operations)
    with pytest.raises(TemplateError, match=text):
        getattr(stacks, name)({"StackName": "s"})
    assert store.require(ID)["StackStatus"] == other


@pytest.mark.parametrize("done", [StackStatus.DELETE_IN_PROGRESS, StackStatus.DELETE_COMPLETE])
def test_a_stack_that_another_request_deletes_is_not_deleted_again(store: StackStore, done: StackStatus) -> None:
    put(store, StackStatus.CREATE_COMPLETE)
    stacks = Stacks(store=store, requests=MagicMock(), runs=MagicMock(), operations=interrupted(store, done))
    assert stacks.delete({"StackName": "s"}) == {}
    assert store.require(ID)["StackStatus"] == done


def test_of_two_executions_of_change_sets_at_once_one_is_refused(store: StackStore, tmp_path: Path) -> None:
    """Of a stack that is to be made: the other set made it, or it was deleted, before this one could."""
    records = Records(tmp_path / "sets.sqlite")
    put(store, StackStatus.REVIEW_IN_PROGRESS)
    sets = ChangeSets(
        records=records, arns=MagicMock(), store=store, scopes=MagicMock(), requests=MagicMock(), stacks=MagicMock(),
        operations=interrupted(store, StackStatus.CREATE_IN_PROGRESS),
    )  # fmt: skip
    records.put("change-set", "s/1/c", {
        "ChangeSetName": "c", "ChangeSetId": "arn:c", "StackId": ID, "StackName": "s", "ExecutionStatus": "AVAILABLE",
        "_wanted": {"_template": "second"}, "_kind": "CREATE",
    })  # fmt: skip
    with pytest.raises(TemplateError, match="is in CREATE_IN_PROGRESS state and can not be updated"):
        sets.execute({"StackName": "s", "ChangeSetName": "c"})
    assert store.require(ID)["_template"] == "before"
    records.close()


@pytest.mark.parametrize("fails", [False, True])
def test_a_policy_set_while_an_update_is_cleaned_up_stays(
    store: StackStore, monkeypatch: pytest.MonkeyPatch, fails: bool
) -> None:
    put(store, StackStatus.UPDATE_IN_PROGRESS, _policy="1", _policy_next="2", _policy_during="3", _before_body={})
    policies, seen = StackPolicies(store=store, requests=MagicMock()), []

    def current() -> Any:
        return policies.get_policy({"StackName": "s"}).get("StackPolicyBody")

    def clean_up(*_: Any) -> None:
        seen.append(current())
        policies.set_policy({"StackName": "s", "StackPolicyBody": "{}"})
        if fails:
            raise TemplateError("no")

    monkeypatch.setattr("local_sagemaker.services.cloudformation.deployment.StackDeployment.clean_up", clean_up)
    runs = StackRuns(store, MagicMock(), MagicMock())
    monkeypatch.setattr(runs, "_outputs", lambda _: ([], {}))
    runs._complete_update(store.require(ID))
    runs._run(ID)
    assert (seen, current(), store.require(ID)["StackStatus"]) == (["2"], "{}", StackStatus.UPDATE_COMPLETE)


def test_a_policy_set_during_an_update_is_not_followed_by_the_update_s(store: StackStore) -> None:
    put(store, StackStatus.UPDATE_IN_PROGRESS, _policy="1", _policy_next="2")
    StackPolicies(store=store, requests=MagicMock()).set_policy({"StackName": "s", "StackPolicyBody": "{}"})
    StackRuns(store, MagicMock(), MagicMock())._complete_update({**store.require(ID)})
    assert store.require(ID)["_policy"] == "{}"


def test_an_operation_begun_as_the_thread_ends_is_worked_on(store: StackStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """The thread has looked for the last time, and is still listed: the operation's start begins no other one."""
    put(store, StackStatus.CREATE_COMPLETE)
    runs = StackRuns(store, MagicMock(), MagicMock())
    once: list[Callable[[], None]] = []

    def begin() -> None:
        store.enter(ID, StackStatus.UPDATE_COMPLETE_CLEANUP_IN_PROGRESS, _before_body={})
        runs.start(ID)

    once.append(begin)
    monkeypatch.setattr(runs, "_publish", lambda _: once.pop()() if once else None)
    runs.start(ID)
    while threads := list(runs._threads.values()):
        for thread in threads:
            thread.join(30)
    assert not once and store.require(ID)["StackStatus"] not in STATES
