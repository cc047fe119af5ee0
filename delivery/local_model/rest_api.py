"""The REST API in front of the Lambda function: POST on one named resource, one deployed stage; and a call of it."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from botocore.exceptions import ClientError

from delivery import ownership
from delivery.clients import Clients
from delivery.errors import DeliveryError, not_found
from delivery.serverless import list_apis
from pipelines.session import find_suffix

JSON = "application/json"
PERMISSION = "rest-api"
# What the function raises decides on the status. Java's regular expressions, matched against the whole errorMessage.
ERRORS = {
    "400": (r"Bad request: (\n|.)*", '{"message": $input.json("$.errorMessage")}'),
    "500": (r"(?!Bad request: )(\n|.)+", '{"message": "Internal server error"}'),
}


@dataclass(frozen=True)
class RestApi:
    identity: str
    region: str
    stage: str
    resource: str

    @property
    def url(self) -> str:
        host = f"{self.identity}.execute-api.{self.region}.{find_suffix(self.region)}"
        return f"https://{host}/{self.stage}/{self.resource}"


def put_api(clients: Clients, api: str, resource: str, stage: str, function_arn: str, name: str) -> RestApi:
    """Creates the API or brings it up to date, and deploys it.

    :param name: whose it is, as the tags say it.
    """
    identity = find(clients, api)
    if identity is None:
        tags = ownership.make_mapping(ownership.LOCAL_MODEL, name)
        kind = {"types": ["REGIONAL"]}
        identity = clients.apis.create_rest_api(name=api, endpointConfiguration=kind, tags=tags)["id"]
    where = {"restApiId": identity, "resourceId": _resource(clients, identity, resource), "httpMethod": "POST"}
    _method(clients, where, function_arn)
    _permission(clients, identity, resource, function_arn)
    clients.apis.create_deployment(restApiId=identity, stageName=stage)
    return RestApi(identity, clients.region, stage, resource)


def find(clients: Clients, api: str) -> str | None:
    """The id of our API of this name."""
    for identity, name, tags in list_apis(clients):
        if name == api and tags.get(ownership.MADE_BY) == ownership.LOCAL_MODEL:
            return identity
    return None


def require_api(clients: Clients, api: str, resource: str, stage: str) -> RestApi:
    """:raises NotFoundError: if there is no such API."""
    identity = find(clients, api)
    if identity is None:
        raise not_found("REST API", api, (name for _, name, _ in list_apis(clients)))
    return RestApi(identity, clients.region, stage, resource)


def _resource(clients: Clients, identity: str, name: str) -> str:
    pages = clients.apis.get_paginator("get_resources").paginate(restApiId=identity)
    ids = {item["path"]: item["id"] for page in pages for item in page["items"]}
    if f"/{name}" in ids:
        return str(ids[f"/{name}"])
    made = clients.apis.create_resource(restApiId=identity, parentId=ids["/"], pathPart=name)
    return str(made["id"])


def _method(clients: Clients, where: dict[str, str], function_arn: str) -> None:
    """POST, integrated with the function, which receives the request's body as it is."""
    apis = clients.apis
    region = function_arn.split(":")[3]
    uri = f"arn:aws:apigateway:{region}:lambda:path/2015-03-31/functions/{function_arn}/invocations"
    _unless_there(lambda: apis.put_method(**where, authorizationType="NONE"))
    apis.put_integration(**where, type="AWS", integrationHttpMethod="POST", uri=uri)
    for status in ("200", *ERRORS):
        response = {**where, "statusCode": status, "responseModels": {JSON: "Empty"}}
        _unless_there(partial(apis.put_method_response, **response))
    apis.put_integration_response(**where, statusCode="200", responseTemplates={})
    for status, (pattern, template) in ERRORS.items():
        apis.put_integration_response(
            **where, statusCode=status, selectionPattern=pattern, responseTemplates={JSON: template}
        )


def _permission(clients: Clients, identity: str, resource: str, function_arn: str) -> None:
    """Lets this API, and no other, invoke the function."""
    _, partition, _, region, account, *_ = function_arn.split(":")
    source = f"arn:{partition}:execute-api:{region}:{account}:{identity}/*/POST/{resource}"
    _unless_there(
        lambda: clients.functions.add_permission(
            FunctionName=function_arn,
            StatementId=f"{PERMISSION}-{identity}",
            Action="lambda:InvokeFunction",
            Principal="apigateway.amazonaws.com",
            SourceArn=source,
        )
    )


def _unless_there(create: Callable[..., Any]) -> None:
    try:
        create()
    except ClientError as error:
        if error.response["Error"]["Code"] not in ("ConflictException", "ResourceConflictException"):
            raise


def call(url: str, data: str, timeout: float = 30) -> str:
    """POSTs the row as any HTTP client would; the class's name.

    :raises DeliveryError: if the response is no success.
    """
    body = json.dumps({"data": data}).encode()
    request = urllib.request.Request(url, body, {"Content-Type": JSON}, method="POST")
    try:
        with urllib.request.urlopen(request, timeout=timeout) as response:
            return str(json.loads(response.read()))
    except urllib.error.HTTPError as error:
        text = error.read().decode(errors="replace")
        raise DeliveryError(f"the API returned status {error.code}: {_message(text)}") from error
    except urllib.error.URLError as error:
        raise DeliveryError(f"{url} cannot be reached: {error.reason}") from error


def _message(text: str) -> str:
    try:
        return str(json.loads(text)["message"])
    except (ValueError, KeyError, TypeError):
        return text
