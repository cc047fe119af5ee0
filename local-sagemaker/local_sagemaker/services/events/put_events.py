"""PutEvents: clients' own events."""

from __future__ import annotations

import json
from typing import Any

from local_sagemaker.api.operations import Request, Resource, Response, operation
from local_sagemaker.json_text import JsonError, load
from local_sagemaker.services.events.event_bus import EventBus
from local_sagemaker.services.events.rule_store import RuleNotFound, RuleStore

LARGEST = 256 << 10
"""Bytes of all entries of a request (user guide, "Calculating Amazon EventBridge PutEvents event entry size")."""


class Entries(Resource):
    """PutEvents. Drives the buses of its region, too: they begin and end with the service."""

    def __init__(self, *, store: RuleStore, bus: EventBus) -> None:
        self._store, self._bus = store, bus

    def resume(self) -> None:
        """Begins to deliver."""
        self._bus.start()

    def reset(self) -> None:
        """Ends all deliveries, for a service that continues empty."""
        self._bus.stop()
        self._bus.start()

    def close(self) -> None:
        """Ends all deliveries; they are taken up at the next start."""
        self._bus.close()

    @operation("PutEvents")
    def put(self, request: Request) -> Response:
        """Takes up to ten events; each is accepted or refused by itself."""
        responses = [self._put(entry) for entry in request["Entries"]]
        return {"FailedEntryCount": sum("ErrorCode" in response for response in responses), "Entries": responses}

    def _put(self, entry: dict[str, Any]) -> dict[str, str]:
        for member, text in (("Source", "Source"), ("DetailType", "DetailType"), ("Detail", "Detail")):
            if not entry.get(member):
                return _refusal(
                    "InvalidArgument", f"Parameter {text} is not valid. Reason: {text} is a required argument."
                )
        if entry["Source"].startswith("aws."):
            return _refusal("NotAuthorizedForSourceException", "Not authorized for the source.")
        try:
            detail = load(entry["Detail"])
        except JsonError:
            return _refusal("MalformedDetail", "Detail is malformed.")
        if not isinstance(detail, dict):
            return _refusal("MalformedDetail", "Detail is malformed.")
        if len(json.dumps(entry, default=str)) > LARGEST:
            return _refusal("InvalidArgument", "Total size of the entries in the request is over the limit.")
        try:
            bus = self._store.bus(entry.get("EventBusName"))
        except RuleNotFound as error:
            return _refusal("ResourceNotFoundException", error.message)
        event = self._bus.new_event(
            entry["Source"], entry["DetailType"], entry.get("Resources", []), detail, entry.get("Time")
        )
        self._bus.put(bus, event)
        return {"EventId": event["id"]}


def _refusal(code: str, message: str) -> dict[str, str]:
    return {"ErrorCode": code, "ErrorMessage": message}
