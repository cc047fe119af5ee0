"""REST APIs: their stages, methods and integrations, and the address of each method as a command."""

from __future__ import annotations

import shlex
from dataclasses import dataclass, field
from typing import Any

from local_sagemaker.studio import urls
from local_sagemaker.studio.page import Page, Visit
from local_sagemaker.studio.pages.listing import items_or_none
from local_sagemaker.studio.views.times import seconds

_MOST = 500


@dataclass(frozen=True)
class ApiRow:
    """A REST API of the list."""

    id: str
    name: str
    href: str
    description: str
    created: float | None
    stages: list[str]


@dataclass(frozen=True)
class ApisContext:
    """What the list of APIs shows."""

    rows: list[ApiRow] = field(metadata={"help": "REST APIs"})


def load(visit: Visit) -> ApisContext:
    """apigateway:GetRestApis with GetStages."""
    listed = visit.call("apigateway:GetRestApis", {"limit": _MOST}).get("items", [])
    return ApisContext(
        [
            ApiRow(
                item["id"], item.get("name", ""), urls.to("apis", item["id"]), item.get("description", ""),
                seconds(item.get("createdDate")), _stages(visit, item["id"]),
            )
            for item in listed
        ]
    )  # fmt: skip


def _stages(visit: Visit, api: str) -> list[str]:
    return [
        item["stageName"] for item in (visit.optional("apigateway:GetStages", {"restApiId": api}) or {}).get("item", [])
    ]


@dataclass(frozen=True)
class ApiMethod:
    """A method of a path: what it calls, and a request to the stage that is chosen."""

    path: str
    verb: str
    authorization: str
    integration: str
    target: str
    href: str
    command: str


@dataclass(frozen=True)
class ApiContext:
    """What an API's page shows."""

    id: str = field(metadata={"help": "the API's id"})
    name: str = field(metadata={"help": "its name"})
    description: str = field(metadata={"help": "its description"})
    created: float | None = field(metadata={"help": "seconds since the epoch"})
    stages: list[str] = field(metadata={"help": "its stages"})
    stage: str = field(metadata={"help": "the stage whose addresses are shown"})
    address: str = field(metadata={"help": "the address of the stage"})
    methods: list[ApiMethod] = field(metadata={"help": "its methods, by path"})
    described: dict[str, Any] = field(metadata={"help": "GetRestApi's response"}, repr=False)


def load_one(visit: Visit) -> ApiContext:
    """GetRestApi, GetStages, and GetResources with their methods."""
    body = visit.call("apigateway:GetRestApi", {"restApiId": visit.path["api"]})
    stages = _stages(visit, body["id"])
    stage = visit.value("stage") if visit.value("stage") in stages else (stages or [""])[0]
    address = (
        f"http://127.0.0.1:{visit.address.rpartition(':')[2]}/_aws/execute-api/{body['id']}/{stage}" if stage else ""
    )
    resources = items_or_none(visit, "apigateway:GetResources", "items", _MOST, restApiId=body["id"], limit=_MOST)
    methods = [
        _method(visit, body["id"], item, verb, address)
        for item in sorted(resources, key=lambda one: one.get("path", ""))
        for verb in item.get("resourceMethods", {})
    ]
    return ApiContext(
        body["id"], body.get("name", ""), body.get("description", ""), seconds(body.get("createdDate")), stages, stage,
        address, methods, body,
    )  # fmt: skip


def _method(visit: Visit, api: str, resource: dict[str, Any], verb: str, address: str) -> ApiMethod:
    where = {"restApiId": api, "resourceId": resource["id"], "httpMethod": verb}
    body = visit.optional("apigateway:GetMethod", where) or {}
    integration = body.get("methodIntegration", {})
    uri = str(integration.get("uri", ""))
    function = uri.partition(":function:")[2].partition("/")[0]
    words = ["curl", "-X", "POST" if verb == "ANY" else verb, f"{address}{resource.get('path', '')}"]
    words += ["-H", "Content-Type: application/json", "-d", "{}"] if verb not in ("GET", "HEAD", "DELETE") else []
    return ApiMethod(
        resource.get("path", ""), verb, body.get("authorizationType", ""), integration.get("type", ""),
        function or uri, urls.to("functions", function) if function else "", shlex.join(words) if address else "",
    )  # fmt: skip


PAGE = Page("/apis", load, "apis.html", "APIs")
API = Page("/apis/{api}", load_one, "api.html", "APIs")
