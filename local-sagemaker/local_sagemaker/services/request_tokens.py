"""Idempotency tokens: a request that is sent again gets the first response, and nothing happens twice.

The tokens of all services are records, written in the transaction of what their request did, so they outlive a restart.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass

from local_sagemaker.api.operations import Request, Response
from local_sagemaker.clock import now
from local_sagemaker.errors import Conflict, ServiceError
from local_sagemaker.records import Records

KIND = "request-token"
WEEK = 7 * 86400.0
"""Seconds for which a token is kept where AWS does not say how long it holds."""
Exists = Callable[[Response], object]


def conflict(member: str, operation: str, request: Request) -> ServiceError:
    """SageMaker's error for a token that came with another request before."""
    return Conflict(f"{member} {request[member]} was used before, with a different {operation} request.")


@dataclass(frozen=True)
class TokenRules:
    """What a service says of its tokens."""

    member: str = "ClientRequestToken"
    seconds: float = WEEK
    mismatch: Callable[[str, str, Request], ServiceError] | None = conflict
    """The error for the same token with another request: of member, operation, request. None: the first response."""
    shared: str = ""
    """What stands for the operations that share their tokens: a token of one of them is none of another."""


class RequestTokens:
    """Responses by operation, scope and token."""

    def __init__(self, records: Records, rules: TokenRules | None = None) -> None:
        self._records, self._rules = records, rules or TokenRules()

    def once(
        self, operation: str, request: Request, act: Callable[[], Response], *, scope: str = "",
        exists: Exists | None = None,
    ) -> tuple[Response, bool]:  # fmt: skip
        """(response, whether `act` was called now); what it writes and its token are one transaction.

        `scope` names what a token belongs to, e.g. a project. `exists` finds what an earlier response says was made:
        when it no longer exists, its token has no meaning, since the response would name what nobody can describe.
        Raises the rules' error when the token came with another request before.
        """
        with self._records.transaction():
            earlier = self.earlier(operation, request, scope=scope, exists=exists)
            if earlier is not None:
                return earlier, False
            response = act()
            if token := request.get(self._rules.member):
                body = {
                    "digest": self._digest(operation, request), "answer": response, "time": now(),
                    "until": now() + self._rules.seconds,
                }  # fmt: skip
                self._records.put(KIND, self._key(operation, scope, token), body)
        return response, True

    def earlier(
        self, operation: str, request: Request, *, scope: str = "", exists: Exists | None = None
    ) -> Response | None:
        """The response of the same request before, for operations with checks that no transaction may hold up."""
        member = self._rules.member
        token = request.get(member)
        known = self._records.get(KIND, self._key(operation, scope, token)) if token else None
        if known is None or _until(known) <= now() or (exists is not None and not exists(known["answer"])):
            return None
        if self._rules.mismatch and known["digest"] != self._digest(operation, request):
            raise self._rules.mismatch(member, operation, request)
        response: Response = known["answer"]
        return response

    def _key(self, operation: str, scope: str, token: str) -> str:
        return "/".join(part for part in (self._rules.shared or operation, scope, token) if part)

    def _digest(self, operation: str, request: Request) -> str:
        body = {name: value for name, value in request.items() if name != self._rules.member}
        if self._rules.shared:
            body[""] = operation
        return hashlib.sha256(json.dumps(body, sort_keys=True, default=str).encode()).hexdigest()


def forget_old_tokens(records: Records) -> None:
    """Removes the tokens that no longer hold."""
    moment = now()
    for key, body in records.items(KIND):
        if _until(body) <= moment:
            records.delete(KIND, key)


def _until(token: dict[str, float]) -> float:
    """When a token ends to hold; one that an older version wrote has no such member."""
    return token.get("until", token["time"] + WEEK)
