"""Reading events: one stream page by page in both directions, or all streams of a group through a filter."""

from __future__ import annotations

import heapq
import re
from collections.abc import Iterator

from local_sagemaker.api.operations import Request, Resource, Response, operation
from local_sagemaker.logs import Line, Logs
from local_sagemaker.services.logs.filter_patterns import longest_term, matcher
from local_sagemaker.services.logs.names import InvalidParameter, LogsResourceNotFound, group_of, require_stream

_EVENTS, _BYTES = 10_000, 1_048_576
_SCANNED = 32 * 1_048_576  # After so many bytes a page ends, matches or not, so that no client gives up waiting.
_TOKEN = re.compile(r"([fb])/([0-9]{1,60})/s")


class LogEvents(Resource):
    """GetLogEvents and FilterLogEvents. Tokens are places in the log file, so they stay good while it grows."""

    def __init__(self, *, logs: Logs) -> None:
        self._logs = logs

    @operation("GetLogEvents")
    def get(self, request: Request) -> Response:
        """A page of one stream: its last events unless ``startFromHead``, or where a token of an earlier page says.

        At an end of the stream the token that was passed in comes back, which is how clients know.
        """
        group, stream = group_of(request, self._logs), request["logStreamName"]
        require_stream(self._logs, group, stream)
        source = self._logs.source(group, stream)
        start, end = source.between(request.get("startTime"), request.get("endTime"))
        limit = request.get("limit", _EVENTS)
        direction, place = self._place(request, start, end)
        page = source.forwards(place, end, limit) if direction == "f" else source.backwards(start, place, limit)
        return {
            "events": [
                {"timestamp": line.time, "message": line.text, "ingestionTime": line.time} for line in page.events
            ],
            "nextForwardToken": f"f/{page.end:056d}/s",
            "nextBackwardToken": f"b/{page.start:056d}/s",
        }

    @operation("FilterLogEvents")
    def filter(self, request: Request) -> Response:
        """Events of all (or the named) streams of a group that match a pattern, by time."""
        group = group_of(request, self._logs)
        if "logStreamNames" in request and "logStreamNamePrefix" in request:
            raise InvalidParameter("logStreamNames and logStreamNamePrefix are mutually exclusive.")
        if len(request.get("logStreamNames", ())) == 1:
            return self._filter_one(group, request)
        names = self._names(group, request)
        matches = matcher(request.get("filterPattern", ""))
        since, passed = _resume(request)
        until = request["endTime"] + 1 if "endTime" in request else None  # Inclusive here, unlike in GetLogEvents.
        merged = heapq.merge(
            *(self._stream_lines(group, name, since, until) for name in names),
            key=lambda entry: (entry[1].time, entry[0], entry[1].start),
        )
        events: list[Response] = []
        limit, size, scanned, skipped, moment = request.get("limit", _EVENTS), 0, 0, passed, since
        for name, line in merged:
            if skipped and line.time == since:
                skipped -= 1
                continue
            if line.time != moment:
                moment, passed = line.time, 0
            if matches(line.text):
                size += len(line.text) + 26
                if events and (len(events) == limit or size > _BYTES):
                    return _page(events, f"{moment}-{passed}")
                events.append(_to_event(name, line))
            passed += 1
            scanned += line.end - line.start
            if scanned > _SCANNED:
                return _page(events, f"{moment}-{passed}")
        return _page(events, None)

    def _filter_one(self, group: str, request: Request) -> Response:
        """Of one stream, a token is a place in its file: the next page begins there, and reads nothing again."""
        name = self._names(group, request)[0]
        pattern = request.get("filterPattern", "")
        matches, term = matcher(pattern), longest_term(pattern)
        source = self._logs.source(group, name)
        until = request["endTime"] + 1 if "endTime" in request else None
        start, end = source.between(request.get("startTime"), until)
        start = max(start, _offset(request))
        stop = source.cut(start + _SCANNED) if start + _SCANNED < end else end
        if stop <= start:
            stop = end  # one line that is longer than a page
        events: list[Response] = []
        limit, size = request.get("limit", _EVENTS), 0
        for line in source.lines_with(term, start, stop) if term else source.lines(start, stop):
            if matches(line.text):
                size += len(line.text) + 26
                if events and (len(events) == limit or size > _BYTES):
                    return _page(events, f"{line.start}/{name}")
                events.append(_to_event(name, line))
        return _page(events, f"{stop}/{name}" if stop < end else None)

    def _place(self, request: Request, start: int, end: int) -> tuple[str, int]:
        token = request.get("nextToken")
        if token is None:
            return ("f", start) if request.get("startFromHead") else ("b", end)
        match = _TOKEN.fullmatch(token)
        if not match:
            raise InvalidParameter("The specified nextToken is invalid.")
        place = int(match[2])
        return match[1], max(place, start) if match[1] == "f" else min(place, end)

    def _names(self, group: str, request: Request) -> list[str]:
        if "logStreamNames" not in request:
            return [stream.name for stream in self._logs.streams(group, request.get("logStreamNamePrefix", ""))]
        for name in request["logStreamNames"]:
            if not self._logs.has(group, name):
                raise LogsResourceNotFound("The specified log stream does not exist.")
        return list(request["logStreamNames"])

    def _stream_lines(self, group: str, name: str, since: int | None, until: int | None) -> Iterator[tuple[str, Line]]:
        source = self._logs.source(group, name)
        start, end = source.between(since, until)
        for line in source.lines(start, end):
            yield name, line


def _resume(request: Request) -> tuple[int | None, int]:
    """From when on, and how many events of that very millisecond earlier pages went through."""
    if "nextToken" not in request:
        return request.get("startTime"), 0
    match = re.fullmatch(r"([0-9]{1,18})-([0-9]{1,18})", request["nextToken"])
    if not match:
        raise InvalidParameter("The specified nextToken is invalid.")
    return int(match[1]), int(match[2])


def _offset(request: Request) -> int:
    """Where the page of a token of one stream begins, 0 without a token."""
    if "nextToken" not in request:
        return 0
    place, _, name = request["nextToken"].partition("/")
    if not re.fullmatch("[0-9]{1,18}", place) or name != request["logStreamNames"][0]:
        raise InvalidParameter("The specified nextToken is invalid.")
    return int(place)


def _page(events: list[Response], token: str | None) -> Response:
    return {"events": events, "searchedLogStreams": [], **({"nextToken": token} if token else {})}


def _to_event(name: str, line: Line) -> Response:
    return {
        "logStreamName": name,
        "timestamp": line.time,
        "message": line.text,
        "ingestionTime": line.time,
        "eventId": f"{line.time:020d}{line.start:036d}",
    }
