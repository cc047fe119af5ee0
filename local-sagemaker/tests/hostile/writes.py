"""The campaign of kills during writes: many clients write to all kinds of resources while the service is killed.

What was acknowledged is there after the restart, what was under way is there wholly or not at all.
"""

from __future__ import annotations

import os
import random
import signal
import threading
import time
from collections import Counter

from botocore.exceptions import BotoCoreError, ClientError

from local_sagemaker import lifecycle
from tests.hostile import leftovers, processes
from tests.hostile.arrivals import Lines, Messages
from tests.hostile.ledgers import LEDGERS, Ledger
from tests.support import Service

_LONGEST = 1.5  # seconds between the first write and the kill


def run(service: Service, count: int, seed: int) -> tuple[str, list[str]]:
    """So many kills; how much was written, and the faults. The service is down afterwards."""
    chance, began, faults = random.Random(seed), time.monotonic(), list[str]()
    ledgers = [kind(service, random.Random(f"{seed} {kind.__name__}")) for kind in (*LEDGERS, Messages, Lines)]
    under_way: Counter[str] = Counter()
    for number in range(count):
        _disturb(service, ledgers, chance.uniform(0.05, _LONGEST), faults)
        for ledger in ledgers:
            under_way[type(ledger).__name__] += ledger.under_way is not None
        service.up()
        for ledger in ledgers:
            try:
                faults += [f"kill {number}: {fault}" for fault in ledger.check()]
            except (ClientError, BotoCoreError, KeyError) as error:
                faults.append(f"kill {number}: {type(ledger).__name__} can't be read: {error!r}")
    service.down()
    faults += processes.faults_of_ended(service)
    faults += [f"left: {name}" for name in leftovers.of_ended_service(service)]
    written = {type(ledger).__name__: ledger.written for ledger in ledgers}
    summary = f"{count} kills in {time.monotonic() - began:.0f} s; written {written}; under way at a kill"
    return f"{summary} {dict(under_way)}; {len(faults)} faults", faults


def _disturb(service: Service, ledgers: list[Ledger], seconds: float, faults: list[str]) -> None:
    """Writes to all at once, and kills the service after so many seconds."""
    ended = threading.Event()
    threads = [threading.Thread(target=_write, args=(ledger, ended, faults)) for ledger in ledgers]
    for thread in threads:
        thread.start()
    time.sleep(seconds)
    for pid in processes.service(service):
        os.kill(pid, signal.SIGKILL)
    ended.set()
    for thread in threads:
        thread.join()
    while lifecycle.find_running(service.settings):
        time.sleep(0.01)


def _write(ledger: Ledger, ended: threading.Event, faults: list[str]) -> None:
    while not ended.is_set():
        try:
            ledger.step()
        except BotoCoreError:
            return  # the service was killed
        except ClientError as error:
            faults.append(f"{type(ledger).__name__}: a write was refused: {error}")
            return
