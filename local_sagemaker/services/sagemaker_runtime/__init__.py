"""SageMaker Runtime: invocations of endpoints."""

from __future__ import annotations

from local_sagemaker.hosting.endpoints import Endpoints
from local_sagemaker.hosting.invocations import Invocations
from local_sagemaker.services.sagemaker_runtime.invocations import RuntimeInvocations


def build(*, endpoints: Endpoints, invocations: Invocations) -> list[object]:
    """The service's resources."""
    return [RuntimeInvocations(endpoints=endpoints, invocations=invocations)]
