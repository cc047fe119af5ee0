"""Files that are made here and belong into S3: under a key that names their contents, tagged as everything else."""

from __future__ import annotations

import hashlib
from pathlib import Path
from urllib.parse import urlencode

from botocore.exceptions import ClientError

from delivery import ownership
from delivery.clients import Clients, is_absent, split
from delivery.errors import DeliveryError, NotFoundError

ARCHIVE = "model.tar.gz"
FOLDERS = {ownership.MULTI_MODEL: "xgboost-mme-pipelines"}  # where it is not the maker's own name


def prefix(maker: str, name: str) -> str:
    """Where everything lies that one maker has put into a bucket under one name."""
    return f"{folder(maker)}{name}/"


def folder(maker: str) -> str:
    """Where everything lies that one maker has put into a bucket."""
    return f"{FOLDERS.get(maker, maker)}/"


def put(clients: Clients, bucket: str, maker: str, name: str, file: str, body: bytes) -> str:
    """The URI of the object with these contents. The same contents again are the same object."""
    digest = hashlib.sha256(body).hexdigest()[:16]
    key = f"{prefix(maker, name)}{digest}/{file}"
    clients.s3.put_object(Bucket=bucket, Key=key, Body=body, Tagging=urlencode(ownership.make_mapping(maker, name)))
    return f"s3://{bucket}/{key}"


def ensure_bucket(clients: Clients, bucket: str) -> None:
    """Creates the bucket if it does not exist."""
    try:
        clients.s3.head_bucket(Bucket=bucket)
    except ClientError as error:
        if not is_absent(error):
            raise
        # us-east-1 is the one region that must not be named (Amazon S3 API, CreateBucket).
        where = {} if clients.region == "us-east-1" else {"LocationConstraint": clients.region}
        clients.s3.create_bucket(Bucket=bucket, **({"CreateBucketConfiguration": where} if where else {}))  # type: ignore[arg-type]


def locate(clients: Clients, source: str, bucket: str, maker: str, name: str) -> str:
    """The S3 URI of a model archive that was given as a file or as an S3 URI.

    :raises NotFoundError: if there is no such file or object.
    :raises DeliveryError: if it is no archive.
    """
    if not source.startswith(("s3://", "https://")):
        return put(clients, bucket, maker, name, ARCHIVE, read(Path(source)))
    if source.startswith("s3://"):
        there, key = split(source)
        try:
            clients.s3.head_object(Bucket=there, Key=key)
        except ClientError as error:
            if not is_absent(error):
                raise
            raise NotFoundError(f"there is no object {source}") from error
    return source


def read(file: Path) -> bytes:
    """:raises DeliveryError: if it is not a .tar.gz that can be read."""
    try:
        body = file.read_bytes()
    except OSError as error:
        raise NotFoundError(f"{file}: {error.strerror}") from error
    if not body.startswith(b"\x1f\x8b"):
        raise DeliveryError(f"{file} is not a .tar.gz: package the model first (local-model package does it)")
    return body
