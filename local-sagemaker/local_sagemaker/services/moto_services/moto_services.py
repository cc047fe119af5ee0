"""Serves IAM, STS, SQS and others with moto; their state outlives a restart.

moto serves; in front of it stand the caller's identity and what moto lacks; behind it the journal of the calls that
changed something, which are made again, with the same ids, on first use after a restart.
"""

from __future__ import annotations

import json
import logging
import re
import secrets
import sqlite3
import threading
from functools import lru_cache
from typing import Any

from local_sagemaker.api import models
from local_sagemaker.config import Settings
from local_sagemaker.errors import ServiceError
from local_sagemaker.http import RawRequest, RawResponse
from local_sagemaker.records import Records
from local_sagemaker.services.call_replay import replay
from local_sagemaker.services.cloudwatch.alarms import Alarms
from local_sagemaker.services.cloudwatch.metric_data import MetricData
from local_sagemaker.services.moto_services import query_responses, queue_attributes, quotas
from local_sagemaker.services.moto_services.identities import Identities, IssuedKeys
from local_sagemaker.services.moto_services.journal import RequestJournal
from local_sagemaker.services.moto_services.moto_application import SERVICES, MotoApplication
from local_sagemaker.services.moto_services.policies import is_document
from local_sagemaker.services.moto_services.policy_simulation import simulate
from local_sagemaker.services.moto_services.queue_messages import QueueMessages
from local_sagemaker.services.moto_services.request_inspection import changes, form, headers, operation, signer
from local_sagemaker.services.moto_services.roles import add_seed, ensure_named
from local_sagemaker.services.sns.topic_messages import TopicMessages

log = logging.getLogger(__name__)
SUPPORT = "docs/reference/operations.md"
_HANDING_OUT = frozenset(
    (
        "AssumeRole",
        "AssumeRoleWithSAML",
        "AssumeRoleWithWebIdentity",
        "CreateAccessKey",
        "GetFederationToken",
        "GetSessionToken",
    )
)


_INVALID = {
    "iam": "MalformedPolicyDocument", "sns": "InvalidParameter", "sqs": "InvalidAttributeValue",
    "ecr": "InvalidParameterException", "ssm": "InvalidDocumentContent", "monitoring": "InvalidParameterValue",
}  # fmt: skip
"""The code by which each service refuses a value, or a document, that it can't read."""


