"""What a configuration names by an S3 URI: fetched as the container does it, with the job's own credentials."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlparse

from local_sagemaker.containers.paths import private_tmp
from model_checks.errors import AnalysisError


def fetch(uri: str, name: str) -> Path:
    """The object, or every object below the prefix, in a folder of the job's /tmp called `name`."""
    import boto3  # heavy, and few jobs need it

    parsed = urlparse(uri)
    if parsed.scheme != "s3":
        raise AnalysisError(f"ClientError: {uri} is not an S3 URI.")
    bucket, prefix = parsed.netloc, parsed.path.lstrip("/")
    folder = private_tmp() / name
    client = boto3.client("s3")
    count = 0
    for page in client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
        for entry in page.get("Contents", []):
            key = entry["Key"]
            if key != prefix and not key.startswith(prefix.rstrip("/") + "/"):
                continue
            target = folder / (key.removeprefix(prefix).lstrip("/") or Path(key).name)
            target.parent.mkdir(parents=True, exist_ok=True)
            client.download_file(bucket, key, str(target))
            count += 1
    if not count:
        raise AnalysisError(f"ClientError: There is no object under {uri}.")
    return folder
