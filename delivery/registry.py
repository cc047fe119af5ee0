"""Changes of the registry: making a group, registering a version into it, approving and rejecting."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from delivery import ownership
from delivery.artifacts import put
from delivery.clients import Clients, is_absent
from delivery.sources import Candidate
from delivery.versions import DeliveredVersion, find

CSV = "text/csv"
INSTANCES = ("ml.m5.large", "ml.m5.xlarge", "ml.c5.large", "ml.c5.xlarge", "ml.t2.medium")
OWN, GUEST = "group", "versions"
"""What of a group was made here: the group itself, or only some of its versions."""
MADE = "delivery:made"


def ensure_group(clients: Clients, name: str, description: str = "") -> tuple[str, bool]:
    """The group's ARN, and whether it was made now. An existing group stays as it is."""
    try:
        described = clients.sagemaker.describe_model_package_group(ModelPackageGroupName=name)
        return described["ModelPackageGroupArn"], False
    except ClientError as error:
        if not is_absent(error):
            raise
    request: dict[str, Any] = {
        "ModelPackageGroupName": name,
        "Tags": [*ownership.tags(ownership.REGISTRY, name), {"Key": MADE, "Value": OWN}],
    }
    if description:
        request["ModelPackageGroupDescription"] = description
    return clients.sagemaker.create_model_package_group(**request)["ModelPackageGroupArn"], True


@dataclass(frozen=True)
class Registration:
    version: DeliveredVersion
    new: bool


def register(
    clients: Clients,
    group: str,
    candidate: Candidate,
    bucket: str,
    description: str = "",
    approval: str = "PendingManualApproval",
) -> Registration:
    """Registers the candidate as the group's next version; the group is made if need be.

    A pipeline's model that the pipeline itself has already registered in this group is not registered again.

    :param bucket: where metrics are written that lie nowhere in S3 yet.
    """
    if candidate.registered and f"/{group.lower()}/" in candidate.registered.lower():
        return Registration(find(clients, candidate.registered), new=False)
    arn, made = ensure_group(clients, group)
    if not made:
        _mark_as_guest(clients, arn, group)
    request = {**_describe_candidate(group, candidate), "ModelApprovalStatus": approval}
    if description:
        request["ModelPackageDescription"] = description
    if "ModelMetrics" not in request and candidate.metrics:
        uri = _metrics_uri(clients, bucket, group, candidate.metrics)
        request["ModelMetrics"] = {"ModelQuality": {"Statistics": {"ContentType": "application/json", "S3Uri": uri}}}
    package = clients.sagemaker.create_model_package(**request)["ModelPackageArn"]
    return Registration(find(clients, package), new=True)


def _describe_candidate(group: str, candidate: Candidate) -> dict[str, Any]:
    """What CreateModelPackage takes of it; what its source knows goes first."""
    return {
        "ModelPackageGroupName": group,
        "InferenceSpecification": {
            "Containers": [candidate.container()],
            "SupportedContentTypes": [CSV],
            "SupportedResponseMIMETypes": [CSV, "application/json"],
            "SupportedRealtimeInferenceInstanceTypes": list(INSTANCES),
            "SupportedTransformInstanceTypes": ["ml.m5.large", "ml.m5.xlarge"],
        },
        "CustomerMetadataProperties": {
            **ownership.make_mapping(ownership.REGISTRY, group),
            "delivery:source": candidate.source[:256],
        },
        **candidate.specification,
    }


def decide(clients: Clients, version: DeliveredVersion, approval: str, comment: str = "") -> DeliveredVersion:
    """Approves or rejects the version (or makes it pending again); the comment stays with it."""
    request: dict[str, Any] = {"ModelPackageArn": version.arn, "ModelApprovalStatus": approval}
    if comment:
        request["ApprovalDescription"] = comment
    clients.sagemaker.update_model_package(**request)
    return find(clients, version.arn)


def _mark_as_guest(clients: Clients, arn: str, group: str) -> None:
    """A group of somebody else that now has a version of ours: clean-up looks for that version there."""
    if MADE in ownership.as_mapping(clients.sagemaker.list_tags(ResourceArn=arn)["Tags"]):  # type: ignore[arg-type]
        return
    marks: Any = [*ownership.tags(ownership.REGISTRY, group), {"Key": MADE, "Value": GUEST}]
    clients.sagemaker.add_tags(ResourceArn=arn, Tags=marks)


def _metrics_uri(clients: Clients, bucket: str, group: str, metrics: Mapping[str, Any]) -> str:
    body = json.dumps(metrics, indent=2, sort_keys=True).encode()
    return put(clients, bucket, ownership.REGISTRY, group, "metrics.json", body)
