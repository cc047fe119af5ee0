"""CodeCommit's errors: codes of its model, its texts."""

from __future__ import annotations

from collections.abc import Sized

from local_sagemaker.errors import ServiceError


class CodeCommitError(ServiceError):
    """An error of the caller; the code says which."""

    status = 400


def missing(code: str, text: str) -> CodeCommitError:
    """Something that is named does not exist."""
    return CodeCommitError(text, code=f"{code}DoesNotExistException")


MOST = 100
"""Repositories, commits or files of one request (CodeCommit user guide, "Quotas"): each takes a process of git."""


def check_count(items: Sized, code: str, text: str) -> None:
    """Raises an error of this code where a request has too many."""
    if len(items) > MOST:
        raise CodeCommitError(text, code=code)
