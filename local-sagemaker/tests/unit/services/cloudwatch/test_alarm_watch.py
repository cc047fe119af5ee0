"""The actions that are held back for a composite alarm's suppressor."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from local_sagemaker.api.operations import Response
from local_sagemaker.config import Settings
from local_sagemaker.records import Records
from local_sagemaker.records.kinds import CLOUDWATCH_ALARM
from local_sagemaker.services.cloudwatch.alarm_watch import AlarmWatch

ARN = "arn:aws:cloudwatch:us-east-1:123456789012:alarm:"
SUPPRESSED = {"ActionsSuppressor": f"{ARN}quiet", "ActionsSuppressorWaitPeriod": 0,
              "ActionsSuppressorExtensionPeriod": 0}  # fmt: skip


def composite(name: str, state: str, **members: Any) -> dict[str, Any]:
    return {"AlarmName": name, "AlarmArn": ARN + name, "StateValue": state, "StateReason": "", "ActionsEnabled": True,
            "AlarmRule": f"{'TRUE' if state == 'ALARM' else 'FALSE'}", **members}  # fmt: skip


class AlarmCalls:
    """CloudWatch's alarms as a test sets them, and what is published: whether it was still held then."""

    def __init__(self, records: Records) -> None:
        self._records = records
        self.alarms: list[dict[str, Any]] = []
        self.published: list[bool] = []

    def __call__(self, operation: str, _request: dict[str, Any]) -> Response:
        if operation == "sns:Publish":
            body = self._records.get(CLOUDWATCH_ALARM.kind, "loud") or {}
            self.published.append("_held" in body)
        return {"CompositeAlarms": self.alarms}


@pytest.fixture
def calls(tmp_path: Path) -> Iterator[AlarmCalls]:
    records = Records(tmp_path / "records.sqlite")
    yield AlarmCalls(records)
    records.close()


@pytest.mark.parametrize("how", ["the suppressor ends", "the suppressor is taken off"])
def test_actions_are_held_until_they_are_performed(tmp_path: Path, calls: AlarmCalls, how: str) -> None:
    watch = AlarmWatch(settings=Settings(home=tmp_path), records=calls._records, call=calls, has_state=lambda: True)
    actions = {"AlarmActions": ["arn:aws:sns:us-east-1:123456789012:topic"]}
    calls.alarms = [composite("quiet", "ALARM"), composite("loud", "OK", **SUPPRESSED, **actions)]
    watch.look()
    calls.alarms[1] = composite("loud", "ALARM", **SUPPRESSED, **actions)
    watch.look()
    assert calls.published == []
    if how == "the suppressor ends":
        calls.alarms[0] = composite("quiet", "OK")
    else:
        calls.alarms[1] = composite("loud", "ALARM", **actions)
    watch.look()
    watch.look()
    assert calls.published == [True]
    watch.close()


def test_an_action_that_no_service_takes_holds_back_no_other(tmp_path: Path, calls: AlarmCalls) -> None:
    watch = AlarmWatch(settings=Settings(home=tmp_path), records=calls._records, call=calls, has_state=lambda: True)
    actions = {"AlarmActions": ["arn", "arn:aws:sns:us-east-1:123456789012:topic"]}
    for state in ("OK", "ALARM"):
        calls.alarms = [composite("loud", state, **actions)]
        watch.look()
    assert calls.published == [False]


def test_moto_is_not_asked_before_it_has_anything(tmp_path: Path, calls: AlarmCalls) -> None:
    asked: list[str] = []

    def call(operation: str, request: dict[str, Any]) -> Response:
        asked.append(operation)
        return calls(operation, request)

    has_state = False
    watch = AlarmWatch(settings=Settings(home=tmp_path), records=calls._records, call=call, has_state=lambda: has_state)
    watch.look()
    assert asked == []
    has_state = True
    watch.look()
    assert asked == ["cloudwatch:DescribeAlarms"]
    watch.close()
