"""Logs: groups, streams, and the viewer with a search of the whole stream on the server."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from local_sagemaker.errors import ServiceError
from local_sagemaker.studio.page import Content, Page, Visit
from local_sagemaker.studio.pages.log_reading import LogWindow, PageLogLine, read_around, read_log, to_line

_HITS = 200
_SEARCH_SECONDS = 0.6
_PAGE = 10_000


@dataclass(frozen=True)
class LogEntry:
    """A group or a stream."""

    name: str
    bytes: int | None
    created: float | None
    newest: float | None


@dataclass(frozen=True)
class LogSearch:
    """What a search has seen so far. `next` resumes where it paused, and is empty at the end of the stream."""

    text: str
    hits: list[PageLogLine]
    next: str


@dataclass(frozen=True)
class LogsContext:
    """What the log pages show: groups, the streams of a group, or a window of a stream."""

    group: str = field(metadata={"help": "the log group, empty for the list of groups"})
    stream: str = field(metadata={"help": "the log stream, empty for the list of streams"})
    entries: list[LogEntry] = field(metadata={"help": "one page of groups or streams"})
    next: str = field(metadata={"help": "the next page's token, empty on the last"})
    window: LogWindow | None = field(metadata={"help": "lines of the stream"})
    search: LogSearch | None = field(metadata={"help": "lines that contain the text that is searched"})
    text: str = field(metadata={"help": "what names begin with"})


def load(visit: Visit) -> LogsContext:
    """DescribeLogGroups, DescribeLogStreams, GetLogEvents and FilterLogEvents."""
    group, stream, text = visit.value("group"), visit.value("stream"), visit.value("q")
    if group and stream:
        search = find_lines(visit, group, stream) if visit.value("search") else None
        return LogsContext(group, stream, [], "", window_of(visit, group, stream), search, "")
    request: dict[str, Any] = {"limit": 50}
    if visit.value("token"):
        request["nextToken"] = visit.value("token")
    if not group:
        answer = visit.call("logs:DescribeLogGroups", request | ({"logGroupNamePrefix": text} if text else {}))
        entries = [
            LogEntry(item["logGroupName"], item.get("storedBytes"), _to_seconds(item.get("creationTime")), None)
            for item in answer["logGroups"]
        ]
        return LogsContext("", "", entries, answer.get("nextToken", ""), None, None, text)
    order = {"logStreamNamePrefix": text} if text else {"orderBy": "LastEventTime", "descending": True}
    answer = visit.call("logs:DescribeLogStreams", {**request, **order, "logGroupName": group})
    entries = [
        LogEntry(
            item["logStreamName"], item.get("storedBytes"), _to_seconds(item.get("creationTime")),
            _to_seconds(item.get("lastEventTimestamp")),
        )
        for item in answer["logStreams"]
    ]  # fmt: skip
    return LogsContext(group, "", entries, answer.get("nextToken", ""), None, None, text)


def window_of(visit: Visit, group: str, stream: str) -> LogWindow:
    """The window that the address names: the end, the top, around a line, or from a token on."""
    if visit.value("line"):
        return read_around(visit, group, stream, visit.value("line"))
    return read_log(visit, group, stream, token=visit.value("token"), head=visit.value("at") == "top")


def find_lines(visit: Visit, group: str, stream: str) -> LogSearch:
    """Lines that contain the text: the first 200, or what is found in 0.6 seconds; the next search resumes there."""
    text = visit.value("search")
    quoted = text.replace("\\", "\\\\").replace('"', '\\"')
    request: dict[str, Any] = {"logGroupName": group, "logStreamNames": [stream], "filterPattern": f'"{quoted}"'}
    if visit.value("after"):
        request["nextToken"] = visit.value("after")
    hits: list[PageLogLine] = []
    started = time.monotonic()
    while True:
        answer = visit.call("logs:FilterLogEvents", {**request, "limit": _HITS - len(hits)})
        hits += [_to_hit(event) for event in answer.get("events", [])]
        token = answer.get("nextToken", "")
        if not token or len(hits) >= _HITS or time.monotonic() - started > _SEARCH_SECONDS:
            return LogSearch(text, hits, token)
        request["nextToken"] = token


def _to_hit(event: dict[str, Any]) -> PageLogLine:
    """An event's id ends with where its line begins, which is what a token of GetLogEvents says."""
    place = f"f/{int(str(event.get('eventId', ''))[-36:] or 0):056d}/s"
    return to_line(event, place)


def _to_seconds(milliseconds: Any) -> float | None:
    return milliseconds / 1000 if isinstance(milliseconds, (int, float)) else None


def load_download(visit: Visit) -> Content:
    """The whole stream as a text file, a page of events in memory at a time."""
    group, stream = visit.value("group"), visit.value("stream")
    first = {"logGroupName": group, "logStreamName": stream, "limit": _PAGE, "startFromHead": True}
    answer = visit.call("logs:GetLogEvents", first)
    return Content(_pages(visit, first, answer), "text/plain", visit.value("name") or f"{stream.replace('/', '-')}.log")


def _pages(visit: Visit, request: dict[str, Any], answer: dict[str, Any]) -> Iterator[bytes]:
    token = ""
    while answer["events"] and answer["nextForwardToken"] != token:
        yield "".join(f"{event['message']}\n" for event in answer["events"]).encode("utf-8", "replace")
        token = answer["nextForwardToken"]
        answer = visit.call("logs:GetLogEvents", {**request, "nextToken": token})


@dataclass(frozen=True)
class LogLinesContext:
    """Lines of a stream that follow a token: what a viewer that follows the stream adds."""

    window: LogWindow = field(metadata={"help": "the lines, and the token behind them"})


def load_lines(visit: Visit) -> LogLinesContext:
    """What was written behind a token. Raises when there is no such stream."""
    window = read_log(visit, visit.value("group"), visit.value("stream"), token=visit.value("token"), head=True)
    if window.missing:
        raise ServiceError("There is no such log stream.", code="ResourceNotFoundException", status=404)
    return LogLinesContext(window)


PAGE = Page("/logs", load, "logs.html", "Logs")
LINES = Page("/logs/lines", load_lines, "log_lines.html", "Logs")
DOWNLOAD = Page("/logs/download", load_download)
