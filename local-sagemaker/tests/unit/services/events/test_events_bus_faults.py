"""What one bad event, rule, delivery or replay does to the others: nothing."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from local_sagemaker.api.operations import Response
from local_sagemaker.config import Settings
from local_sagemaker.errors import ServiceError
from local_sagemaker.objects.disk import DiskObjects
from local_sagemaker.records import Records
from local_sagemaker.records.kinds import TRAINING_JOB
from local_sagemaker.services.events import event_bus
from local_sagemaker.services.events.archive_store import REPLAY, ArchiveStore
from local_sagemaker.services.events.event_bus import EventBus
from local_sagemaker.services.events.rule_store import BUS, DELIVERY, HISTORY, RuleStore
from tests.support import until

FUNCTION, QUEUE = "arn:aws:lambda:us-east-1:123456789012:function:none", "arn:aws:sqs:us-east-1:123456789012:q"
BUSES = "arn:aws:events:us-east-1:123456789012:event-bus/"


class BusOfOne:
    """A region's bus whose targets fail as a test wants."""

    def __init__(self, home: Path) -> None:
        settings = Settings(home=home)
        self.records = Records(home / "state.db")
        self.store = RuleStore(self.records, settings.arns)
        self.archives = ArchiveStore(self.store, settings.arns)
        self.fault: Exception | None = None
        self.received: list[str] = []
        self.objects = DiskObjects(settings.objects)
        self.bus = EventBus(
            settings=settings, store=self.store, archives=self.archives, call=self._call, changes=self.objects.changes
        )

    def _call(self, operation: str, request: dict[str, Any]) -> Response:
        if operation == "lambda:Invoke":
            raise self.fault or ServiceError("no", code="ResourceNotFoundException", status=404)
        if operation == "sqs:SendMessage":
            self.received.append(json.loads(request["MessageBody"])["detail"]["n"])
        return {"QueueUrl": "url", "MessageId": "1"}

    def add(self, name: str, **members: Any) -> None:
        pattern = {"EventPattern": '{"source": ["tests"]}', "CreationTime": 0.0, "State": "ENABLED", "_targets": []}
        self.store.put("default", {"Name": name, "Arn": f"arn:{name}", **pattern, **members})

    def send(self, n: str) -> None:
        self.bus.put("default", self.bus.new_event("tests", "x", [], {"n": n}))


@pytest.fixture
def world(tmp_path: Path) -> Iterator[BusOfOne]:
    made = BusOfOne(tmp_path)
    made.add("good", _targets=[{"Id": "1", "Arn": QUEUE}])
    yield made
    made.bus.close()
    made.objects.close()
    made.records.close()


@pytest.mark.parametrize(
    ("fault", "dead", "tried"),
    [(None, "arn:aws:sqs", False), (ValueError("a fault"), QUEUE, True), (None, QUEUE.replace(":q", ":"), False)],
)
def test_a_delivery_that_fails_in_any_way_holds_back_no_other(
    world: BusOfOne, fault: Exception | None, dead: str, *, tried: bool
) -> None:
    """Also one that an older version let into the records. What is at fault is given up or put off, not repeated."""
    world.fault = fault
    world.add("a bad one", _targets=[{"Id": "1", "Arn": FUNCTION, "DeadLetterConfig": {"Arn": dead}}])
    world.bus.start()
    for n in ("1", "2"):
        world.send(n)
        until(lambda n=n: n in world.received, "the good rule", 10)
    until(lambda: all(row["tries"] for row in world.records.list(DELIVERY)), "all were tried", 10)
    left = world.records.list(DELIVERY)
    assert [row["reason"].partition(":")[0] for row in left] == ["InternalFailure"] * (2 if tried else 0)
    ends = [sorted(one["status"] for one in row["deliveries"]) for row in world.records.list(HISTORY)]
    assert ends == [["Delivered"] if tried else ["Delivered", "Failed"]] * 2


def test_a_replay_whose_bus_was_deleted_fails_and_holds_back_nothing(world: BusOfOne) -> None:
    world.records.put(BUS, "own", {"Name": "own"})
    world.archives.put({"ArchiveName": "a", "ArchiveArn": world.archives.arn("a"), "EventSourceArn": BUSES + "own",
                        "RetentionDays": 0, "CreationTime": 0.0, "_id": "1"})  # fmt: skip
    world.archives.keep("a", world.bus.new_event("tests", "x", [], {"n": "archived"}, 60.0))
    world.records.delete(BUS, "own")
    for name in ("one", "other"):
        world.records.put(REPLAY, name, {
            "ReplayName": name, "State": "STARTING", "EventSourceArn": world.archives.arn("a"),
            "EventStartTime": 0.0, "EventEndTime": 120.0, "Destination": {"Arn": BUSES + "own"}, "ReplayStartTime": 4e9,
        })  # fmt: skip
    world.bus.start()
    world.send("live")
    until(lambda: "live" in world.received, "the event", 10)
    until(lambda: {row["State"] for row in world.records.list(REPLAY)} == {"FAILED"}, "both replays end", 10)
    world.archives.delete(world.archives.require("a"))
    assert (world.archives.records.list("event-archive"), world.archives.records.list("archived-event")) == ([], [])
    assert {row["StateReason"] for row in world.records.list(REPLAY)} == {"Event bus own does not exist."}


def test_a_bad_schedule_or_a_bad_change_holds_back_nothing(world: BusOfOne, monkeypatch: pytest.MonkeyPatch) -> None:
    world.add("a bad schedule", ScheduleExpression="rate(never)", EventPattern="")
    real = event_bus.events_of

    def events_of(change: Any, tags: Any) -> Any:
        if change.name == "bad":
            raise KeyError("a member that no longer exists")
        return real(change, tags)

    monkeypatch.setattr(event_bus, "events_of", events_of)
    world.add("jobs", EventPattern='{"source": ["aws.sagemaker"]}')
    world.bus.start()
    until(lambda: world.records.get("event-log-place", "place"), "the log was looked at", 10)
    for name in ("bad", "good"):
        body = {"TrainingJobName": name, "TrainingJobArn": f"arn:{name}", "TrainingJobStatus": "InProgress",
                "CreationTime": 1.0, "LastModifiedTime": 1.0}  # fmt: skip
        world.records.put(TRAINING_JOB.kind, name, body)
    world.send("live")
    until(lambda: "live" in world.received, "the event", 10)
    until(lambda: [row for row in world.records.list(HISTORY) if row["rules"] == ["jobs"]], "the good job's event", 10)
