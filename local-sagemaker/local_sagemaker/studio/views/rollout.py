"""An endpoint's change in words: which fleets, what share of the traffic, what would roll it back. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from local_sagemaker.studio.views.times import duration, seconds

_SHARE = re.compile(r"^(\d+)% of the traffic")
_CHANGING = ("Updating", "RollingBack")


@dataclass(frozen=True)
class FleetRow:
    """A variant of the old or of the new fleet. `share`: percent of the traffic, None where it is not known."""

    fleet: str
    variant: str
    config: str
    status: str
    message: str
    share: int | None
    instances: str
    since: float | None


@dataclass(frozen=True)
class RolloutView:
    """A deployment that is under way."""

    is_rollback: bool
    started: float | None
    before: str
    after: str
    policy: str
    fleets: list[FleetRow]
    share: int
    alarms: list[str]


def rollout_of(described: Mapping[str, Any]) -> RolloutView | None:
    """The deployment that DescribeEndpoint's response shows; None while nothing changes."""
    pending = described.get("PendingDeploymentSummary")
    status = described.get("EndpointStatus", "")
    if not pending or status not in _CHANGING:
        return None
    before, after = described.get("EndpointConfigName", ""), pending.get("EndpointConfigName", "")
    fresh = [_fleet("new", after, item) for item in pending.get("ProductionVariants", [])]
    share = next((item.share for item in fresh if item.share is not None), 0)
    old = [_fleet("old", before, item, 100 - share) for item in described.get("ProductionVariants", [])]
    config = described.get("LastDeploymentConfig") or {}
    return RolloutView(
        status == "RollingBack", seconds(pending.get("StartTime")), before, after, policy_in_words(config),
        [*old, *fresh], share, alarms_of(config),
    )  # fmt: skip


def _fleet(fleet: str, config: str, item: Mapping[str, Any], share: int | None = None) -> FleetRow:
    status = (item.get("VariantStatus") or [{}])[-1]
    message = str(status.get("StatusMessage", ""))
    match = _SHARE.match(message)
    current, desired = item.get("CurrentInstanceCount"), item.get("DesiredInstanceCount")
    instances = f"{current if current is not None else 0} of {desired}" if desired is not None else "-"
    return FleetRow(
        fleet, item.get("VariantName", ""), config, str(status.get("Status", "")), message,
        int(match[1]) if match else share, instances, seconds(status.get("StartTime")),
    )  # fmt: skip


def alarms_of(config: Mapping[str, Any]) -> list[str]:
    """The names of the alarms that roll a deployment back."""
    listed: Sequence[Mapping[str, Any]] = (config.get("AutoRollbackConfiguration") or {}).get("Alarms") or []
    return [str(item.get("AlarmName", "")) for item in listed]


def policy_in_words(config: Mapping[str, Any]) -> str:
    """A DeploymentConfig as a sentence."""
    if rolling := config.get("RollingUpdatePolicy"):
        batch = _size(rolling.get("MaximumBatchSize"))
        return f"Rolling: {batch} at a time, {duration(rolling.get('WaitIntervalInSeconds', 0))} between."
    routing = (config.get("BlueGreenUpdatePolicy") or {}).get("TrafficRoutingConfiguration") or {}
    wait = duration(routing.get("WaitIntervalInSeconds", 0))
    if routing.get("Type") == "CANARY":
        return f"Canary: {_size(routing.get('CanarySize'))} first, all of it after {wait}."
    if routing.get("Type") == "LINEAR":
        return f"Linear: {_size(routing.get('LinearStepSize'))} more every {wait}."
    return "All at once: the traffic goes to the new fleet as soon as it runs."


def _size(value: Mapping[str, Any] | None) -> str:
    unit = " %" if (value or {}).get("Type") == "CAPACITY_PERCENT" else " instances"
    return f"{(value or {}).get('Value', '?')}{unit}"


def make_policy(strategy: str, step: int, wait: int, alarms: Sequence[str]) -> dict[str, Any]:
    """The DeploymentConfig of a form: all at once, canary or linear, with the alarms that roll it back."""
    routing: dict[str, Any] = {"Type": "ALL_AT_ONCE", "WaitIntervalInSeconds": wait}
    if strategy in ("CANARY", "LINEAR"):
        size = "CanarySize" if strategy == "CANARY" else "LinearStepSize"
        routing |= {"Type": strategy, size: {"Type": "CAPACITY_PERCENT", "Value": step}}
    config: dict[str, Any] = {
        "BlueGreenUpdatePolicy": {"TrafficRoutingConfiguration": routing, "TerminationWaitInSeconds": 0}
    }
    if alarms:
        config["AutoRollbackConfiguration"] = {"Alarms": [{"AlarmName": name} for name in alarms]}
    return config
