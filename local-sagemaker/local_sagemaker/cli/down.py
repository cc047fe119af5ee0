"""``local-sagemaker down``: stops the service."""

from __future__ import annotations

import argparse

from local_sagemaker import lifecycle
from local_sagemaker.config import Settings


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """No options."""


def run(options: argparse.Namespace, settings: Settings) -> int:
    """Stops it; running executions resume at the next ``up``."""
    stopped = lifecycle.stop(settings)
    print("Stopped; executions that were running resume at the next 'up'." if stopped else "Not running.")
    return 0
