"""Application Auto Scaling of endpoint variants."""

from __future__ import annotations

from local_sagemaker.api.operations import Call, Resource
from local_sagemaker.config import Settings
from local_sagemaker.records import Records
from local_sagemaker.services.application_autoscaling.policies import ScalingPolicies
from local_sagemaker.services.application_autoscaling.scaling import Count, Scaling
from local_sagemaker.services.application_autoscaling.targets import ScalableTargets


def build(*, settings: Settings, records: Records, call: Call, count: Count) -> list[Resource]:
    """The service's resources. `count` gives the invocations of a variant."""
    return [
        ScalableTargets(settings=settings, records=records, call=call),
        ScalingPolicies(settings=settings, records=records),
        Scaling(records=records, call=call, count=count, period=settings.autoscaling_period),
    ]
