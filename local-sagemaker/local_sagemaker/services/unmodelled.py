"""Services that handle raw HTTP: REST APIs, git, responses of custom resources, and services of moto."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from urllib.parse import parse_qs

from local_sagemaker.arns import is_region
from local_sagemaker.http import RawRequest, RawResponse
from local_sagemaker.services import apigateway
from local_sagemaker.services.apigateway import Address, ExecuteApi
from local_sagemaker.services.cloudformation import custom_responses
from local_sagemaker.services.cloudformation.custom_responses import CustomResponses
from local_sagemaker.services.codecommit import git_http
from local_sagemaker.services.codecommit.git_http import GitAddress, GitHttp
from local_sagemaker.services.moto_services import MotoServices

LINKS = ("ConfirmSubscription", "Unsubscribe")
"""Actions of SNS that its messages have links for."""


class UnmodelledServices:
    """Responses by the name that a service has in signatures."""

    def __init__(
        self,
        *,
        apis: Callable[[Address], ExecuteApi],
        git: GitHttp,
        moto_services: MotoServices,
        responses: CustomResponses,
    ) -> None:
        """`apis` finds the door of the region that an address belongs to."""
        self._apis, self._git, self._moto_services, self._responses = apis, git, moto_services, responses

    def respond(self, service: str, request: RawRequest) -> RawResponse:
        """The response of ``execute-api``, ``iam``, ``events`` ..."""
        if service == apigateway.SERVICE:
            address = _address(request.headers.get("host", ""), request.path) or Address("", "", "/")
            return self._apis(address).respond(request)
        if service == git_http.SERVICE:
            return self._git.respond(request)
        if service == custom_responses.SERVICE:
            return self._responses.respond(request)
        return self._moto_services.respond(service, request)

    def find_unsigned(self, method: str, host: str, path: str, query: str, headers: Mapping[str, str]) -> str | None:
        """The service that takes a request without a signature: an API, whose methods may ask for none, git, SNS,
        whose messages hold links with a secret, or CloudFormation, whose custom resources respond at such links."""
        if self._responses.has_path(path):
            return custom_responses.SERVICE
        if GitAddress.of(path):
            return git_http.SERVICE
        if path == "/" and method == "GET" and _is_link(query, headers):
            return "sns"
        return apigateway.SERVICE if _address(host, path) else None


def _is_link(query: str, headers: Mapping[str, str]) -> bool:
    """Whether a request is what a link of a topic's message makes. A body could name another action."""
    actions = parse_qs(query, keep_blank_values=True).get("Action", [])
    has_body = headers.get("content-length", "0") != "0" or "transfer-encoding" in headers
    return len(actions) == 1 and actions[0] in LINKS and not has_body


def _address(host: str, path: str) -> Address | None:
    address = Address.of(host, path)
    return None if address and address.region and not is_region(address.region) else address
