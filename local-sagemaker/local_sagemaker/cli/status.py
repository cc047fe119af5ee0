"""``local-sagemaker status``: whether the service runs, where, and what it holds."""

from __future__ import annotations

import argparse
import json
import time

from local_sagemaker import lifecycle
from local_sagemaker.cli.control import post
from local_sagemaker.config import Settings


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The form of the output."""
    parser.add_argument("--json", action="store_true", help="one JSON object for programs")


def run(options: argparse.Namespace, settings: Settings) -> int:
    """Prints it; exit code 3 when the service is not running, as for system services."""
    service = lifecycle.find_running(settings)
    if not service:
        print(json.dumps({"running": False}) if options.json else f"Not running; state in {settings.home}")
        return 3
    counts = post(settings, service, "status")
    if options.json:
        print(json.dumps({"running": True, **service, "holds": counts}))
        return 0
    minutes, seconds = divmod(int(time.time() - service["started"]), 60)
    print(f"Running at {service['url']} (process {service['pid']}) for {minutes} min {seconds} s")
    print(f"Account {service['account']}, region {service['region']}, version {service['version']}, ", end="")
    print(f"state in {settings.home}")
    for name, count in counts.items():
        print(f"  {name:24}{count}")
    return 0
