"""moto as a library: its request dispatcher is called like a web server would, without a socket.

moto is imported on first use only: with its dependencies it takes about half a second and 60 MB. Its state is global
to the process, so only one instance may be in use at a time.
"""

from __future__ import annotations

import io
import secrets
from collections.abc import Iterable
from typing import Any
from urllib.parse import unquote_to_bytes

from local_sagemaker.http import RawRequest, RawResponse
from local_sagemaker.services.moto_services.policy_documents import correct_policies
from local_sagemaker.services.moto_services.quotas import limit_parameters
from local_sagemaker.services.moto_services.regular_expressions import limit_expressions
from local_sagemaker.services.moto_services.request_inspection import form, headers, signer
from local_sagemaker.services.moto_services.secret_descriptions import allow_empty_descriptions
from local_sagemaker.services.moto_services.ssm_documents import limit_documents

SERVICES = {
    "iam": "iam",
    "sts": "sts",
    "ecr": "ecr",  # names of images
    "kms": "kms",
    "sns": "sns",
    "sqs": "sqs",  # queues of callbacks
    "monitoring": "cloudwatch",  # metrics and alarms
    "secretsmanager": "secretsmanager",
    "ssm": "ssm",
}
"""Signing name and moto's name of each service. Not what would have to run something: add those as own services."""


class MotoApplication:
    """moto's WSGI application with an account and a region of ours."""

    def __init__(self, account: str, region: str) -> None:
        self._account = account
        self._region = region
        self._dispatch: Any = None

    def load(self) -> None:
        """Imports moto and forgets whatever it held."""
        from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app

        self._dispatch = DomainDispatcherApplication(create_backend_app)
        self.reset()

    def reset(self) -> None:
        """Empties the backends of all services that were used."""
        from moto.core.base_backend import BackendDict

        # Not moto's own reset, which also forgets that the backends exist to be reset again.
        known: list[Any] = list(BackendDict._instances)  # type: ignore[misc]
        for backends in known:
            for backend in backends.values():
                backend.reset()
            backends.clear()

    def iam(self) -> Any:
        """IAM's backend, for what has no operation in moto."""
        from moto.iam.models import iam_backends

        return iam_backends[self._account]["aws"]

    def seed(self, value: int | None) -> None:
        """Makes the ids that moto draws next follow from a number; None makes them random again."""
        from moto.moto_api._internal import mock_random

        mock_random.seed(secrets.randbits(256) if value is None else value)

    def respond(self, service: str, request: RawRequest) -> RawResponse:
        """Has moto respond to one request."""
        limit_expressions(SERVICES[service])
        limit_documents(SERVICES[service])
        limit_parameters(SERVICES[service])
        correct_policies(SERVICES[service])
        allow_empty_descriptions(SERVICES[service])
        status = 500
        response_headers: list[tuple[str, str]] = []

        def start_response(line: str, fields: list[tuple[str, str]], *_: Any) -> None:
            nonlocal status
            status = int(line.split(" ", 1)[0])
            response_headers.extend(fields)

        chunks: Iterable[bytes] = self._dispatch(self._environ(service, request), start_response)
        body = b"".join(chunks)
        # moto lets any web page read its responses; this service's are for who can sign. The length is counted
        # again by the code that sends the body.
        dropped = ("access-control-", "content-length")
        kept = {name: value for name, value in response_headers if not name.lower().startswith(dropped)}
        return RawResponse(status, kept, body)

    def _environ(self, service: str, request: RawRequest) -> dict[str, Any]:
        fields = headers(request)
        key, region = signer(request)
        # moto finds service, region and caller in the signature, which the gateway has already checked.
        region = region or _topic_region(request) or self._region
        fields["authorization"] = (
            f"AWS4-HMAC-SHA256 Credential={key}/20200101/{region}/{service}/aws4_request, "
            "SignedHeaders=host, Signature=0"
        )
        fields["x-moto-account-id"] = self._account
        body = request.body
        if fields.get("content-type", "").startswith("application/x-www-form-urlencoded"):
            body = body.decode("utf-8", "replace").encode()  # as `form` reads it
        host, _, port = fields.get("host", "localhost").partition(":")
        environ: dict[str, Any] = {
            "REQUEST_METHOD": request.method,
            "SCRIPT_NAME": "",
            "PATH_INFO": unquote_to_bytes(request.path).decode("latin-1"),
            "RAW_URI": request.path + (f"?{request.query}" if request.query else ""),
            "QUERY_STRING": request.query,
            "SERVER_NAME": host,
            "SERVER_PORT": port or "80",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "CONTENT_LENGTH": str(len(body)),
            "CONTENT_TYPE": fields.pop("content-type", ""),
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": "http",
            "wsgi.input": io.BytesIO(body),
            "wsgi.errors": io.StringIO(),
            "wsgi.multithread": True,
            "wsgi.multiprocess": False,
            "wsgi.run_once": False,
        }
        environ["REQUEST_URI"] = environ["RAW_URI"]
        fields.pop("content-length", None)
        fields.pop("transfer-encoding", None)
        return environ | {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in fields.items()}


def _topic_region(request: RawRequest) -> str:
    """The region of the topic that an unsigned request names: those that messages of topics link to."""
    fields = form(request)
    parts = (fields.get("TopicArn") or fields.get("SubscriptionArn") or "").split(":")
    return parts[3] if len(parts) > 5 else ""
