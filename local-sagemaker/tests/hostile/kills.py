"""The campaign of kills: any process of the service, at any moment, during any work. Bounded and seeded."""

from __future__ import annotations

import logging
import os
import random
import signal
import time
from collections import Counter
from dataclasses import dataclass, field

from local_sagemaker import lifecycle
from local_sagemaker.records import Records
from tests.hostile import leftovers, processes
from tests.hostile.works import Works, awaited
from tests.support import Service

log = logging.getLogger(__name__)
VICTIMS = {
    "service": processes.service,
    "fork server": processes.fork_servers,
    "model server": processes.model_servers,
    "job": processes.jobs,
}
WORKS = ("execution", "update", "tuning", "events", "asynchronous", "groups")
_HARMLESS = {"events": ("service", "fork server"), "groups": ("service",)}
"""Work whose own processes must not be killed: a function that was is tried again after a minute only."""
_LONGEST = 2.5  # seconds between two kills
_APPEARS = 8.0  # seconds within which a job runs, its fork server's start included
_TRANSIENT = ("temporary-endpoint", "function-event", "asynchronous-invocation")


@dataclass
class Summary:
    """What was killed, and what was found."""

    kills: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)
    seconds: float = 0.0

    def __str__(self) -> str:
        killed = ", ".join(f"{count} {victim}" for victim, count in self.kills.most_common())
        return f"{self.kills.total()} kills in {self.seconds:.0f} s ({killed}), {len(self.faults)} faults"


def run(service: Service, count: int, seed: int) -> Summary:
    """Kills until there were `count` kills; the service is down afterwards, since what it leaves is looked at."""
    chance, summary, works, began = random.Random(seed), Summary(), Works(service), time.monotonic()
    works.prepare()
    number = 0
    while summary.kills.total() < count:
        kind = WORKS[number % len(WORKS)]
        number += 1
        check = getattr(works, kind)()
        killed = _disturb(service, kind, chance, min(chance.randint(1, 4), count - summary.kills.total()))
        summary.kills.update(killed)
        service.up()
        fault = awaited(check, set(killed)) or _untidy(service)
        outcome = f"round {number} ({kind}, killed: {', '.join(killed)}): {fault or 'right'}"
        log.info(outcome)
        if fault:
            summary.faults.append(outcome)
    service.down()
    summary.faults += processes.faults_of_ended(service)
    summary.faults += [f"left: {name}" for name in leftovers.of_ended_service(service)]
    summary.faults += _kept(service)
    summary.seconds = time.monotonic() - began
    return summary


def _disturb(service: Service, kind: str, chance: random.Random, kills: int) -> list[str]:
    """Kills what chance says; a service that is down is started, and may be killed while it starts."""
    killed = []
    for _ in range(kills):
        time.sleep(chance.uniform(0, _LONGEST))
        if not lifecycle.find_running(service.settings):
            service.up()
            time.sleep(chance.choice((0.0, chance.uniform(0, _LONGEST))))
        name, victims = _victims(service, chance.choice(_HARMLESS.get(kind, tuple(VICTIMS))))
        try:
            os.kill(chance.choice(victims), signal.SIGKILL)
        except ProcessLookupError:
            continue
        killed.append(name)
        while name == "service" and lifecycle.find_running(service.settings):
            time.sleep(0.01)
    return killed


def _victims(service: Service, wanted: str) -> tuple[str, list[int]]:
    """The processes of a kind, or the service itself when none appears for a while."""
    deadline = time.monotonic() + _APPEARS
    while time.monotonic() < deadline:
        if found := VICTIMS[wanted](service):
            return wanted, sorted(found)
        time.sleep(0.02)
    return "service", processes.service(service)


def _untidy(service: Service) -> str:
    """What is left that should not be, once it had the time to go."""
    deadline, found = time.monotonic() + processes.TIDY, "?"
    while found and time.monotonic() < deadline:
        time.sleep(0.05)
        found = _endpoints_left(service) or _folders_left(service)
    return found


def _endpoints_left(service: Service) -> str:
    sagemaker = service.client("sagemaker")
    endpoints = [one["EndpointName"] for one in sagemaker.list_endpoints()["Endpoints"]]
    configs = sagemaker.list_endpoint_configs(NameContains="sm-clarify")["EndpointConfigs"]
    names = endpoints + [one["EndpointConfigName"] for one in configs]
    return f"endpoints or configurations are left: {names}" if names else ""


def _folders_left(service: Service) -> str:
    folders = leftovers.of_running_work(service)
    return f"folders are left: {folders}" if folders else ""


def _kept(service: Service) -> list[str]:
    """Records of work that has ended."""
    records = Records(service.settings.records_file)
    try:
        return [f"record left: {kind} {key}" for kind in _TRANSIENT for key, _ in records.items(kind)]
    finally:
        records.close()
