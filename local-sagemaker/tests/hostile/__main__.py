"""``make check-hostile``: the campaigns, each against a service of its own; ends with 1 when one found something.

``python -m tests.hostile [CAMPAIGN ...] [--count N] [--seed N]``
"""

from __future__ import annotations

import argparse
import logging
import os
import signal
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from local_sagemaker import lifecycle
from local_sagemaker.files.removal import discard
from tests.hostile import delivery, kills, malformed, processes, writes
from tests.hostile.hostile_world import make_world
from tests.support import Service

SHOWN = 60


def malformed_requests(service: Service, count: int | None, seed: int) -> list[str]:
    """Requests that no client library would send."""
    summary = malformed.run(service, count or 30_000, seed, make_world(service))
    print(summary)
    faults = [str(finding) for finding in summary.findings]
    return faults + malformed.unreadable(service) + malformed.logged_errors(service)


def kills_of_any_process(service: Service, count: int | None, seed: int) -> list[str]:
    """The service, fork servers, model servers and jobs, during executions, endpoint updates, tuning."""
    summary = kills.run(service, count or 200, seed)
    print(summary)
    return summary.faults


def kills_during_delivery(service: Service, count: int | None, seed: int) -> list[str]:
    """The service, during stacks, builds, delivery pipelines and schedules."""
    summary, faults = delivery.run(service, count or 20, seed)
    print(summary)
    return faults


def kills_during_writes(service: Service, count: int | None, seed: int) -> list[str]:
    """The service, while clients write to all kinds of resources."""
    summary, faults = writes.run(service, count or 40, seed)
    print(summary)
    return faults


# Add a campaign here: its name, and what answers the faults that it found.
CAMPAIGNS: dict[str, Callable[[Service, int | None, int], list[str]]] = {
    "malformed-requests": malformed_requests,
    "kills": kills_of_any_process,
    "delivery-kills": kills_during_delivery,
    "write-kills": kills_during_writes,
}


def main() -> int:
    """Runs the named campaigns, or all."""
    parser = argparse.ArgumentParser(prog="python -m tests.hostile")
    parser.add_argument("campaigns", nargs="*", metavar="CAMPAIGN", help=f"of {', '.join(CAMPAIGNS)} (default: all)")
    parser.add_argument("--count", type=int, help="of requests or kills (default: each campaign's own)")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    if unknown := [name for name in options.campaigns if name not in CAMPAIGNS]:
        parser.error(f"there is no campaign {unknown[0]}; there are: {', '.join(CAMPAIGNS)}")
    logging.basicConfig(format="%(message)s", stream=sys.stdout)
    logging.getLogger("tests").setLevel(logging.INFO)
    found = 0
    for name in options.campaigns or CAMPAIGNS:
        print(f"{name}, seed {options.seed}", flush=True)
        faults = _run(name, options)
        found += len(faults)
        for fault in faults[:SHOWN]:
            print(fault)
    print(f"{found} faults" if found else "Nothing found.")
    return 1 if found else 0


def _run(name: str, options: argparse.Namespace) -> list[str]:
    room = Path(tempfile.mkdtemp(prefix="hostile-"))
    temporary = room / "temporary"
    temporary.mkdir()
    service = Service(room / "home", {"TMPDIR": str(temporary)})
    service.up()
    try:
        return CAMPAIGNS[name](service, options.count, options.seed)
    finally:
        _end(service)
        discard(room)


def _end(service: Service) -> None:
    """Stops it, and kills it when it does not stop."""
    try:
        service.down()
    except lifecycle.LifecycleError as error:
        print(error)
        for pid in processes.service(service):
            os.kill(pid, signal.SIGKILL)


if __name__ == "__main__":
    sys.exit(main())
