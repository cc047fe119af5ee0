"""REST APIs as records: one for an API with its draft resources and its stages, one for each deployment's snapshot.

Kinds: `rest-api` by id; `rest-api-deployment` by ``api/deployment``.
"""

from __future__ import annotations

import secrets
import string
from collections.abc import Callable
from typing import Any

from local_sagemaker.api.operations import Request, Response
from local_sagemaker.config import Settings
from local_sagemaker.integers import natural
from local_sagemaker.records import Records
from local_sagemaker.records.own_members import own_api
from local_sagemaker.records.store import Body
from local_sagemaker.services.apigateway.errors import ApiBadRequest, ApiNotFound

API, DEPLOYMENT = "rest-api", "rest-api-deployment"
_ALPHABET = string.ascii_lowercase + string.digits


def new_id(length: int) -> str:
    """An id as API Gateway makes them: ten letters and digits for an API, six for what is in it."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(length))


class ApiStore:
    """Reads and writes REST APIs."""

    def __init__(self, *, records: Records, settings: Settings) -> None:
        self._records, self._account = records, settings.account

    def insert(self, body: Body) -> None:
        """Adds an API."""
        self._records.insert(API, body["id"], body)

    def apis(self) -> list[Body]:
        """All APIs, oldest first."""
        return self._records.list(API)

    def find_api(self, api: str) -> Body | None:
        """An API, or None."""
        return self._records.get(API, api)

    def api(self, api: str) -> Body:
        """An API."""
        body = self._records.get(API, api)
        if body is None:
            raise ApiNotFound(f"Invalid API identifier specified {self._account}:{api}")
        return body

    def change(self, api: str, change: Callable[[Body], Any]) -> Any:
        """Changes an API in one transaction; returns what `change` does."""
        results: list[Any] = []

        def apply(body: Body) -> None:
            results.append(change(body))

        if self._records.update(API, api, apply) is None:
            self.api(api)
        return results[0]

    def delete(self, api: str) -> None:
        """Removes an API with its deployments."""
        with self._records.transaction():
            self._records.delete(API, api)
            for key, _ in self._records.items(DEPLOYMENT, f"{api}/"):
                self._records.delete(DEPLOYMENT, key)

    def add_deployment(self, api: str, body: Body) -> None:
        """Adds a deployment."""
        self._records.insert(DEPLOYMENT, f"{api}/{body['id']}", body)

    def deployments(self, api: str) -> list[Body]:
        """The deployments of an API, oldest first."""
        return self._records.list(DEPLOYMENT, f"{api}/")

    def deployment(self, api: str, deployment: str) -> Body:
        """One deployment."""
        body = self._records.get(DEPLOYMENT, f"{api}/{deployment}")
        if body is None:
            raise ApiNotFound("Invalid Deployment identifier specified")
        return body

    def put_deployment(self, api: str, body: Body) -> None:
        """Replaces a deployment."""
        self._records.put(DEPLOYMENT, f"{api}/{body['id']}", body)

    def delete_deployment(self, api: str, deployment: str) -> None:
        """Removes a deployment."""
        self._records.delete(DEPLOYMENT, f"{api}/{deployment}")


def resource_of(body: Body, resource: str) -> Body:
    """A draft resource of an API."""
    if resource not in own_api(body)["_resources"]:
        raise ApiNotFound("Invalid Resource identifier specified")
    return own_api(body)["_resources"][resource]


def method_of(body: Body, request: Request) -> Body:
    """The draft method that a request names."""
    methods = resource_of(body, request["resourceId"]).get("resourceMethods", {})
    if request["httpMethod"] not in methods:
        raise ApiNotFound("Invalid Method identifier specified")
    return methods[request["httpMethod"]]  # type: ignore[no-any-return]


def page(items: list[Body], request: Request, default: int = 25) -> Response:
    """A page of items: position and limit."""
    start = natural(request.get("position", "0"))
    if start is None:
        raise ApiBadRequest("Invalid position parameter specified")
    end = start + min(request.get("limit", default), 500)
    return {"items": items[start:end], **({"position": str(end)} if end < len(items) else {})}
