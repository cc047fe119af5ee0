"""The archive that a portable check's job runs: the program and the library of the analyses, as one file of Python's.

Python runs a zip file that holds a ``__main__.py``, so nothing is installed in the job. The same code makes the same
bytes, and the object's key is named by them: a step is only run anew by its cache when its code has changed.
"""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client

NAME = "model_checks.pyz"
PACKAGES = {"check_job": "pipelines.check_job", "model_checks": "model_checks"}
"""The packages in the archive, by the name that they have in it."""
START = "import sys\n\nfrom check_job.program import main\n\nsys.exit(main())\n"
_SAME_TIME = (1980, 1, 1, 0, 0, 0)


@cache
def build() -> bytes:
    """The archive."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        _add(archive, "__main__.py", START)
        for name, package in PACKAGES.items():
            for path, text in _sources(files(package), name):
                _add(archive, path, text)
    return content.getvalue()


def _add(archive: zipfile.ZipFile, path: str, text: str) -> None:
    archive.writestr(zipfile.ZipInfo(path, _SAME_TIME), text, zipfile.ZIP_DEFLATED)


def _sources(folder: Traversable, path: str) -> Iterator[tuple[str, str]]:
    for item in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if item.is_dir():
            yield from _sources(item, f"{path}/{item.name}")
        elif item.name.endswith(".py"):
            yield f"{path}/{item.name}", item.read_text("utf-8")


def publish(s3: S3Client, bucket: str, prefix: str) -> str:
    """Puts the archive into the bucket, unless it exists; its URI."""
    digest = hashlib.sha256(build()).hexdigest()[:16]
    return put_once(s3, bucket, f"{prefix}/checks/{digest}/{NAME}", build())


def put_once(s3: S3Client, bucket: str, key: str, content: bytes) -> str:
    """Puts an object whose key is named by its content, unless it exists; its URI."""
    try:
        s3.head_object(Bucket=bucket, Key=key)
    except ClientError as error:
        if error.response["Error"]["Code"] not in ("404", "NoSuchKey", "NotFound"):
            raise
        s3.put_object(Bucket=bucket, Key=key, Body=content)
    return f"s3://{bucket}/{key}"
