"""REST APIs in the making, and a plain HTTP client of them."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.support import Service

REGION = "us-east-1"


@dataclass
class Answer:
    """What an HTTP client got."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)


def send(url: str, body: bytes | str | None = None, method: str = "POST", **headers: str) -> Answer:
    """A request of a plain HTTP client."""
    data = body.encode() if isinstance(body, str) else body
    names = {"Content-Type": "application/json"} if data else {}
    names |= {name.replace("_", "-"): value for name, value in headers.items()}
    request = urllib.request.Request(url, data=data, method=method, headers=names)
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return Answer(answer.status, answer.headers, answer.read())
    except urllib.error.HTTPError as error:
        return Answer(error.code, error.headers, error.read())


class Api:
    """A REST API in the making."""

    def __init__(self, service: Service, name: str, **options: Any) -> None:
        self.service, self.client = service, service.client("apigateway")
        self.made = self.client.create_rest_api(name=name, **options)
        self.id = self.made["id"]
        self.root = self.client.get_resources(restApiId=self.id)["items"][0]["id"]

    def resource(self, part: str, parent: str | None = None) -> str:
        made = self.client.create_resource(restApiId=self.id, parentId=parent or self.root, pathPart=part)
        return str(made["id"])

    def method(self, resource: str, verb: str, authorization: str = "NONE", **integration: Any) -> dict[str, str]:
        where = {"restApiId": self.id, "resourceId": resource, "httpMethod": verb}
        self.client.put_method(**where, authorizationType=authorization)
        self.client.put_integration(**where, **integration)
        if integration["type"] != "AWS_PROXY":
            self.response(where)
        return where

    def response(self, where: dict[str, str], status: str = "200", **options: Any) -> None:
        self.client.put_method_response(**where, statusCode=status)
        self.client.put_integration_response(**where, statusCode=status, **options)

    def deploy(self, stage: str = "test", **options: Any) -> str:
        return str(self.client.create_deployment(restApiId=self.id, stageName=stage, **options)["id"])

    def url(self, path: str, stage: str = "test") -> str:
        return f"{self.service.url}/_aws/execute-api/{self.id}/{stage}{path}"


def function(arn: str, kind: str = "AWS") -> dict[str, str]:
    """An integration with a function."""
    uri = f"arn:aws:apigateway:{REGION}:lambda:path/2015-03-31/functions/{arn}/invocations"
    return {"type": kind, "integrationHttpMethod": "POST", "uri": uri}


def refused(action: Any, **request: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as raised:
        action(**request)
    return raised.value.response["Error"]["Code"], raised.value.response["Error"]["Message"]
