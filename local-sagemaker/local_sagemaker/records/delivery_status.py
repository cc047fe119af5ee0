"""The statuses of what delivers: stacks, connections, builds, delivery pipelines; as AWS spells them."""

from __future__ import annotations

from enum import StrEnum


class StackStatus(StrEnum):
    """Statuses of CloudFormation's stacks. Those of the resources in a stack are among them."""

    CREATE_IN_PROGRESS = "CREATE_IN_PROGRESS"
    CREATE_COMPLETE = "CREATE_COMPLETE"
    CREATE_FAILED = "CREATE_FAILED"
    UPDATE_IN_PROGRESS = "UPDATE_IN_PROGRESS"
    UPDATE_COMPLETE = "UPDATE_COMPLETE"
    UPDATE_FAILED = "UPDATE_FAILED"
    DELETE_IN_PROGRESS = "DELETE_IN_PROGRESS"
    DELETE_COMPLETE = "DELETE_COMPLETE"
    DELETE_FAILED = "DELETE_FAILED"
    DELETE_SKIPPED = "DELETE_SKIPPED"
    ROLLBACK_IN_PROGRESS = "ROLLBACK_IN_PROGRESS"
    ROLLBACK_COMPLETE = "ROLLBACK_COMPLETE"
    ROLLBACK_FAILED = "ROLLBACK_FAILED"
    REVIEW_IN_PROGRESS = "REVIEW_IN_PROGRESS"
    UPDATE_COMPLETE_CLEANUP_IN_PROGRESS = "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS"
    UPDATE_ROLLBACK_IN_PROGRESS = "UPDATE_ROLLBACK_IN_PROGRESS"
    UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS = "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS"
    UPDATE_ROLLBACK_COMPLETE = "UPDATE_ROLLBACK_COMPLETE"
    UPDATE_ROLLBACK_FAILED = "UPDATE_ROLLBACK_FAILED"

    @property
    def is_final(self) -> bool:
        """Whether no change is under way. A stack whose first change set waits for its execution is at rest."""
        return self is StackStatus.REVIEW_IN_PROGRESS or not self.endswith("_IN_PROGRESS")


class ChangeSetStatus(StrEnum):
    """Statuses of change sets."""

    CREATE_COMPLETE = "CREATE_COMPLETE"
    FAILED = "FAILED"


class ChangeSetExecutionStatus(StrEnum):
    """The ExecutionStatus of change sets: whether one can be executed, or was."""

    UNAVAILABLE = "UNAVAILABLE"
    AVAILABLE = "AVAILABLE"
    EXECUTE_COMPLETE = "EXECUTE_COMPLETE"
    OBSOLETE = "OBSOLETE"


class ConnectionStatus(StrEnum):
    """Statuses of connections to where repositories are."""

    PENDING = "PENDING"
    AVAILABLE = "AVAILABLE"


class BuildStatus(StrEnum):
    """Statuses of CodeBuild's builds and of their phases."""

    IN_PROGRESS = "IN_PROGRESS"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    FAULT = "FAULT"
    TIMED_OUT = "TIMED_OUT"
    STOPPED = "STOPPED"

    @property
    def is_final(self) -> bool:
        """Whether the build has ended."""
        return self is not BuildStatus.IN_PROGRESS


class DeliveryStatus(StrEnum):
    """Statuses of CodePipeline's executions."""

    IN_PROGRESS = "InProgress"
    STOPPING = "Stopping"
    STOPPED = "Stopped"
    SUCCEEDED = "Succeeded"
    SUPERSEDED = "Superseded"
    FAILED = "Failed"
    CANCELLED = "Cancelled"

    @property
    def is_final(self) -> bool:
        """Whether the execution has ended."""
        return self not in (DeliveryStatus.IN_PROGRESS, DeliveryStatus.STOPPING)


class StageStatus(StrEnum):
    """Statuses of an execution in a stage, of its conditions, and of their rules."""

    IN_PROGRESS = "InProgress"
    STOPPED = "Stopped"
    SUCCEEDED = "Succeeded"
    SKIPPED = "Skipped"
    FAILED = "Failed"


class ActionStatus(StrEnum):
    """Statuses of an action's runs, and of the jobs that one gives to a function."""

    IN_PROGRESS = "InProgress"
    ABANDONED = "Abandoned"
    SUCCEEDED = "Succeeded"
    FAILED = "Failed"

    @property
    def has_failed(self) -> bool:
        """Whether the stage fails with it."""
        return self in (ActionStatus.FAILED, ActionStatus.ABANDONED)


class ApprovalResult(StrEnum):
    """What an approver says."""

    APPROVED = "Approved"
    REJECTED = "Rejected"
