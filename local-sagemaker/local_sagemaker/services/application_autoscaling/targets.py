"""Scalable targets: the variants of endpoints whose number of instances policies may change.

Variants are the only targets here; AWS's other namespaces and dimensions are refused in its words for unknown ones.
"""

from __future__ import annotations

import re
import uuid
from typing import Any

from local_sagemaker.api.operations import Call, Request, Resource, Response, operation
from local_sagemaker.clock import now
from local_sagemaker.config import Settings
from local_sagemaker.errors import ServiceError, ValidationError
from local_sagemaker.events import Event
from local_sagemaker.records import Records
from local_sagemaker.records.store import Body
from local_sagemaker.services.application_autoscaling.errors import ObjectNotFound, describe_request
from local_sagemaker.services.sagemaker.listing import page

KIND, POLICY, ACTIVITY = "scalable-target", "scaling-policy", "scaling-activity"
DIMENSION = "sagemaker:variant:DesiredInstanceCount"
_RESOURCE = re.compile(r"endpoint/(?P<endpoint>[^/]+)/variant/(?P<variant>[^/]+)")


def key(request: Request) -> str:
    """The key of a target's record; a policy's begins with it."""
    return f"{request['ServiceNamespace']}|{request['ResourceId'].lower()}|{request['ScalableDimension']}"


def names(resource: str) -> tuple[str, str]:
    """Endpoint and variant of a ResourceId."""
    match = _RESOURCE.fullmatch(resource)
    if match is None:
        raise ValidationError("Unsupported service namespace, resource type or scalable dimension")
    return match["endpoint"], match["variant"]


class ScalableTargets(Resource):
    """RegisterScalableTarget, DescribeScalableTargets, DeregisterScalableTarget."""

    def __init__(self, *, settings: Settings, records: Records, call: Call) -> None:
        self._settings, self._records, self._call = settings, records, call
        records.events.subscribe(self._on)

    @operation("RegisterScalableTarget")
    def register(self, request: Request) -> Response:
        """Adds a target, or changes the members given of one that exists."""
        endpoint, variant = names(request["ResourceId"])
        if (request["ServiceNamespace"], request["ScalableDimension"]) != ("sagemaker", DIMENSION):
            raise ValidationError("Unsupported service namespace, resource type or scalable dimension")
        target = self._records.get(KIND, key(request)) or self._new(request)
        body = {**target, **{name: request[name] for name in _CHANGED if name in request}}
        body["SuspendedState"] = {**target["SuspendedState"], **request.get("SuspendedState", {})}
        self._check(body, endpoint, variant)
        self._records.put(KIND, key(request), body)
        return {"ScalableTargetARN": body["ScalableTargetARN"]}

    @operation("DescribeScalableTargets")
    def describe(self, request: Request) -> Response:
        """In the order of their registration."""
        bodies = select(self._records.list(KIND), request)
        if request.get("ResourceIds"):
            wanted = {resource.lower() for resource in request["ResourceIds"]}
            bodies = [body for body in bodies if body["ResourceId"].lower() in wanted]
        chosen, token = page(bodies, request, default=50)
        return {"ScalableTargets": chosen, **token}

    @operation("DeregisterScalableTarget")
    def deregister(self, request: Request) -> Response:
        """Removes a target with its policies; the number of instances stays."""
        if not self._drop(key(request)):
            raise ObjectNotFound(f"No scalable target found for {describe_request(request)}")
        return {}

    def _drop(self, target: str) -> bool:
        with self._records.transaction():
            for policy, _ in self._records.items(POLICY, target + "|"):
                self._records.delete(POLICY, policy)
            return self._records.delete(KIND, target)

    def _new(self, request: Request) -> Body:
        if "MinCapacity" not in request or "MaxCapacity" not in request:
            raise ValidationError("A scalable target needs MinCapacity and MaxCapacity when it is registered.")
        account, arns = self._settings.account, self._settings.arns
        role = "AWSServiceRoleForApplicationAutoScaling_SageMakerEndpoint"
        service = "sagemaker.application-autoscaling.amazonaws.com"
        return {
            "ServiceNamespace": request["ServiceNamespace"],
            "ResourceId": request["ResourceId"],
            "ScalableDimension": request["ScalableDimension"],
            "RoleARN": f"arn:aws:iam::{account}:role/aws-service-role/{service}/{role}",
            "CreationTime": now(),
            "SuspendedState": dict.fromkeys(_SUSPENDED, False),
            "ScalableTargetARN": arns.of("application-autoscaling", f"scalable-target/{uuid.uuid4().hex}"),
        }

    def _check(self, body: Body, endpoint: str, variant: str) -> None:
        """The endpoint's own error where it is missing; no record of AWS's words for it was found."""
        description = self._call("sagemaker:DescribeEndpoint", {"EndpointName": endpoint})
        variants: list[Any] = description.get("ProductionVariants", [])
        if variant not in [one["VariantName"] for one in variants]:
            raise ValidationError(
                f'The variant name(s) "{variant}" is/are not present within endpoint "{description["EndpointArn"]}".'
            )
        least = 0 if "AsyncInferenceConfig" in description else 1
        if body["MinCapacity"] < least:
            raise ValidationError(f"MinCapacity of this variant must be at least {least}.")
        if body["MaxCapacity"] < body["MinCapacity"]:
            raise ValidationError("Maximum capacity cannot be less than minimum capacity")

    def _on(self, event: Event) -> None:
        """A deleted endpoint has no targets any more (Developer Guide, "Delete endpoints configured for auto
        scaling")."""
        if event.kind == "endpoint" and event.status == "Deleted":
            name = event.arn.rsplit("/", 1)[-1]
            for target, _ in self._records.items(KIND, f"sagemaker|endpoint/{name.lower()}/variant/"):
                self._drop(target)


_CHANGED = ("MinCapacity", "MaxCapacity", "RoleARN")
_SUSPENDED = ("DynamicScalingInSuspended", "DynamicScalingOutSuspended", "ScheduledScalingSuspended")


def select(bodies: list[Body], request: Request) -> list[Body]:
    """Those of the request's namespace, resource and dimension."""
    if "ScalableDimension" in request and "ResourceId" not in request and "ResourceIds" not in request:
        raise ServiceError(
            "ScalableDimension can only be given with a resource ID.", code="ValidationException", status=400
        )
    for member in ("ServiceNamespace", "ResourceId", "ScalableDimension"):
        if member in request:
            bodies = [body for body in bodies if body[member].lower() == request[member].lower()]
    return bodies
