"""Whether a failed attempt of a step is made again, and when. Pure: causes, counts and times in, a delay out.

`Step.SERVICE_FAULT` and `Step.THROTTLING` are retried with exponential backoff from one second by default; a policy
for them overrides that. An error of the user's code is never retried.
"""

from __future__ import annotations

from local_sagemaker.engine.definition import RetryPolicy
from local_sagemaker.errors import ServiceError

SERVICE_FAULT, THROTTLING = "Step.SERVICE_FAULT", "Step.THROTTLING"
JOB_INTERNAL_ERROR, CAPACITY_ERROR = "SageMaker.JOB_INTERNAL_ERROR", "SageMaker.CAPACITY_ERROR"
RESOURCE_LIMIT = "SageMaker.RESOURCE_LIMIT"
# AWS does not document how often its default retries; a service fault on one machine rarely goes away by itself.
DEFAULT = RetryPolicy((SERVICE_FAULT, THROTTLING), interval=1.0, backoff=2.0, max_attempts=3)


def cause_of_error(error: ServiceError) -> str | None:
    """The ExceptionType of an operation that was refused; None for the caller's own mistakes."""
    if error.code in ("ThrottlingException", "Throttling", "TooManyRequestsException", "RequestLimitExceeded"):
        return THROTTLING
    if error.code == "ResourceLimitExceeded":
        return RESOURCE_LIMIT
    if error.code in ("InternalFailure", "InternalServerError", "ServiceUnavailable"):
        return SERVICE_FAULT
    return None


def cause_of_failure(reason: str) -> str | None:
    """The ExceptionType of a failed job, from the category that its FailureReason starts with."""
    if reason.startswith(("InternalServerError", "InternalError")):
        return JOB_INTERNAL_ERROR
    if reason.startswith("CapacityError"):
        return CAPACITY_ERROR
    if reason.startswith("ResourceLimitExceeded"):
        return RESOURCE_LIMIT
    return None


def delay(policies: tuple[RetryPolicy, ...], cause: str | None, retries: int, elapsed: float) -> float | None:
    """Seconds to wait before the next attempt, or None when the step has failed for good.

    `retries` counts the retries made for this step so far, `elapsed` the seconds since its first attempt began.
    """
    if cause is None:
        return None
    policy = next((policy for policy in (*policies, DEFAULT) if cause in policy.causes), None)
    if policy is None:
        return None
    wait = policy.interval * policy.backoff**retries
    if policy.max_attempts is not None:
        return wait if retries < policy.max_attempts else None
    return wait if elapsed + wait <= (policy.expire_after or 0) else None
