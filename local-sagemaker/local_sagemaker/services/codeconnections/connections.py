"""Connections: made PENDING, until somebody completes them.

On AWS that is a person at the provider's pages; here it is the first push to a repository behind a connection
(``/v1/connections/OWNER/NAME.git``): what stands for the provider is then there.
"""

from __future__ import annotations

import uuid
from typing import Any

from local_sagemaker.api.operations import Request, Resource, Response, operation
from local_sagemaker.config import Settings
from local_sagemaker.errors import ResourceNotFound, ServiceError, ValidationError
from local_sagemaker.records import Records
from local_sagemaker.records.delivery_members import ConnectionRecord, own_connection
from local_sagemaker.records.delivery_status import ConnectionStatus
from local_sagemaker.records.store import Body, public
from local_sagemaker.services.codecommit.bare_repositories import HostedRepositories
from local_sagemaker.services.pagination import page_rows

CONNECTION = "code-connection"
PROVIDERS = ("Bitbucket", "GitHub", "GitLab")


class ConnectionMissing(ResourceNotFound):
    """No such connection."""

    code, status = "ResourceNotFoundException", 400


class Connections(Resource):
    """CreateConnection, GetConnection, ListConnections, DeleteConnection and tags."""

    service = "codeconnections"

    def __init__(self, *, settings: Settings, records: Records, hosted: HostedRepositories) -> None:
        self._settings, self._records, self._hosted = settings, records, hosted

    def resume(self) -> None:
        """Takes in pushes that the service did not see the end of."""
        for name in self._hosted.names():
            self._hosted.take_in(name, {"repositoryName": name})

    def reset(self) -> None:
        """Removes the repositories' files."""
        self._hosted.clear()

    @operation("CreateConnection")
    def create(self, request: Request) -> Response:
        """Makes a connection that waits for its completion."""
        if request.get("HostArn"):
            text = "LocalUnsupported: hosts of self-managed providers are not supported."
            raise ServiceError(text, code="ResourceUnavailableException", status=400)
        provider = request.get("ProviderType", "GitHub")
        if provider not in PROVIDERS:
            text = f"LocalUnsupported: the provider {provider} is not supported; {', '.join(PROVIDERS)} are."
            raise ServiceError(text, code="ResourceUnavailableException", status=400)
        arn = self._settings.arns.of(self.service, f"connection/{uuid.uuid4()}")
        tags = {tag["Key"]: tag["Value"] for tag in request.get("Tags", [])}
        body = {
            "ConnectionName": request["ConnectionName"], "ConnectionArn": arn, "ProviderType": provider,
            "OwnerAccountId": self._settings.account, "ConnectionStatus": ConnectionStatus.PENDING,
            **ConnectionRecord(_tags=tags),
        }  # fmt: skip
        self._records.insert(CONNECTION, _key(arn), body)
        return {"ConnectionArn": arn, "Tags": request.get("Tags", [])}

    def _require(self, arn: str) -> Body:
        body = self._records.get(CONNECTION, _key(arn))
        if body is None:
            raise ConnectionMissing(f"Connection not found: {arn}")
        return body

    @operation("GetConnection")
    def get(self, request: Request) -> Response:
        """One connection, by its ARN of either service."""
        return {"Connection": public(self._require(request["ConnectionArn"]))}

    @operation("ListConnections")
    def list(self, request: Request) -> Response:
        """All connections (of a provider)."""
        bodies = self._records.list(CONNECTION)
        wanted = request.get("ProviderTypeFilter")
        chosen = [public(body) for body in bodies if wanted in (None, body["ProviderType"])]
        rows, more = page_rows(chosen, request, ValidationError, most=50, token="NextToken", size="MaxResults")
        return {"Connections": rows, **more}

    @operation("DeleteConnection")
    def delete(self, request: Request) -> Response:
        """Removes a connection."""
        self._require(request["ConnectionArn"])
        self._records.delete(CONNECTION, _key(request["ConnectionArn"]))
        return {}

    def _set_tags(self, arn: str, tags: dict[str, Any]) -> None:
        self._records.put(CONNECTION, _key(arn), {**self._require(arn), **ConnectionRecord(_tags=tags)})

    @operation("TagResource")
    def tag(self, request: Request) -> Response:
        """Adds tags."""
        added = {tag["Key"]: tag["Value"] for tag in request["Tags"]}
        self._set_tags(
            request["ResourceArn"], {**own_connection(self._require(request["ResourceArn"]))["_tags"], **added}
        )
        return {}

    @operation("UntagResource")
    def untag(self, request: Request) -> Response:
        """Takes tags away."""
        tags = own_connection(self._require(request["ResourceArn"]))["_tags"]
        self._set_tags(request["ResourceArn"], {key: tags[key] for key in tags if key not in request["TagKeys"]})
        return {}

    @operation("ListTagsForResource")
    def tags(self, request: Request) -> Response:
        """The tags of a connection."""
        tags = own_connection(self._require(request["ResourceArn"]))["_tags"]
        return {"Tags": [{"Key": key, "Value": value} for key, value in tags.items()]}


def _key(arn: str) -> str:
    return arn.rpartition("connection/")[2]


def complete(records: Records, name: str | None = None) -> list[str]:
    """Completes the connections of a name, or all; the names of those that waited."""
    waiting = []
    for key, body in records.items(CONNECTION):
        if body["ConnectionStatus"] == ConnectionStatus.PENDING and name in (None, body["ConnectionName"]):
            records.put(CONNECTION, key, {**body, "ConnectionStatus": ConnectionStatus.AVAILABLE})
            waiting.append(str(body["ConnectionName"]))
    return waiting
