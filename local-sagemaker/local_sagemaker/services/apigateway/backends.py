"""What integrations call: a Lambda function, SageMaker's InvokeEndpoint, or nothing (MOCK)."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, unquote

from local_sagemaker.api.operations import Call
from local_sagemaker.errors import ServiceError
from local_sagemaker.json_text import load
from local_sagemaker.records.store import Body
from local_sagemaker.regexes import bounded
from local_sagemaker.regexes.bounded import RegexError
from local_sagemaker.services.apigateway import templates
from local_sagemaker.services.apigateway.errors import ApiBadRequest
from local_sagemaker.services.apigateway.exchange import Exchange, MethodRefusal, Reply, internal_error, proxy_reply
from local_sagemaker.services.apigateway.templates import Overrides
from local_sagemaker.services.apigateway.velocity_values import text

log = logging.getLogger(__name__)
_URI = re.compile(
    r"arn:aws[a-z-]*:apigateway:[^:]*:(?P<service>lambda|runtime\.sagemaker):path/(?P<path>.*)", re.DOTALL
)
_FUNCTION = re.compile(r"/?2015-03-31/functions/(?P<function>.+)/invocations")
_ENDPOINT = re.compile(r"/*endpoints/(?P<endpoint>[^/]+)/invocations")
_HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_HEADERS = {
    "Content-Type": "ContentType",
    "Accept": "Accept",
    "X-Amzn-Sagemaker-Custom-Attributes": "CustomAttributes",
    "X-Amzn-Sagemaker-Target-Model": "TargetModel",
    "X-Amzn-Sagemaker-Target-Variant": "TargetVariant",
    "X-Amzn-Sagemaker-Target-Container-Hostname": "TargetContainerHostname",
    "X-Amzn-Sagemaker-Inference-Id": "InferenceId",
}


@dataclass(frozen=True)
class BackendResult:
    """What came from behind: the text that selection patterns are matched with (None: it went well), and the body."""

    body: str
    selected_by: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


def check(integration: Body) -> None:
    """Raises ApiBadRequest for an AWS or AWS_PROXY integration with something that is not supported."""
    uri = integration.get("uri", "")
    match = _URI.fullmatch(uri)
    if not match:
        raise ApiBadRequest(
            "Invalid ARN specified in the request, or a service that the local service's APIs can't call: "
            f"'{uri}' is neither of lambda nor of runtime.sagemaker."
        )
    form = _FUNCTION if match["service"] == "lambda" else _ENDPOINT
    if not form.fullmatch(match["path"]):
        raise ApiBadRequest(f"Invalid {'function' if form is _FUNCTION else 'endpoint'} path in the URI '{uri}'")
    if integration["type"] == "AWS_PROXY" and match["service"] != "lambda":
        raise ApiBadRequest("Integrations of type 'AWS_PROXY' currently only supports Lambda function invocations.")


def run(integration: Body, exchange: Exchange, call: Call) -> Reply:
    """The response of a method's integration. Raises MethodRefusal."""
    if integration["type"] == "AWS_PROXY":
        return _proxy(integration, exchange, call)
    event, overrides = _map_request(integration, exchange)
    try:
        if integration["type"] == "MOCK":
            backing = _mock(event)
        else:
            match = _URI.fullmatch(_fill(integration, exchange, overrides.request.get("path")))
            if match is None:
                raise internal_error()
            if match["service"] == "lambda":
                backing = _function(match["path"], event, call)
            else:
                headers = _integration_headers(integration, exchange, overrides)
                backing = _endpoint(match["path"], headers, event, call)
        return _map_reply(integration, exchange, backing, overrides)
    except templates.VelocityError as error:
        raise internal_error() from error


def _proxy(integration: Body, exchange: Exchange, call: Call) -> Reply:
    match = _URI.fullmatch(_fill(integration, exchange))
    if match is None:
        raise internal_error()
    response = _invoke(match["path"], json.dumps(exchange.proxy_event()).encode(), call)
    if "FunctionError" in response:
        raise internal_error(502)
    return proxy_reply(response["Payload"], exchange)


def _invoke(path: str, event: bytes, call: Call) -> dict[str, Any]:
    match = _FUNCTION.fullmatch(path)
    if match is None:
        raise internal_error()
    try:
        return call("lambda:Invoke", {"FunctionName": match["function"], "Payload": event})
    except ServiceError as error:
        if error.code == "InvalidRequestContentException":
            raise MethodRefusal(400, error.message, "BadRequestException") from error
        raise internal_error() from error


def _function(path: str, event: str, call: Call) -> BackendResult:
    response = _invoke(path, event.encode() or b"{}", call)
    body = response["Payload"].decode()
    if "FunctionError" not in response:
        return BackendResult(body)
    return BackendResult(body, str(json.loads(body).get("errorMessage", "")))


def _integration_headers(integration: Body, exchange: Exchange, overrides: Overrides) -> dict[str, str]:
    headers = {"Content-Type": exchange.content_type}
    for target, source in integration.get("requestParameters", {}).items():
        value = exchange.parameter(source)
        if target.startswith("integration.request.header.") and value is not None:
            headers[target.removeprefix("integration.request.header.").title()] = value
    return headers | _overridden_headers(overrides.request, titled=True)


