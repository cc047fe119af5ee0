"""From `up` to ready, against a bare process that imports what a server of this kind imports; memory when idle."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from benchmarks.measure import command, in_turn, report
from local_sagemaker import lifecycle
from local_sagemaker.config import Settings


def resident(pid: int) -> float:
    """Resident memory of a process in MB."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1000 for line in lines if line.startswith("VmRSS"))


def main() -> bool:
    """Prints the figures; says whether all targets are met."""
    settings = Settings(home=Path(tempfile.mkdtemp(prefix="bench-")))

    def up() -> float:
        took = command("local-sagemaker", "up", LOCAL_SAGEMAKER_HOME=str(settings.home))
        lifecycle.stop(settings)
        return took

    def bare() -> float:
        return command(sys.executable, "-c", "import botocore.session, starlette.applications, uvicorn")

    met = report("service: 'up' to ready / bare imports", in_turn(up, bare), 2.0)
    service = lifecycle.start(settings)
    from benchmarks.executions import client

    sagemaker = client(settings, "sagemaker")
    sagemaker.list_pipelines()
    client(settings, "sts").get_caller_identity()
    idle = resident(service["pid"])
    print(f"{'service: resident when idle':58} {idle:8.0f} MB (target 150: {'met' if idle <= 150 else 'MISSED'})")
    lifecycle.stop(settings)
    return met and idle <= 150
