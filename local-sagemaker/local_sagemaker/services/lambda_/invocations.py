"""Invoke: at once, or acknowledged and done later. An acknowledged event is a record until it is done."""

from __future__ import annotations

import base64
import uuid
from typing import Any

from local_sagemaker.api.operations import Request, Resource, Response, operation
from local_sagemaker.functions.sandbox import FunctionSpec, Invocation, InvocationResult, log_result
from local_sagemaker.functions.sandboxes import Sandboxes
from local_sagemaker.json_text import load
from local_sagemaker.records import Records
from local_sagemaker.records.own_members import own_function
from local_sagemaker.records.store import Body
from local_sagemaker.services.lambda_.code import CodeArchives
from local_sagemaker.services.lambda_.errors import EventTooLarge, InvalidContent, LambdaNotFound
from local_sagemaker.services.lambda_.event_invoke_configs import limits_of
from local_sagemaker.services.lambda_.events import EventSources
from local_sagemaker.services.lambda_.names import FunctionReference
from local_sagemaker.services.lambda_.store import FunctionStore

LARGEST, LARGEST_EVENT = 6 * 1024 * 1024, 1024 * 1024


class FunctionInvocations(Resource):
    """Invocations of functions."""

    def __init__(self, *, store: FunctionStore, records: Records, code: CodeArchives, sandboxes: Sandboxes) -> None:
        self._store, self._code, self._sandboxes = store, code, sandboxes
        self._events = EventSources(records=records, attempt=self._attempt, limits=self._limits)

    @operation("Invoke")
    def invoke(self, request: Request) -> Response:
        """Runs a function with an event. An error of the function is a response, too."""
        reference = FunctionReference.parse(request["FunctionName"], request.get("Qualifier"))
        body = self._store.find(reference)
        kind = request.get("InvocationType", "RequestResponse")
        event = _event(request, LARGEST_EVENT if kind == "Event" else LARGEST)
        if kind == "DryRun":
            return {"StatusCode": 204, "ExecutedVersion": body["Version"]}
        if kind == "Event":
            self._events.accept(reference.name, reference.qualifier, event)
            return {"StatusCode": 202}
        response = self._run(body, reference, str(uuid.uuid4()), event, _context(request))
        return {
            "StatusCode": 200,
            "ExecutedVersion": body["Version"],
            "Payload": response.payload,
            **({"FunctionError": "Unhandled"} if response.failed else {}),
            **({"LogResult": log_result(response)} if request.get("LogType") == "Tail" else {}),
        }

    @operation("InvokeAsync")
    def invoke_later(self, request: Request) -> Response:
        """The deprecated form of InvocationType Event."""
        reference = FunctionReference.parse(request["FunctionName"])
        self._store.find(reference)
        arguments = request["InvokeArgs"]
        event = _event({"Payload": arguments}, LARGEST_EVENT)
        self._events.accept(reference.name, reference.qualifier, event)
        return {"Status": 202}

    def resume(self) -> None:
        """Runs the events that a killed service had acknowledged."""
        self._code.keep_only(self._store.archives())
        self._events.resume()

    def reset(self) -> None:
        """Forgets all events, ends all functions and removes their code; records go by other means."""
        self._events.clear()
        self._sandboxes.end_all()
        self._code.clear()

    def close(self) -> None:
        """Starts no further events; they are run at the next start."""
        self._events.close()
        self._sandboxes.close()

    def _run(
        self, body: Body, reference: FunctionReference, request_id: str, event: bytes, context: Any
    ) -> InvocationResult:
        function = FunctionSpec(
            name=body["FunctionName"],
            version=body["Version"],
            revision=body["RevisionId"],
            handler=body["Handler"],
            runtime=body["Runtime"],
            timeout=float(body["Timeout"]),
            memory=int(body["MemorySize"]),
            code=self._code.folder(own_function(body)["_code"]),
            log_group=body["LoggingConfig"]["LogGroup"],
            environment=body.get("Environment", {}).get("Variables", {}),
        )
        arn = self._store.arn(reference.name, reference.qualifier)
        return self._sandboxes.invoke(function, Invocation(request_id, arn, event, context))

    def _limits(self, body: Body) -> tuple[int, float]:
        return limits_of(self._store, FunctionReference(body["function"], body["qualifier"]))

    def _attempt(self, key: str, body: Body, event: bytes) -> bool:
        """Whether an event is done. One whose function no longer exists is."""
        reference = FunctionReference(body["function"], body["qualifier"])
        try:
            function = self._store.find(reference)
        except LambdaNotFound:
            return True
        return not self._run(function, reference, key, event, None).failed


def _event(request: Request, limit: int) -> bytes:
    event = request.get("Payload") or b"{}"
    event = event if isinstance(event, bytes) else event.read(-1)
    if len(event) > limit:
        raise EventTooLarge(f"Request must be smaller than {limit} bytes for the InvokeFunction operation")
    try:
        load(event or b"{}")
    except ValueError as error:
        raise InvalidContent(
            f"Could not parse request body into json: Could not parse payload into json: {error}"
        ) from error
    return event or b"{}"


def _context(request: Request) -> Any:
    context = request.get("ClientContext")
    if not context:
        return None
    try:
        return load(base64.b64decode(context))
    except ValueError as error:
        raise InvalidContent("Could not parse client context into json.") from error
