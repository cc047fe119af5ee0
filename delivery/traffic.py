"""How an update moves the traffic to the new version, and which alarms undo it: a DeploymentConfig of UpdateEndpoint.

Ranges are those of the API reference (TrafficRoutingConfig, CapacitySize, AutoRollbackConfig).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from delivery.clients import Clients
from delivery.errors import DeliveryError, not_found

AT_ONCE, CANARY, LINEAR = TYPES = ("all-at-once", "canary", "linear")
WAIT = 300  # seconds at each step, by default
_LEAST = {CANARY: 1, LINEAR: 10}  # percent
_MOST = 50  # percent
_DENIED = ("AccessDenied", "AccessDeniedException")


@dataclass(frozen=True)
class Size:
    """A part of the new version's capacity: percent of it, or a number of instances."""

    value: int
    percent: bool

    def __str__(self) -> str:
        if self.percent:
            return f"{self.value}%"
        return f"{self.value} instance{'s' if self.value > 1 else ''}"

    def share(self, instances: int) -> float:
        """The part of all the traffic that it gets."""
        return self.value / 100 if self.percent else self.value / instances

    def configuration(self) -> dict[str, Any]:
        return {"Type": "CAPACITY_PERCENT" if self.percent else "INSTANCE_COUNT", "Value": self.value}


@dataclass(frozen=True)
class Traffic:
    """A traffic policy. Times in seconds: `wait` at each step, `termination` until the old version's instances end."""

    kind: str = AT_ONCE
    size: Size | None = None
    wait: int = WAIT
    termination: int = 0
    alarms: tuple[str, ...] = ()

    def __str__(self) -> str:
        """The policy in words, for the line about a deployment."""
        words = {
            AT_ONCE: f"all at once, watched for {self.wait} s",
            CANARY: f"canary of {self.size} for {self.wait} s",
            LINEAR: f"in steps of {self.size} every {self.wait} s",
        }[self.kind]
        return words + (f", undone by {' or '.join(self.alarms)}" if self.alarms else "")

    def check(self, instances: int) -> None:
        """Refuses what AWS would refuse.

        :param instances: how many the new version has.
        """
        if len(self.alarms) > 10:
            raise DeliveryError(f"at most 10 alarms can be watched, not {len(self.alarms)}")
        if self.kind == AT_ONCE:
            if self.size:
                raise DeliveryError("--traffic-size goes with --traffic canary or linear")
            return
        assert self.size is not None
        steps = "a canary" if self.kind == CANARY else "linear steps"
        if self.size.percent and not _LEAST[self.kind] <= self.size.value <= _MOST:
            raise DeliveryError(f"--traffic-size of {steps} is {_LEAST[self.kind]}% to {_MOST}%, not {self.size}")
        if self.size.share(instances) * 100 > _MOST:
            raise DeliveryError(f"--traffic-size of {steps} is at most half of the {instances} instances")

    def seconds(self, instances: int) -> float:
        """How long its waiting takes at most."""
        steps = 1
        if self.size:
            steps = 2 if self.kind == CANARY else math.ceil(1 / self.size.share(instances) - 1e-9)
        return steps * self.wait + self.termination

    def configuration(self) -> dict[str, Any]:
        """As UpdateEndpoint takes it."""
        routing: dict[str, Any] = {
            "Type": self.kind.replace("-", "_").upper(),
            "WaitIntervalInSeconds": self.wait,
        }
        if self.size:
            routing["CanarySize" if self.kind == CANARY else "LinearStepSize"] = self.size.configuration()
        policy = {"TrafficRoutingConfiguration": routing, "TerminationWaitInSeconds": self.termination}
        alarms = {"Alarms": [{"AlarmName": name} for name in self.alarms]}
        return {
            "BlueGreenUpdatePolicy": policy,
            **({"AutoRollbackConfiguration": alarms} if self.alarms else {}),
        }


def expect_alarms(clients: Clients, names: tuple[str, ...]) -> None:
    """Rejects unknown alarm names; skipped without permission to describe alarms."""
    if not names:
        return
    try:
        pages = list(clients.cloudwatch.get_paginator("describe_alarms").paginate())
    except ClientError as error:
        if error.response["Error"]["Code"] in _DENIED:
            return
        raise
    known = [alarm["AlarmName"] for page in pages for kind in ("MetricAlarms", "CompositeAlarms")
             for alarm in page.get(kind, ())]  # fmt: skip
    for name in names:
        if name not in known:
            raise not_found("alarm", name, known)
