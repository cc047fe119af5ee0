"""``local-sagemaker monitor``: the monitoring schedules with their newest executions, and running one now."""

from __future__ import annotations

import argparse
import json
import sys
import time
from typing import Any

from local_sagemaker import lifecycle
from local_sagemaker.cli.control import post
from local_sagemaker.config import Settings

_ENDED = ("Completed", "CompletedWithViolations", "Failed", "Stopped")
_PAUSE = 0.2  # seconds between two looks at a running execution


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Two verbs of its own."""
    verbs = parser.add_subparsers(dest="verb", metavar="VERB", required=True)
    listing = verbs.add_parser("list", help="all schedules: status, next time, newest execution")
    running = verbs.add_parser("run", help="run a schedule now, and wait for the end")
    running.add_argument("schedule", help="the schedule's name")
    running.add_argument("--no-wait", action="store_true", help="return when the execution has begun")
    for one in (listing, running):
        one.add_argument("--json", action="store_true", help="JSON for programs")
        one.add_argument("--region", default="", help="the region (default: the service's)")


def run(options: argparse.Namespace, settings: Settings) -> int:
    """Exit code 0; of `run` 4 when there were violations, 5 when the execution failed."""
    service = lifecycle.start(settings)
    if options.verb == "list":
        return _list(post(settings, service, "monitors", region=options.region)["monitors"], options)
    execution = post(settings, service, "monitor-run", region=options.region, schedule=options.schedule)
    if not options.no_wait:
        print(f"Running {options.schedule} ...", file=sys.stderr)
        while execution["MonitoringExecutionStatus"] not in _ENDED:
            time.sleep(_PAUSE)
            execution = post(settings, service, "monitor-execution", region=options.region, key=execution["key"])
    _print_execution(execution, options)
    return {"CompletedWithViolations": 4, "Failed": 5, "Stopped": 5}.get(execution["MonitoringExecutionStatus"], 0)


def _print_execution(execution: dict[str, Any], options: argparse.Namespace) -> None:
    if options.json:
        print(json.dumps(execution))
        return
    print(f"{execution['MonitoringScheduleName']}: {execution['MonitoringExecutionStatus']}")
    if execution.get("FailureReason"):
        print(f"  {execution['FailureReason']}")
    if execution.get("output"):
        print(f"  reports in {execution['output']}")
    for violation in execution.get("violations", ()):
        what = violation.get("feature_name") or violation.get("metric_name") or violation.get("facet") or ""
        print(f"  {violation.get('constraint_check_type', 'violation')} {what}: {violation.get('description', '')}")


def _list(monitors: list[dict[str, Any]], options: argparse.Namespace) -> int:
    if options.json:
        print(json.dumps(monitors))
        return 0
    if not monitors:
        print("There are no monitoring schedules.")
    for one in monitors:
        print(f"{one['name']}  {one['type']}  {one['status']}" + (f"  of {one['endpoint']}" if one["endpoint"] else ""))
        print(f"  {one['expression']}; next: {one['next'] or '-'}; newest: {one['newest'] or '-'}")
        if one["missed"]:
            print(f"  {one['missed']} times were missed while the clock moved on or the service was down")
    return 0
