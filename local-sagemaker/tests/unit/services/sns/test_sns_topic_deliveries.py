"""What becomes of the record of a delivery whose target, or whose dead letters, fail."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from local_sagemaker.api.operations import Response
from local_sagemaker.clock import now
from local_sagemaker.config import Settings
from local_sagemaker.errors import ServiceError
from local_sagemaker.records import Records
from local_sagemaker.services.sns.delivery_policies import DEFAULTS
from local_sagemaker.services.sns.topic_deliveries import TopicDeliveries
from local_sagemaker.services.sns.topic_messages import KIND, TopicMessages

BODY = {"Message": "text", "Subject": None}
FINAL = ServiceError("no such function", code="ResourceNotFoundException", status=404)


class Targets:
    """The operations that deliveries call: `failures` by operation, and what was sent."""

    def __init__(self, records: Records) -> None:
        self._records = records
        self.failures: dict[str, Exception] = {}
        self.sent: list[tuple[str, bool]] = []
        self.meanwhile: Callable[[], None] = lambda: None

    def __call__(self, operation: str, request: dict[str, Any]) -> Response:
        self.sent.append((operation, self._records.get(KIND, "one") is not None))
        self.meanwhile()
        if operation in self.failures:
            raise self.failures[operation]
        return {"QueueUrl": "url"}


@pytest.fixture
def records(tmp_path: Path) -> Iterator[Records]:
    made = Records(tmp_path / "records.sqlite")
    yield made
    made.close()


@pytest.fixture
def targets(records: Records) -> Targets:
    return Targets(records)


@pytest.fixture
def deliver(tmp_path: Path, records: Records, targets: Targets) -> Callable[[], dict[str, Any] | None]:
    """Makes the one delivery that is listed, and returns what is recorded of it afterwards."""
    topics = TopicMessages(records, "http://127.0.0.1")
    deliveries = TopicDeliveries(settings=Settings(home=tmp_path), records=records, call=targets, topics=topics)
    records.put(KIND, "one", {
        "protocol": "lambda", "endpoint": "function", "subscription": "arn", "raw": False, "body": BODY, "tries": 0,
        "due": now(), "dead_letters": "arn:aws:sqs:us-east-1:123456789012:dead",
    })  # fmt: skip

    def act() -> dict[str, Any] | None:
        deliveries._deliver("one")
        return records.get(KIND, "one")

    return act


def test_what_was_delivered_or_put_off_since_it_was_listed_is_not_sent_again(
    deliver: Callable[[], dict[str, Any] | None], targets: Targets
) -> None:
    targets.failures["lambda:Invoke"] = ServiceError("busy", code="ServiceException", status=500)
    body = deliver()
    assert body is not None and body["tries"] == 1 and body["due"] > now()
    assert deliver() == body
    assert len(targets.sent) == 1


def test_a_delivery_that_was_made_is_not_sent_again(
    deliver: Callable[[], dict[str, Any] | None], targets: Targets
) -> None:
    assert deliver() is None
    assert deliver() is None
    assert targets.sent == [("lambda:Invoke", True)]


def test_a_fault_of_the_service_counts_as_a_try(deliver: Callable[[], dict[str, Any] | None], targets: Targets) -> None:
    targets.failures["lambda:Invoke"] = OSError("no space left")
    body = deliver()
    assert body is not None and body["tries"] == 1 and body["due"] > now()


def test_a_policy_that_cannot_be_read_ends_the_delivery(
    deliver: Callable[[], dict[str, Any] | None], targets: Targets, records: Records
) -> None:
    """An older version took policies unchecked."""
    targets.failures["lambda:Invoke"] = ServiceError("busy", code="ServiceException", status=500)
    records.update(KIND, "one", lambda body: {**body, "policy": {**DEFAULTS, "numRetries": "x"}})
    assert deliver() is None
    assert targets.sent[-1] == ("sqs:SendMessage", True)


def test_a_record_is_kept_until_the_dead_letters_have_its_message(
    deliver: Callable[[], dict[str, Any] | None], targets: Targets
) -> None:
    targets.failures["lambda:Invoke"] = FINAL
    assert deliver() is None
    assert targets.sent[-1] == ("sqs:SendMessage", True)


@pytest.mark.parametrize(("status", "kept"), [(500, True), (400, False)])
def test_dead_letters_that_fail_are_tried_again_unless_they_cannot_exist(
    deliver: Callable[[], dict[str, Any] | None], targets: Targets, *, status: int, kept: bool
) -> None:
    targets.failures = {
        "lambda:Invoke": FINAL, "sqs:GetQueueUrl": ServiceError("no", code="QueueDoesNotExist", status=status)
    }  # fmt: skip
    assert (deliver() is not None) is kept


def test_a_reset_during_a_delivery_leaves_no_record(
    deliver: Callable[[], dict[str, Any] | None], targets: Targets, records: Records
) -> None:
    targets.failures["lambda:Invoke"] = ServiceError("busy", code="ServiceException", status=500)
    targets.meanwhile = records.clear
    assert deliver() is None
