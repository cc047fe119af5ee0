"""A window of a log stream, and the streams of a job."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Any

from local_sagemaker.errors import ServiceError
from local_sagemaker.studio.page import Visit
from local_sagemaker.studio.views.ansi import Span, spans_of

WINDOW = 1_000
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
_BAD = re.compile(r"^Traceback|^\s*[\w.]{0,120}(?:Error|Exception)\b|\b(?:ERROR|CRITICAL|FATAL)\b")
LONGEST_LINE = 16_000
_BEFORE = 40


@dataclass(frozen=True)
class PageLogLine:
    """One line; `time` in seconds since the epoch. `place` is the token from which a window begins with it, where that
    is known, `stream` its stream where the lines are of several."""

    time: float | None
    text: str
    place: str = ""
    spans: tuple[Span, ...] = ()
    stream: str = ""

    @property
    def is_bad(self) -> bool:
        """Whether the line is shown as an error."""
        return bool(_BAD.search(self.text))


@dataclass(frozen=True)
class LogWindow:
    """Lines of a stream, and the tokens of what comes before and after. `missing`: there is no such stream yet.

    `here` is the token from which the window can be read again; `marked` the number of the line that was linked to."""

    group: str
    stream: str
    lines: list[PageLogLine]
    backward: str = ""
    forward: str = ""
    missing: bool = False
    here: str = ""
    marked: int | None = None

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
        response = visit.call("logs:GetLogEvents", request)
    except ServiceError as error:
        visit.note("logs:GetLogEvents", error)
        return LogWindow(group, stream, [], missing=True)
    lines = [to_line(event) for event in response["events"]]
    backward, forward = response.get("nextBackwardToken", ""), response.get("nextForwardToken", "")
    return LogWindow(group, stream, lines, backward, forward, here=turn(backward))


def turn(token: str) -> str:
    """The forward token from the place of a backward token."""
    return f"f{token[1:]}" if token.startswith("b/") else token


def read_around(visit: Visit, group: str, stream: str, place: str) -> LogWindow:
    """The window with the line at `place` (a forward token) and the lines before it, that line marked."""
    before = read_log(visit, group, stream, token=f"b{place[1:]}", limit=_BEFORE)
    window = read_log(visit, group, stream, token=before.here or place)
    return replace(window, marked=len(before.lines))


def to_line(event: dict[str, Any], place: str = "") -> PageLogLine:
    """An event as a line, in plain text, its colours beside it; a very long one is cut, and says so."""
    text = _CONTROL.sub(_keep_escape, event["message"].replace("#011", "\t"))
    if len(text) > LONGEST_LINE:
        text = f"{text[:LONGEST_LINE]} … {len(text) - LONGEST_LINE:,} more characters"
    spans = spans_of(text)
    plain = "".join(span.text for span in spans)
    moment = (event.get("timestamp") or 0) / 1000
    return PageLogLine(moment, plain, place, spans if any(span.tone for span in spans) else ())


def clean(text: str) -> str:
    """The plain text of a line."""
    return to_line({"message": text}).text


def _keep_escape(match: re.Match[str]) -> str:
    return match[0] if match[0] == "\x1b" else ""


def streams_of(visit: Visit, group: str, prefix: str) -> list[str]:
    """The names of a job's streams, one a host."""
    streams = []
    try:
        response = visit.call(
            "logs:DescribeLogStreams", {"logGroupName": group, "logStreamNamePrefix": f"{prefix}/", "limit": 50}
        )
    except ServiceError as error:
        visit.note("logs:DescribeLogStreams", error)
        return []
    streams += [item["logStreamName"] for item in response["logStreams"]]
    return streams