class MotoServices:
    """Serves requests to services where nothing needs to run. What changes something is done one after the other."""

    def __init__(self, *, settings: Settings, records: Records, credentials: IssuedKeys, url: str = "") -> None:
        """`url` is the service's own, for the addresses in messages of topics."""
        self._settings = settings
        self._journal, self._messages = RequestJournal(records), QueueMessages(records)
        self._alarms, self._metrics = Alarms(records), MetricData(records)
        self.topics = TopicMessages(records, url)
        self._identities = Identities(settings=settings, records=records, credentials=credentials)
        self._moto = MotoApplication(settings.account, settings.region)
        self._lock = threading.Lock()
        self._loaded = False

    def warm(self) -> None:
        """Does now what the first request would wait for."""
        with self._lock:
            self._load()

    def has_state(self) -> bool:
        """Whether there may be anything but the callers' role. Loads nothing."""
        return self._loaded or not self._journal.is_empty()

    def reset(self) -> None:
        """Forgets everything but the callers' role; the journal is emptied by the code that empties the records."""
        with self._lock:
            if self._loaded:
                self._moto.reset()
                add_seed(self._moto.iam(), self._settings)

    def lend(self, role: str, session: str, seconds: float) -> dict[str, str]:
        """Temporary keys of a role for one of the services here that has assumed it, as environment variables."""
        with self._lock:
            self._load()
            return self._identities.lend(role, session, seconds, self._moto.iam())

    def distrusts(self, role: str, service: str) -> bool:
        """Whether a role exists and does not let a service assume it."""
        with self._lock:
            self._load()
            return self._identities.distrusts(role, service, self._moto.iam())

    def respond(self, service: str, request: RawRequest) -> RawResponse:
        """The response of a service, by the name it has in signatures (``iam``, ``events``, ``monitoring``)."""
        name = operation(request)
        if service not in SERVICES or name not in _operation_names(SERVICES[service]):
            return _refuse(service, request)
        if service == "sts" and name == "GetCallerIdentity":
            return query_responses.respond("sts", name, self._identities.caller(signer(request)[0]))
        with self._lock:
            self._load()
            if service in ("iam", "sts") or changes(request):
                return self._respond(service, name, request)
        return self._send(service, request)  # Without the lock: a queue's reader may wait here for long.

    def _respond(self, service: str, name: str, request: RawRequest) -> RawResponse:
        parameters = form(request)
        if service == "iam":
            trust = parameters.get("PolicyDocument" if name == "UpdateAssumeRolePolicy" else "AssumeRolePolicyDocument")
            if trust is not None and not is_document(trust):
                return query_responses.refusal(
                    "iam", 400, "MalformedPolicyDocument", "This policy contains invalid Json"
                )
            ensure_named(self._moto.iam(), parameters, self._settings)
            if name in ("SimulatePrincipalPolicy", "SimulateCustomPolicy"):
                return simulate(name, parameters, self._moto.iam())
        if name == "AssumeRole":
            refused = self._identities.refuses(signer(request)[0], parameters, self._moto.iam())
            if refused:
                return refused
        response = self._apply_change(service, request) if changes(request) else self._send(service, request)
        if name in _HANDING_OUT and response.status < 300:
            self._identities.remember(response, signer(request)[0])
        return response

    def _apply_change(self, service: str, request: RawRequest) -> RawResponse:
        """A call that is kept when it succeeds, with the number from which its ids follow."""
        seed = secrets.randbits(128)
        self._moto.seed(seed)
        response = self._send(service, request)
        self._moto.seed(None)
        if response.status < 300:
            self._journal.add(service, request, seed)
        return response

    def _send(self, service: str, request: RawRequest) -> RawResponse:
        try:
            response = self._moto.respond(service, request)
        except NotImplementedError:
            response = RawResponse(501)
        except (RecursionError, ValueError) as error:  # of `int` and `json`: moto has its own
            log.info("%s: %s was refused", service, operation(request), exc_info=error)
            deep = isinstance(error, RecursionError)
            text = "A document of the request is nested too deeply." if deep else f"A value is not valid: {error}"
            return _make_error_response(request, service, 400, _INVALID.get(service, "ValidationException"), text)
        except (OSError, sqlite3.Error, ServiceError):
            raise
        except Exception as error:  # whatever moto's code meets in members of a form that it was not written for
            log.info("%s: moto does not serve this %s", service, operation(request), exc_info=error)
            return _refuse(service, request, " with these members")
        if (response.status in (404, 501) and b"<html" in response.body[:200].lower()) or response.status == 501:
            return _refuse(service, request)
        return _reword(response) if response.status >= 400 else response

    def _load(self) -> None:
        if self._loaded:
            return
        self._moto.load()
        self._messages.install()
        queue_attributes.install()
        quotas.install()
        self._alarms.install()
        self._metrics.install()
        self.topics.install()
        add_seed(self._moto.iam(), self._settings)
        with replay():
            self._make_again()
        self._messages.restore()
        self._metrics.restore()
        self._loaded = True

    def _make_again(self) -> None:
        """The calls of the journal."""
        for service, request, seed in self._journal.calls():
            if service == "iam":
                ensure_named(self._moto.iam(), form(request), self._settings)
            self._moto.seed(seed)
            if self._send(service, request).status >= 300:
                log.warning("%s: %s could not be made again after the restart", service, operation(request))
        self._moto.seed(None)


def _reword(response: RawResponse) -> RawResponse:
    """Errors of moto in AWS's words, as recorded."""
    body = response.body
    for pattern, words in _WORDS:
        body = pattern.sub(words, body)
    return RawResponse(response.status, response.headers, body)


def _name_in(match: re.Match[bytes]) -> bytes:
    return b">The " + match[1].lower() + b" with name " + match[2] + b" cannot be found.<"


_WORDS: tuple[tuple[re.Pattern[bytes], Any], ...] = (
    (re.compile(rb">(Role|User|Group) ([^<>]+?) not found<"), _name_in),
    (re.compile(rb"An error occurred \(\w+\) when calling the \w+ operation: "), b""),
    (re.compile(rb"Reason: must be between 1 and 10"), b"Reason: Must be between 1 and 10"),
    (re.compile(rb"Reason: must be &lt;= 0 and &gt;= 20 if provided"), b"Reason: Must be >= 0 and <= 20, if provided"),
    (
        re.compile(rb"Reason: must be &amp;lt;= 0 and &amp;gt;= 20 if provided"),  # in XML
        b"Reason: Must be &gt;= 0 and &lt;= 20, if provided",
    ),
)


@lru_cache(maxsize=len(SERVICES))
def _operation_names(service: str) -> frozenset[str]:
    return frozenset(models.model(service).operation_names)


def _refuse(service: str, request: RawRequest, which: str = "") -> RawResponse:
    """The refusal of what is not supported, in the protocol of the request. `which` narrows the operation."""
    text = f"{service}:{operation(request)}{which} is not supported by the local service; see {SUPPORT}."
    return _make_error_response(request, service, 501, "NotImplemented", text)


def _make_error_response(request: RawRequest, service: str, status: int, code: str, text: str) -> RawResponse:
    if "Action" in form(request):
        return query_responses.refusal(service, status, code, text)
    kind = headers(request).get("content-type", "application/json")
    body = json.dumps({"__type": code, "message": text}).encode()
    return RawResponse(status, {"content-type": kind, "x-amzn-errortype": code}, body)
