"""``local-sagemaker approve`` and ``reject``: the result of a manual approval, with a comment."""

from __future__ import annotations

import argparse
import json

from local_sagemaker import lifecycle
from local_sagemaker.cli.control import post
from local_sagemaker.config import Settings


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Which approval, and why."""
    parser.add_argument("pipeline", help="the pipeline in which it waits")
    parser.add_argument("--stage", default="", help="the stage, where several approvals wait")
    parser.add_argument("--action", default="", help="the action, where several approvals wait")
    parser.add_argument("--comment", default="", help="why; kept with the result (512 characters at most)")
    parser.add_argument("--json", action="store_true", help="JSON for programs")
    parser.add_argument("--region", default="", help="the region (default: the service's)")


def run(options: argparse.Namespace, settings: Settings) -> int:
    """Approves."""
    return decide(options, settings, "Approved")


def decide(options: argparse.Namespace, settings: Settings, status: str) -> int:
    """Gives the result, and prints what it was given to."""
    service = lifecycle.start(settings)
    row = post(
        settings, service, "approval-result", region=options.region, pipeline=options.pipeline, stage=options.stage,
        action=options.action, status=status, summary=options.comment,
    )  # fmt: skip
    line = f"{status}: {row['pipeline']}, {row['stage']} / {row['action']}"
    print(json.dumps(row) if options.json else line)
    return 0
