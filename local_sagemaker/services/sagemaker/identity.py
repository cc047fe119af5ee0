"""Who made or changed a resource: every caller of the service is the same assumed role."""

from __future__ import annotations

from typing import Any

from local_sagemaker.arns import last
from local_sagemaker.config import Settings

SESSION = "local-sagemaker"


def caller(settings: Settings) -> dict[str, Any]:
    """What ``CreatedBy`` and ``LastModifiedBy`` hold, as AWS gives it for an assumed role outside Studio."""
    role = last(settings.role_arn)
    return {
        "IamIdentity": {
            "Arn": f"arn:aws:sts::{settings.account}:assumed-role/{role}/{SESSION}",
            "PrincipalId": f"AROALOCALSAGEMAKER00:{SESSION}",
        }
    }
