"""``local-sagemaker doctor``: what this machine can do, and what is used instead where it can't."""

from __future__ import annotations

import argparse
import importlib.metadata
import os
import platform
import shutil

from local_sagemaker import lifecycle
from local_sagemaker.config import Settings

PACKAGES = ("sagemaker", "boto3", "xgboost", "scikit-learn", "pandas", "numpy", "moto")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """No options."""


def run(options: argparse.Namespace, settings: Settings) -> int:
    """Prints a line a fact; exit code 1 when something that is needed is missing."""
    from local_sagemaker.processes.isolation import probe

    isolation = probe()
    free = shutil.disk_usage(_existing(settings)).free / 2**30
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    running = lifecycle.running(settings)
    facts = [
        ("service", f"running at {running['url']}" if running else "not running ('local-sagemaker up' starts it)"),
        ("state folder", f"{settings.home}, {free:.1f} GiB free"),
        ("own /opt/ml per job", str(isolation)),
        ("cores", f"{os.cpu_count()}: {settings.job_slots} jobs run at a time, further ones wait"),
        ("memory", f"{memory:.1f} GiB"),
        ("python", f"{platform.python_version()} on {platform.system()} {platform.machine()}"),
        ("packages", ", ".join(f"{name} {_version(name)}" for name in PACKAGES)),
    ]
    for name, text in facts:
        print(f"{name:20}{text}")
    missing = [name for name in PACKAGES if _version(name) == "missing"]
    if missing:
        print(f"Missing: {', '.join(missing)}. Install with: pip install --force-reinstall local-sagemaker")
    if free < 1:
        print("Less than 1 GiB is free where the state is; jobs will fail when it runs out.")
    return 1 if missing else 0


def _existing(settings: Settings) -> str:
    folder = settings.home
    while not folder.exists():
        folder = folder.parent
    return str(folder)


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "missing"
