"""The environment that points any AWS client at the service: for `env`, `exec` and the processes of jobs."""

from __future__ import annotations

from collections.abc import Mapping
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
    """A process environment in which Python programs load the hook and every client finds the service."""
    merged = {
        name: value
        for name, value in environment.items()
        if name not in REMOVED and not name.startswith(_OTHER_ENDPOINTS)
    }
    merged.update(client)
    merged["PYTHONPATH"] = ":".join(filter(None, [str(HOOK), environment.get("PYTHONPATH")]))
    for name in ("NO_PROXY", "no_proxy"):
        merged[name] = ",".join(filter(None, [environment.get(name), "127.0.0.1,localhost", *AWS_DOMAINS]))
    return merged
