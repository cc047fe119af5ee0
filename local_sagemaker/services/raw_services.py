"""The services that are spoken to in raw HTTP: clients' own REST APIs, and the neighbours for all others."""

from __future__ import annotations

from local_sagemaker.http import RawRequest, RawResponse
from local_sagemaker.services import apigateway
from local_sagemaker.services.neighbours import Neighbours


class RawServices:
    """Answers by the name that a service has in signatures."""

    def __init__(self, *, apis: apigateway.ExecuteApi, neighbours: Neighbours) -> None:
        self._apis, self._neighbours = apis, neighbours

    def answer(self, service: str, request: RawRequest) -> RawResponse:
        """The answer of ``execute-api``, ``iam``, ``events`` ..."""
        if service == apigateway.SERVICE:
            return self._apis.answer(request)
        return self._neighbours.answer(service, request)

    def unsigned(self, host: str, path: str) -> str | None:
        """The service that takes a request without a signature: an API, whose methods may ask for none."""
        return apigateway.SERVICE if self._apis.serves(host, path) else None
