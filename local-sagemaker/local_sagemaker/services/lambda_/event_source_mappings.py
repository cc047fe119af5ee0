"""Event source mappings: functions that a queue's messages invoke. Other sources are refused by name.

Texts are those of public records of AWS's responses.
"""

from __future__ import annotations

import re
import uuid
from typing import Any

from local_sagemaker.api.operations import Call, Request, Resource, Response, operation
from local_sagemaker.clock import now
from local_sagemaker.config import Settings
from local_sagemaker.errors import NotSupported, ServiceError
from local_sagemaker.records import Records
from local_sagemaker.records.own_members import MappingRecord
from local_sagemaker.records.status import MappingState
from local_sagemaker.records.store import Body
from local_sagemaker.services.lambda_.errors import InvalidValue, LambdaConflict, absent_mapping
from local_sagemaker.services.lambda_.names import FunctionReference
from local_sagemaker.services.lambda_.paging import page
from local_sagemaker.services.lambda_.queue_events import read_filters
from local_sagemaker.services.lambda_.queue_pollers import DISABLED, ENABLED, KIND, QueuePollers, url_of
from local_sagemaker.services.lambda_.resource_tags import check_number
from local_sagemaker.services.lambda_.store import FunctionStore

_QUEUE = re.compile(r"arn:aws[a-z-]*:sqs:([a-z0-9-]+):\d{12}:[a-zA-Z0-9_-]+(\.fifo)?")
_SETTINGS = (
    "BatchSize", "MaximumBatchingWindowInSeconds", "FilterCriteria", "ScalingConfig", "FunctionResponseTypes",
    "KMSKeyArn",
)  # fmt: skip
_DEFAULTS: Body = {"BatchSize": 10, "MaximumBatchingWindowInSeconds": 0, "FunctionResponseTypes": []}
_LARGE = 10


