"""Secrets inside moto: an update takes an empty description, as Secrets Manager does. moto keeps the old one."""

from __future__ import annotations

from functools import cache
from typing import Any


@cache
def allow_empty_descriptions(service: str) -> None:
    """Has moto's Secrets Manager take them; does so once."""
    if service != "secretsmanager":
        return
    from moto.secretsmanager.models import SecretsManagerBackend

    plain: Any = SecretsManagerBackend.update_secret

    def update_secret(own: Any, secret_id: str, *values: Any, **members: Any) -> Any:
        response = plain(own, secret_id, *values, **members)
        if members.get("description") == "":
            own.secrets[secret_id].description = ""
        return response

    setattr(SecretsManagerBackend, "update_secret", update_secret)  # noqa: B010 - a plain one is an error to mypy
