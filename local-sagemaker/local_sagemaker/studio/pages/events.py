"""Events: what happened and what it started; the rules that react, each testable; every change of a resource."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from local_sagemaker.errors import ServiceError, ValidationError
from local_sagemaker.events import DELETED
from local_sagemaker.studio import urls
from local_sagemaker.studio.page import Page, Visit
from local_sagemaker.studio.pages.listing import items_or_none
from local_sagemaker.studio.views.commands import aws_command

TABS = (("events", "Events"), ("rules", "Rules"), ("send", "Send an event"), ("changes", "Changes"))
_READ, _SHOWN = 1_000, 100


@dataclass(frozen=True)
class StartedTarget:
    """What an event started, or failed to: a target of a rule that matched."""

    rule: str
    target: str
    status: str
    text: str
    href: str


@dataclass(frozen=True)
class BusEvent:
    """An event on a bus. `document` is the whole of it, as rules see it."""

    id: str
    time: float
    source: str
    type: str
    resource: str
    href: str
    status: str
    rules: list[str]
    started: list[StartedTarget]
    document: Any = field(repr=False)


@dataclass(frozen=True)
class ResourceChange:
    """One change of a resource, also of those that AWS sends no event for."""

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
    fired: float | None


@dataclass(frozen=True)
class EventsContext:
    """What the page of events shows."""

    tab: str = field(metadata={"help": "the tab that is shown"})
    tabs: tuple[tuple[str, str], ...] = field(metadata={"help": "all tabs"})
    events: list[BusEvent] = field(metadata={"help": "the newest events that fit the filter"})
    looked_at: int = field(metadata={"help": "how many of the newest events were looked at"})
    sources: list[str] = field(metadata={"help": "sources to filter by"})
    source: str = field(metadata={"help": "the source that is filtered by"})
    rule: str = field(metadata={"help": "the rule that is filtered by"})
    rules: list[RuleRow] = field(metadata={"help": "the rules of the default bus"})
    event: str = field(metadata={"help": "the event that rules are tested with, JSON"})
    tested: dict[str, str] = field(metadata={"help": "the verdict on the event, by rule"})
    changes: list[ResourceChange] = field(metadata={"help": "the newest changes of resources"})
    kinds: list[str] = field(metadata={"help": "kinds of resources to filter by"})
    kind: str = field(metadata={"help": "the kind that is filtered by"})
    command: str = field(metadata={"help": "sending an event as a command"})


def load(visit: Visit) -> EventsContext:
    """The history of the buses, ListRules with ListTargetsByRule, and the log of changes."""
    tab = visit.value("tab") if visit.value("tab") in dict(TABS) else "events"
    deleted = _find_deleted(visit)
    history = [_event(item, deleted) for item in visit.reads.bus_history(_READ)]
    source, rule, kind = visit.value("source"), visit.value("rule"), visit.value("kind")
    shown = [one for one in history if source in ("", one.source) and (not rule or rule in one.rules)][:_SHOWN]
    rules = [_rule(visit, item, history) for item in items_or_none(visit, "events:ListRules", "Rules", 300)]
    event = visit.field("event") or _event_text(visit, visit.value("event"))
    changes = _changes(visit, kind, deleted) if tab == "changes" else []
    kinds = sorted({row.kind for row in changes} | ({kind} if kind else set()))
    return EventsContext(
        tab, TABS, shown, len(history), sorted({one.source for one in history}), source, rule, rules, event,
        _test(visit, rules, event) if tab == "rules" and event else {}, changes, kinds, kind,
        aws_command("events:PutEvents", {"Entries": [_EXAMPLE]}),
    )  # fmt: skip


_EXAMPLE = {"Source": "my.program", "DetailType": "Something happened", "Detail": '{"what": "it"}'}


def _find_deleted(visit: Visit) -> set[str]:
    """The ARNs of what no longer exists, as far as the newest changes say."""
    latest: dict[str, str] = {}
    for event in visit.reads.history(_READ):
        latest.setdefault(event.arn, event.status)
    return {arn for arn, status in latest.items() if status == DELETED}


def _link(arn: str, deleted: set[str]) -> str:
    """The page of a resource, unless it or what it belonged to was deleted."""
    parts = arn.split("/")
    owners = {"/".join(parts[:length]) for length in range(1, len(parts) + 1)}
    return "" if owners & deleted else urls.resource(arn)


def _event(item: Mapping[str, Any], deleted: set[str]) -> BusEvent:
    document = item["event"]
    detail = document.get("detail") or {}
    resource = next(iter(document.get("resources") or []), "")
    status = next((str(value) for name, value in detail.items() if name.lower().endswith("status")), "")
    started = [
        StartedTarget(
            one["rule"], one["target"], one["status"], str(one.get("reason") or one.get("result") or ""),
            _link(str(one.get("result") or ""), deleted) or _link(one["target"], deleted),
        )
        for one in item.get("deliveries", [])
    ]  # fmt: skip
    return BusEvent(
        document["id"], float(item["time"]), document.get("source", ""), document.get("detail-type", ""), resource,
        _link(resource, deleted), status, list(item.get("rules", [])), started, document,
    )  # fmt: skip


def _event_text(visit: Visit, identity: str) -> str:
    """The event of an id, as JSON; "" where there is none."""
    item = visit.reads.bus_event(identity) if identity else None
    return json.dumps(visit.screen(item["event"]), indent=2, ensure_ascii=False) if item else ""


def _changes(visit: Visit, kind: str, deleted: set[str]) -> list[ResourceChange]:
    return [
        ResourceChange(
            event.number, event.time, event.kind, event.name or event.key, event.status, event.previous or "",
            _link(event.arn, deleted) or _step(event.kind, event.key, deleted),
        )
        for event in visit.reads.history(2 * _SHOWN, (kind,) if kind else ())
    ]  # fmt: skip


def _step(kind: str, key: str, deleted: set[str]) -> str:
    parts = key.split("/", 2)
    is_step = kind == "pipeline-step" and len(parts) == 3
    if is_step and any(arn.lower().endswith(f":pipeline/{parts[0]}") for arn in deleted):
        return ""
    return urls.to("pipelines", parts[0], "executions", parts[1], step=parts[2]) if is_step else ""


def _rule(visit: Visit, item: dict[str, Any], history: list[BusEvent]) -> RuleRow:
    targets = visit.optional("events:ListTargetsByRule", {"Rule": item["Name"]}) or {}
    pattern = item.get("EventPattern", "")
    with suppress(ValueError):
        pattern = json.dumps(json.loads(pattern), indent=2) if pattern else ""
    arns = [target["Arn"] for target in targets.get("Targets", [])]
    fired = next((one.time for one in history if item["Name"] in one.rules), None)
    return RuleRow(item["Name"], item.get("State", ""), pattern, item.get("ScheduleExpression", ""), arns, fired)


def _test(visit: Visit, rules: list[RuleRow], event: str) -> dict[str, str]:
    """matches, does not match, or why that is unknown, by rule."""
    verdicts = {}
    for rule in rules:
        if not rule.pattern:
            continue
        try:
            response = visit.call("events:TestEventPattern", {"EventPattern": rule.pattern, "Event": event})
        except ServiceError as error:
            verdicts[rule.name] = f"{error.code}: {error.message}"
            continue
        verdicts[rule.name] = "matches" if response["Result"] else "does not match"
    return verdicts


def act(visit: Visit) -> str:
    """Sends an event. A test of rules changes nothing: its result is on the page."""
    action = visit.field("action")
    if action == "test":
        return ""
    if action != "send":
        raise ValidationError(f"There is no action '{action}'.")
    entry = {
        "Source": visit.field("source").strip(), "DetailType": visit.field("type").strip(),
        "Detail": visit.field("detail"),
    }  # fmt: skip
    response = visit.call("events:PutEvents", {"Entries": [entry]})["Entries"][0]
    if response.get("ErrorCode"):
        raise ValidationError(f"{response['ErrorCode']}: {response.get('ErrorMessage', '')}")
    return urls.to("events", source=entry["Source"], done=f"Event {response['EventId']} was sent")


PAGE = Page("/events", load, "events.html", "Events", act, lambda _visit, context: (f"{context.kind or '*'}:",))