class EventSourceMappings(Resource):
    """The five operations; mappings that are enabled read their queues."""

    def __init__(self, *, settings: Settings, records: Records, store: FunctionStore, call: Call) -> None:
        self._settings, self._records, self._store, self._call = settings, records, store, call
        self._pollers = QueuePollers(records=records, call=call)

    @operation("CreateEventSourceMapping")
    def create(self, request: Request) -> Response:
        """Adds a mapping, which reads its queue at once unless it is not enabled."""
        source = request.get("EventSourceArn", "")
        if not _QUEUE.fullmatch(source):
            raise NotSupported("An EventSourceArn that is no SQS queue's is not supported by the local service.")
        reference = FunctionReference.parse(request["FunctionName"])
        identity = str(uuid.uuid4())
        body = {
            "UUID": identity, **_DEFAULTS, "EventSourceArn": source, **_settings_of(request),
            "FunctionArn": self._function(reference), "LastModified": now(),
            "State": ENABLED if request.get("Enabled", True) else DISABLED,
            "StateTransitionReason": "USER_INITIATED",
            "EventSourceMappingArn": self._settings.arns.of("lambda", f"event-source-mapping:{identity}"),
            **MappingRecord(_tags=check_number(request.get("Tags", {}))),
        }  # fmt: skip
        self._check(body, reference)
        with self._records.transaction():
            for other in self._records.list(KIND):
                if (other["EventSourceArn"], other["FunctionArn"]) == (source, body["FunctionArn"]):
                    raise LambdaConflict(
                        f'An event source mapping with SQS arn (" {source} ") and function (" {reference.name} ") '
                        f"already exists. Please update or delete the existing mapping with UUID {other['UUID']}"
                    )
            self._records.insert(KIND, identity, body)
        self._pollers.start(identity)
        return {**body, "State": MappingState.CREATING}

    @operation("GetEventSourceMapping")
    def get(self, request: Request) -> Response:
        """One mapping."""
        return self._require(request["UUID"])

    @operation("ListEventSourceMappings")
    def list_mappings(self, request: Request) -> Response:
        """All mappings, or those of a function or a queue."""
        bodies = self._records.list(KIND)
        if "FunctionName" in request:
            reference = FunctionReference.parse(request["FunctionName"])
            arn = self._store.arn(reference.name, reference.qualifier)
            bodies = [body for body in bodies if body["FunctionArn"] == arn]
        if "EventSourceArn" in request:
            bodies = [body for body in bodies if body["EventSourceArn"] == request["EventSourceArn"]]
        return page("EventSourceMappings", bodies, request)

    @operation("UpdateEventSourceMapping")
    def update(self, request: Request) -> Response:
        """Changes a mapping; batches at work end as they began."""
        identity, changes = request["UUID"], {**_settings_of(request), "LastModified": now()}
        if "FunctionName" in request:
            changes["FunctionArn"] = self._function(FunctionReference.parse(request["FunctionName"]))
        state = MappingState.UPDATING
        if "Enabled" in request:
            enabled = bool(request["Enabled"])
            changes["State"] = ENABLED if enabled else DISABLED
            state = MappingState.ENABLING if enabled else MappingState.DISABLING
        while True:  # a check calls the queue, which no transaction may wait for
            before = self._require(identity)
            body = {**before, **changes}
            self._check(body, FunctionReference.parse(body["FunctionArn"]))
            with self._records.transaction():
                if self._records.get(KIND, identity) == before:
                    self._records.put(KIND, identity, body)
                    break
        self._pollers.start(identity)
        return {**body, "State": state}

    @operation("DeleteEventSourceMapping")
    def delete(self, request: Request) -> Response:
        """Forgets a mapping; batches at work end."""
        body = self._require(request["UUID"])
        self._records.delete(KIND, request["UUID"])
        self._pollers.stop(request["UUID"])
        return {**body, "State": MappingState.DELETING}

    def resume(self) -> None:
        """Reads the queues of all mappings."""
        for identity, _ in self._records.items(KIND):
            self._pollers.start(identity)

    def reset(self) -> None:
        """Reads no more; records go by other means."""
        self._pollers.stop_all()

    def close(self) -> None:
        """Reads no more until the next start."""
        self._pollers.stop_all()

    def _require(self, identity: str) -> Body:
        body = self._records.get(KIND, identity)
        if body is None:
            raise absent_mapping()
        return body

    def _function(self, reference: FunctionReference) -> str:
        self._store.find(reference)
        return self._store.arn(reference.name, reference.qualifier)

    def _check(self, body: Body, reference: FunctionReference) -> None:
        fifo, size, window = (
            body["EventSourceArn"].endswith(".fifo"),
            body["BatchSize"],
            body["MaximumBatchingWindowInSeconds"],
        )
        if fifo and (window or size > _LARGE):
            raise InvalidValue("A FIFO queue has no batching window, and batches of at most 10 messages.")
        if size > _LARGE and not window:
            raise InvalidValue(
                "Maximum batch window in seconds must be greater than 0 if maximum batch size is greater than 10"
            )
        read_filters(body.get("FilterCriteria"))
        hidden, timeout = self._visibility(body["EventSourceArn"]), self._store.find(reference)["Timeout"]
        if hidden < timeout:
            raise InvalidValue(
                f"Queue visibility timeout: {hidden} seconds is less than Function timeout: {timeout} seconds"
            )

    def _visibility(self, queue: str) -> int:
        try:
            request = {"QueueUrl": url_of(self._call, queue), "AttributeNames": ["VisibilityTimeout"]}
            return int(self._call("sqs:GetQueueAttributes", request)["Attributes"]["VisibilityTimeout"])
        except ServiceError as error:
            raise InvalidValue(
                f"Error occurred while ReceiveMessage. SQS Error Code: {error.code}. SQS Error Message: {error.message}"
            ) from error


def _settings_of(request: Request) -> dict[str, Any]:
    return {name: request[name] for name in _SETTINGS if name in request}
