"""``local-sagemaker clock``: the service's clock, which can be moved ahead, so that nobody waits for an hour."""

from __future__ import annotations

import argparse
import json

from local_sagemaker import lifecycle
from local_sagemaker.cli.control import post
from local_sagemaker.config import Settings


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What to do with it."""
    parser.add_argument(
        "to", nargs="?", default="", metavar="TIME",
        help="move it to this time (2026-01-31T12:59:50Z, UTC) or ahead by this long (90m, 1h, 2d); never back",
    )  # fmt: skip
    parser.add_argument("--json", action="store_true", help="one JSON object for programs")


def run(options: argparse.Namespace, settings: Settings) -> int:
    """Moves it, and prints what it shows."""
    shown = post(settings, lifecycle.start(settings), "clock", to=options.to)
    if options.json:
        print(json.dumps(shown))
        return 0
    ahead = f", {shown['ahead']:.0f} s ahead of the machine's" if shown["ahead"] else ""
    print(f"The service's clock shows {shown['now']}{ahead}.")
    return 0
