"""Idempotency tokens: the same request again gets the first answer, and nothing happens twice."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable

from local_sagemaker.api.operations import Request, Response
from local_sagemaker.clock import now
from local_sagemaker.errors import Conflict
from local_sagemaker.records import Records

KIND = "request-token"
KEPT = 7 * 86400.0
"""Seconds for which a token is remembered."""


class Tokens:
    """Responses by operation and token."""

    def __init__(self, records: Records) -> None:
        self._records = records

    def once(
        self,
        operation: str,
        request: Request,
        act: Callable[[], Response],
        member: str = "ClientRequestToken",
        made: Callable[[Response], object] | None = None,
    ) -> tuple[Response, bool]:
        """(answer, whether `act` was called now); the act and its token are written in one transaction.

        `made` finds what an earlier answer says was made: when it no longer exists, its token has no meaning, since the
        answer would name what nobody can describe. Raises Conflict when the token came with another request before.
        """
        token = request.get(member)
        if not token:
            with self._records.transaction():
                return act(), True
        body = {name: value for name, value in request.items() if name != member}
        digest = hashlib.sha256(json.dumps(body, sort_keys=True, default=str).encode()).hexdigest()
        key = f"{operation}/{token}"
        with self._records.transaction():
            known = self._records.get(KIND, key)
            if known is None or (made is not None and not made(known["answer"])):
                answer = act()
                self._records.put(KIND, key, {"digest": digest, "answer": answer, "time": now()})
                return answer, True
        if known["digest"] != digest:
            raise Conflict(f"{member} {token} was used before, with a different {operation} request.")
        return known["answer"], False

    def forget_old(self) -> None:
        """Drops tokens that no client repeats any more."""
        oldest = now() - KEPT
        for key, body in self._records.items(KIND):
            if body["time"] < oldest:
                self._records.delete(KIND, key)
