"""Replays of archived events."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from local_sagemaker.api.operations import Request, Resource, Response, operation
from local_sagemaker.clock import now
from local_sagemaker.errors import ServiceError
from local_sagemaker.records.status import ReplayState
from local_sagemaker.records.store import Body, public
from local_sagemaker.services.events.archive_store import ARCHIVE, REPLAY, ArchiveStore, one_filter, passes
from local_sagemaker.services.events.rule_store import RuleNotFound
from local_sagemaker.services.pagination import page_rows

MOST_ACTIVE = 10
ACTIVE = (ReplayState.STARTING, ReplayState.RUNNING, ReplayState.CANCELLING)
_SUMMARY = (
    "ReplayName", "EventSourceArn", "State", "StateReason", "EventStartTime", "EventEndTime", "EventLastReplayedTime",
    "ReplayStartTime", "ReplayEndTime",
)  # fmt: skip


class Replays(Resource):
    """StartReplay, DescribeReplay, ListReplays, CancelReplay. The bus's thread sends the events (`ReplayRunner`)."""

    def __init__(self, *, store: ArchiveStore, changed: Callable[[], None]) -> None:
        """`changed` is called when there is something to replay, or not any longer."""
        self._store, self._records, self._changed = store, store.records, changed

    @operation("StartReplay", atomic=True)
    def start(self, request: Request) -> Response:
        """Begins to send the archived events of a time again, to the bus that they came from."""
        name = request["ReplayName"]
        self._check(request)
        with self._records.transaction():
            if self._records.get(REPLAY, name) is not None:
                text = f"Replay {name} already exists."
                raise ServiceError(text, code="ResourceAlreadyExistsException", status=400)
            if sum(replay["State"] in ACTIVE for replay in self._records.list(REPLAY)) >= MOST_ACTIVE:
                text = "The requested resource exceeds the maximum number allowed."
                raise ServiceError(text, code="LimitExceededException", status=400)
            body: Body = {
                **request, "ReplayArn": self._store.replay_arn(name), "State": ReplayState.STARTING,
                "ReplayStartTime": now(),
            }  # fmt: skip
            self._records.put(REPLAY, name, body)
        self._changed()
        return {member: body[member] for member in ("ReplayArn", "State", "ReplayStartTime")}

    def _check(self, request: Request) -> None:
        """Refuses another bus than the archive's, an archive that is none, and a time that ends before it begins."""
        destination = request["Destination"]["Arn"]
        if ":event-bus/" not in destination:
            raise _invalid("Destination.Arn", "Must contain an event bus ARN.")
        bus = self._store.rules.bus(destination)
        archive = request["EventSourceArn"].rpartition("/")[2]
        body = self._records.get(ARCHIVE, archive)
        if body is None:
            raise _invalid("EventSourceArn", f"Archive {archive} does not exist.")
        if self._store.rules.bus_arn(bus) != body["EventSourceArn"]:
            raise _invalid("Destination.Arn", "Cross event bus replay is not permitted.")
        if request["EventStartTime"] >= request["EventEndTime"]:
            raise _invalid("EventEndTime", "EventStartTime must be before EventEndTime.")

    def _require(self, request: Request) -> Body:
        body = self._records.get(REPLAY, request["ReplayName"])
        if body is None:
            raise RuleNotFound(f"Replay {request['ReplayName']} does not exist.")
        return body

    @operation("DescribeReplay")
    def describe(self, request: Request) -> Response:
        """One replay."""
        return public(self._require(request))

    @operation("ListReplays")
    def list(self, request: Request) -> Response:
        """All replays, or those that one filter lets pass."""
        one_filter(request, "ListReplays")
        bodies = [body for body in self._records.list(REPLAY) if passes(body, body["ReplayName"], request)]
        refuse = partial(ServiceError, code="ValidationException", status=400)
        chosen, more = page_rows(bodies, request, refuse, token="NextToken", size="Limit")
        return {"Replays": [{name: body[name] for name in _SUMMARY if name in body} for body in chosen], **more}

    @operation("CancelReplay", atomic=True)
    def cancel(self, request: Request) -> Response:
        """Ends a replay that has begun and not ended."""
        name = request["ReplayName"]
        with self._records.transaction():
            body = self._require(request)
            if body["State"] not in (ReplayState.STARTING, ReplayState.RUNNING):
                text = f"Replay {name} is not in a valid state for this operation."
                raise ServiceError(text, code="IllegalStatusException", status=400)
            self._records.put(REPLAY, name, {**body, "State": ReplayState.CANCELLING})
        self._changed()
        return {"ReplayArn": body["ReplayArn"], "State": ReplayState.CANCELLING}


def _invalid(member: str, reason: str) -> ServiceError:
    text = f"Parameter {member} is not valid. Reason: {reason}"
    return ServiceError(text, code="ValidationException", status=400)
