"""What a stack's step that breaks off without a reason leaves: a status that somebody can go on from."""

from __future__ import annotations

from typing import Any
from unittest.mock import MagicMock

import pytest

from local_sagemaker.records.delivery_status import StackStatus
from local_sagemaker.services.cloudformation.stack_runs import STATES, StackRuns


@pytest.mark.parametrize("status", STATES)
def test_a_step_that_breaks_off_ends(status: StackStatus) -> None:
    body: dict[str, Any] = {
        "StackId": "arn:aws:cloudformation:us-east-1:123456789012:stack/s/1", "StackStatus": status, "CreationTime": 0,
        "_next": {}, "_before": {}, "_before_body": {},
    }  # fmt: skip
    entered = []

    def enter(_: str, new: StackStatus, reason: str = "", **__: Any) -> None:
        entered.append(reason)
        body["StackStatus"] = new

    store, scopes = MagicMock(), MagicMock()
    store.require.side_effect = lambda _: dict(body)
    store.enter.side_effect = enter
    store.exports.side_effect = store.resources.side_effect = KeyError("none")
    scopes.scope.side_effect = KeyError("none")
    runs = StackRuns(store, scopes, MagicMock())
    runs.start(body["StackId"])
    for thread in list(runs._threads.values()):
        thread.join(30)
    assert body["StackStatus"] not in STATES
    assert entered and set(entered) <= {"Internal Failure"}
