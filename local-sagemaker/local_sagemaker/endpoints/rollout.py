"""How an update moves traffic from the old fleet to the new: at once, by canary, linearly, or in rolling batches.

Between steps the alarms of the deployment are watched; an alarm, or a new instance that is not healthy, sends
everything back to the old fleet (contracts: containers 5.5).
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from local_sagemaker.endpoints.fleet import Fleet, drain, stop_all
from local_sagemaker.endpoints.traffic_split import VariantRoute
from local_sagemaker.errors import ServiceError
from local_sagemaker.records.status import VariantStatus

_LOOK = 0.25
"""Seconds between two looks at the alarms."""
Alarms = Callable[[Sequence[str]], Sequence[str]]
"""Which of these CloudWatch alarms are in ALARM."""


class RolledBack(Exception):
    """The update was undone; the text is the endpoint's FailureReason. The old fleet serves."""


class RollbackFailed(Exception):
    """Neither the update nor the way back worked."""


@dataclass(frozen=True)
class RolloutPolicy:
    """A DeploymentConfig. `size` of rolling batches is {Type, Value}; times in seconds."""

    steps: tuple[Mapping[str, Any], ...] = ()
    linear: bool = False
    interval: float = 0.0
    termination: float = 0.0
    maximum: float = math.inf
    batch: Mapping[str, Any] | None = None
    alarms: tuple[str, ...] = ()

    @classmethod
    def of(cls, config: Mapping[str, Any]) -> RolloutPolicy:
        """Reads a DeploymentConfig; an empty one is all at once, without waiting."""
        alarms = config.get("AutoRollbackConfiguration", {}).get("Alarms", [])
        names = tuple(alarm["AlarmName"] for alarm in alarms if "AlarmName" in alarm)
        rolling = config.get("RollingUpdatePolicy")
        if rolling:
            return cls(
                interval=rolling["WaitIntervalInSeconds"],
                maximum=rolling.get("MaximumExecutionTimeoutInSeconds", math.inf),
                batch=rolling["MaximumBatchSize"],
                alarms=names,
            )
        policy = config.get("BlueGreenUpdatePolicy", {})
        routing = policy.get("TrafficRoutingConfiguration", {"Type": "ALL_AT_ONCE", "WaitIntervalInSeconds": 0})
        step = {"CANARY": routing.get("CanarySize"), "LINEAR": routing.get("LinearStepSize")}.get(routing["Type"])
        return cls(
            steps=(step,) if step else (),
            linear=routing["Type"] == "LINEAR",
            interval=routing["WaitIntervalInSeconds"],
            termination=policy.get("TerminationWaitInSeconds", 0),
            maximum=policy.get("MaximumExecutionTimeoutInSeconds", math.inf),
            alarms=names,
        )

    def shares(self, instances: int) -> list[float]:
        """The shares of traffic of the new fleet, step by step, up to 1."""
        if not self.steps:
            return [1.0]
        first = _fraction(self.steps[0], instances)
        if not self.linear:
            return [first, 1.0] if first < 1 else [1.0]
        count = math.ceil(1 / first - 1e-9)
        return [min(1.0, first * number) for number in range(1, count)] + [1.0]

    def batches(self, instances: int) -> list[int]:
        """The sizes of rolling batches."""
        assert self.batch is not None
        size = max(1, math.floor(_fraction(self.batch, instances) * instances))
        return [min(size, instances - start) for start in range(0, instances, size)]


def _fraction(size: Mapping[str, Any], instances: int) -> float:
    part = size["Value"] / 100 if size["Type"] == "CAPACITY_PERCENT" else size["Value"] / max(1, instances)
    return float(min(1.0, max(part, 0.01)))


class Rollout:
    """One update, run in the endpoint's thread. `progress` receives (stage, share); `stop` ends waiting at once."""

    def __init__(
        self,
        route: VariantRoute,
        green: Fleet,
        policy: RolloutPolicy,
        *,
        alarms: Alarms,
        in_loop: Callable[[Callable[[], None]], None],
        progress: Callable[[str, float], None],
        stop: threading.Event,
    ) -> None:
        self._route, self._blue, self._green, self._policy = route, route.fleet, green, policy
        self._alarms, self._in_loop, self._progress, self._stop = alarms, in_loop, progress, stop
        self._deadline = time.monotonic() + policy.maximum

    def run(self) -> None:
        """Moves all traffic and ends the old fleet. Raises RolledBack when the old one serves again."""
        try:
            self._look()
            if self._policy.batch:
                self._roll()
            else:
                self._shift()
        except ServiceError as error:
            self._back()
            raise RolledBack(error.message) from error
        except RolledBack:
            self._back()
            raise

    def _shift(self) -> None:
        self._progress(VariantStatus.CREATING, 0.0)
        self._green.start()
        total = sum(variant.spec.instances for variant in self._green.production)
        for share in self._policy.shares(total):
            self._progress("ActivatingTraffic", share)
            self._in_loop(partial(self._route.shift, self._green, share))
            self._bake(share)
        self._in_loop(self._route.finish)
        self._wait(self._policy.termination, watched=False)
        self._progress(VariantStatus.DELETING, 1.0)
        self._blue.stop()

    def _roll(self) -> None:
        """Batch by batch: new instances start, take their part, and as many old ones end."""
        (new,), (old,) = self._green.production, self._blue.production
        total = new.spec.instances
        surplus = len(old.instances) - total
        for size in self._policy.batches(total):
            self._progress(VariantStatus.CREATING, len(new.instances) / total)
            new.add(new.start(size))
            share = len(new.instances) / total
            self._progress("ActivatingTraffic", share)
            self._in_loop(partial(self._route.shift, self._green, share))
            self._bake(share)
            if share < 1:
                ended = old.take(max(0, min(size + surplus, len(old.instances) - 1)))
                surplus = 0
                drain(ended)
                stop_all(ended)
        self._in_loop(self._route.finish)
        self._progress(VariantStatus.DELETING, 1.0)
        self._blue.stop()

    def _bake(self, share: float) -> None:
        if self._policy.interval or self._policy.alarms:
            self._progress("Baking", share)
        self._wait(self._policy.interval, watched=True)

    def _wait(self, seconds: float, *, watched: bool) -> None:
        end = time.monotonic() + seconds
        while True:
            if watched:
                self._look()
            left = end - time.monotonic()
            if left <= 0 or self._stop.wait(min(_LOOK, left)):
                return

    def _look(self) -> None:
        if self._policy.alarms:
            ringing = self._alarms(self._policy.alarms)
            if ringing:
                raise RolledBack(
                    "One or more alarms configured for the deployment are in ALARM state: " + ", ".join(ringing)
                )
        if time.monotonic() > self._deadline:
            raise RolledBack(f"The deployment took longer than {self._policy.maximum:.0f} seconds.")

    def _back(self) -> None:
        """All traffic to the old fleet, with the instances that it had."""
        self._progress(VariantStatus.UPDATING, 0.0)
        try:
            for variant in self._blue.variants.values():
                missing = variant.spec.instances - len(variant.instances)
                if missing > 0:
                    variant.add(variant.start(missing))
        except ServiceError as error:
            raise RollbackFailed(error.message) from error
        finally:
            self._in_loop(partial(self._route.shift, None, 0.0))
            self._green.stop()
