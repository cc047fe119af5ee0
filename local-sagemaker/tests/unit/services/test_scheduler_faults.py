"""What one bad schedule, or request of a schedule, does to the others: nothing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from local_sagemaker.api.operations import Response
from local_sagemaker.clock import now
from local_sagemaker.config import Settings
from local_sagemaker.records import Records
from local_sagemaker.services.scheduler.schedule_runner import ScheduleRunner
from local_sagemaker.services.scheduler.store import FIRED, ScheduleStore
from tests.support import until

FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[ScheduleStore]:
    records = Records(tmp_path / "state.db")
    yield ScheduleStore(records, Settings(home=tmp_path).arns)
    records.close()


@pytest.mark.parametrize("how", ["its time", "its request", "its dead letters"])
def test_a_bad_schedule_holds_back_no_other(store: ScheduleStore, how: str) -> None:
    invoked: list[str] = []

    def call(operation: str, request: dict[str, Any]) -> Response:
        name = str(request.get("FunctionName", operation)).rpartition(":")[2]
        invoked.append(name)
        if name == "a-bad":
            raise KeyError("a fault")
        return {}

    for name, function in (("a-bad", "good" if how == "its time" else "a-bad"), ("good", "good")):
        policy = {"MaximumRetryAttempts": 0 if how == "its dead letters" else 9, "MaximumEventAgeInSeconds": 86_400}
        target = {"Arn": FUNCTION + function, "RetryPolicy": policy, "DeadLetterConfig": {"Arn": "arn:aws:sqs"}}
        expression = "rate(never)" if (name, how) == ("a-bad", "its time") else "rate(1 minute)"
        store.put({
            "Name": name, "GroupName": "default", "Arn": store.arn("default", name), "State": "ENABLED",
            "Target": target,
            "ScheduleExpression": expression, "CreationDate": now() - 60, "_due": now() - 1, "_first": now() - 1,
            "FlexibleTimeWindow": {"Mode": "OFF"}, "ActionAfterCompletion": "NONE",
        })  # fmt: skip
    firing = ScheduleRunner(store, call)
    firing.start()
    try:
        until(lambda: "good" in invoked, "the good schedule", 10)
        if how != "its time":
            until(lambda: all(one["tries"] for one in store.records.list(FIRED)), "the bad one was tried", 10)
            assert len(store.records.list(FIRED)) == (0 if how == "its dead letters" else 1)
    finally:
        firing.stop()


def test_of_the_times_that_have_passed_the_newest_is_made_up_for_once(store: ScheduleStore) -> None:
    """After the clock has jumped, or nothing ran for hours: one request, marked late, if young enough (DEL-36)."""
    hour = now() // 3600 * 3600
    for name, expression, age in (("hourly", "cron(0 * * * ? *)", 86_400), ("daily", "rate(1 day)", 60)):
        store.put({
            "Name": name, "GroupName": "default", "Arn": store.arn("default", name), "State": "ENABLED",
            "Target": {"Arn": FUNCTION + name, "RetryPolicy": {"MaximumRetryAttempts": 0,
                                                                 "MaximumEventAgeInSeconds": age}},
            "ScheduleExpression": expression, "CreationDate": hour - 18_000, "_due": hour - 18_000,
            "_first": hour - 18_000, "FlexibleTimeWindow": {"Mode": "OFF"}, "ActionAfterCompletion": "NONE",
        })  # fmt: skip
    due: list[tuple[str, float, bool]] = []

    def call(_operation: str, _request: dict[str, Any]) -> Response:
        due.extend((one["schedule"]["Name"], one["time"], one["late"]) for one in store.records.list(FIRED))
        return {}

    firing = ScheduleRunner(store, call)
    firing.start()
    try:
        until(lambda: due and not store.records.list(FIRED), "the request is made", 10)
    finally:
        firing.stop()
    assert due == [("hourly", hour, True)]
