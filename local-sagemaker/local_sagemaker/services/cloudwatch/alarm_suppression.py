"""Whether a composite alarm's actions are held back by its suppressor (CloudWatch user guide, "Suppressing composite
alarm actions"): by the suppressor's ALARM, by the wait for it, or by the extension after it. When none of them holds
any more, the actions are those of the state that the alarm is in by then.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from local_sagemaker.records.own_members import own_alarm
from local_sagemaker.services.cloudwatch.alarm_messages import Alarm


@dataclass(frozen=True)
class Suppression:
    """What holds the actions back (DescribeAlarms, ActionsSuppressedBy), "" for nothing; `until` is the end of a period
    in seconds since the epoch."""

    by: str = ""
    until: float = 0.0

    @classmethod
    def load(cls, body: Mapping[str, Any]) -> Suppression:
        """The suppression in an alarm's record."""
        return cls(**own_alarm(body).get("_suppression", {}))

    def dump(self) -> dict[str, Any]:
        """What a record has of it."""
        return asdict(self)

    def advance(self, alarm: Alarm, *, in_alarm: bool, due: bool, moment: float) -> Suppression:
        """The suppression now. `in_alarm` is of the suppressor; `due` says that actions have been held back, or that a
        new state's are to be performed."""
        if in_alarm:
            return Suppression("Alarm")
        if self.by == "Alarm":
            return _period("ExtensionPeriod", alarm["ActionsSuppressorExtensionPeriod"], moment)
        if self.by:
            return self if moment < self.until else Suppression()
        return _period("WaitPeriod", alarm["ActionsSuppressorWaitPeriod"], moment) if due else Suppression()


def _period(name: str, seconds: float, moment: float) -> Suppression:
    return Suppression(name, moment + seconds) if seconds > 0 else Suppression()


def suppressor(alarm: Alarm) -> str:
    """The name of an alarm's suppressor, "" where it has none."""
    return str(alarm.get("ActionsSuppressor") or "").rpartition(":alarm:")[2]
