"""What the delivered project costs on AWS in a month: endpoints, monitors, and the delivery itself.

The formulas: an endpoint is 730 hours x instances x price, and twice the fleet while an update shifts the traffic;
monitors are runs x jobs x minutes; the delivery is the minutes of its actions and builds.
"""

from __future__ import annotations

from dataclasses import dataclass

from pipelines.cost.estimate import DAYS_OF_MONTH, HOURS_OF_MONTH, CostItem, Estimate
from pipelines.cost.prices import PriceTable

JOBS = {"DataQuality": 1, "ModelQuality": 2, "ModelBias": 2, "ModelExplainability": 1}
"""Jobs per run of each kind of monitor: those that need labels merge them first."""
MINUTES = 10.0  # of a monitor's job, its image's load included
FREE_MINUTES = 100.0  # of CodePipeline's actions and of CodeBuild's builds, each month


@dataclass(frozen=True)
class EndpointUse:
    """An endpoint's fleet, and how often it is updated."""

    instance: str = "ml.m5.large"
    count: int = 1
    updates: float = 4
    shift_minutes: float = 10


@dataclass(frozen=True)
class MonitorUse:
    """The monitors of one endpoint. `portable`: the checks as one pipeline, which needs no endpoint of its own."""

    kinds: tuple[str, ...] = tuple(JOBS)
    instance: str = "ml.m5.large"
    count: int = 1
    runs_per_day: float = 24
    minutes: float = MINUTES
    portable: bool = False


@dataclass(frozen=True)
class DeliveryUse:
    """How often code and models are delivered in a month."""

    commits: float = 20
    build_minutes: float = 15
    action_minutes: float = 25
    alarms: float = 6
    gigabytes: float = 5


def estimate_endpoint(use: EndpointUse, table: PriceTable) -> Estimate:
    """Of one variant; an endpoint with several costs the sum."""
    hours = HOURS_OF_MONTH * use.count
    shift = use.updates * use.shift_minutes / 60 * use.count
    items = [CostItem("instances all the time", use.instance, hours)]
    if shift:
        items.append(CostItem("second fleet during updates", use.instance, shift))
    assumptions = (
        f"{use.count} x {use.instance}, {HOURS_OF_MONTH:g} hours a month, no autoscaling",
        f"{use.updates:g} updates a month, each {use.shift_minutes:g} minutes from the new fleet to the end of the old",
        "without data processed, captured data in S3 and savings plans",
    )
    return Estimate("Endpoint", "month", table, items, assumptions)


def estimate_monitors(use: MonitorUse, table: PriceTable) -> Estimate:
    """Of one endpoint's monitors."""
    runs = use.runs_per_day * DAYS_OF_MONTH
    jobs = sum(JOBS[kind] for kind in use.kinds)
    if use.portable and use.kinds:
        jobs = 1 + 2 * len(use.kinds)
    hours = runs * jobs * use.minutes / 60 * use.count
    items = [CostItem("jobs", use.instance, hours)]
    text = (
        "one merge, and for each kind a check and a notification"
        if use.portable
        else "model quality and bias merge labels first"
    )
    assumptions = [
        f"{', '.join(use.kinds) or 'none'}: {jobs} jobs a run ({text}), {use.runs_per_day:g} runs a day, "
        f"{DAYS_OF_MONTH:g} days, {use.minutes:g} minutes a job",
        f"{use.count} x {use.instance}; without the jobs' volumes, metrics and captured data",
    ]
    if "ModelExplainability" in use.kinds and not use.portable:
        hours = runs * use.minutes / 60
        items.append(CostItem("endpoint that explainability makes for its job", use.instance, hours))
    return Estimate("Monitors of an endpoint", "month", table, items, assumptions)


def estimate_delivery(use: DeliveryUse, table: PriceTable) -> Estimate:
    """Of the delivery pipelines, builds and alarms."""
    items = [
        CostItem("delivery pipelines", "CodePipeline V2", use.commits * use.action_minutes, FREE_MINUTES),
        CostItem("builds", "CodeBuild general1.small", use.commits * use.build_minutes, FREE_MINUTES),
        CostItem("alarms", "CloudWatch alarm", use.alarms),
        CostItem("artifacts, data and captures in the bucket", "S3 Standard", use.gigabytes),
    ]
    assumptions = (
        f"{use.commits:g} commits a month, each {use.build_minutes:g} minutes of builds (one waits for the model's "
        f"pipeline) and {use.action_minutes:g} minutes of actions; approvals and AWS's own events are free",
        f"{use.gigabytes:g} GB in the bucket, whose keys are S3's own and free; old versions go after 90 days",
        "without the executions of the model's pipeline (delivery cost run), requests to S3, logs and topics",
    )
    return Estimate("Delivery", "month", table, items, assumptions)
