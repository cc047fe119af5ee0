"""Policies at work: once a minute invocations are counted, and the variants' numbers of instances follow.

Target-tracking policies of SageMakerVariantInvocationsPerInstance act; all others are kept and described only. A minute
is LOCAL_SAGEMAKER_AUTOSCALING_PERIOD seconds; rates stay those of a minute.
"""

from __future__ import annotations

import logging
import threading
import time
import uuid
from collections.abc import Callable

from local_sagemaker.api.operations import Call, Resource
from local_sagemaker.background import log_failure
from local_sagemaker.clock import now
from local_sagemaker.errors import ServiceError
from local_sagemaker.records import Records
from local_sagemaker.records.status import EndpointStatus
from local_sagemaker.records.store import Body
from local_sagemaker.services.application_autoscaling.target_tracking import Tracker
from local_sagemaker.services.application_autoscaling.targets import ACTIVITY, KIND, POLICY, names

Count = Callable[[str, str], int]
"""All invocations of an endpoint's variant since the service started."""
_KEPT = 500  # activities
log = logging.getLogger(__name__)


class Scaling(Resource):
    """The thread that looks at all targets."""

    def __init__(self, *, records: Records, call: Call, count: Count, period: float) -> None:
        self._records, self._call, self._count, self._period = records, call, count, period
        self._trackers: dict[str, Tracker] = {}
        self._counted: dict[str, int] = {}
        self._ended = threading.Event()

    def resume(self) -> None:
        """Begins, once the service is ready."""
        threading.Thread(target=self._run, name="autoscaling", daemon=True).start()

    def close(self) -> None:
        """Ends it."""
        self._ended.set()

    def reset(self) -> None:
        """Forgets what was measured."""
        self._trackers, self._counted = {}, {}

    def _run(self) -> None:
        while not self._ended.wait(self._period):
            with log_failure(log, "targets could not be looked at"):
                for key, target in self._records.items(KIND):
                    self._attempt(key, target)

    def _attempt(self, key: str, target: Body) -> None:
        """What fails for one target must not keep others from being scaled."""
        with log_failure(log, "%s", target["ResourceId"]):
            try:
                self._look(key, target)
            except ServiceError as error:  # the endpoint is being changed, or no longer exists
                log.info("%s is not scaled: %s", target["ResourceId"], error.message)

    def _look(self, key: str, target: Body) -> None:
        """One measurement of a variant, and what follows from it."""
        trackers = self._trackers_of(key)
        if not trackers:
            self._counted.pop(key, None)
            return
        endpoint, name = names(target["ResourceId"])
        described = self._call("sagemaker:DescribeEndpoint", {"EndpointName": endpoint})
        current = next(
            one["CurrentInstanceCount"] for one in described["ProductionVariants"] if one["VariantName"] == name
        )
        total = self._count(described["EndpointName"], name)
        counted, self._counted[key] = self._counted.get(key), total
        if counted is None or described["EndpointStatus"] != EndpointStatus.IN_SERVICE:
            return
        rate = (total - counted) * 60 / self._period / max(1, current)
        for tracker in trackers:
            tracker.sample(rate)
        wanted = max(tracker.desired_capacity(current) for tracker in trackers)
        wanted = min(max(wanted, target["MinCapacity"]), target["MaxCapacity"])
        suspended = target["SuspendedState"]
        way = "DynamicScalingOutSuspended" if wanted > current else "DynamicScalingInSuspended"
        moment = time.monotonic()
        if wanted == current or suspended[way]:
            return
        if all(tracker.may_scale(current, wanted, now=moment) for tracker in trackers):
            self._scale(target, endpoint, name, wanted, rate)
            for tracker in trackers:
                tracker.record_scaling(current, wanted, now=moment)

    def _trackers_of(self, key: str) -> list[Tracker]:
        """The trackers of the target's policies that act; a policy that was changed starts anew."""
        trackers = []
        for policy, body in self._records.items(POLICY, key + "|"):
            configuration = body.get("TargetTrackingScalingPolicyConfiguration")
            if configuration is None:
                continue
            tracker = self._trackers.get(policy)
            if tracker is None or tracker.configuration != configuration:
                tracker = self._trackers[policy] = Tracker(configuration)
            if tracker.acts:
                trackers.append(tracker)
        return trackers

    def _scale(self, target: Body, endpoint: str, variant: str, wanted: int, rate: float) -> None:
        started = now()
        change = {"VariantName": variant, "DesiredInstanceCount": wanted}
        self._call(
            "sagemaker:UpdateEndpointWeightsAndCapacities",
            {"EndpointName": endpoint, "DesiredWeightsAndCapacities": [change]},
        )
        activity = {
            "ActivityId": str(uuid.uuid4()),
            "ServiceNamespace": target["ServiceNamespace"],
            "ResourceId": target["ResourceId"],
            "ScalableDimension": target["ScalableDimension"],
            "Description": f"Setting desired instance count to {wanted}.",
            "Cause": f"{rate:.1f} invocations per instance and minute",
            "StartTime": started,
            "EndTime": now(),
            "StatusCode": "Successful",
            "StatusMessage": f"Successfully set desired instance count to {wanted}.",
        }
        self._records.put(ACTIVITY, activity["ActivityId"], activity)
        for old, _ in self._records.items(ACTIVITY)[:-_KEPT]:
            self._records.delete(ACTIVITY, old)