def _overridden_headers(override: Mapping[str, Any], *, titled: bool) -> dict[str, str]:
    """The headers that a template set. Raises TemplateError for what no header can hold."""
    requested = override.get("header")
    headers = {}
    for name, value in requested.items() if isinstance(requested, Mapping) else ():
        shown = ",".join(map(text, value)) if isinstance(value, list) else text(value)
        if not _HEADER_NAME.fullmatch(str(name)) or not (shown.isascii() and shown.isprintable()):
            raise templates.VelocityError(f"'{name}' and its value are no header")
        headers[str(name).title() if titled else str(name)] = shown
    return headers


def _endpoint(path: str, headers: Mapping[str, str], event: str, call: Call) -> BackendResult:
    match = _ENDPOINT.fullmatch(path)
    if match is None:
        raise internal_error()
    request: Body = {"EndpointName": unquote(match["endpoint"]), "Body": event.encode()}
    request |= {member: headers[name] for name, member in _HEADERS.items() if name in headers}
    try:
        response = call("sagemaker-runtime:InvokeEndpoint", request)
    except ServiceError as error:
        return BackendResult(json.dumps({"message": error.message}), str(error.status))
    body = response["Body"]
    data = body if isinstance(body, bytes) else body.read()
    return BackendResult(data.decode("utf-8", "replace"), None, {"Content-Type": response.get("ContentType", "")})


def _mock(event: str) -> BackendResult:
    """A mock integration takes the status from what the request template gives."""
    try:
        status = int(load(event)["statusCode"])
    except (ValueError, KeyError, TypeError) as error:
        raise internal_error() from error
    return BackendResult("", str(status))


def _map_request(integration: Body, exchange: Exchange) -> tuple[str, Overrides]:
    """The body for the integration, by the template for the media type or passed through as the method allows, and
    what the template overrides."""
    request_templates = integration.get("requestTemplates", {})
    template = request_templates.get(exchange.content_type)
    if template:
        try:
            return templates.parse(template).run(exchange.scene(exchange.text))
        except templates.VelocityError as error:
            raise internal_error() from error
    behavior = integration.get("passthroughBehavior", "WHEN_NO_MATCH")
    unmapped = exchange.content_type not in request_templates and behavior != "WHEN_NO_MATCH"
    if unmapped and (behavior == "NEVER" or request_templates):
        raise MethodRefusal(415, "Unsupported Media Type", "UnsupportedMediaTypeException")
    return exchange.text, Overrides()


def _map_reply(integration: Body, exchange: Exchange, backing: BackendResult, earlier: Overrides) -> Reply:
    """The response by the integration response that is selected; `earlier` is what the request's template set."""
    response = _select_response(list(integration.get("integrationResponses", {}).values()), backing)
    template = next(iter(_by_media_type(response.get("responseTemplates", {}))), None)
    body, overrides = backing.body, Overrides()
    if template:
        body, overrides = templates.parse(template).run(exchange.scene(backing.body))
    headers = {"Content-Type": next(iter(response.get("responseTemplates", {})), "application/json")}
    for target, source in response.get("responseParameters", {}).items():
        name = target.removeprefix("method.response.header.")
        value = _response_parameter(source, exchange, backing)
        if value is not None:
            headers[name] = value
    status: Any = response["statusCode"]
    for override in (earlier.response, overrides.response):
        headers |= _overridden_headers(override, titled=False)
        status = override.get("status", status)
    if not re.fullmatch(r"[1-5][0-9]{2}", text(status)):
        raise internal_error()
    return Reply(int(status), headers, body.encode())


def _by_media_type(by_type: Mapping[str, str | None]) -> list[str]:
    return [shown for _, shown in sorted(by_type.items(), key=lambda item: item[0] != "application/json") if shown]


def _select_response(responses: list[Body], backing: BackendResult) -> Body:
    """The response whose pattern matches the error (or the status); else the one without a pattern."""
    if backing.selected_by is not None:
        for response in responses:
            pattern = response.get("selectionPattern")
            if pattern and _is_match(pattern, backing.selected_by):
                return response
    default = next((response for response in responses if not response.get("selectionPattern")), None)
    if default is None:
        raise internal_error()
    return default


def _is_match(pattern: str, text: str) -> bool:
    """Whether a selection pattern matches; one that takes too long ends in AWS's words for a fault of its own."""
    try:
        return bounded.matches(pattern, text, re.DOTALL)
    except RegexError as error:
        log.warning("a selection pattern: %s", error)
        raise internal_error() from error


def _response_parameter(source: str, exchange: Exchange, backing: BackendResult) -> str | None:
    if source.startswith("integration.response.header."):
        return backing.headers.get(source.removeprefix("integration.response.header.").title())
    if source.startswith("integration.response.body"):
        path = "$" + source.removeprefix("integration.response.body")
        value = templates.parse(f"$input.path('{path}')").render(exchange.scene(backing.body))
        return value or None
    return exchange.parameter(source)


def _fill(integration: Body, exchange: Exchange, path: Any = None) -> str:
    """The URI with the stage's variables and the mapped parts of the path in it; `path` has those of a template."""
    uri = str(integration["uri"])
    uri = re.sub(r"\$\{stageVariables\.([A-Za-z0-9_]+)\}", lambda match: exchange.variables.get(match[1], ""), uri)
    for name, value in path.items() if isinstance(path, Mapping) else ():
        uri = uri.replace(f"{{{name}}}", quote(text(value), safe=""))
    for target, source in integration.get("requestParameters", {}).items():
        if target.startswith("integration.request.path."):
            name = target.removeprefix("integration.request.path.")
            uri = uri.replace(f"{{{name}}}", quote(exchange.parameter(source) or "", safe=""))
    return uri
