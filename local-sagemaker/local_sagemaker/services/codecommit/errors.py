"""CodeCommit's errors: codes of its model, its texts."""

from __future__ import annotations

from local_sagemaker.errors import ServiceError


class CodeCommitError(ServiceError):
    """An error of the caller; the code says which."""

    status = 400


def missing(code: str, text: str) -> CodeCommitError:
    """Something that is named does not exist."""
    return CodeCommitError(text, code=f"{code}DoesNotExistException")
