"""Application Auto Scaling of endpoint variants, through unmodified boto3."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local_sagemaker.files.removal import discard
from tests.integration.endpoint_models import Made, booster
from tests.support import Service, until

DIMENSION = "sagemaker:variant:DesiredInstanceCount"
TRACKING = {
    "TargetValue": 70.0,
    "PredefinedMetricSpecification": {"PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"},
}


@pytest.fixture(scope="module")
def made() -> Iterator[Made]:
    """On a service whose minutes are a twentieth of a second."""
    home = Path(tempfile.mkdtemp(prefix="service-"))
    quick = Service(home, {"LOCAL_SAGEMAKER_AUTOSCALING_PERIOD": "0.05"})
    quick.up()
    try:
        yield Made(quick)
    finally:
        quick.down()
        discard(home)


@pytest.fixture(scope="module")
def endpoint(made: Made) -> str:
    return made.endpoint(made.config(made.model(booster())))


def of(endpoint: str, variant: str = "AllTraffic") -> dict[str, Any]:
    resource = f"endpoint/{endpoint}/variant/{variant}"
    return {"ServiceNamespace": "sagemaker", "ResourceId": resource, "ScalableDimension": DIMENSION}


def refused(call: Any, **request: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as error:
        call(**request)
    details = error.value.response["Error"]
    return details["Code"], details["Message"]


def test_targets_and_policies_come_back_as_given(made: Made, endpoint: str) -> None:
    scaling = made.service.client("application-autoscaling")
    arn = scaling.register_scalable_target(**of(endpoint), MinCapacity=1, MaxCapacity=2)["ScalableTargetARN"]
    scaling.register_scalable_target(**of(endpoint), MaxCapacity=3)
    (target,) = scaling.describe_scalable_targets(
        ServiceNamespace="sagemaker", ResourceIds=[of(endpoint)["ResourceId"]]
    )["ScalableTargets"]
    assert target["ScalableTargetARN"] == arn
    assert (target["MinCapacity"], target["MaxCapacity"]) == (1, 3)
    assert target["RoleARN"].endswith("AWSServiceRoleForApplicationAutoScaling_SageMakerEndpoint")
    policy = {"PolicyName": "p", **of(endpoint), "PolicyType": "TargetTrackingScaling"}
    put = scaling.put_scaling_policy(
        **policy, TargetTrackingScalingPolicyConfiguration={**TRACKING, "TargetValue": 1e9}
    )
    assert put["PolicyARN"].endswith(f":resource/sagemaker/endpoint/{endpoint}/variant/AllTraffic:policyName/p")
    (found,) = scaling.describe_scaling_policies(ServiceNamespace="sagemaker", PolicyNames=["p"])["ScalingPolicies"]
    assert found["TargetTrackingScalingPolicyConfiguration"]["TargetValue"] == 1e9
    scaling.delete_scaling_policy(PolicyName="p", **of(endpoint))
    assert refused(scaling.delete_scaling_policy, PolicyName="p", **of(endpoint))[0] == "ObjectNotFoundException"
    scaling.deregister_scalable_target(**of(endpoint))
    code, text = refused(scaling.deregister_scalable_target, **of(endpoint))
    assert code == "ObjectNotFoundException"
    assert text.startswith("No scalable target found for service namespace: sagemaker, resource ID: endpoint/")


def test_what_is_refused(made: Made, endpoint: str) -> None:
    scaling = made.service.client("application-autoscaling")
    register, bounds = scaling.register_scalable_target, {"MinCapacity": 1, "MaxCapacity": 2}
    code, text = refused(register, **of("no-such-endpoint"), **bounds)
    assert code == "ValidationException" and "Could not find endpoint" in text
    assert "not present within endpoint" in refused(register, **of(endpoint, "Other"), **bounds)[1]
    assert "needs MinCapacity" in refused(register, **of(endpoint), MinCapacity=1)[1]
    assert "cannot be less" in refused(register, **of(endpoint), MinCapacity=3, MaxCapacity=2)[1]
    assert "at least 1" in refused(register, **of(endpoint), MinCapacity=0, MaxCapacity=2)[1]
    other = {
        "ServiceNamespace": "dynamodb",
        "ResourceId": "table/t",
        "ScalableDimension": "dynamodb:table:ReadCapacityUnits",
    }
    assert "Unsupported service namespace" in refused(register, **other, **bounds)[1]
    put = scaling.put_scaling_policy
    code, text = refused(put, PolicyName="p", **of(endpoint), PolicyType="TargetTrackingScaling",
                         TargetTrackingScalingPolicyConfiguration=TRACKING)  # fmt: skip
    assert (code, text[:46]) == ("ObjectNotFoundException", "No scalable target registered for service name")


def test_the_number_of_instances_follows_the_load(made: Made) -> None:
    name = made.endpoint(made.config(made.model(booster())))
    scaling = made.service.client("application-autoscaling")
    scaling.register_scalable_target(**of(name), MinCapacity=1, MaxCapacity=3)
    tracking = {**TRACKING, "ScaleInCooldown": 0, "ScaleOutCooldown": 0}
    scaling.put_scaling_policy(
        PolicyName="follow", **of(name), PolicyType="TargetTrackingScaling",
        TargetTrackingScalingPolicyConfiguration=tracking,
    )  # fmt: skip

    def instances() -> int:
        described = made.sagemaker.describe_endpoint(EndpointName=name)
        return int(described["ProductionVariants"][0]["CurrentInstanceCount"])

    def loaded() -> bool:
        for _ in range(10):
            made.invoke(name)
        return instances() == 3

    until(loaded, "the endpoint has grown to its maximum")
    until(lambda: instances() == 1, "the endpoint has shrunk to its minimum")
    activities = scaling.describe_scaling_activities(ServiceNamespace="sagemaker")["ScalingActivities"]
    assert activities[-1]["Description"].startswith("Setting desired instance count to ")
    assert activities[0]["Description"] == "Setting desired instance count to 1."
    made.settled(name)
    made.delete(name)
    targets = scaling.describe_scalable_targets(ServiceNamespace="sagemaker")["ScalableTargets"]
    assert name not in str(targets)
    assert name not in str(scaling.describe_scaling_policies(ServiceNamespace="sagemaker")["ScalingPolicies"])


def test_a_variant_that_is_a_target_stays(made: Made, endpoint: str) -> None:
    scaling = made.service.client("application-autoscaling")
    scaling.register_scalable_target(**of(endpoint), MinCapacity=1, MaxCapacity=2)
    other = made.config(made.model(booster(1)), made.model(booster(2)))
    code, text = refused(made.sagemaker.update_endpoint, EndpointName=endpoint, EndpointConfigName=other)
    assert code == "ValidationException"
    assert text == (
        'The variant(s) "["AllTraffic"]" must be deregistered as scalable target with AutoScaling before they can be '
        "removed or have their instance type updated."
    )
    scaling.deregister_scalable_target(**of(endpoint))
