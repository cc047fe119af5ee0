"""What the operations on builds and on batches of builds have in common: those that run, look-ups, lists of ids."""

from __future__ import annotations

import threading
from abc import abstractmethod
from collections.abc import Callable, Sequence
from typing import ClassVar, Generic, Protocol, TypeVar

from local_sagemaker.api.operations import Request, Resource, Response
from local_sagemaker.clock import now
from local_sagemaker.records import Records
from local_sagemaker.records.store import Body
from local_sagemaker.services.codebuild.errors import InvalidInput
from local_sagemaker.services.codebuild.requests import CLIENT_TOKENS, ORDER_TOKENS
from local_sagemaker.services.pagination import page_rows
from local_sagemaker.services.request_tokens import RequestTokens


class ThreadedRun(Protocol):
    """A build or a batch that runs, in a thread."""

    id: str

    def start(self) -> None:
        """Begins."""

    def stop(self) -> None:
        """Ends it as somebody wants it."""

    def abandon(self) -> None:
        """Ends it because the service does."""

    def join(self, timeout: float) -> None:
        """Waits for its end, so many seconds at most."""


OneRun = TypeVar("OneRun", bound=ThreadedRun)


class RunResource(Resource, Generic[OneRun]):
    """Operations on what runs in threads of this service."""

    noun: ClassVar[str]
    """The member of BatchGet's response with those that exist; ``...NotFound`` has the others."""
    status: ClassVar[str]
    """The member of a record with its status."""

    def __init__(self, records: Records) -> None:
        self._tokens = RequestTokens(records, CLIENT_TOKENS)
        self._orders = RequestTokens(records, ORDER_TOKENS)
        self._runs: dict[str, OneRun] = {}
        self._lock = threading.Lock()
        self._begun = now()

    @abstractmethod
    def find(self, identity: str) -> Body | None:
        """The record with this id."""

    @abstractmethod
    def show(self, body: Body) -> Body:
        """A record as responses have it."""

    @abstractmethod
    def begin_run(self, body: Body) -> None:
        """Starts the run of a record that was added."""

    def _earlier(self, operation: str, request: Request, project: str) -> Body | None:
        """The record that the same request of a client made before."""
        earlier = self._tokens.earlier(operation, request, scope=project, exists=self._has)
        return self.find(earlier["id"]) if earlier else None

    def _begin_once(
        self, operation: str, request: Request, project: str, add: Callable[[], Body], tokens: RequestTokens,
        begin: Callable[[Body], None] | None = None,
    ) -> Body:  # fmt: skip
        """The record that `add` makes, whose run begins (by `begin`); or the one of the same request before."""
        made: list[Body] = []

        def act() -> Response:
            made.append(add())
            return {"id": made[0]["id"]}

        response, _ = tokens.once(operation, request, act, scope=project, exists=self._has)
        if made:
            (begin or self.begin_run)(made[0])
        return made[0] if made else self.find(response["id"]) or response

    def _has(self, response: Response) -> bool:
        return self.find(response["id"]) is not None

    def reset(self) -> None:
        """Ends all that run."""
        self.close()

    def close(self) -> None:
        """Ends all that run; at the next start they are faults."""
        with self._lock:
            runs, self._runs = list(self._runs.values()), {}
        for run in runs:
            run.abandon()
        for run in runs:
            run.join(10)

    def halt(self, identity: str) -> None:
        """Ends the one with this id, if it runs."""
        with self._lock:
            run = self._runs.get(identity)
        if run is not None:
            run.stop()
            run.join(30)

    def runs(self, identity: str) -> bool:
        """Whether it runs."""
        with self._lock:
            return identity in self._runs

    def _launch(self, run: OneRun) -> None:
        with self._lock:
            self._runs[run.id] = run
        run.start()

    def _forget_run(self, run: OneRun) -> None:
        with self._lock:
            self._runs.pop(run.id, None)

    def _look_up(self, request: Request) -> Response:
        """BatchGet's response."""
        bodies = {identity: self.find(identity) for identity in request["ids"]}
        return {
            self.noun: [self.show(body) for body in bodies.values() if body],
            f"{self.noun}NotFound": [identity for identity, body in bodies.items() if body is None],
        }

    def _page(self, bodies: Sequence[Body], request: Request) -> Response:
        """A page of ids, those started last first unless requested otherwise."""
        status = request.get("filter", {}).get("status")
        chosen = [body for body in bodies if status in (None, body[self.status])]
        chosen.sort(key=lambda body: body["startTime"], reverse=request.get("sortOrder") != "ASCENDING")
        rows, more = page_rows(chosen, request, InvalidInput)
        return {"ids": [body["id"] for body in rows], **more}
