"""Log streams: create, list, append to, delete. The streams of jobs and endpoints are made by those who run them."""

from __future__ import annotations

import time

from local_sagemaker.api.operations import Request, Resource, Response, operation
from local_sagemaker.config import Settings
from local_sagemaker.logs import Logs, LogStream
from local_sagemaker.services.logs.names import (
    InvalidParameter,
    ResourceAlreadyExists,
    group_arn,
    group_of,
    page,
    require_group,
    require_stream,
)

_HOUR = 3_600_000
_TOO_NEW, _TOO_OLD = 2 * _HOUR, 14 * 24 * _HOUR  # PutLogEvents reference.


class LogStreams(Resource):
    """Log streams are text files, one line an event."""

    def __init__(self, *, settings: Settings, logs: Logs) -> None:
        self._settings = settings
        self._logs = logs

    @operation("CreateLogStream")
    def create(self, request: Request) -> Response:
        """Makes an empty stream in a group that exists."""
        group, stream = request["logGroupName"], request["logStreamName"]
        require_group(self._logs, group)
        if self._logs.has(group, stream):
            raise ResourceAlreadyExists("The specified log stream already exists")
        self._logs.file(group, stream)
        return {}

    @operation("DeleteLogStream")
    def delete(self, request: Request) -> Response:
        """Removes a stream with its events."""
        require_stream(self._logs, request["logGroupName"], request["logStreamName"])
        self._logs.delete_stream(request["logGroupName"], request["logStreamName"])
        return {}

    @operation("DescribeLogStreams")
    def describe(self, request: Request) -> Response:
        """Streams by name, or by the time of their last event; the latter not with a prefix, as on AWS."""
        group = group_of(request, self._logs)
        by_time = request.get("orderBy", "LogStreamName") == "LastEventTime"
        if by_time and "logStreamNamePrefix" in request:
            raise InvalidParameter("Cannot order by LastEventTime with a logStreamNamePrefix.")
        streams = self._logs.streams(group, request.get("logStreamNamePrefix", ""))
        if by_time:
            streams.sort(key=lambda stream: stream.last or 0)
        if request.get("descending"):
            streams.reverse()
        chosen, token = page(streams, request)
        return {"logStreams": [self._summary(group, stream) for stream in chosen], **token}

    @operation("PutLogEvents")
    def put(self, request: Request) -> Response:
        """Appends messages with their own times. A message of several lines becomes several events of one time."""
        group, stream, events = request["logGroupName"], request["logStreamName"], request["logEvents"]
        require_stream(self._logs, group, stream)
        times = [int(event["timestamp"]) for event in events]
        if times != sorted(times):
            raise InvalidParameter("Log events in a single PutLogEvents request must be in chronological order.")
        now = time.time_ns() // 1_000_000
        old = sum(moment < now - _TOO_OLD for moment in times)
        new = sum(moment > now + _TOO_NEW for moment in times)
        taken = events[old : len(events) - new]
        self._logs.put(group, stream, [(int(event["timestamp"]), event["message"]) for event in taken])
        rejected = {
            **({"tooOldLogEventEndIndex": old} if old else {}),
            **({"tooNewLogEventStartIndex": len(events) - new} if new else {}),
        }
        # Sequence tokens are no longer checked by CloudWatch, but clients of before still read one.
        token = {"nextSequenceToken": f"{now:056d}"}
        return {**token, "rejectedLogEventsInfo": rejected} if rejected else {**token}

    def _summary(self, group: str, stream: LogStream) -> Response:
        summary: Response = {
            "logStreamName": stream.name,
            "creationTime": stream.created,
            "arn": f"{group_arn(self._settings, group)}:log-stream:{stream.name}",
            "storedBytes": stream.size,
        }
        if stream.first is not None and stream.last is not None:
            summary["firstEventTimestamp"] = stream.first
            summary["lastEventTimestamp"] = summary["lastIngestionTime"] = stream.last
        return summary
