"""Logs: groups, streams, and the viewer with a search on the server."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from local_sagemaker.errors import ServiceError
from local_sagemaker.studio.page import Content, Page, Visit
from local_sagemaker.studio.pages.log_reading import LogWindow, PageLogLine, clean, read_log
from local_sagemaker.studio.views.times import seconds

_HITS = 500
_LARGEST_DOWNLOAD = 64 << 20


@dataclass(frozen=True)
class LogEntry:
    """A group or a stream."""

    name: str
    bytes: int | None
    created: float | None
    newest: float | None


@dataclass(frozen=True)
class LogsContext:
    """What the log pages show: groups, the streams of a group, or a window of a stream."""

    group: str = field(metadata={"help": "the log group, empty for the list of groups"})
    stream: str = field(metadata={"help": "the log stream, empty for the list of streams"})
    entries: list[LogEntry] = field(metadata={"help": "one page of groups or streams"})
    next: str = field(metadata={"help": "the next page's token, empty on the last"})
    window: LogWindow | None = field(metadata={"help": "lines of the stream"})
    search: str = field(metadata={"help": "what is searched"})
    hits: list[PageLogLine] = field(metadata={"help": "lines that contain it"})
    more: bool = field(metadata={"help": "whether there are more hits than are shown"})
    text: str = field(metadata={"help": "what names begin with"})


def load(visit: Visit) -> LogsContext:
    """DescribeLogGroups, DescribeLogStreams, GetLogEvents and FilterLogEvents."""
    group, stream, search, text = (visit.value(name) for name in ("group", "stream", "search", "q"))
    if group and stream:
        hits, more = find_lines(visit, group, stream, search) if search else ([], False)
        window = read_log(visit, group, stream, token=visit.value("token"), head=visit.value("at") == "top")
        return LogsContext(group, stream, [], "", window, search, hits, more, "")
    request: dict[str, Any] = {"limit": 50}
    if visit.value("token"):
        request["nextToken"] = visit.value("token")
    if not group:
        answer = visit.call("logs:DescribeLogGroups", request | ({"logGroupNamePrefix": text} if text else {}))
        entries = [
            LogEntry(item["logGroupName"], item.get("storedBytes"), _seconds(item.get("creationTime")), None)
            for item in answer["logGroups"]
        ]
        return LogsContext("", "", entries, answer.get("nextToken", ""), None, "", [], False, text)
    order = {"logStreamNamePrefix": text} if text else {"orderBy": "LastEventTime", "descending": True}
    answer = visit.call("logs:DescribeLogStreams", {**request, **order, "logGroupName": group})
    entries = [
        LogEntry(
            item["logStreamName"], item.get("storedBytes"), _seconds(item.get("creationTime")),
            _seconds(item.get("lastEventTimestamp")),
        )
        for item in answer["logStreams"]
    ]  # fmt: skip
    return LogsContext(group, "", entries, answer.get("nextToken", ""), None, "", [], False, text)


def find_lines(visit: Visit, group: str, stream: str, search: str) -> tuple[list[PageLogLine], bool]:
    """Lines that contain the text, at most 500; whether there are more."""
    pattern = '"' + search.replace("\\", "\\\\").replace('"', '\\"') + '"'
    request: dict[str, Any] = {
        "logGroupName": group,
        "logStreamNames": [stream],
        "filterPattern": pattern,
        "limit": _HITS,
    }
    try:
        answer = visit.call("logs:FilterLogEvents", request)
    except ServiceError:
        return _scan(visit, group, stream, search)
    events = answer.get("events", [])
    lines = [PageLogLine(seconds((event.get("timestamp") or 0) / 1000), clean(event["message"])) for event in events]
    return lines, bool(answer.get("nextToken"))


def _scan(visit: Visit, group: str, stream: str, search: str) -> tuple[list[PageLogLine], bool]:
    """Where the service can't filter: window by window, from the start."""
    lines: list[PageLogLine] = []
    token = ""
    for _ in range(1_000):
        window = read_log(visit, group, stream, token=token, head=True, limit=10_000)
        lines += [line for line in window.lines if search.lower() in line.text.lower()]
        if len(lines) >= _HITS or not window.lines or window.forward == token:
            break
        token = window.forward
    return lines[:_HITS], len(lines) > _HITS


def _seconds(milliseconds: Any) -> float | None:
    return milliseconds / 1000 if isinstance(milliseconds, (int, float)) else None


def load_download(visit: Visit) -> Content:
    """The stream as a text file, at most 64 MB of it."""
    group, stream = visit.value("group"), visit.value("stream")
    parts: list[bytes] = []
    size, token = 0, ""
    while size < _LARGEST_DOWNLOAD:
        window = read_log(visit, group, stream, token=token, head=True, limit=10_000)
        if window.missing:
            raise ServiceError(f"There is no log stream {stream}.", code="ResourceNotFoundException", status=404)
        if not window.lines or window.forward == token:
            break
        part = "\n".join(window.texts).encode() + b"\n"
        parts.append(part)
        size, token = size + len(part), window.forward
    return Content(b"".join(parts), "text/plain", f"{stream.replace('/', '-')}.log")


PAGE = Page("/logs", load, "logs.html", "Logs")
DOWNLOAD = Page("/logs/download", load_download)
