"""The statuses of resources, as AWS spells them, and which of them are final."""

from __future__ import annotations

from enum import StrEnum


class JobStatus(StrEnum):
    """Of training, processing, transform and tuning jobs."""

    IN_PROGRESS = "InProgress"
    STOPPING = "Stopping"
    COMPLETED = "Completed"
    FAILED = "Failed"
    STOPPED = "Stopped"

    @property
    def is_final(self) -> bool:
        """Whether the job has ended."""
        return self in (JobStatus.COMPLETED, JobStatus.FAILED, JobStatus.STOPPED)


class EndpointStatus(StrEnum):
    """Of endpoints."""

    CREATING = "Creating"
    UPDATING = "Updating"
    SYSTEM_UPDATING = "SystemUpdating"
    ROLLING_BACK = "RollingBack"
    DELETING = "Deleting"
    IN_SERVICE = "InService"
    OUT_OF_SERVICE = "OutOfService"
    FAILED = "Failed"
    UPDATE_ROLLBACK_FAILED = "UpdateRollbackFailed"

    @property
    def is_final(self) -> bool:
        """Whether no change is under way, so that another one can be requested."""
        return self in (
            EndpointStatus.IN_SERVICE, EndpointStatus.OUT_OF_SERVICE, EndpointStatus.FAILED,
            EndpointStatus.UPDATE_ROLLBACK_FAILED,
        )  # fmt: skip


class ExecutionStatus(StrEnum):
    """Of pipeline executions."""

    EXECUTING = "Executing"
    STOPPING = "Stopping"
    SUCCEEDED = "Succeeded"
    FAILED = "Failed"
    STOPPED = "Stopped"
    COMPLETED_WITH_FAILURES = "CompletedWithFailures"

    @property
    def is_final(self) -> bool:
        """Whether the execution has ended."""
        return self not in (ExecutionStatus.EXECUTING, ExecutionStatus.STOPPING)


class StepStatus(StrEnum):
    """Of steps of an execution."""

    STARTING = "Starting"
    EXECUTING = "Executing"
    STOPPING = "Stopping"
    SUCCEEDED = "Succeeded"
    FAILED = "Failed"
    STOPPED = "Stopped"

    @property
    def is_final(self) -> bool:
        """Whether the step has ended."""
        return self in (StepStatus.SUCCEEDED, StepStatus.FAILED, StepStatus.STOPPED)


class ApprovalStatus(StrEnum):
    """Of model packages."""

    APPROVED = "Approved"
    REJECTED = "Rejected"
    PENDING = "PendingManualApproval"
