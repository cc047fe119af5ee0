"""From a model to an endpoint that serves it: model, endpoint configuration, endpoint, in that order.

Models and configurations are named by what is in them, so that deploying the same again finds them there and changes
nothing, and deploying something else updates the endpoint while it serves.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ClientError

from delivery.clients import Clients, is_absent
from delivery.errors import DeliveryError, not_found
from delivery.traffic import Traffic, expect_alarms

VARIANT = "AllTraffic"
CHANGING = ("Creating", "Updating", "SystemUpdating", "RollingBack", "Deleting")
SHORTEST_WAIT, LONGEST_WAIT = 0.1, 15.0  # seconds
LOGS = "/aws/sagemaker/Endpoints/"


@dataclass(frozen=True)
class Capture:
    """The share of requests and responses that is kept in S3."""

    percentage: int
    destination: str

    def configuration(self) -> dict[str, Any]:
        return {
            "EnableCapture": True,
            "InitialSamplingPercentage": self.percentage,
            "DestinationS3Uri": self.destination,
            "CaptureOptions": [{"CaptureMode": "Input"}, {"CaptureMode": "Output"}],
            "CaptureContentTypeHeader": {
                "CsvContentTypes": ["text/csv"],
                "JsonContentTypes": ["application/json"],
            },
        }


@dataclass(frozen=True)
class Deployment:
    """What an endpoint is to be.

    :param container: as CreateModel takes it: ``{"ModelPackageName": ARN}``, or an image and its model data.
    :param revision: distinguishes models whose container reads the same, such as a version that was made anew.
    :param traffic: how an update moves the traffic; all at once, without waiting, if not given.
    """

    endpoint: str
    container: Mapping[str, Any]
    role: str
    tags: list[dict[str, str]]
    instance_type: str = "ml.m5.large"
    instance_count: int = 1
    capture: Capture | None = None
    revision: str = ""
    traffic: Traffic | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)

    @property
    def model(self) -> str:
        return self._derive_name([dict(self.container), self.role, self.revision])

    @property
    def configuration(self) -> str:
        return self._derive_name([self.model, self._variant(), self._capture(), dict(self.extra)])

    def _derive_name(self, contents: Any) -> str:
        digest = hashlib.sha256(json.dumps(contents, sort_keys=True).encode()).hexdigest()
        return f"{self.endpoint[:50].rstrip('-')}-{digest[:12]}"

    def _capture(self) -> dict[str, Any]:
        return {"DataCaptureConfig": self.capture.configuration()} if self.capture else {}

    def _variant(self) -> dict[str, Any]:
        return {
            "VariantName": VARIANT,
            "ModelName": self.model,
            "InstanceType": self.instance_type,
            "InitialInstanceCount": self.instance_count,
            "InitialVariantWeight": 1.0,
        }

    def model_request(self) -> dict[str, Any]:
        return {
            "ModelName": self.model,
            "ExecutionRoleArn": self.role,
            "Containers": [dict(self.container)],
            "Tags": self.tags,
        }

    def configuration_request(self) -> dict[str, Any]:
        named = {"EndpointConfigName": self.configuration, "Tags": self.tags}
        return {**named, "ProductionVariants": [self._variant()], **self._capture(), **self.extra}


@dataclass(frozen=True)
class State:
    """What an endpoint is at one moment."""

    status: str
    configuration: str
    reason: str
    seconds: float  # since the waiting began
    stage: str = ""  # of an update: what the new version's instances do, and their share of the traffic

    @property
    def changing(self) -> bool:
        return self.status in CHANGING


def deploy(clients: Clients, deployment: Deployment, timeout: float = 1800) -> str:
    """Creates or updates the endpoint, without waiting for it: ``created``, ``updated`` or ``unchanged``.

    An endpoint that is just changing is waited for, as AWS changes none that does. One that has failed is replaced.

    :param timeout: seconds to wait for such an endpoint.
    """
    sagemaker: Any = clients.sagemaker
    if deployment.traffic:
        deployment.traffic.check(deployment.instance_count)
        expect_alarms(clients, deployment.traffic.alarms)
    _ensure(sagemaker.describe_model, sagemaker.create_model, deployment.model_request(), "ModelName")
    configuration = deployment.configuration_request()
    _ensure(sagemaker.describe_endpoint_config, sagemaker.create_endpoint_config, configuration, "EndpointConfigName")
    names = {"EndpointName": deployment.endpoint, "EndpointConfigName": deployment.configuration}
    current = wait_until_settled(clients, deployment.endpoint, timeout, "it can be updated")
    if current and current.status == "Failed":
        remove(clients, deployment.endpoint, timeout)
        current = None
    if current is None:
        sagemaker.create_endpoint(**names, Tags=deployment.tags)
        return "created"
    if current.configuration == deployment.configuration and current.status == "InService":
        return "unchanged"
    policy = {"DeploymentConfig": deployment.traffic.configuration()} if deployment.traffic else {}
    sagemaker.update_endpoint(**names, **policy)
    return "updated"


def wait(clients: Clients, endpoint: str, configuration: str | None = None, timeout: float = 1800) -> Iterator[State]:
    """The endpoint's state again and again, until it is in service.

    :param configuration: the one that it must be in service with.
    :raises DeliveryError: if it fails, was rolled back, disappears, or is not in service after ``timeout`` seconds.
    """
    for current in follow(clients, endpoint, timeout):
        if current is None:
            raise not_found("endpoint", endpoint, list_endpoints(clients))
        yield current
        if current.changing:
            continue
        if current.status != "InService":
            reason = current.reason or "AWS gives no reason"
            raise DeliveryError(
                f"the endpoint {endpoint} is {current.status}: {reason}{_last_lines(clients, endpoint)}"
            )
        undone = current.configuration != configuration if configuration else bool(current.reason)
        if undone:
            reason, serving = current.reason or "AWS gives no reason", describe_served(clients, current.configuration)
            raise DeliveryError(f"the update of {endpoint} was rolled back, {serving} still serves: {reason}")


def wait_until_settled(clients: Clients, endpoint: str, timeout: float = 1800, then: str = "") -> State | None:
    """The endpoint's state once it is not changing; None if there is no such endpoint.

    :param then: what is waited for; printed when there is something to wait for, as an update may take an hour.
    """
    current = state(clients, endpoint)
    if current is None or not current.changing:
        return current
    if then:
        stage = f", {current.stage}" if current.stage else ""
        print(f"endpoint {endpoint} is {current.status}{stage}: waiting until {then}", flush=True)
    for current in follow(clients, endpoint, timeout):  # noqa: B007 - the last one is returned
        pass
    return current


def follow(clients: Clients, endpoint: str, timeout: float) -> Iterator[State | None]:
    """The endpoint's state again and again, until it does not change any more; None if there is none (any more).

    :raises DeliveryError: if it changes for longer than ``timeout`` seconds.
    """
    started = time.monotonic()
    while True:
        current = state(clients, endpoint, time.monotonic() - started)
        yield current
        if current is None or not current.changing:
            return
        if current.seconds >= timeout:
            raise DeliveryError(
                f"the endpoint {endpoint} is still {current.status} after {timeout:g} s; AWS continues, "
                f"and 'model-registry wait {endpoint}' waits again"
            )
        time.sleep(min(LONGEST_WAIT, max(SHORTEST_WAIT, current.seconds / 20), max(0.0, timeout - current.seconds)))


def state(clients: Clients, endpoint: str, seconds: float = 0.0) -> State | None:
    """What the endpoint is now; None if there is none."""
    try:
        described = clients.sagemaker.describe_endpoint(EndpointName=endpoint)
    except ClientError as error:
        if not is_absent(error):
            raise
        return None
    reason, stage = described.get("FailureReason", ""), _stage(described)
    return State(described["EndpointStatus"], described.get("EndpointConfigName", ""), reason, seconds, stage)


def _stage(described: Mapping[str, Any]) -> str:
    pending = described.get("PendingDeploymentSummary", {}).get("ProductionVariants", [])
    statuses = [status for variant in pending for status in variant.get("VariantStatus", ())]
    if not statuses:
        return ""
    message = statuses[0].get("StatusMessage", "").rstrip(".")
    return f"{statuses[0]['Status']} ({message})" if message else str(statuses[0]["Status"])


def describe_served(clients: Clients, configuration: str) -> str:
    """What a configuration serves, as a user calls it: ``GROUP/1``, or the name of a model."""
    try:
        variants = clients.sagemaker.describe_endpoint_config(EndpointConfigName=configuration)["ProductionVariants"]
        described = clients.sagemaker.describe_model(ModelName=variants[0]["ModelName"])
    except ClientError as error:
        if not is_absent(error):
            raise
        return "the old version"
    containers = [described.get("PrimaryContainer", {}), *described.get("Containers", [])]
    package = next((one["ModelPackageName"] for one in containers if "ModelPackageName" in one), "")
    return package.partition(":model-package/")[2] or str(described["ModelName"])


def remove(clients: Clients, endpoint: str, timeout: float = 1800) -> None:
    """Deletes the endpoint and waits until it no longer exists. Nothing happens if there is none."""
    if wait_until_settled(clients, endpoint, timeout, "it can be deleted") is None:
        return
    try:
        clients.sagemaker.delete_endpoint(EndpointName=endpoint)
    except ClientError as error:
        if not is_absent(error):
            raise
    left = wait_until_settled(clients, endpoint, timeout)
    if left is not None:
        raise DeliveryError(f"the endpoint {endpoint} could not be deleted: {left.status} {left.reason}".rstrip())


def list_endpoints(clients: Clients) -> list[str]:
    pages = clients.sagemaker.get_paginator("list_endpoints").paginate()
    return [item["EndpointName"] for page in pages for item in page["Endpoints"]]


def _ensure(describe: Any, create: Any, request: Mapping[str, Any], name: str) -> None:
    try:
        describe(**{name: request[name]})
    except ClientError as error:
        if not is_absent(error):
            raise
        create(**request)


def _last_lines(clients: Clients, endpoint: str, lines: int = 5) -> str:
    """The end of what the endpoint's containers wrote; empty if there is no log, or no right to read it."""
    group = f"{LOGS}{endpoint}"
    try:
        streams = clients.logs.describe_log_streams(logGroupName=group)["logStreams"]
        events = [
            event["message"].rstrip()
            for stream in streams
            for event in clients.logs.get_log_events(
                logGroupName=group, logStreamName=stream["logStreamName"], limit=lines, startFromHead=False
            )["events"]
        ]
    except ClientError:
        return ""
    return "".join(f"\n  | {line}" for line in events[-lines:])
