"""``local-sagemaker env``: shell lines for ``eval``."""

from __future__ import annotations

import argparse
import shlex

from local_sagemaker import lifecycle
from local_sagemaker.cli.exec import connection
from local_sagemaker.client_environment import REMOVED
from local_sagemaker.config import Settings


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The form of the lines."""
    parser.add_argument("--format", choices=("sh", "fish", "dotenv"), default="sh", help="shell syntax (default sh)")


def run(options: argparse.Namespace, settings: Settings) -> int:
    """Prints them; the service must be running."""
    found = lifecycle.running(settings)
    if not found:
        raise lifecycle.LifecycleError("The service is not running; start it with 'local-sagemaker up'.")
    for name, value in connection(settings, found).items():
        quoted = shlex.quote(value)
        lines = {"sh": f"export {name}={quoted}", "fish": f"set -gx {name} {quoted}", "dotenv": f"{name}={value}"}
        print(lines[options.format])
    if options.format != "dotenv":
        print(f"unset {' '.join(REMOVED)}" if options.format == "sh" else f"set -e {' '.join(REMOVED)}")
    return 0
