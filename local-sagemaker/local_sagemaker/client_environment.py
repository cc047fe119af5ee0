"""The environment that points any AWS client at the service: for `env`, `exec` and the processes of jobs.

SAGEMAKER_VALIDATE_ROLE is SDK v3's own switch. The SDK simulates some 90 permissions of a role before it uses it; an
account of AWS has the roles of its team, here they would have to be made first. So any role's ARN is taken, unless the
variable is set to true.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from local_sagemaker.config import Settings

REMOVED = ("AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_SESSION_TOKEN", "AWS_SECURITY_TOKEN", "AWS_ROLE_ARN")
"""Variables that would make a client prefer other credentials."""

_OTHER_ENDPOINTS = ("AWS_ENDPOINT_URL_", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS")
"""Prefixes of variables that come before AWS_ENDPOINT_URL, or turn it off."""

AWS_DOMAINS = (".amazonaws.com", ".amazonaws.com.cn", ".api.aws", ".on.aws")
"""Never by way of a proxy, which would take a request past the hook to AWS."""

HOOK = Path(__file__).parent / "hook"


def client_environment(settings: Settings, url: str, keys: Mapping[str, str]) -> dict[str, str]:
    """What boto3, the AWS CLI and other languages' SDKs need: endpoint, region and this state folder's keys.

    `keys` holds access_key_id and secret_access_key. AWS_ENDPOINT_URL is read by every current AWS SDK (AWS SDKs and
    Tools Reference Guide, "Service-specific endpoints").
    """
    return {
        "AWS_ENDPOINT_URL": url,
        "AWS_ACCESS_KEY_ID": keys["access_key_id"],
        "AWS_SECRET_ACCESS_KEY": keys["secret_access_key"],
        "AWS_REGION": settings.region,
        "AWS_DEFAULT_REGION": settings.region,
        "AWS_EC2_METADATA_DISABLED": "true",
        "LOCAL_SAGEMAKER_URL": url,
    }


def with_hook(environment: Mapping[str, str], client: Mapping[str, str]) -> dict[str, str]:
    """A process environment in which Python programs load the hook and every client finds the service.

    The environment of a process that has it already stays as it is.
    """
    merged = {name: value for name, value in environment.items() if not _is_removed(name)}
    merged.update(client)
    merged["PYTHONPATH"] = _list(os.pathsep, [str(HOOK), *_split(os.pathsep, environment.get("PYTHONPATH"))])
    for name in ("NO_PROXY", "no_proxy"):
        own = _split(",", environment.get(name))
        merged[name] = _list(",", [*own, "127.0.0.1", "localhost", *AWS_DOMAINS])
    merged.setdefault("SAGEMAKER_VALIDATE_ROLE", "false")
    return merged


def changes(environment: Mapping[str, str], client: Mapping[str, str]) -> tuple[dict[str, str], list[str]]:
    """What a shell with this environment has to set, and what to remove, to be as a process of `exec` is."""
    merged = with_hook(environment, client)
    names = [*client, "PYTHONPATH", "NO_PROXY", "no_proxy", "SAGEMAKER_VALIDATE_ROLE"]
    return {name: merged[name] for name in names}, [name for name in environment if _is_removed(name)]


def _is_removed(name: str) -> bool:
    return name in REMOVED or name.startswith(_OTHER_ENDPOINTS)


def _split(separator: str, text: str | None) -> list[str]:
    return [part for part in (text or "").split(separator) if part]


def _list(separator: str, parts: Iterable[str]) -> str:
    return separator.join(dict.fromkeys(parts))
