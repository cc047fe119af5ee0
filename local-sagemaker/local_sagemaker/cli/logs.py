"""``local-sagemaker logs``: the service's own log, or the log streams whose name holds a word."""

from __future__ import annotations

import argparse
import subprocess

from local_sagemaker.config import Settings
from local_sagemaker.lifecycle import LifecycleError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Which log, how much of it, and whether to go on."""
    parser.add_argument("name", nargs="?", help="part of a job's or step's name; left out: the service's own log")
    parser.add_argument("-n", "--lines", type=int, default=50, help="last lines to show of each (default 50)")
    parser.add_argument("-f", "--follow", action="store_true", help="go on as lines are added")


def run(options: argparse.Namespace, settings: Settings) -> int:
    """Shows them with ``tail``, which names the files when there are several."""
    files = [settings.home / "service.log"]
    if options.name:
        wanted = options.name.lower()
        logs = settings.home / "logs"  # of all regions
        found = [file for file in logs.rglob("*") if file.is_file() and not file.name.startswith(".")]
        files = sorted(file for file in found if wanted in str(file.relative_to(logs)).lower())
    if not files or not files[0].exists():
        raise LifecycleError(f"There is no log of '{options.name or 'the service'}' in {settings.home}.")
    words = ["tail", "-n", str(options.lines), *(["-f"] if options.follow else []), "--", *map(str, files)]
    return subprocess.run(words, check=False).returncode
