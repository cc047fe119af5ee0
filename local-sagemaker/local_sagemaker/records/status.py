"""The statuses of resources, as AWS spells them, and which of them are final."""

from __future__ import annotations

from enum import StrEnum


class JobStatus(StrEnum):
    """Statuses of training, processing, transform and tuning jobs."""

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
    """Statuses of endpoints."""

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
    """Statuses of pipeline executions."""

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
    """Statuses of steps of an execution."""

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
    """Statuses of model packages."""

    APPROVED = "Approved"
    REJECTED = "Rejected"
    PENDING = "PendingManualApproval"


class TrainingStage(StrEnum):
    """The SecondaryStatus of training jobs."""

    STARTING = "Starting"
    DOWNLOADING = "Downloading"
    TRAINING = "Training"
    UPLOADING = "Uploading"
    STOPPING = "Stopping"
    COMPLETED = "Completed"
    FAILED = "Failed"
    STOPPED = "Stopped"
    MAX_RUNTIME_EXCEEDED = "MaxRuntimeExceeded"

    @property
    def is_final(self) -> bool:
        """Whether no other comes after it."""
        return self in (
            TrainingStage.COMPLETED, TrainingStage.FAILED, TrainingStage.STOPPED, TrainingStage.MAX_RUNTIME_EXCEEDED,
        )  # fmt: skip


class VariantStatus(StrEnum):
    """Statuses of an endpoint's variants, while a deployment is under way."""

    CREATING = "Creating"
    UPDATING = "Updating"
    DELETING = "Deleting"


class CaptureStatus(StrEnum):
    """Statuses of an endpoint's data capture."""

    STARTED = "Started"
    STOPPED = "Stopped"


class PackageStatus(StrEnum):
    """Statuses of model packages and their groups; here they are complete when they exist."""

    COMPLETED = "Completed"


class MappingState(StrEnum):
    """Of an event source mapping in the responses to changes; between them it is enabled or disabled."""

    CREATING = "Creating"
    UPDATING = "Updating"
    ENABLING = "Enabling"
    DISABLING = "Disabling"
    DELETING = "Deleting"


class LineageStatus(StrEnum):
    """Statuses of the actions in the lineage that the service records."""

    COMPLETED = "Completed"


class ScheduleStatus(StrEnum):
    """Statuses of monitoring schedules."""

    PENDING = "Pending"
    SCHEDULED = "Scheduled"
    STOPPED = "Stopped"


class MonitoringStatus(StrEnum):
    """Statuses of the executions of monitoring schedules."""

    PENDING = "Pending"
    IN_PROGRESS = "InProgress"
    COMPLETED = "Completed"
    COMPLETED_WITH_VIOLATIONS = "CompletedWithViolations"
    FAILED = "Failed"
    STOPPED = "Stopped"

    @property
    def is_final(self) -> bool:
        """Whether the execution has ended."""
        return self not in (MonitoringStatus.PENDING, MonitoringStatus.IN_PROGRESS)


class AlertStatus(StrEnum):
    """Statuses of the alerts of monitoring schedules."""

    IN_ALERT = "InAlert"
    OK = "OK"


class ObjectiveStatus(StrEnum):
    """Statuses of a tuning job's training job: whether its metric is known."""

    SUCCEEDED = "Succeeded"
    PENDING = "Pending"
    FAILED = "Failed"


class AlarmState(StrEnum):
    """Statuses of CloudWatch alarms."""

    OK = "OK"
    ALARM = "ALARM"
    INSUFFICIENT_DATA = "INSUFFICIENT_DATA"


class TargetStatus(StrEnum):
    """Statuses of an event on its way to a rule's target."""

    DELIVERED = "Delivered"
    FAILED = "Failed"


class ReplayState(StrEnum):
    """Statuses of a replay of archived events."""

    STARTING = "STARTING"
    RUNNING = "RUNNING"
    CANCELLING = "CANCELLING"
    COMPLETED = "COMPLETED"
    CANCELLED = "CANCELLED"
    FAILED = "FAILED"


class SwitchState(StrEnum):
    """Statuses of what is switched on or off: EventBridge's rules, Scheduler's schedules, a build's logs."""

    ENABLED = "ENABLED"
    DISABLED = "DISABLED"
