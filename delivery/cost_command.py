"""``delivery cost``: what a run, an endpoint, its monitors and the delivery cost on AWS."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import replace

from delivery.command_line import Adder, CommandContext
from delivery.cost import (
    JOBS,
    MINUTES,
    DeliveryUse,
    EndpointUse,
    MonitorUse,
    estimate_delivery,
    estimate_endpoint,
    estimate_monitors,
)
from delivery.errors import DeliveryError
from pipelines.command_line import EXECUTION, not_an_execution
from pipelines.cost import prices
from pipelines.cost.estimate import Estimate
from pipelines.cost.prices import UnknownPriceError

WHAT = ("run", "endpoint", "monitors", "delivery", "project")
EXAMPLES = """examples:
  delivery cost                                       a project: two endpoints, their monitors, the delivery
  delivery cost endpoint --instance-type ml.m5.xlarge --instance-count 2
  delivery cost monitors --runs-per-day 1
  delivery cost run EXECUTION-ARN                     what an execution cost, or would have cost on AWS
"""


def add_cost(add: Adder) -> None:
    """The command and its flags."""
    nested = add("cost", cost, "what a run, an endpoint, its monitors and the delivery cost on AWS")
    nested.epilog, nested.formatter_class = EXAMPLES, argparse.RawDescriptionHelpFormatter
    flag = nested.add_argument
    flag("what", nargs="?", choices=WHAT, default="project", help="by default the whole project, a month")
    flag("execution", nargs="?", help="ARN of a pipeline's execution, for run")
    flag("--instance-type", default="ml.m5.large", help="of the endpoint or the monitors")
    flag("--instance-count", type=_positive, default=1, metavar="N")
    flag("--updates", type=_amount, default=4, metavar="N", help="of the endpoint in a month, by default 4")
    flag("--shift-minutes", type=_amount, default=10, metavar="N", help="that an update has two fleets, by default 10")
    flag("--kinds", nargs="+", choices=tuple(JOBS), default=list(JOBS), help="of monitors, by default all")
    flag("--runs-per-day", type=_amount, default=24, metavar="N", help="of a monitor, by default 24")
    flag("--minutes", type=_amount, metavar="N", help="of a monitor's job, by default 10; at least of a run's jobs")
    flag("--portable", action="store_true", help="monitors as a pipeline instead of schedules of Model Monitor")
    flag("--commits", type=_amount, default=20, metavar="N", help="in a month, by default 20")


def cost(work: CommandContext) -> None:
    """Prints the estimates with their assumptions."""
    arguments = work.arguments
    if (arguments.what == "run") != bool(arguments.execution):
        raise DeliveryError("delivery cost run takes the ARN of an execution, and only run takes one")
    if arguments.execution and not EXECUTION.fullmatch(arguments.execution):
        raise DeliveryError(not_an_execution(arguments.execution))
    try:
        estimates = _estimates(work)
        lines = [list(estimate.lines()) for estimate in estimates]
    except UnknownPriceError as error:
        raise DeliveryError(str(error)) from error
    print("\n\n".join("\n".join(group) for group in lines))
    if len(estimates) > 1:
        total = sum(estimate.total for estimate in estimates)
        print(f"\nTogether: USD {total:,.2f} per month, and each execution of the model's pipeline")


def _estimates(work: CommandContext) -> list[Estimate]:
    arguments = work.arguments
    if arguments.what == "run":
        from pipelines.cost.run import read_run

        return [read_run(work.clients, arguments.execution, arguments.minutes or 0)]
    table = prices.load(work.region)
    fleet = (arguments.instance_type, arguments.instance_count)
    endpoint = EndpointUse(*fleet, arguments.updates, arguments.shift_minutes)
    monitors = MonitorUse(
        tuple(arguments.kinds),
        *fleet,
        arguments.runs_per_day,
        MINUTES if arguments.minutes is None else arguments.minutes,
        arguments.portable,
    )
    makers: dict[str, Callable[[], Estimate]] = {
        "endpoint": lambda: estimate_endpoint(endpoint, table),
        "monitors": lambda: estimate_monitors(monitors, table),
        "delivery": lambda: estimate_delivery(DeliveryUse(arguments.commits), table),
    }
    if arguments.what != "project":
        return [makers[arguments.what]()]
    both = [
        replace(makers[what](), title=f"{title} {stage}")
        for stage in ("staging", "production")
        for what, title in (("endpoint", "Endpoint of"), ("monitors", "Monitors of"))
    ]
    return [*both, makers["delivery"]()]


def _amount(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = -1
    if not 0 <= number < 1e9:
        raise argparse.ArgumentTypeError(f"{text} is not a number from 0")
    return number


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text} is not a number from 1")
    return int(text)
