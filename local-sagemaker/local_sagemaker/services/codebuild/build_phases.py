"""The phases of a build as its record shows them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from local_sagemaker.clock import now
from local_sagemaker.records.delivery_status import BuildStatus
from local_sagemaker.records.store import Body

Contexts = list[dict[str, str]]


class ChangeableStore(Protocol):
    """Where a build, or a batch, is written down."""

    def change(self, identity: str, change: Callable[[Body], None], /) -> Body | None:
        """Changes a record in place."""
        ...


class Phases:
    """Writes one build's phases. Each change is an event, by the record's status and phase."""

    def __init__(self, store: ChangeableStore, identity: str) -> None:
        self._store, self._id = store, identity

    def enter(self, name: str, start: float | None = None) -> None:
        """Begins a phase."""

        def change(build: Body) -> None:
            build["currentPhase"] = name
            build["phases"].append({"phaseType": name, "startTime": round(start or now(), 3)})

        self._store.change(self._id, change)

    def leave(self, status: str, contexts: Contexts | None = None, end: float | None = None) -> None:
        """Ends the phase that was entered last."""
        self._store.change(self._id, lambda build: _close(build, status, contexts, end))

    def skip(self, *names: str) -> None:
        """Phases that take no time."""
        for name in names:
            self.enter(name)
            self.leave(BuildStatus.SUCCEEDED)

    def set(self, **members: Any) -> None:
        """Sets members of the record."""
        self._store.change(self._id, lambda build: build.update(members))

    def complete(self, status: BuildStatus) -> None:
        """Ends the build."""

        def change(build: Body) -> None:
            build["phases"].append({"phaseType": "COMPLETED", "startTime": now()})
            build.update(currentPhase="COMPLETED", buildStatus=status, buildComplete=True, endTime=now())

        self._store.change(self._id, change)

    def fault(self, message: str) -> None:
        """Ends the build, and the phase that it is in, as a fault of the service."""

        def change(build: Body) -> None:
            if build["buildStatus"] == BuildStatus.IN_PROGRESS:
                _close(build, BuildStatus.FAULT, [{"statusCode": "INTERNAL_ERROR", "message": message}], None)

        self._store.change(self._id, change)
        self.complete(BuildStatus.FAULT)


def _close(build: Body, status: str, contexts: Contexts | None, end: float | None) -> None:
    if not build["phases"] or "phaseStatus" in build["phases"][-1]:
        return
    phase, moment = build["phases"][-1], round(end or now(), 3)
    phase.update(
        phaseStatus=status, endTime=moment, durationInSeconds=int(max(0, moment - phase["startTime"])),
        contexts=[{"statusCode": "", "message": ""}] if contexts is None else contexts,
    )  # fmt: skip
