"""What a method does: its integration and how the integration's responses become the method's."""

from __future__ import annotations

from local_sagemaker.api.operations import Request, Resource, Response, operation
from local_sagemaker.records.store import Body
from local_sagemaker.regexes import bounded
from local_sagemaker.regexes.bounded import RegexError
from local_sagemaker.services.apigateway import backends, templates
from local_sagemaker.services.apigateway.errors import ApiBadRequest, ApiNotFound
from local_sagemaker.services.apigateway.methods import response_of
from local_sagemaker.services.apigateway.patch_operations import patch
from local_sagemaker.services.apigateway.store import ApiStore, method_of

_KEPT = ("uri", "credentials", "requestParameters", "requestTemplates", "contentHandling", "cacheKeyParameters")
_PATCHED = {
    "uri": str, "credentials": str, "passthroughBehavior": str, "timeoutInMillis": int, "httpMethod": str,
    "requestParameters": dict, "requestTemplates": dict,
}  # fmt: skip
_ELSEWHERE = ("cacheKeyParameters", "cacheNamespace", "connectionId", "connectionType", "contentHandling", "tlsConfig")
_PASSTHROUGH = ("WHEN_NO_MATCH", "WHEN_NO_TEMPLATES", "NEVER")
SHORTEST, LONGEST = 50, 29_000


class Integrations(Resource):
    """Draft integrations."""

    def __init__(self, *, store: ApiStore) -> None:
        self._store = store

    @operation("PutIntegration")
    def put(self, request: Request) -> Response:
        """Says what a method does. What can't run here is refused now rather than when it is called."""
        made: Body = {
            "type": request["type"],
            **({"httpMethod": request["integrationHttpMethod"]} if "integrationHttpMethod" in request else {}),
            **{member: request[member] for member in _KEPT if member in request},
            "passthroughBehavior": request.get("passthroughBehavior", "WHEN_NO_MATCH"),
            "timeoutInMillis": request.get("timeoutInMillis", LONGEST),
            "cacheNamespace": request.get("cacheNamespace", request["resourceId"]),
        }
        if request["type"] in ("AWS", "AWS_PROXY") and "httpMethod" not in made:
            raise ApiBadRequest("Enumeration value for HttpMethod must be non-empty")
        _check(made)
        self._store.change(request["restApiId"], lambda body: method_of(body, request).update(methodIntegration=made))
        return made

    @operation("GetIntegration")
    def get(self, request: Request) -> Response:
        """The integration of a method."""
        return integration_of(method_of(self._store.api(request["restApiId"]), request))

    @operation("UpdateIntegration")
    def update(self, request: Request) -> Response:
        """Changes an integration."""

        def change(body: Body) -> Body:
            integration = integration_of(method_of(body, request))
            patch(integration, request, _PATCHED, _ELSEWHERE)
            _check(integration)
            return integration

        return dict(self._store.change(request["restApiId"], change))

    @operation("DeleteIntegration")
    def delete(self, request: Request) -> Response:
        """Removes an integration."""

        def change(body: Body) -> None:
            method = method_of(body, request)
            integration_of(method)
            del method["methodIntegration"]

        self._store.change(request["restApiId"], change)
        return {}

    @operation("PutIntegrationResponse")
    def put_response(self, request: Request) -> Response:
        """Says when the integration's response becomes this response of the method, and how."""
        pattern = request.get("selectionPattern", "")
        try:
            bounded.check(pattern)
        except RegexError as error:
            raise ApiBadRequest(f"Invalid selection pattern specified: {pattern}") from error
        _check_templates(request.get("responseTemplates", {}))
        kept = ("statusCode", "selectionPattern", "responseParameters", "responseTemplates", "contentHandling")
        made = {member: request[member] for member in kept if member in request}

        def change(body: Body) -> None:
            method = method_of(body, request)
            response_of(method, request)
            integration_of(method).setdefault("integrationResponses", {})[request["statusCode"]] = made

        self._store.change(request["restApiId"], change)
        return made

    @operation("GetIntegrationResponse")
    def get_response(self, request: Request) -> Response:
        """One response."""
        integration = integration_of(method_of(self._store.api(request["restApiId"]), request))
        return _response(integration, request)

    @operation("DeleteIntegrationResponse")
    def delete_response(self, request: Request) -> Response:
        """Removes a response."""

        def change(body: Body) -> None:
            integration = integration_of(method_of(body, request))
            _response(integration, request)
            del integration["integrationResponses"][request["statusCode"]]

        self._store.change(request["restApiId"], change)
        return {}


def integration_of(method: Body) -> Body:
    """The integration of a method."""
    if "methodIntegration" not in method:
        raise ApiNotFound("Invalid Integration identifier specified")
    return method["methodIntegration"]  # type: ignore[no-any-return]


def _response(integration: Body, request: Request) -> Body:
    response = integration.get("integrationResponses", {}).get(request["statusCode"])
    if response is None:
        raise ApiNotFound("Invalid Response status code specified")
    return response  # type: ignore[no-any-return]


def _check(integration: Body) -> None:
    kind, limit = integration["type"], integration["timeoutInMillis"]
    if kind in ("HTTP", "HTTP_PROXY"):
        raise ApiBadRequest("HTTP integrations are not supported by the local service; AWS, AWS_PROXY and MOCK are.")
    if not SHORTEST <= limit <= LONGEST:
        raise ApiBadRequest(f"Timeout should be between {SHORTEST} ms and {LONGEST} ms")
    if integration["passthroughBehavior"] not in _PASSTHROUGH:
        raise ApiBadRequest("Invalid passthrough behavior specified")
    if kind != "MOCK":
        backends.check(integration)
    _check_templates(integration.get("requestTemplates", {}))


def _check_templates(by_type: dict[str, str]) -> None:
    for kind, text in by_type.items():
        try:
            templates.parse(text)
        except templates.VelocityError as error:
            raise ApiBadRequest(f"Invalid mapping template specified for {kind}: {error}") from error
