"""Methods of a resource and the responses that they declare."""

from __future__ import annotations

from local_sagemaker.api.operations import Request, Resource, Response, operation
from local_sagemaker.records.store import Body
from local_sagemaker.services.apigateway.errors import ApiBadRequest, ApiConflict, ApiNotFound
from local_sagemaker.services.apigateway.patch_operations import patch
from local_sagemaker.services.apigateway.store import ApiStore, method_of, resource_of

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "ANY")
_PATCHED = {"authorizationType": str, "apiKeyRequired": bool, "operationName": str}
_ELSEWHERE = ("authorizerId", "authorizationScopes", "requestModels", "requestParameters", "requestValidatorId")


class Methods(Resource):
    """Draft methods."""

    def __init__(self, *, store: ApiStore) -> None:
        self._store = store

    @operation("PutMethod")
    def put(self, request: Request) -> Response:
        """Adds a method."""
        if request["httpMethod"] not in METHODS:
            raise ApiBadRequest("Invalid HttpMethod specified. Valid options are " + ",".join(METHODS))
        _check_authorization(request["authorizationType"])
        if request.get("requestValidatorId"):
            raise ApiBadRequest("Request validators are not supported by the local service.")

        def change(body: Body) -> Body:
            methods = resource_of(body, request["resourceId"]).setdefault("resourceMethods", {})
            if request["httpMethod"] in methods:
                raise ApiConflict("Method already exists for this resource")
            made: Body = {
                "httpMethod": request["httpMethod"],
                "authorizationType": request["authorizationType"],
                "apiKeyRequired": request.get("apiKeyRequired", False),
                **{m: request[m] for m in ("operationName", "requestParameters", "requestModels") if m in request},
            }
            methods[request["httpMethod"]] = made
            return made

        return dict(self._store.change(request["restApiId"], change))

    @operation("GetMethod")
    def get(self, request: Request) -> Response:
        """One method with its integration."""
        return method_of(self._store.api(request["restApiId"]), request)

    @operation("UpdateMethod")
    def update(self, request: Request) -> Response:
        """Changes a method."""

        def change(body: Body) -> Body:
            method = method_of(body, request)
            patch(method, request, _PATCHED, _ELSEWHERE)
            _check_authorization(method["authorizationType"])
            return method

        return dict(self._store.change(request["restApiId"], change))

    @operation("DeleteMethod")
    def delete(self, request: Request) -> Response:
        """Removes a method."""

        def change(body: Body) -> None:
            method_of(body, request)
            resource = resource_of(body, request["resourceId"])
            del resource["resourceMethods"][request["httpMethod"]]
            if not resource["resourceMethods"]:
                del resource["resourceMethods"]

        self._store.change(request["restApiId"], change)
        return {}

    @operation("PutMethodResponse")
    def put_response(self, request: Request) -> Response:
        """Declares a status that the method can respond with."""

        def change(body: Body) -> Body:
            responses = method_of(body, request).setdefault("methodResponses", {})
            if request["statusCode"] in responses:
                raise ApiConflict("Response already exists for this resource")
            kept = ("statusCode", "responseParameters", "responseModels")
            responses[request["statusCode"]] = made = {m: request[m] for m in kept if m in request}
            return made

        return dict(self._store.change(request["restApiId"], change))

    @operation("GetMethodResponse")
    def get_response(self, request: Request) -> Response:
        """One declared response."""
        return response_of(method_of(self._store.api(request["restApiId"]), request), request)

    @operation("DeleteMethodResponse")
    def delete_response(self, request: Request) -> Response:
        """Removes a declared response."""

        def change(body: Body) -> None:
            method = method_of(body, request)
            response_of(method, request)
            del method["methodResponses"][request["statusCode"]]

        self._store.change(request["restApiId"], change)
        return {}


def response_of(method: Body, request: Request) -> Body:
    """The declared response of a method that a request names by its status."""
    response = method.get("methodResponses", {}).get(request["statusCode"])
    if response is None:
        raise ApiNotFound("Invalid Response status code specified")
    return response  # type: ignore[no-any-return]


def _check_authorization(kind: str) -> None:
    if kind in ("CUSTOM", "COGNITO_USER_POOLS"):
        raise ApiBadRequest(f"Authorizers ({kind}) are not supported by the local service; NONE and AWS_IAM are.")
    if kind not in ("NONE", "AWS_IAM"):
        raise ApiBadRequest(
            "Invalid authorization type specified. Valid options are NONE, AWS_IAM, CUSTOM, and COGNITO_USER_POOLS"
        )
