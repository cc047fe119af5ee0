"""The records of event buses, rules, and what is on its way to targets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from local_sagemaker.arns import Arns
from local_sagemaker.errors import ResourceNotFound
from local_sagemaker.eventbridge.pattern_index import PatternIndex
from local_sagemaker.eventbridge.patterns import parse
from local_sagemaker.records import Records
from local_sagemaker.records.status import SwitchState
from local_sagemaker.records.store import Body

RULE, BUS, DELIVERY, HISTORY = "event-rule", "event-bus", "event-delivery", "event-history"
DEFAULT = "default"
KEPT = 1_000
"""How many events are kept with what became of them."""


class RuleNotFound(ResourceNotFound):
    """No such bus or rule, in EventBridge's code."""

    code = "ResourceNotFoundException"


class RuleStore:
    """Rules by bus, their patterns parsed and indexed once.

    What is kept in memory changes inside the records' transactions only: a second lock could be taken in another order.
    """

    def __init__(self, records: Records, arns: Arns) -> None:
        self.records, self._arns, self.account = records, arns, arns.account
        self._matched: dict[str, tuple[list[Body], PatternIndex]] = {}
        self._rules: dict[str, list[Body]] = {}

    def bus(self, name_or_arn: str | None) -> str:
        """The name of a bus that exists. Raises EventBridge's error otherwise."""
        name = (name_or_arn or DEFAULT).rpartition("event-bus/")[2]
        if name != DEFAULT and self.records.get(BUS, name) is None:
            raise RuleNotFound(f"Event bus {name} does not exist.")
        return name

    def rule_arn(self, bus: str, name: str) -> str:
        """A rule's ARN: that of the default bus does not name it."""
        return self._arns.of("events", f"rule/{name}" if bus == DEFAULT else f"rule/{bus}/{name}")

    def bus_arn(self, name: str) -> str:
        """A bus's ARN."""
        return self._arns.of("events", f"event-bus/{name}")

    def require(self, bus: str, name: str) -> Body:
        """A rule. Raises EventBridge's error when there is none."""
        body = self.records.get(RULE, f"{bus}/{name}")
        if body is None:
            raise RuleNotFound(f"Rule {name} does not exist on EventBus {bus}.")
        return body

    def put(self, bus: str, body: Body) -> None:
        """Adds or replaces a rule."""
        with self.records.transaction():
            self.records.put(RULE, f"{bus}/{body['Name']}", body)
            self._forget(bus)

    def delete(self, bus: str, name: str) -> None:
        """Removes a rule."""
        with self.records.transaction():
            self.records.delete(RULE, f"{bus}/{name}")
            self._forget(bus)

    def _forget(self, bus: str) -> None:
        self._rules.pop(bus, None)
        self._matched.pop(bus, None)

    def forget_all(self) -> None:
        """Drops what is kept in memory, for a service that continues empty."""
        with self.records.transaction():
            self._rules.clear()
            self._matched.clear()

    def rules(self, bus: str) -> list[Body]:
        """All rules of a bus."""
        rules = self._rules.get(bus)
        if rules is not None:
            return rules
        with self.records.transaction():
            rules = self._rules[bus] = self.records.list(RULE, f"{bus}/")
        return rules

    def matching(self, bus: str, event: Mapping[str, Any]) -> list[Body]:
        """The enabled rules whose pattern matches an event."""
        rules, index = self._index(bus)
        return [rules[number] for number in index.find(event)]

    def _index(self, bus: str) -> tuple[list[Body], PatternIndex]:
        index = self._matched.get(bus)
        if index is not None:
            return index
        with self.records.transaction():
            enabled = [
                rule for rule in self.rules(bus) if rule["State"] != SwitchState.DISABLED and rule.get("EventPattern")
            ]
            index = self._matched[bus] = enabled, PatternIndex([parse(rule["EventPattern"]) for rule in enabled])
        return index
