"""Who calls: every caller of the service has assumed one role, unless it uses keys that STS or IAM gave it here."""

from __future__ import annotations

from typing import Any

from local_sagemaker.arns import last
from local_sagemaker.config import Settings

ROLE_ID = "AROALOCALSAGEMAKER000"
SESSION = "local-sagemaker"
CALLER_ID = f"{ROLE_ID}:{SESSION}"
"""The caller's unique id: the role's and the session's name."""


def role_name(settings: Settings) -> str:
    """The name of the role that callers have assumed."""
    return last(settings.role_arn)


def caller_arn(settings: Settings) -> str:
    """The assumed role, as STS GetCallerIdentity names it."""
    return f"arn:aws:sts::{settings.account}:assumed-role/{role_name(settings)}/{SESSION}"


def user_context(settings: Settings) -> dict[str, Any]:
    """What ``CreatedBy`` and ``LastModifiedBy`` hold, as AWS gives it for an assumed role outside Studio."""
    return {"IamIdentity": {"Arn": caller_arn(settings), "PrincipalId": CALLER_ID}}
