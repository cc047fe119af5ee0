"""Events: what happened; and the rules that react to it, each testable with an event."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from local_sagemaker.errors import ServiceError
from local_sagemaker.studio import urls
from local_sagemaker.studio.page import Page, Visit
from local_sagemaker.studio.pages.listing import items_or_none

_SHOWN = 200


@dataclass(frozen=True)
class EventRow:
    """One change of a resource."""

    number: int
    time: float
    kind: str
    name: str
    status: str
    previous: str
    href: str


@dataclass(frozen=True)
class RuleRow:
    """A rule with its targets."""

    name: str
    state: str
    pattern: str
    schedule: str
    targets: list[str]


@dataclass(frozen=True)
class EventsContext:
    """What the page of events shows."""

    rows: list[EventRow] = field(metadata={"help": "the newest events"})
    kinds: list[str] = field(metadata={"help": "kinds to filter by"})
    kind: str = field(metadata={"help": "the kind that is filtered by"})
    rules: list[RuleRow] = field(metadata={"help": "the rules of the default bus"})
    tested: str = field(metadata={"help": "whether the event that was sent matches the rule"})


def load(visit: Visit) -> EventsContext:
    """The event log, ListRules and ListTargetsByRule."""
    kind = visit.value("kind")
    events = visit.reads.history(_SHOWN, (kind,) if kind else ())
    rows = [
        EventRow(
            event.number, event.time, event.kind, event.name or event.key, event.status, event.previous or "",
            urls.resource(event.arn) or _step(event.kind, event.key),
        )
        for event in events
    ]  # fmt: skip
    rules = [_rule(visit, item) for item in items_or_none(visit, "events:ListRules", "Rules", 300)]
    kinds = sorted({row.kind for row in rows} | ({kind} if kind else set()))
    return EventsContext(rows, kinds, kind, rules, _test(visit))


def _step(kind: str, key: str) -> str:
    parts = key.split("/", 2)
    return (
        urls.to("pipelines", parts[0], "executions", parts[1], step=parts[2])
        if kind == "pipeline-step" and len(parts) == 3
        else ""
    )


def _rule(visit: Visit, item: dict[str, Any]) -> RuleRow:
    targets = visit.optional("events:ListTargetsByRule", {"Rule": item["Name"]}) or {}
    pattern = item.get("EventPattern", "")
    with suppress(ValueError):
        pattern = json.dumps(json.loads(pattern), indent=2) if pattern else ""
    arns = [target["Arn"] for target in targets.get("Targets", [])]
    return RuleRow(item["Name"], item.get("State", ""), pattern, item.get("ScheduleExpression", ""), arns)


def _test(visit: Visit) -> str:
    if visit.field("action") != "test":
        return ""
    request = {"EventPattern": visit.field("pattern"), "Event": visit.field("event")}
    try:
        matches = visit.call("events:TestEventPattern", request)["Result"]
    except ServiceError as error:
        return f"{error.code}: {error.message}"
    return "The event matches the rule." if matches else "The event does not match the rule."


def act(_visit: Visit) -> str:
    """A test changes nothing; its result is on the page."""
    return ""


PAGE = Page("/events", load, "events.html", "Events", act, lambda _visit, context: (f"{context.kind or '*'}:",))
