"""``local-sagemaker reset``: empties the service."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from local_sagemaker import lifecycle
from local_sagemaker.cli.control import post
from local_sagemaker.config import Settings
from local_sagemaker.files.removal import remove

KEPT = ("credentials.json", "lock", "start.lock", "service.json", "service.log", "images.json", ".gitignore")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Whether to confirm."""
    parser.add_argument("--yes", action="store_true", help="no confirmation")


def run(options: argparse.Namespace, settings: Settings) -> int:
    """Stops all running work and removes all records, objects and logs. Keys, address and own images stay."""
    if not options.yes:
        if not sys.stdin.isatty():
            raise lifecycle.LifecycleError("'reset' removes everything; add --yes where nobody can confirm.")
        question = f"Remove all pipelines, models, objects and logs in {settings.home}? [y/N] "
        if input(question).strip().lower() not in ("y", "yes"):
            print("Nothing removed.")
            return 1
    service = lifecycle.find_running(settings)
    if service:
        post(settings, service, "reset")
    elif settings.home.is_dir():
        for entry in settings.home.iterdir():
            if entry.name not in KEPT:
                _remove(entry)
    print(f"Empty: {settings.home}")
    return 0


def _remove(entry: Path) -> None:
    try:
        remove(entry)
    except OSError as error:
        raise lifecycle.LifecycleError(
            f"{entry} can't be removed ({error}); remove it and run 'reset' again."
        ) from error
