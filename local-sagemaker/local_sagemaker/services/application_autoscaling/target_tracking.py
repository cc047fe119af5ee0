"""What a target-tracking policy wants, from one measurement a minute (User Guide, "How target tracking works").

As the alarms that AWS makes for such a policy: three minutes in a row above the target scale out, fifteen below nine
tenths of it scale in.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Mapping
from typing import Any

METRIC = "SageMakerVariantInvocationsPerInstance"
COOLDOWN = 300  # seconds
_OUT, _IN = 3, 15  # measurements
_MARGIN = 0.9


class Tracker:
    """One policy of one variant. `now` are seconds of any clock."""

    def __init__(self, configuration: Mapping[str, Any]) -> None:
        """`configuration` is a TargetTrackingScalingPolicyConfiguration."""
        self.configuration = configuration
        self.out_cooldown = configuration.get("ScaleOutCooldown", COOLDOWN)
        self.in_cooldown = configuration.get("ScaleInCooldown", COOLDOWN)
        self._target = configuration["TargetValue"]
        self._samples: deque[float] = deque(maxlen=_IN)
        self._out_until = self._in_until = -math.inf
        self._added = 0

    @property
    def acts(self) -> bool:
        """Whether the metric is one that is measured here."""
        metric = self.configuration.get("PredefinedMetricSpecification", {})
        return bool(metric.get("PredefinedMetricType") == METRIC)

    def sample(self, value: float) -> None:
        """A minute's invocations per instance."""
        self._samples.append(value)

    def desired_capacity(self, current: int) -> int:
        """How many instances it wants instead of `current`, without regard to bounds and cooldowns."""
        samples = list(self._samples)
        if len(samples) >= _OUT and min(samples[-_OUT:]) > self._target:
            return math.ceil(current * samples[-1] / self._target - 1e-9)
        if (
            len(samples) == _IN
            and max(samples) < _MARGIN * self._target
            and not self.configuration.get("DisableScaleIn")
        ):
            return math.ceil(current * max(samples) / self._target - 1e-9)
        return current

    def may_scale(self, current: int, wanted: int, *, now: float) -> bool:
        """Whether no cooldown is in the way: of a scale-out, only a larger one continues."""
        if wanted > current:
            return now >= self._out_until or wanted - current > self._added
        return now >= self._in_until

    def record_scaling(self, current: int, wanted: int, *, now: float) -> None:
        """The number was changed: a cooldown begins. One of scaling in ends with a scale-out."""
        if wanted > current:
            self._out_until, self._added, self._in_until = now + self.out_cooldown, wanted - current, -math.inf
        else:
            self._in_until = now + self.in_cooldown
