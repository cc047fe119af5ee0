"""The service's clock between two starts: what it was moved ahead by is in the state folder.

LOCAL_SAGEMAKER_CLOCK says where it begins: a time, or by how much it is ahead of the machine's clock. It never goes
back: a state folder whose clock is further ahead stays there.
"""

from __future__ import annotations

import json
from typing import Any

from local_sagemaker import clock
from local_sagemaker.config import Settings
from local_sagemaker.errors import ValidationError


class ServiceClock:
    """The clock of one state folder."""

    def __init__(self, settings: Settings) -> None:
        self._settings, self._file = settings, settings.clock_file

    def restore(self) -> None:
        """Sets the clock as it was, or as the environment says, whichever is later. Called before anything looks."""
        try:
            kept = float(json.loads(self._file.read_text())["ahead"])
        except (OSError, ValueError, KeyError, TypeError):
            kept = 0.0
        wanted = clock.seconds_ahead(self._settings.clock) if self._settings.clock else 0.0
        self._move(max(kept, wanted))

    def move(self, to: str = "") -> dict[str, Any]:
        """Moves the clock to a time, or ahead by a duration; without either only says what it shows."""
        if to:
            try:
                wanted = clock.seconds_ahead(to, clock.ahead())
            except ValueError as error:
                raise ValidationError(str(error)) from error
            if wanted < clock.ahead() - 0.001:
                raise ValidationError(f"The clock shows {clock.iso(clock.now())}: it can't go back to {to}.")
            self._move(wanted)
        return {"now": clock.iso(clock.now()), "ahead": round(clock.ahead(), 3)}

    def _move(self, seconds: float) -> None:
        if seconds > 0:
            fresh = self._file.with_suffix(".new")
            fresh.write_text(json.dumps({"ahead": seconds}))
            fresh.replace(self._file)
        clock.move_ahead(seconds)
