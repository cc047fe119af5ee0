"""A window of a log stream, and the streams of a job."""

from __future__ import annotations

import re
from dataclasses import dataclass

from local_sagemaker.errors import ServiceError
from local_sagemaker.studio.page import Visit

WINDOW = 1_000
_ANSI = re.compile(r"\x1b\[[0-9;?]{0,30}[A-Za-z]")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
LONGEST_LINE = 16_000


@dataclass(frozen=True)
class PageLogLine:
    """One line; `time` in seconds since the epoch."""

    time: float | None
    text: str


@dataclass(frozen=True)
class LogWindow:
    """Lines of a stream, and the tokens of what comes before and after. `missing`: there is no such stream yet."""

    group: str
    stream: str
    lines: list[PageLogLine]
    backward: str = ""
    forward: str = ""
    missing: bool = False

    @property
    def texts(self) -> list[str]:
        """The lines without their times."""
        return [line.text for line in self.lines]


def read_log(
    visit: Visit, group: str, stream: str, *, token: str = "", head: bool = False, limit: int = WINDOW
) -> LogWindow:
    """One window: the end of the stream unless a token or `head` says otherwise."""
    request = {"logGroupName": group, "logStreamName": stream, "limit": limit, "startFromHead": head}
    if token:
        request["nextToken"] = token
    try:
        answer = visit.call("logs:GetLogEvents", request)
    except ServiceError:
        return LogWindow(group, stream, [], missing=True)
    lines = [PageLogLine((event.get("timestamp") or 0) / 1000, clean(event["message"])) for event in answer["events"]]
    return LogWindow(group, stream, lines, answer.get("nextBackwardToken", ""), answer.get("nextForwardToken", ""))


def clean(text: str) -> str:
    """Without the codes that only terminals understand; very long lines are cut, and say so."""
    plain = _CONTROL.sub("", _ANSI.sub("", text.replace("#011", "\t")))
    return (
        plain if len(plain) <= LONGEST_LINE else f"{plain[:LONGEST_LINE]} … {len(plain) - LONGEST_LINE} more characters"
    )


def streams_of(visit: Visit, group: str, prefix: str) -> list[str]:
    """The names of a job's streams, one a host."""
    found = []
    try:
        answer = visit.call(
            "logs:DescribeLogStreams", {"logGroupName": group, "logStreamNamePrefix": f"{prefix}/", "limit": 50}
        )
    except ServiceError:
        return []
    found += [item["logStreamName"] for item in answer["logStreams"]]
    return found
