"""How the tour waits, and the hour in which it takes place."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

from delivery.errors import DeliveryError

PATIENCE = 600.0  # seconds that a step may take on a busy machine
POLL = 0.2
LAST_MINUTE = 15  # of an hour in which the tour begins


class TourError(DeliveryError):
    """Something did not happen. The text says what, and what happened instead."""


def wait_for(look: Callable[[], Any], what: str) -> Any:
    """What `look` returns, as soon as it is true."""
    end = time.monotonic() + PATIENCE
    while not (result := look()):
        if time.monotonic() > end:
            raise TourError(f"{what} did not happen within {PATIENCE:.0f} s")
        time.sleep(POLL)
    return result


def avoid_the_hour(run: Callable[..., str]) -> str:
    """Moves the service's clock to the next hour where this one is soon over; what it says of that.

    Monitors run on the hour. One that ran in the middle of the story would find drift in the few requests of staging's
    test, and its alarm would start a retraining of which the story knows nothing. `run` runs a command.
    """
    minute = int(json.loads(run("local-sagemaker", "clock", "--json"))["now"][14:16])
    if minute < LAST_MINUTE:
        return ""
    run("local-sagemaker", "clock", f"{60 - minute}m")
    return "the service's clock is at the next hour, so that the story ends before the monitors are due"
