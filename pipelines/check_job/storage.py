"""Objects that the job reads and writes by itself, with the role of the job."""

from __future__ import annotations

import json
import os
from functools import cache
from pathlib import Path
from typing import Any

from model_checks.errors import AnalysisError


@cache
def client(service: str) -> Any:
    """A client of the service in the job's region."""
    import boto3

    make: Any = boto3.client
    # jobs of SageMaker have AWS_REGION, which boto3 does not read
    return make(service, region_name=os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION"))


def split(uri: str) -> tuple[str, str]:
    """Bucket and key."""
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    if not uri.startswith("s3://") or not bucket:
        raise AnalysisError(f"ClientError: {uri!r} is not an S3 URI.")
    return bucket, key


def read_json(uri: str, what: str) -> Any:
    """The content of an object. Raises AnalysisError, which says what it was to be."""
    from botocore.exceptions import ClientError

    bucket, key = split(uri)
    try:
        content = client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
    except ClientError as error:
        text = error.response["Error"].get("Message", str(error))
        raise AnalysisError(f"ClientError: The {what} {uri} cannot be read: {text}") from error
    try:
        return json.loads(content)
    except ValueError as error:
        raise AnalysisError(f"ClientError: The {what} {uri} is not JSON: {error}") from error


def fetch(uri: str, name: str) -> Path:
    """The object, or every object below the prefix, in a folder of the temporary files."""
    bucket, prefix = split(uri)
    folder = Path(os.environ.get("TMPDIR", "/tmp")) / name
    pages = client("s3").get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
    keys = [item["Key"] for page in pages for item in page.get("Contents", [])]
    chosen = [key for key in keys if key == prefix or key.startswith(f"{prefix.rstrip('/')}/")]
    if not chosen:
        raise AnalysisError(f"ClientError: There is no object under {uri}.")
    for key in chosen:
        target = folder / (key.removeprefix(prefix).lstrip("/") or Path(key).name)
        target.parent.mkdir(parents=True, exist_ok=True)
        client("s3").download_file(bucket, key, str(target))
    return folder


def upload(folder: Path, uri: str) -> None:
    """All files of a folder below the URI."""
    bucket, prefix = split(uri)
    for file in sorted(folder.rglob("*")):
        if file.is_file():
            client("s3").upload_file(str(file), bucket, f"{prefix.rstrip('/')}/{file.relative_to(folder).as_posix()}")
