"""Logs: groups, streams, and the viewer with a search of the whole stream on the server."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from typing import Any

from local_sagemaker.errors import ServiceError, ValidationError
from local_sagemaker.studio import urls
from local_sagemaker.studio.page import Content, Page, Visit
from local_sagemaker.studio.pages.log_window import LogWindow, PageLogLine, read_around, read_log, to_line
from local_sagemaker.studio.views.numbers import whole

_HITS = 200
_FIRST_SECONDS, _MORE_SECONDS = 0.03, 0.4
"""How long a search takes before the page is shown, and each time that it continues."""
DAYS = (1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365)
"""Retentions to choose from, in days; PutRetentionPolicy takes these and longer ones."""


@dataclass(frozen=True)
class LogEntry:
    """A group or a stream."""

    name: str
    bytes: int | None
    created: float | None
    newest: float | None


@dataclass(frozen=True)
class LogSearch:
    """What a search has found. `next` resumes where it paused, and is empty at the end of what is searched; `searched`
    are the bytes of the stream up to there, of `bytes`, where one stream is searched."""

    text: str
    hits: list[PageLogLine]
    next: str
    searched: int | None = None
    bytes: int | None = None


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
    retentions: tuple[int, ...] = field(default=DAYS, metadata={"help": "retentions to choose from, in days"})
    retention: int | None = field(default=None, metadata={"help": "days after which the group's streams are removed"})


def load(visit: Visit) -> LogsContext:
    """DescribeLogGroups, DescribeLogStreams, GetLogEvents and FilterLogEvents."""
    group, stream, text = visit.value("group"), visit.value("stream"), visit.value("q")
    if group and stream:
        search = find_lines(visit, group, stream) if visit.value("search") else None
        window = None if search and visit.value("part") == "hits" else window_of(visit, group, stream)
        return LogsContext(group, stream, [], "", window, search, "")
    request: dict[str, Any] = {"limit": 50}
    if visit.value("token"):
        request["nextToken"] = visit.value("token")
    if not group:
        response = visit.call("logs:DescribeLogGroups", request | ({"logGroupNamePrefix": text} if text else {}))
        entries = [
            LogEntry(item["logGroupName"], item.get("storedBytes"), _to_seconds(item.get("creationTime")), None)
            for item in response["logGroups"]
        ]
        return LogsContext("", "", entries, response.get("nextToken", ""), None, None, text)
    order = {"logStreamNamePrefix": text} if text else {"orderBy": "LastEventTime", "descending": True}
    response = visit.call("logs:DescribeLogStreams", {**request, **order, "logGroupName": group})
    entries = [
        LogEntry(
            item["logStreamName"], item.get("storedBytes"), _to_seconds(item.get("creationTime")),
            _to_seconds(item.get("lastEventTimestamp")),
        )
        for item in response["logStreams"]
    ]  # fmt: skip
    groups = visit.call("logs:DescribeLogGroups", {"logGroupNamePrefix": group, "limit": 50})["logGroups"]
    days = next((item.get("retentionInDays") for item in groups if item["logGroupName"] == group), None)
    search = find_lines(visit, group) if visit.value("search") else None
    return LogsContext(group, "", entries, response.get("nextToken", ""), None, search, text, retention=days)


def window_of(visit: Visit, group: str, stream: str) -> LogWindow:
    """The window that the address names: the end, the top, around a line, or from a token on."""
    if visit.value("line"):
        return read_around(visit, group, stream, visit.value("line"))
    return read_log(visit, group, stream, token=visit.value("token"), head=visit.value("at") == "top")


def find_lines(visit: Visit, group: str, stream: str = "") -> LogSearch:
    """Lines of a stream, or of all streams of the group by time, that contain the text: the first 200, or what is found
    in a moment; the next search resumes there, which the page's script does by itself."""
    text = visit.value("search")
    quoted = text.replace("\\", "\\\\").replace('"', '\\"')
    request: dict[str, Any] = {"logGroupName": group, "filterPattern": f'"{quoted}"'}
    if stream:
        request["logStreamNames"] = [stream]
    if visit.value("after"):
        request["nextToken"] = visit.value("after")
    hits: list[PageLogLine] = []
    until = time.monotonic() + (_MORE_SECONDS if visit.value("after") else _FIRST_SECONDS)
    while True:
        response = visit.call("logs:FilterLogEvents", {**request, "limit": _HITS - len(hits)})
        hits += [_to_hit(event) for event in response.get("events", [])]
        token = response.get("nextToken", "")
        if not token or len(hits) >= _HITS or time.monotonic() > until:
            return LogSearch(text, hits, token, *_progress(visit, group, stream, token))
        request["nextToken"] = token


def _progress(visit: Visit, group: str, stream: str, token: str) -> tuple[int | None, int | None]:
    """How far a search of one stream is: its token begins with the place where the next page begins."""
    place = token.partition("/")[0]
    if not stream or not place.isdigit():
        return None, None
    listed = visit.call("logs:DescribeLogStreams", {"logGroupName": group, "logStreamNamePrefix": stream, "limit": 50})
    sizes = {item["logStreamName"]: item.get("storedBytes") for item in listed["logStreams"]}
    return int(place), sizes.get(stream)


def _to_hit(event: dict[str, Any]) -> PageLogLine:
    """An event's id ends with where its line begins, which is what a token of GetLogEvents says."""
    place = f"f/{int(str(event.get('eventId', ''))[-36:] or 0):056d}/s"
    return replace(to_line(event, place), stream=str(event.get("logStreamName", "")))


def _to_seconds(milliseconds: Any) -> float | None:
    return milliseconds / 1000 if isinstance(milliseconds, (int, float)) else None


def load_download(visit: Visit) -> Content:
    """The whole stream as a text file, as it was printed; any range of it. Raises when there is no such stream."""
    group, stream = visit.value("group"), visit.value("stream")
    visit.call("logs:DescribeLogStreams", {"logGroupName": group, "logStreamNamePrefix": stream, "limit": 1})
    file = visit.reads.log_file(group, stream)
    if file is None:
        raise ServiceError("The specified log stream does not exist.", code="ResourceNotFoundException", status=404)
    return Content(file, "text/plain", visit.value("name") or f"{stream.replace('/', '-')}.log")


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


def act(visit: Visit) -> str:
    """Sets how long a group keeps its streams, or deletes the stream of the address; its name must be typed."""
    group, stream, action = visit.value("group"), visit.value("stream"), visit.field("action")
    if action == "retain":
        days = visit.field("days")
        if days:
            request = {"logGroupName": group, "retentionInDays": whole(days, 0)}
            visit.call("logs:PutRetentionPolicy", request)
        else:
            visit.call("logs:DeleteRetentionPolicy", {"logGroupName": group})
        return urls.to("logs", group=group, done=f"Streams are kept for {days} days" if days else "Streams are kept")
    if action != "delete" or not stream:
        raise ValidationError(f"There is no action '{action}'.")
    if visit.field("confirm") != stream:
        raise ValidationError(f"Type the stream's name, {stream}, to delete it.")
    visit.call("logs:DeleteLogStream", {"logGroupName": group, "logStreamName": stream})
    return urls.to("logs", group=group, done=f"{stream} was deleted")


PAGE = Page("/logs", load, "logs.html", "Logs", act)
LINES = Page("/logs/lines", load_lines, "log_lines.html", "Logs")
DOWNLOAD = Page("/logs/download", load_download)
