"""What the object store refuses, in S3's own codes and texts (Amazon S3 API reference, "Error responses").

`services/s3/errors.py` adds those that only requests can cause. `detail` holds the further elements of S3's error
document, e.g. ``Key`` beside ``Code`` and ``Message``; `headers` further headers of the response.
"""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

from local_sagemaker.errors import ServiceError, says_full


class S3Error(ServiceError):
    """An S3 error with its stock text; `detail` are further elements of the error document."""

    text = "We encountered an internal error. Please try again."
    code, status = "InternalError", 500

    def __init__(self, message: str | None = None, **detail: str) -> None:
        super().__init__(message or self.text)
        self.detail = detail
        self.headers: dict[str, str] = {}

    def with_headers(self, headers: dict[str, str]) -> Self:
        """The same error, with these response headers as well."""
        self.headers.update(headers)
        return self


class NoSuchBucket(S3Error):
    """No such bucket."""

    code, status, text = "NoSuchBucket", 404, "The specified bucket does not exist"


class NoSuchKey(S3Error):
    """No such object. The SDK's monitors match this code exactly."""

    code, status, text = "NoSuchKey", 404, "The specified key does not exist."


class ObjectTooLarge(S3Error):
    """An object that something would read as a document has too many bytes for one."""

    code, status = "EntityTooLarge", 400

    def __init__(self, bucket: str, key: str, largest: int) -> None:
        super().__init__(f"s3://{bucket}/{key} has more than {largest} bytes")


class NoSuchVersion(S3Error):
    """No such version of the object."""

    code, status, text = "NoSuchVersion", 404, "The specified version does not exist."


class NoSuchUpload(S3Error):
    """No such multipart upload."""

    code, status = "NoSuchUpload", 404
    text = (
        "The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or "
        "completed."
    )


class BucketNotEmpty(S3Error):
    """The bucket holds objects or versions."""

    code, status, text = "BucketNotEmpty", 409, "The bucket you tried to delete is not empty"


class InvalidBucketName(S3Error):
    """Not a name that S3 allows."""

    code, status, text = "InvalidBucketName", 400, "The specified bucket is not valid."


class KeyTooLong(S3Error):
    """More than 1024 bytes of UTF-8."""

    code, status, text = "KeyTooLongError", 400, "Your key is too long"


class InvalidURI(S3Error):
    """A key that is empty or not UTF-8."""

    code, status, text = "InvalidURI", 400, "Couldn't parse the specified URI."


class StorageFull(S3Error):
    """The disk is full. The code and status are those of S3 on Outposts, which clients do not retry."""

    code, status = "InsufficientCapacity", 507


class CorruptedIndex(S3Error):
    """The index of objects can't be read; the message names it and says what to do."""


@contextmanager
def disk_errors(folder: Path) -> Iterator[None]:
    """Turns "no space left" of any file operation inside into `StorageFull`, naming the folder and what is free."""
    try:
        yield
    except (OSError, sqlite3.OperationalError) as error:
        if not says_full(error):
            raise
        free = shutil.disk_usage(folder).free
        raise StorageFull(
            f"The object can't be stored ({error}). {folder} has {free / 1e6:.1f} MB free. "
            "Free some space, or move the state folder with LOCAL_SAGEMAKER_HOME."
        ) from error
