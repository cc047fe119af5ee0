"""Scaling policies: kept as they are given. Which of them act is `scaling`'s business."""

from __future__ import annotations

import uuid

from local_sagemaker.api.operations import Request, Resource, Response, operation
from local_sagemaker.clock import now
from local_sagemaker.config import Settings
from local_sagemaker.errors import ValidationError
from local_sagemaker.records import Records
from local_sagemaker.services.application_autoscaling.errors import ObjectNotFound, describe_request
from local_sagemaker.services.application_autoscaling.targets import ACTIVITY, KIND, POLICY, key, select
from local_sagemaker.services.sagemaker.listing import page

_CONFIGURATIONS = {
    "TargetTrackingScaling": "TargetTrackingScalingPolicyConfiguration",
    "StepScaling": "StepScalingPolicyConfiguration",
    "PredictiveScaling": "PredictiveScalingPolicyConfiguration",
}


class ScalingPolicies(Resource):
    """PutScalingPolicy, DescribeScalingPolicies, DeleteScalingPolicy, DescribeScalingActivities."""

    def __init__(self, *, settings: Settings, records: Records) -> None:
        self._settings, self._records = settings, records

    @operation("PutScalingPolicy")
    def put(self, request: Request) -> Response:
        """Adds or replaces a policy. The CloudWatch alarms that AWS makes for one are not made here."""
        if self._records.get(KIND, key(request)) is None:
            raise ObjectNotFound(f"No scalable target registered for {describe_request(request)}")
        policy = self._records.get(POLICY, _key(request))
        kind = request.get("PolicyType") or (policy["PolicyType"] if policy else "StepScaling")
        member = _CONFIGURATIONS[kind]
        configuration = request.get(member) or (policy or {}).get(member)
        if configuration is None:
            raise ValidationError(f"A policy of type {kind} needs a {member}.")
        body = {
            "PolicyARN": policy["PolicyARN"] if policy else self._arn(request),
            "PolicyName": request["PolicyName"],
            "ServiceNamespace": request["ServiceNamespace"],
            "ResourceId": request["ResourceId"],
            "ScalableDimension": request["ScalableDimension"],
            "PolicyType": kind,
            member: configuration,
            "Alarms": [],
            "CreationTime": policy["CreationTime"] if policy else now(),
        }
        self._records.put(POLICY, _key(request), body)
        return {"PolicyARN": body["PolicyARN"], "Alarms": []}

    @operation("DescribeScalingPolicies")
    def describe(self, request: Request) -> Response:
        """In the order of their making."""
        bodies = select(self._records.list(POLICY), request)
        if request.get("PolicyNames"):
            bodies = [body for body in bodies if body["PolicyName"] in request["PolicyNames"]]
        chosen, token = page(bodies, request, default=50)
        return {"ScalingPolicies": chosen, **token}

    @operation("DeleteScalingPolicy")
    def delete(self, request: Request) -> Response:
        """Ends a policy; the number of instances stays."""
        if not self._records.delete(POLICY, _key(request)):
            named = describe_request(request, f"policy name: {request['PolicyName']}")
            raise ObjectNotFound(f"No scaling policy found for {named}")
        return {}

    @operation("DescribeScalingActivities")
    def activities(self, request: Request) -> Response:
        """What policies have done, the newest first."""
        chosen, token = page(select(self._records.list(ACTIVITY)[::-1], request), request, default=50)
        return {"ScalingActivities": chosen, **token}

    def _arn(self, request: Request) -> str:
        resource = f"resource/{request['ServiceNamespace']}/{request['ResourceId']}"
        policy = f"scalingPolicy:{uuid.uuid4()}:{resource}:policyName/{request['PolicyName']}"
        return self._settings.arns.of("autoscaling", policy)


def _key(request: Request) -> str:
    return f"{key(request)}|{request['PolicyName']}"
