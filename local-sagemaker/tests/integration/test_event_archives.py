"""Archives of a bus and their replays, through boto3."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from typing import Any

from tests.integration.event_targets import Queue, refused
from tests.support import Service, until

START, END = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 1, 1, tzinfo=UTC)


class ArchivedBus:
    """A bus of its own with an archive of the events whose detail has ``keep``, and a rule with a queue."""

    def __init__(self, service: Service, name: str, **archive: Any) -> None:
        self.events, self.name, self.queue = service.client("events"), name, Queue(service, name)
        self.arn = self.events.create_event_bus(Name=name)["EventBusArn"]
        made = self.events.create_archive(
            ArchiveName=name, EventSourceArn=self.arn, EventPattern='{"detail": {"keep": [true]}}', **archive
        )
        self.archive = made["ArchiveArn"]
        assert (made["State"], self.archive) == ("ENABLED", f"arn:aws:events:us-east-1:123456789012:archive/{name}")
        self.rule = self.add_rule("all", self.queue)

    def add_rule(self, name: str, queue: Queue) -> str:
        pattern = json.dumps({"source": ["tests"]})
        arn = self.events.put_rule(Name=name, EventBusName=self.name, EventPattern=pattern)["RuleArn"]
        self.events.put_targets(Rule=name, EventBusName=self.name, Targets=[{"Id": "q", "Arn": queue.arn}])
        return str(arn)

    def send(self, minute: int, *, keep: bool = True, at: datetime = START) -> None:
        entry = {"Source": "tests", "DetailType": "Test", "EventBusName": self.name, "Time": at.replace(minute=minute),
                 "Detail": json.dumps({"keep": keep, "minute": minute})}  # fmt: skip
        assert self.events.put_events(Entries=[entry])["FailedEntryCount"] == 0

    def receive(self, number: int, queue: Queue | None = None) -> list[Any]:
        found: list[Any] = []
        until(lambda: found.extend((queue or self.queue).messages()) or len(found) >= number, f"{number} events", 30)
        return found

    def replay(self, name: str, **changed: Any) -> dict[str, Any]:
        request = {"ReplayName": name, "EventSourceArn": self.archive, "EventStartTime": START, "EventEndTime": END,
                   "Destination": {"Arn": self.arn}}  # fmt: skip
        return dict(self.events.start_replay(**{**request, **changed}))

    def ended(self, name: str) -> dict[str, Any]:
        def look() -> Any:
            found = self.events.describe_replay(ReplayName=name)
            return found if found["State"] in ("COMPLETED", "CANCELLED", "FAILED") else None

        return dict(until(look, f"the end of {name}", 30))

    def describe(self) -> dict[str, Any]:
        return dict(self.events.describe_archive(ArchiveName=self.name))


def test_what_was_archived_is_sent_again(service: Service) -> None:
    """The window alone, minute by minute, with the replay's name, and not into the archive again."""
    bus = ArchivedBus(service, "replayed", Description="kept", RetentionDays=7)
    for minute in (5, 3, 40):
        bus.send(minute)
    bus.send(6, keep=False)
    bus.send(0, at=END)
    originals = {event["detail"]["minute"]: event for event in bus.receive(5)}
    found = bus.describe()
    sizes = sum(len(json.dumps(event)) for minute, event in originals.items() if minute != 6)
    assert (found["EventCount"], found["SizeBytes"]) == (4, sizes)
    assert (found["Description"], found["RetentionDays"], found["EventSourceArn"]) == ("kept", 7, bus.arn)
    before = time.time()
    started = bus.replay("first", EventEndTime=START.replace(minute=40))
    assert started["State"] == "STARTING"
    ended = bus.ended("first")
    assert (ended["State"], ended["EventLastReplayedTime"]) == ("COMPLETED", START.replace(minute=5))
    assert before - 5 < started["ReplayStartTime"].timestamp() <= ended["ReplayEndTime"].timestamp()
    again = bus.receive(2)
    assert again == [{**originals[minute], "replay-name": "first"} for minute in (3, 5)]
    assert bus.describe()["EventCount"] == 4
    other = Queue(service, "replayed-other")
    rule = bus.add_rule("other", other)
    bus.replay("filtered", Destination={"Arn": bus.arn, "FilterArns": [rule]})
    assert sorted(event["detail"]["minute"] for event in bus.receive(3, other)) == [3, 5, 40]
    assert bus.ended("filtered")["State"] == "COMPLETED"
    assert bus.queue.messages() == []
    names = [row["ReplayName"] for row in bus.events.list_replays(EventSourceArn=bus.archive)["Replays"]]
    assert names == ["first", "filtered"]


