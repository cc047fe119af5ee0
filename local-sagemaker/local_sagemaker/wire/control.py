"""The command line's control verbs: what is no AWS operation, for any user who can read the state folder's secret key.

They have threads of their own: a service that is busy with everything else still says how it is, and can be emptied.
"""

from __future__ import annotations

import asyncio
import json
import logging
import secrets
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any
from urllib.parse import parse_qsl

from local_sagemaker.config import Settings
from local_sagemaker.errors import ServiceError
from local_sagemaker.wire.authentication import is_own_host
from local_sagemaker.wire.body import from_bytes
from local_sagemaker.wire.request import WireRequest, WireResponse
from local_sagemaker.wire.responses import send_answer

PREFIX = "/_local-sagemaker/"
log = logging.getLogger(__name__)
Verb = Callable[..., Any]
"""Called with the parameters of the query, as texts."""


class Control:
    """Serves ``POST /_local-sagemaker/<verb>`` with JSON."""

    def __init__(self, verbs: Mapping[str, Verb], secret: str, settings: Settings) -> None:
        """What a verb returns is shown as JSON; None is an empty object."""
        self._verbs = verbs
        self._secret = secret.encode()
        self._settings = settings
        self._threads = ThreadPoolExecutor(4, thread_name_prefix="control")

    async def __call__(self, scope: Mapping[str, Any], send: Callable[[dict[str, Any]], Awaitable[None]]) -> None:
        request = WireRequest.from_scope(scope, from_bytes(b""))
        status, document = await self._answer(request)
        body = json.dumps(document or {}).encode()
        await send_answer(send, WireResponse(status, {"Content-Type": "application/json", "Connection": "close"}, body))

    async def _answer(self, request: WireRequest) -> tuple[int, Any]:
        given = request.headers.get("x-secret", "").encode("utf-8", "replace")
        if not is_own_host(request.host, self._settings):
            return 403, {"message": "the local service does not answer for this host"}
        if not secrets.compare_digest(given, self._secret):
            return 403, {"message": "the key of the state folder is needed"}
        verb = request.path.removeprefix(PREFIX)
        if request.method != "POST" or verb not in self._verbs:
            return 404, {"message": f"there is no '{verb}'"}
        try:
            work = partial(self._verbs[verb], **dict(parse_qsl(request.query)))
            return 200, await asyncio.get_running_loop().run_in_executor(self._threads, work)
        except ServiceError as error:
            return 400, {"message": error.message}
        except Exception as error:
            log.exception("control verb %s failed", verb)
            return 500, {"message": f"{verb} failed: {error!r}; the service's log has more"}
