"""How often and how long an acknowledged event of a function, version or alias is tried (API reference)."""

from __future__ import annotations

from local_sagemaker.api.operations import Request, Resource, Response, operation
from local_sagemaker.clock import now
from local_sagemaker.services.lambda_.errors import InvalidValue, LambdaNotFound
from local_sagemaker.services.lambda_.events import OLDEST, RETRIES
from local_sagemaker.services.lambda_.names import LATEST, FunctionReference
from local_sagemaker.services.lambda_.paging import page
from local_sagemaker.services.lambda_.store import FunctionStore

_SETTINGS = ("MaximumRetryAttempts", "MaximumEventAgeInSeconds")


class EventInvokeConfigs(Resource):
    """Put-, Update-, Get-, Delete- and ListFunctionEventInvokeConfig(s). Texts as recorded of AWS."""

    def __init__(self, *, store: FunctionStore) -> None:
        self._store = store

    @operation("PutFunctionEventInvokeConfig")
    def put(self, request: Request) -> Response:
        """Sets the configuration; what the request lacks has its default."""
        with self._store.transaction():
            return self._write(request, {})

    @operation("UpdateFunctionEventInvokeConfig")
    def update(self, request: Request) -> Response:
        """Changes some of the configuration."""
        with self._store.transaction():
            return self._write(request, self.get(request))

    @operation("GetFunctionEventInvokeConfig")
    def get(self, request: Request) -> Response:
        """The configuration."""
        reference = FunctionReference.parse(request["FunctionName"], request.get("Qualifier"))
        body = self._store.event_config(reference)
        if body is None:
            arn = self._store.arn(reference.name, reference.qualifier or LATEST)
            raise LambdaNotFound(f"The function {arn} doesn't have an EventInvokeConfig")
        return body

    @operation("DeleteFunctionEventInvokeConfig")
    def delete(self, request: Request) -> Response:
        """Removes the configuration; the defaults are in force again."""
        reference = FunctionReference.parse(request["FunctionName"], request.get("Qualifier"))
        with self._store.transaction():
            self.get(request)
            self._store.put_event_config(reference, None)
        return {}

    @operation("ListFunctionEventInvokeConfigs")
    def list(self, request: Request) -> Response:
        """Those of a function and of its versions and aliases."""
        reference = FunctionReference.parse(request["FunctionName"])
        self._store.latest(reference)
        return page("FunctionEventInvokeConfigs", self._store.event_configs(reference.name), request)

    def _write(self, request: Request, before: Response) -> Response:
        settings = {name: request[name] for name in _SETTINGS if name in request}
        if not settings:
            raise InvalidValue("You must specify at least one of error handling or destination setting.")
        reference = FunctionReference.parse(request["FunctionName"], request.get("Qualifier"))
        self._store.find(reference)
        body = {
            "FunctionArn": self._store.arn(reference.name, reference.qualifier or LATEST),
            "DestinationConfig": {"OnSuccess": {}, "OnFailure": {}}, **before, **settings, "LastModified": now(),
        }  # fmt: skip
        self._store.put_event_config(reference, body)
        return body


def limits_of(store: FunctionStore, reference: FunctionReference) -> tuple[int, float]:
    """How often an event is tried again, and its greatest age in seconds."""
    body = store.event_config(reference) or {}
    return body.get("MaximumRetryAttempts", len(RETRIES)), body.get("MaximumEventAgeInSeconds", OLDEST)
