"""``local-sagemaker doctor``: what this machine can do, and what is used instead where it can't."""

from __future__ import annotations

import argparse
import importlib.metadata
import os
import platform
import shutil
from collections.abc import Iterable

from local_sagemaker import lifecycle
from local_sagemaker.cli import lines
from local_sagemaker.config import Settings
from local_sagemaker.processes.isolation import Isolation

PACKAGES = ("botocore", "moto", "scikit-learn", "pandas", "numpy", "pyarrow", "scipy")
XGBOOST = ("xgboost-cpu", "xgboost")
"""One library in two distributions; both at once hold each other's files (docs/adr/0007-xgboost-without-gpu.md)."""
CLIENTS = ("sagemaker", "boto3", "awscli")
"""What users have beside the service, or not."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """No options."""


def run(options: argparse.Namespace, settings: Settings) -> int:
    """Prints a line a fact; exit code 1 when something that is needed is missing."""
    from local_sagemaker.processes.isolation import probe

    isolation = probe(settings.home)
    free = shutil.disk_usage(_find_existing(settings)).free / 2**30
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    running = lifecycle.find_running(settings)
    facts = [
        ("service", f"running at {running['url']}" if running else "not running ('local-sagemaker up' starts it)"),
        ("state folder", f"{settings.home}, {free:.1f} GiB free"),
        ("own root per job", str(isolation)),
        *_list_limits(isolation),
        ("cores", f"{os.cpu_count()}: {settings.job_slots} jobs run at a time, further ones wait"),
        ("memory", f"{memory:.1f} GiB"),
        ("python", f"{platform.python_version()} on {platform.system()} {platform.machine()}"),
        ("packages", _versions([*XGBOOST, *PACKAGES])),
        ("clients", _versions(CLIENTS) or "none in this environment"),
    ]
    for name, text in facts:
        print(lines.fit(f"{name:20}{text}", 20, lines.terminal_width()))
    missing = [name for name in PACKAGES if not _version(name)]
    if not any(map(_version, XGBOOST)):
        missing.append(XGBOOST[0])
    if missing:
        print(f"Missing: {', '.join(missing)}. Install the service anew: pip install --force-reinstall local-sagemaker")
    if all(map(_version, XGBOOST)):
        print("xgboost and xgboost-cpu are both installed, and hold the same files. Repair with: "
              "pip uninstall xgboost xgboost-cpu, then pip install xgboost-cpu")  # fmt: skip
    if free < 1:
        print("Less than 1 GiB is free where the state is; jobs will fail when it runs out.")
    return 1 if missing else 0


def _list_limits(isolation: Isolation) -> list[tuple[str, str]]:
    """What keeps jobs less apart on this machine than on others."""
    if not isolation.namespaces:
        text = "each has a working directory, home and /tmp of its own; everything else of the machine is as it is"
        return [("jobs see", f"{text}, the state folder and its keys included")]
    lines = []
    if not isolation.own_pids:
        lines.append(("processes", "jobs see, and can end, other processes of this user (no PID namespaces here)"))
    if isolation.read_only:
        lines.append(("read-only in jobs", f"{', '.join(isolation.read_only)} (no overlayfs there)"))
    return lines


def _find_existing(settings: Settings) -> str:
    folder = settings.home
    while not folder.exists():
        folder = folder.parent
    return str(folder)


def _versions(packages: Iterable[str]) -> str:
    return ", ".join(f"{name} {_version(name)}" for name in packages if _version(name))


def _version(package: str) -> str:
    """Empty where it is not installed."""
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return ""