def test_archives_change_and_go(service: Service) -> None:
    bus = ArchivedBus(service, "changed")
    events, managed = bus.events, {"Name": "Events-Archive-changed", "EventBusName": "changed"}
    pattern = json.loads(events.describe_rule(**managed)["EventPattern"])
    assert pattern == {"detail": {"keep": [True]}, "replay-name": [{"exists": False}]}
    assert refused(events.disable_rule, **managed).startswith("This rule was created by an AWS service")
    assert refused(events.delete_rule, **managed).startswith("This rule was created by an AWS service")
    events.update_archive(ArchiveName="changed", EventPattern='{"detail": {"keep": [false]}}', Description="less")
    bus.send(1)
    bus.send(2, keep=False)
    bus.receive(2)
    assert (bus.describe()["EventCount"], bus.describe()["Description"]) == (1, "less")
    (row,) = events.list_archives(NamePrefix="changed")["Archives"]
    assert (row["EventCount"], row["RetentionDays"]) == (1, 0)
    events.remove_targets(Rule="all", EventBusName="changed", Ids=["q"])
    events.delete_rule(Name="all", EventBusName="changed")
    assert refused(events.delete_event_bus, Name="changed") == "Cannot delete event bus, rules still exist."
    events.delete_archive(ArchiveName="changed")
    events.delete_event_bus(Name="changed")
    assert events.list_archives(NamePrefix="changed")["Archives"] == []


def test_what_archives_and_replays_refuse(service: Service) -> None:
    bus = ArchivedBus(service, "refusing")
    events, create = bus.events, {"ArchiveName": "refusing", "EventSourceArn": bus.arn}
    default = bus.arn.replace("refusing", "default")
    assert refused(events.create_archive, **create) == "Archive refusing already exists."
    assert refused(events.create_archive, ArchiveName="x", EventSourceArn=default.replace("default", "none")) == (
        "Event bus none does not exist."
    )
    pattern = refused(events.create_archive, ArchiveName="x", EventSourceArn=bus.arn, EventPattern="[")
    assert pattern.startswith("Event pattern is not valid.")
    assert refused(events.describe_archive, ArchiveName="x") == "Archive x does not exist."
    assert refused(events.list_archives, NamePrefix="x", State="ENABLED") == (
        "At most one filter is allowed for ListArchives. Use either : State, EventSourceArn, or NamePrefix."
    )
    reason = "Parameter Destination.Arn is not valid. Reason: "
    assert refused(bus.replay, name="x", Destination={"Arn": bus.rule}) == (f"{reason}Must contain an event bus ARN.")
    assert refused(bus.replay, name="x", Destination={"Arn": default}) == (
        f"{reason}Cross event bus replay is not permitted."
    )
    assert refused(bus.replay, name="x", EventEndTime=START) == (
        "Parameter EventEndTime is not valid. Reason: EventStartTime must be before EventEndTime."
    )
    bus.replay("empty")
    assert refused(bus.replay, name="empty") == "Replay empty already exists."
    assert bus.ended("empty")["State"] == "COMPLETED"
    assert refused(events.cancel_replay, ReplayName="empty") == (
        "Replay empty is not in a valid state for this operation."
    )
    assert refused(events.describe_replay, ReplayName="x") == "Replay x does not exist."


def test_archives_survive_a_crash_and_forget_by_the_services_clock(own_service: Service) -> None:
    bus = ArchivedBus(own_service, "surviving", RetentionDays=2)
    for minute in range(50):
        bus.send(minute)
    bus.replay("interrupted")
    own_service.kill()
    own_service.up()
    bus.events = own_service.client("events")
    bus.queue = Queue(own_service, "surviving")
    assert bus.describe()["EventCount"] == 50
    assert bus.ended("interrupted")["State"] == "COMPLETED"
    replayed = [event for event in bus.receive(100) if event.get("replay-name") == "interrupted"]
    assert sorted({event["detail"]["minute"] for event in replayed}) == list(range(50))
    own_service.run("local-sagemaker", "--home", str(own_service.home), "clock", "47h")
    assert bus.describe()["EventCount"] == 50
    own_service.run("local-sagemaker", "--home", str(own_service.home), "clock", "1h")
    assert (bus.describe()["EventCount"], bus.describe()["SizeBytes"]) == (0, 0)
    own_service.run("local-sagemaker", "--home", str(own_service.home), "clock", "90d")
    until(lambda: not bus.events.list_replays()["Replays"], "replays are forgotten", 30)
