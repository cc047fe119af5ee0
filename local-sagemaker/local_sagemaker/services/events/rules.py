"""Rules and their targets, and event buses."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from local_sagemaker.api.operations import Request, Resource, Response, operation
from local_sagemaker.clock import now
from local_sagemaker.errors import ServiceError, ValidationError
from local_sagemaker.eventbridge import patterns, schedules, target_input
from local_sagemaker.json_text import JsonError, load
from local_sagemaker.records.own_members import RuleRecord, own_rule
from local_sagemaker.records.status import SwitchState
from local_sagemaker.records.store import Body, public
from local_sagemaker.services.events.rule_store import BUS, DEFAULT, RuleNotFound, RuleStore
from local_sagemaker.services.events.targets import check_dead_letters, check_form, check_target
from local_sagemaker.services.pagination import page_rows

_NAME = re.compile(r"[.\-_A-Za-z0-9]{1,64}")
MOST_TARGETS = 5
ENVELOPE = {"id", "account", "source", "time", "region", "detail-type"}
"""What TestEventPattern wants of an event."""
MANAGED = (
    "This rule was created by an AWS service on behalf of your account. It is managed by that service. If you see this "
    "error in response to DeleteRule or RemoveTargets, you can use the Force parameter in those calls to delete the "
    "rule or remove targets from the rule. You cannot modify these managed rules by using DisableRule, EnableRule, "
    "PutTargets, PutRule, TagResource, or UntagResource."
)
"""What the API reference says of ManagedRuleException."""
_SHOWN = (
    "Name", "Arn", "EventPattern", "State", "Description", "ScheduleExpression", "RoleArn", "ManagedBy", "EventBusName",
)  # fmt: skip


class Rules(Resource):
    """PutRule, DescribeRule, ListRules, DeleteRule, EnableRule, DisableRule, PutTargets, RemoveTargets,
    ListTargetsByRule, ListRuleNamesByTarget, TestEventPattern, TagResource, UntagResource, ListTagsForResource."""

    def __init__(self, *, store: RuleStore, changed: Callable[[], None]) -> None:
        """`changed` is called when a schedule may have changed."""
        self._store, self._changed = store, changed

    def reset(self) -> None:
        """Forgets the rules in memory."""
        self._store.forget_all()

    @operation("PutRule", atomic=True)
    def put(self, request: Request) -> Response:
        """Adds a rule, or changes one; its targets stay."""
        bus, name = self._store.bus(request.get("EventBusName")), request["Name"]
        if not _NAME.fullmatch(name):
            raise ValidationError(
                f"1 validation error detected: Value '{name}' at 'name' failed to satisfy constraint: Member must "
                "satisfy regular expression pattern: [\\.\\-_A-Za-z0-9]+"
            )
        pattern, expression = request.get("EventPattern"), request.get("ScheduleExpression")
        if not pattern and not expression:
            raise ValidationError("Parameter(s) EventPattern or ScheduleExpression must be specified.")
        if pattern:
            patterns.parse(pattern)
        if expression:
            if bus != DEFAULT:
                raise ValidationError("ScheduleExpression is supported only on the default event bus.")
            _check_schedule(expression)
        before = self._store.records.get("event-rule", f"{bus}/{name}") or {}
        _refuse_managed(before)
        members = ("EventPattern", "ScheduleExpression", "Description", "RoleArn")
        body: Body = {
            "Name": name,
            "Arn": self._store.rule_arn(bus, name),
            "State": request.get("State", SwitchState.ENABLED),
            "EventBusName": bus,
            "CreationTime": before.get("CreationTime", now()),
            **RuleRecord(
                _tags=own_rule(before).get("_tags") or {tag["Key"]: tag["Value"] for tag in request.get("Tags", [])},
                _targets=own_rule(before).get("_targets", []),
            ),
            **{member: request[member] for member in members if member in request},
        }
        self._store.put(bus, body)
        self._changed()
        return {"RuleArn": body["Arn"]}

    def _rule(self, request: Request, member: str = "Name") -> tuple[str, Body]:
        bus = self._store.bus(request.get("EventBusName"))
        return bus, self._store.require(bus, request[member])

    @operation("DescribeRule")
    def describe(self, request: Request) -> Response:
        """One rule, with the account that made it: there is one here."""
        return {**_describe_rule(self._rule(request)[1]), "CreatedBy": self._store.account}

    @operation("ListRules")
    def list(self, request: Request) -> Response:
        """The rules of a bus."""
        bus, prefix = self._store.bus(request.get("EventBusName")), request.get("NamePrefix", "")
        rules = sorted(self._store.rules(bus), key=lambda rule: str(rule["Name"]))
        return _page("Rules", [_describe_rule(rule) for rule in rules if rule["Name"].startswith(prefix)], request)

    @operation("DeleteRule", atomic=True)
    def delete(self, request: Request) -> Response:
        """Removes a rule without targets; an unknown one is removed already."""
        bus = self._store.bus(request.get("EventBusName"))
        try:
            rule = self._store.require(bus, request["Name"])
        except RuleNotFound:
            return {}
        _refuse_managed(rule, request)
        if own_rule(rule)["_targets"]:
            raise ValidationError("Rule can't be deleted since it has targets.")
        self._store.delete(bus, request["Name"])
        return {}

    @operation("EnableRule", atomic=True)
    def enable(self, request: Request) -> Response:
        """Switches a rule on."""
        return self._switch(request, SwitchState.ENABLED)

    @operation("DisableRule", atomic=True)
    def disable(self, request: Request) -> Response:
        """Switches a rule off."""
        return self._switch(request, SwitchState.DISABLED)

    def _switch(self, request: Request, state: SwitchState) -> Response:
        bus, rule = self._rule(request)
        _refuse_managed(rule)
        self._store.put(bus, {**rule, "State": state})
        self._changed()
        return {}

    @operation("PutTargets", atomic=True)
    def put_targets(self, request: Request) -> Response:
        """Adds targets to a rule, or changes those of the same id."""
        for target in request["Targets"]:
            check_form(target)
        bus, rule = self._rule(request, "Rule")
        _refuse_managed(rule)
        targets = {target["Id"]: target for target in own_rule(rule)["_targets"]}
        for target in request["Targets"]:
            target_input.check(target)
            check_target(target)
            check_dead_letters(target)
            targets[target["Id"]] = target
        if len(targets) > MOST_TARGETS:
            text = "The requested resource exceeds the maximum number allowed."
            raise ServiceError(text, code="LimitExceededException", status=400)
        self._store.put(bus, {**rule, **RuleRecord(_targets=list(targets.values()))})
        return {"FailedEntryCount": 0, "FailedEntries": []}

    @operation("RemoveTargets", atomic=True)
    def remove_targets(self, request: Request) -> Response:
        """Takes targets away by their ids; unknown ones are named in the response."""
        bus, rule = self._rule(request, "Rule")
        _refuse_managed(rule, request)
        known = {target["Id"] for target in own_rule(rule)["_targets"]}
        kept = [target for target in own_rule(rule)["_targets"] if target["Id"] not in request["Ids"]]
        self._store.put(bus, {**rule, **RuleRecord(_targets=kept)})
        text = "Rule does not have any targets by that id."
        failed = [
            {"TargetId": identity, "ErrorCode": "ResourceNotFoundException", "ErrorMessage": text}
            for identity in request["Ids"]
            if identity not in known
        ]
        return {"FailedEntryCount": len(failed), "FailedEntries": failed}

    @operation("ListTargetsByRule")
    def targets(self, request: Request) -> Response:
        """The targets of a rule."""
        return _page("Targets", own_rule(self._rule(request, "Rule")[1])["_targets"], request)

    @operation("ListRuleNamesByTarget")
    def names_by_target(self, request: Request) -> Response:
        """The rules that have a target with this ARN."""
        rules = self._store.rules(self._store.bus(request.get("EventBusName")))
        arn = request["TargetArn"]
        names = [rule["Name"] for rule in rules if any(t["Arn"] == arn for t in own_rule(rule)["_targets"])]
        return _page("RuleNames", names, request)

    @operation("TestEventPattern")
    def test(self, request: Request) -> Response:
        """Whether a pattern matches an event, which must have the members of an event's envelope.

        AWS's reference names ``resources`` among them; an event without it was seen to be taken (LocalStack's provider,
        whose tests are recorded on AWS, and its text).
        """
        try:
            event = load(request["Event"])
        except JsonError:
            event = None
        if not isinstance(event, dict) or not event.keys() >= ENVELOPE:
            raise ServiceError("Parameter Event is not valid.", code="ValidationException", status=400)
        return {"Result": patterns.parse(request["EventPattern"]).matches(event)}

    @operation("TagResource", atomic=True)
    def tag(self, request: Request) -> Response:
        """Adds tags to a rule or a bus."""
        added = {tag["Key"]: tag["Value"] for tag in request["Tags"]}
        self._retag(request["ResourceARN"], lambda tags: {**tags, **added})
        return {}

    @operation("UntagResource", atomic=True)
    def untag(self, request: Request) -> Response:
        """Takes tags away."""
        keys = request["TagKeys"]
        self._retag(request["ResourceARN"], lambda tags: {key: tags[key] for key in tags if key not in keys})
        return {}

    @operation("ListTagsForResource")
    def tags(self, request: Request) -> Response:
        """The tags of a rule or a bus."""
        _, body = self._by_arn(request["ResourceARN"])
        tags = own_rule(body).get("_tags", {})
        return {"Tags": [{"Key": key, "Value": value} for key, value in tags.items()]}

    def _by_arn(self, arn: str) -> tuple[str, Body]:
        """The bus that an ARN is of, and the record of its rule or, without one, of the bus."""
        bus, _, name = arn.partition(":rule/")[2].rpartition("/")
        if name:
            return bus or DEFAULT, self._store.require(bus or DEFAULT, name)
        bus = self._store.bus(arn)
        return bus, self._store.records.get(BUS, bus) or {"Name": bus}

    def _retag(self, arn: str, change: Callable[[dict[str, str]], dict[str, str]]) -> None:
        with self._store.records.transaction():
            bus, body = self._by_arn(arn)
            _refuse_managed(body)
            changed = {**body, **RuleRecord(_tags=change(own_rule(body).get("_tags", {})))}
            if ":rule/" in arn:
                self._store.put(bus, changed)
            elif bus != DEFAULT:
                self._store.records.put(BUS, bus, changed)
            else:
                raise ValidationError("Tags of the default event bus are not kept by the local service.")


class Buses(Resource):
    """CreateEventBus, DescribeEventBus, ListEventBuses, DeleteEventBus."""

    def __init__(self, *, store: RuleStore) -> None:
        self._store = store

    @operation("CreateEventBus", atomic=True)
    def create(self, request: Request) -> Response:
        """Adds a bus."""
        name = request["Name"]
        if name == DEFAULT or self._store.records.get(BUS, name) is not None:
            text = f"Event bus {name} already exists."
            raise ServiceError(text, code="ResourceAlreadyExistsException", status=400)
        if "/" in name:
            raise ValidationError("Event bus name must not contain '/'.")
        body = {"Name": name, "Arn": self._store.bus_arn(name), "CreationTime": now()}
        if request.get("Description"):
            body["Description"] = request["Description"]
        if request.get("Tags"):
            body |= RuleRecord(_tags={tag["Key"]: tag["Value"] for tag in request["Tags"]})
        self._store.records.put(BUS, name, body)
        return {"EventBusArn": body["Arn"]}

    @operation("DescribeEventBus")
    def describe(self, request: Request) -> Response:
        """One bus, the default one without a name."""
        name = self._store.bus(request.get("Name"))
        bus = self._store.records.get(BUS, name) or {"Name": name, "Arn": self._store.bus_arn(name)}
        return public(bus)

    @operation("ListEventBuses")
    def list(self, request: Request) -> Response:
        """All buses, the default one first."""
        own = {"Name": DEFAULT, "Arn": self._store.bus_arn(DEFAULT)}
        buses = [own, *map(public, self._store.records.list(BUS))]
        prefix = request.get("NamePrefix", "")
        return _page("EventBuses", [bus for bus in buses if bus["Name"].startswith(prefix)], request)

    @operation("DeleteEventBus", atomic=True)
    def delete(self, request: Request) -> Response:
        """Removes a bus without rules; an unknown one is removed already."""
        name = request["Name"]
        if name == DEFAULT:
            raise ValidationError("Cannot delete event bus default.")
        if self._store.records.has_any("event-rule", f"{name}/"):
            raise ValidationError("Cannot delete event bus, rules still exist.")
        self._store.records.delete(BUS, name)
        return {}


def _refuse_managed(rule: Body, request: Request | None = None) -> None:
    """Refuses a change of a rule that a service made for itself, but for a request with Force."""
    if rule.get("ManagedBy") and not (request or {}).get("Force"):
        raise ServiceError(MANAGED, code="ManagedRuleException", status=400)


def _page(member: str, rows: Sequence[Any], request: Request) -> Response:
    """The page of a list that a request is for; pages have 100 rows unless it says so."""
    refuse = partial(ServiceError, code="ValidationException", status=400)
    chosen, more = page_rows(rows, request, refuse, token="NextToken", size="Limit")
    return {member: chosen, **more}


def _describe_rule(rule: Body) -> dict[str, Any]:
    return {name: rule[name] for name in _SHOWN if rule.get(name) is not None}


def _check_schedule(expression: str) -> None:
    try:
        schedules.parse(expression)
    except schedules.InvalidSchedule as error:
        raise ValidationError("Parameter ScheduleExpression is not valid.") from error
