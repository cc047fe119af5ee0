"""What CloudFormation's errors say only by their text: both cases are a ValidationError on AWS, too."""

from __future__ import annotations

from local_sagemaker.errors import ServiceError

NO_CHANGE = ("No updates are to be performed", "didn't contain changes")


def changes_nothing(error: ServiceError) -> bool:
    """Whether an update was refused since the stack is already as requested."""
    return any(text in error.message for text in NO_CHANGE)


def is_missing(error: ServiceError) -> bool:
    """Whether there is no such stack."""
    return "does not exist" in error.message
