"""Which operation of which service a request is, from the model's http traits.

JSON services are named by ``X-Amz-Target``; REST services by method, path and query. S3's bucket may stand in the
host name. Where several operations share a method and path, the one with the most satisfied demands is it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, unquote

from local_sagemaker.api import models
from local_sagemaker.errors import NotSupported
from local_sagemaker.wire.request import WireRequest

if TYPE_CHECKING:
    from botocore.model import OperationModel, ServiceModel

SUPPORT = "docs/reference/operations.md"
_S3_HOST = re.compile(
    r"(?:(?P<bucket>.+?)\.)?(?:s3(?:[.-](?:dualstack\.)?[a-z0-9-]+)?\.amazonaws\.com(?:\.cn)?|localhost)"
)


@dataclass(frozen=True)
class Target:
    """The operation that a request is for. `labels` are the decoded variables of its path."""

    service: str
    operation: OperationModel
    labels: dict[str, str]

    @property
    def name(self) -> str:
        """As the spine calls it: ``sagemaker:CreateTrainingJob``."""
        return f"{self.service}:{self.operation.name}"

    @property
    def protocol(self) -> str:
        """botocore's name of the wire protocol."""
        return protocol_of(self.operation.service_model)


def protocol_of(model: ServiceModel) -> str:
    """The protocol that botocore speaks with a service: of several, the one it prefers."""
    return str(model.resolved_protocol)


def is_unmodelled(signing_name: str) -> bool:
    """Whether a service is served by moto rather than by operations."""
    return signing_name not in models.MODELS_BY_SIGNING_NAME


def bucket_of_host(host: str) -> str | None:
    """The bucket of a virtual-host style S3 request, e.g. of ``data.s3.us-east-1.amazonaws.com``."""
    match = _S3_HOST.fullmatch(host)
    return match["bucket"] if match else None


def path_style(request: WireRequest) -> str:
    """The S3 path with the bucket in it, wherever the request has it (still percent-encoded)."""
    bucket = bucket_of_host(request.host)
    return f"/{bucket}{request.path}" if bucket else request.path


def find(signing_name: str, request: WireRequest) -> Target:
    """The operation of one of the service's own services. Raises `NotSupported` when its model has none such."""
    wanted = request.headers.get("x-amz-target", "")
    for service in models.MODELS_BY_SIGNING_NAME[signing_name]:
        model = models.model(service)
        if protocol_of(model) == "json":
            prefix, _, name = wanted.rpartition(".")
            if name and prefix == model.metadata["targetPrefix"] and name in _names(service):
                return Target(service, models.operation(service, name), {})
        elif protocol_of(model) == "query":
            name = dict(request.form()).get("Action", "")
            if name in _names(service):
                return Target(service, models.operation(service, name), {})
        elif not wanted:
            target = _rest(service, request)
            if target:
                return target
    requested = wanted or f"{request.method} {request.path}"
    raise NotSupported(f"'{requested}' is no operation of {signing_name} that the local service knows; see {SUPPORT}.")


def has_operation(service: str, name: str) -> bool:
    """Whether a service, by botocore's name, has an operation."""
    return name in _names(service)


@lru_cache(maxsize=64)
def _names(service: str) -> frozenset[str]:
    return frozenset(models.model(service).operation_names)


@dataclass(frozen=True)
class _Route:
    """An operation's http trait, compiled. `demands` are query names (and values) without which it is another one."""

    name: str
    path: re.Pattern[str]
    literal: int
    demands: tuple[tuple[str, str | None], ...]
    header: str | None

    def accepts(self, query: dict[str, str], headers: dict[str, str]) -> bool:
        if not query and self.demands:
            return False
        return all(name in query and value in (None, query[name]) for name, value in self.demands) and (
            self.header is None or self.header in headers
        )


@lru_cache(maxsize=64)
def _routes(service: str) -> dict[str, list[_Route]]:
    """Routes by method, the most demanding first; the model's order decides among equals, deprecated ones last."""
    by_method: dict[str, list[tuple[tuple[int, int, bool], _Route]]] = {}
    model = models.model(service)
    for name in model.operation_names:
        operation = model.operation_model(name)
        route = _route(operation)
        rank = (-route.literal, -len(route.demands) - (route.header is not None), bool(operation.deprecated))
        by_method.setdefault(operation.http["method"], []).append((rank, route))
    return {method: [r for _, r in sorted(routes, key=lambda item: item[0])] for method, routes in by_method.items()}


def _route(operation: OperationModel) -> _Route:
    path, _, query = operation.http["requestUri"].partition("?")
    demands: list[tuple[str, str | None]] = []
    for part, value in parse_qsl(query, keep_blank_values=True):
        demands.append((part, value or None))
    header = None
    shape = operation.input_shape
    members = shape.members if shape else {}
    for member in shape.required_members if shape else ():
        serialization = members[member].serialization
        if serialization.get("location") == "querystring":
            demands.append((serialization["name"], None))
        elif serialization.get("name") == "x-amz-copy-source":
            header = "x-amz-copy-source"
    pattern = "".join(
        f"(?P<{_group(part)}>{'.+' if part.endswith('+}') else '[^/]+'})" if part.startswith("{") else re.escape(part)
        for part in re.split(r"(\{[^}]+\})", path)
    )
    literal = len(re.sub(r"\{[^}]+\}", "", path))
    return _Route(operation.name, re.compile(pattern + "/?", re.DOTALL), literal, tuple(demands), header)


def _group(label: str) -> str:
    """A label as a name that a regular expression allows; hyphens occur in some services."""
    return label.strip("{}+").replace("-", "__")


def _rest(service: str, request: WireRequest) -> Target | None:
    query = dict(request.parameters())
    if service == "s3":
        return _s3(request, query)
    for route in _routes(service).get(request.method, ()):
        match = route.path.fullmatch(request.path)
        if match is not None and route.accepts(query, request.headers):
            return _target(service, route, match.groupdict())
    return None


def _target(service: str, route: _Route, groups: dict[str, str]) -> Target:
    labels = {name.replace("__", "-"): unquote(value, errors="surrogateescape") for name, value in groups.items()}
    return Target(service, models.operation(service, route.name), labels)


def _s3(request: WireRequest, query: dict[str, str]) -> Target | None:
    """S3's paths are a bucket and the rest, whatever slashes the key begins or ends with."""
    path = path_style(request)
    bucket, _, key = path[1:].partition("/")
    labels = {name: value for name, value in (("Bucket", bucket), ("Key", key)) if value}
    for route in _s3_routes(request.method, tuple(labels)):
        if route.accepts(query, request.headers) and (labels or route.path.fullmatch(path)):
            return _target("s3", route, labels)
    return None


@lru_cache(maxsize=64)
def _s3_routes(method: str, labels: tuple[str, ...]) -> list[_Route]:
    """The routes whose path has just these labels."""
    return [route for route in _routes("s3").get(method, ()) if set(route.path.groupindex) == set(labels)]
