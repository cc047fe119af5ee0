"""The records of archives, of the events in them, and of replays (user guide, "Archiving and replaying events").

An archive receives its events by a managed rule on its bus, as on AWS: the archive's pattern, and no ``replay-name``.
"""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

from local_sagemaker.arns import Arns
from local_sagemaker.clock import now
from local_sagemaker.errors import ServiceError
from local_sagemaker.records.own_members import RuleRecord, own_archive
from local_sagemaker.records.query import Query
from local_sagemaker.records.status import SwitchState
from local_sagemaker.records.store import Body
from local_sagemaker.services.events.rule_store import RuleNotFound, RuleStore

ARCHIVE, ARCHIVED, REPLAY = "event-archive", "archived-event", "event-replay"
MANAGER = "prod.vhs.events.aws.internal"
"""Who manages the rules of archives, in ``ManagedBy``."""
DAY = 86_400.0
REPLAYS_KEPT = 90 * DAY
"""Seconds after which replays are forgotten."""
_AT_A_TIME = 500


class ArchiveStore:
    """Archives by name, their events by ``archive/event``, replays by name."""

    def __init__(self, rules: RuleStore, arns: Arns) -> None:
        self.rules, self.records, self._arns = rules, rules.records, arns

    def arn(self, name: str) -> str:
        """An archive's ARN."""
        return self._arns.of("events", f"archive/{name}")

    def replay_arn(self, name: str) -> str:
        """A replay's ARN."""
        return self._arns.of("events", f"replay/{name}")

    def require(self, name: str) -> Body:
        """An archive. Raises EventBridge's error when there is none."""
        body = self.records.get(ARCHIVE, name)
        if body is None:
            raise RuleNotFound(f"Archive {name} does not exist.")
        return body

    def put(self, body: Body) -> None:
        """Writes an archive and the managed rule that feeds it."""
        bus, rule = self.rules.bus(body["EventSourceArn"]), rule_name(body["ArchiveName"])
        pattern = json.loads(body.get("EventPattern") or "{}")
        template = (
            f'{{"archive-arn": "{body["ArchiveArn"]}:{own_archive(body)["_id"]}", "event": <aws.events.event.json>, '
            '"ingestion-time": <aws.events.event.ingestion-time>}'
        )
        target = {
            "Id": rule, "Arn": f"arn:aws:events:{self._arns.region}:::",
            "InputTransformer": {"InputPathsMap": {}, "InputTemplate": template},
        }  # fmt: skip
        with self.records.transaction():
            self.records.put(ARCHIVE, body["ArchiveName"], body)
            self.rules.put(bus, {
                "Name": rule, "Arn": self.rules.rule_arn(bus, rule), "State": SwitchState.ENABLED,
                "EventBusName": bus, "CreationTime": body["CreationTime"], "ManagedBy": MANAGER,
                "EventPattern": json.dumps({**pattern, "replay-name": [{"exists": False}]}),
                **RuleRecord(_tags={}, _targets=[target], _archive=body["ArchiveName"]),
            })  # fmt: skip

    def delete(self, body: Body) -> None:
        """Removes an archive with its events and its rule."""
        name = body["ArchiveName"]
        with self.records.transaction():
            self.records.delete(ARCHIVE, name)
            self.records.delete_all(ARCHIVED, f"{name}/")
            with suppress(RuleNotFound):  # the bus was deleted, with the rule
                self.rules.delete(self.rules.bus(body["EventSourceArn"]), rule_name(name))

    def keep(self, name: str, event: Body) -> None:
        """Adds an event to an archive, unless that was deleted since the event's rules were looked up."""
        with self.records.transaction():
            if self.records.get(ARCHIVE, name) is not None:
                self.records.put(ARCHIVED, f"{name}/{event['id']}", {"event": event, "CreationTime": now()})

    def kept(self, archive: Body) -> list[Body]:
        """What an archive holds now, oldest first: ``event``, and when it arrived as ``CreationTime``."""
        self.expire(archive)
        return self.records.list(ARCHIVED, f"{archive['ArchiveName']}/")

    def expire(self, archive: Body) -> None:
        """Removes the events that are older than the archive's retention, counted from when they arrived."""
        days, name = archive["RetentionDays"], archive["ArchiveName"]
        if not days:
            return
        query = Query(ARCHIVED, parent=name, descending=False, created_before=now() - days * DAY)
        while rows := self.records.page(query, _AT_A_TIME):
            with self.records.transaction():
                for _, body in rows:
                    self.records.delete(ARCHIVED, f"{name}/{body['event']['id']}")

    def expire_all(self) -> None:
        """Removes what no archive holds any longer, and replays after their 90 days."""
        for archive in self.records.list(ARCHIVE):
            self.expire(archive)
        for name, replay in self.records.items(REPLAY):
            if replay["ReplayStartTime"] < now() - REPLAYS_KEPT:
                self.records.delete(REPLAY, name)


def rule_name(archive: str) -> str:
    """The name of an archive's managed rule."""
    return f"Events-Archive-{archive}"


def one_filter(request: dict[str, Any], operation: str) -> None:
    """Refuses lists with more than one of the three filters."""
    if sum(name in request for name in ("NamePrefix", "EventSourceArn", "State")) > 1:
        text = f"At most one filter is allowed for {operation}. Use either : State, EventSourceArn, or NamePrefix."
        raise ServiceError(text, code="ValidationException", status=400)


def passes(body: Body, name: str, request: dict[str, Any]) -> bool:
    """Whether an archive or replay of this name passes the filter of a list."""
    return (
        name.startswith(request.get("NamePrefix", ""))
        and request.get("EventSourceArn") in (None, body["EventSourceArn"])
        and request.get("State") in (None, body["State"])
    )
