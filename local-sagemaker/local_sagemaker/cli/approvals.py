"""``local-sagemaker approvals``: the manual approvals of delivery pipelines that wait."""

from __future__ import annotations

import argparse
import json

from local_sagemaker import lifecycle
from local_sagemaker.cli.control import post
from local_sagemaker.config import Settings


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Which, and in which form."""
    parser.add_argument("pipeline", nargs="?", default="", help="only those of this pipeline")
    parser.add_argument("--json", action="store_true", help="JSON for programs")
    parser.add_argument("--region", default="", help="the region (default: the service's)")


def run(options: argparse.Namespace, settings: Settings) -> int:
    """Prints them, the oldest first."""
    service = lifecycle.start(settings)
    rows = post(settings, service, "approvals", region=options.region, pipeline=options.pipeline)["approvals"]
    if options.json:
        print(json.dumps(rows))
        return 0
    if not rows:
        print("No approval waits.")
    for row in rows:
        print(f"{row['pipeline']}: {row['stage']} / {row['action']}, since {row['since']}, until {row['expires']}")
        for text in (*row["revisions"], row["data"], row["link"]):
            if text:
                print(f"  {text}")
        print(f"  local-sagemaker approve {row['pipeline']} --stage {row['stage']} --action {row['action']}")
    return 0
