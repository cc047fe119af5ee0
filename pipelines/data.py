"""The abalone data set: where it comes from, where its object is, and how it gets there.

Runs before a pipeline is upserted. The table lies in `datasets` beside this module, with its source and its licence.
"""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Callable
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client

TRAINING_KEY = "xgboost-regression/train.csv"
COLUMNS = (
    "sex",
    "length",
    "diameter",
    "height",
    "whole_weight",
    "shucked_weight",
    "viscera_weight",
    "shell_weight",
    "rings",
)


@cache
def abalone_csv() -> bytes:
    """The published table without a header, columns in the order of ``COLUMNS``."""
    return files("pipelines").joinpath("datasets", "abalone.csv").read_bytes()


def abalone_key() -> str:
    """The key of the data set's object: named by its content, so that other data can never hide behind it."""
    return f"datasets/abalone/{hashlib.sha256(abalone_csv()).hexdigest()[:16]}/abalone.csv"


def abalone_url(bucket: str) -> str:
    """The URL of the data set in ``bucket``. The object need not exist."""
    return f"s3://{bucket}/{abalone_key()}"


def training_csv() -> bytes:
    """The table as XGBoost takes it: all rows, the rings first, the sex as a number (1 male, 2 female, 3 infant)."""
    numbers = {"M": "1", "F": "2", "I": "3"}
    rows = csv.reader(io.StringIO(abalone_csv().decode()))
    text = "".join(f"{','.join([row[-1], numbers[row[0]], *row[1:-1]])}\n" for row in rows)
    return text.encode()


def training_url(bucket: str) -> str:
    """The URL of ``training_csv`` in ``bucket``, where the multi-model pipeline looks for it."""
    return f"s3://{bucket}/{TRAINING_KEY}"


def upload(s3: S3Client, url: str) -> bool | None:
    """Uploads the data set of this URL unless it exists. True if it was uploaded; None for URLs of other data."""
    bucket, _, key = url.removeprefix("s3://").partition("/")
    contents: dict[str, Callable[[], bytes]] = {abalone_key(): abalone_csv, TRAINING_KEY: training_csv}
    if not url.startswith("s3://") or key not in contents:
        return None
    try:
        s3.head_object(Bucket=bucket, Key=key)
    except ClientError as error:
        if error.response["Error"]["Code"] not in ("404", "NoSuchKey", "NotFound"):
            raise
    else:
        return False
    s3.put_object(Bucket=bucket, Key=key, Body=contents[key](), ContentType="text/csv")
    return True
