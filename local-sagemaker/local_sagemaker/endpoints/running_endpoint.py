"""One endpoint at work: the thread that creates, updates, scales and deletes its fleets, one change at a time."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from local_sagemaker.endpoints.capture import EndpointCapture
from local_sagemaker.endpoints.endpoint_spec import EndpointSpec
from local_sagemaker.endpoints.fleet import Fleet, drain, stop_all
from local_sagemaker.endpoints.rollout import Alarms, RollbackFailed, RolledBack, Rollout, RolloutPolicy
from local_sagemaker.endpoints.traffic_split import VariantRoute
from local_sagemaker.errors import ServiceError
from local_sagemaker.records.status import EndpointStatus

log = logging.getLogger(__name__)
InLoop = Callable[[Callable[[], None]], None]


class EndpointObserver(Protocol):
    """Who keeps the endpoint's record."""

    def progress(self, name: str, stage: str, share: float) -> None:
        """A deployment got to a stage (a VariantStatus) with this share of the traffic on the new fleet."""
        ...

    def on_return(self, name: str) -> None:
        """After a restart of the service the endpoint serves again, as it did before the update that is to come."""
        ...

    def on_settle(self, name: str, status: str, reason: str | None, spec: EndpointSpec | None) -> None:
        """A change has ended in this EndpointStatus; `spec` is what runs now."""
        ...

    def on_remove(self, name: str) -> None:
        """The endpoint's processes no longer exist."""
        ...


@dataclass(frozen=True)
class Update:
    """What an endpoint is to run, by which DeploymentConfig."""

    spec: EndpointSpec
    config: Mapping[str, Any]


class RunningEndpoint:
    """An endpoint. `route` is None until it is in service, and again when it is being deleted."""

    def __init__(
        self,
        spec: EndpointSpec,
        *,
        observer: EndpointObserver,
        fleet: Callable[[EndpointSpec], Fleet],
        capture: Callable[[EndpointSpec], EndpointCapture | None],
        alarms: Alarms,
        in_loop: InLoop,
    ) -> None:
        self.spec = spec
        self.route: VariantRoute | None = None
        self.capture: EndpointCapture | None = None
        self._observer, self._fleet, self._capture, self._alarms, self._in_loop = (
            observer, fleet, capture, alarms, in_loop,
        )  # fmt: skip
        self._coming: Fleet | None = None
        self._changing = threading.Lock()
        self._ending = threading.Event()

    def create(self, update: Update | None = None) -> None:
        """Starts the endpoint, in the background; then brings the update that was under way when the service ended."""
        self._spawn(self._create if update is None else lambda: self._carry_on(update))

    def update(self, spec: EndpointSpec, config: Mapping[str, Any]) -> None:
        """Replaces what runs, by a DeploymentConfig, in the background."""
        self._spawn(lambda: self._update(spec, RolloutPolicy.of(config)))

    def scale(self, spec: EndpointSpec) -> None:
        """Changes weights and numbers of instances, in the background."""
        self._spawn(lambda: self._scale(spec))

    def delete(self) -> None:
        """Ends the endpoint, in the background."""
        self._ending.set()
        self._spawn(self._delete)

    def kill(self) -> None:
        """Ends the endpoint at once; nobody is notified."""
        self._ending.set()
        route, self.route = self.route, None
        if self._coming:
            self._coming.abandon()
        with self._changing:
            for fleet in (route.fleet, route.green) if route else ():
                if fleet is not None:
                    fleet.stop(seconds=0)
            if self.capture:
                self.capture.flush()

    def _spawn(self, change: Callable[[], None]) -> None:
        threading.Thread(target=self._apply, args=(change,), name=f"endpoint {self.spec.name}", daemon=True).start()

    def _apply(self, change: Callable[[], None]) -> None:
        with self._changing:
            try:
                change()
            except Exception as error:
                log.exception("endpoint %s", self.spec.name)
                status = EndpointStatus.IN_SERVICE if self.route else EndpointStatus.FAILED
                self._observer.on_settle(self.spec.name, status, f"InternalServerError: {error}", self.spec)

    def _create(self) -> None:
        try:
            self._serve()
        except ServiceError as error:
            self._observer.on_settle(self.spec.name, EndpointStatus.FAILED, error.message, None)
            return
        if self.route:
            self._observer.on_settle(self.spec.name, EndpointStatus.IN_SERVICE, None, self.spec)

    def _carry_on(self, update: Update) -> None:
        try:
            self._serve()
        except ServiceError as error:
            log.warning("%s does not come back as it was: %s", self.spec.name, error.message)
        if not self._ending.is_set():
            self._observer.on_return(self.spec.name)
            self._update(update.spec, RolloutPolicy.of(update.config))

    def _serve(self) -> None:
        """Starts the fleet and lets it take requests, unless the endpoint is to end."""
        fleet = self._coming = self._fleet(self.spec)
        fleet.start()
        if self._ending.is_set():
            fleet.stop(seconds=0)
            return
        self.capture = self._capture(self.spec)
        self.route = VariantRoute(fleet)

    def _update(self, spec: EndpointSpec, policy: RolloutPolicy) -> None:
        name = self.spec.name
        if self.route is None:  # its creation failed: nothing serves that an update could replace
            self.spec = spec
            self._create()
            return
        self._coming = self._fleet(spec)
        rollout = Rollout(
            self.route, self._coming, policy, alarms=self._alarms, in_loop=self._in_loop, stop=self._ending,
            progress=lambda stage, share: self._observer.progress(name, stage, share),
        )  # fmt: skip
        try:
            rollout.run()
        except RolledBack as error:
            self._observer.on_settle(name, EndpointStatus.IN_SERVICE, str(error), self.spec)
            return
        except RollbackFailed as error:
            self._observer.on_settle(name, EndpointStatus.UPDATE_ROLLBACK_FAILED, str(error), self.spec)
            return
        if self._ending.is_set():
            return
        self.spec = spec
        self._recapture()
        self._observer.on_settle(name, EndpointStatus.IN_SERVICE, None, spec)

    def _scale(self, spec: EndpointSpec) -> None:
        assert self.route is not None
        fleet = self.route.fleet
        try:
            for wanted in spec.variants:
                variant = fleet.variants[wanted.name]
                missing = wanted.instances - len(variant.instances)
                if missing > 0:
                    variant.add(variant.start(missing))
        except ServiceError as error:
            self._observer.on_settle(spec.name, EndpointStatus.IN_SERVICE, error.message, self.spec)
            return
        taken = []
        for wanted in spec.variants:
            variant = fleet.variants[wanted.name]
            variant.weight = wanted.weight
            variant.concurrency = wanted.serverless["MaxConcurrency"] if wanted.serverless else None
            surplus = len(variant.instances) - wanted.instances
            if surplus > 0:
                self._in_loop(lambda variant=variant, surplus=surplus: taken.extend(variant.take(surplus)))  # type: ignore[misc]
            variant.spec = wanted
        self.spec = spec
        drain(taken)
        stop_all(taken)
        self._observer.on_settle(spec.name, EndpointStatus.IN_SERVICE, None, spec)

    def _delete(self) -> None:
        route = self.route

        def close() -> None:
            self.route = None

        self._in_loop(close)
        if route:
            route.fleet.stop()
        if self.capture:
            self.capture.flush()
        self._observer.on_remove(self.spec.name)

    def _recapture(self) -> None:
        old, self.capture = self.capture, self._capture(self.spec)
        if old:
            old.flush()
