"""S3's operations over a store in a folder of its own, called as the wire calls them."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from local_sagemaker.api.operations import table
from local_sagemaker.config import Settings
from local_sagemaker.objects.disk import DiskObjects
from local_sagemaker.services.s3 import build

Answer = dict[str, Any]


class S3:
    """``s3("PutObject", Bucket=..., ...)``."""

    def __init__(self, folder: Path, region: str = "us-east-1", objects: DiskObjects | None = None) -> None:
        self.folder = folder
        self.objects = objects or DiskObjects(folder / "objects")
        self.table = table("s3", build(objects=self.objects, settings=Settings(home=folder, region=region)))

    def __call__(self, operation: str, **request: Any) -> Answer:
        return self.table[f"s3:{operation}"](request)

    def in_region(self, region: str) -> S3:
        """The same buckets, as requests that another region signs see them."""
        return S3(self.folder, region, self.objects)

    def put(self, key: str, data: bytes = b"", **more: Any) -> Answer:
        """PutObject into ``box``."""
        return self("PutObject", Bucket="box", Key=key, Body=io.BytesIO(data), **more)

    def get(self, key: str, **more: Any) -> tuple[Answer, bytes]:
        """GetObject from ``box``: (answer, its bytes)."""
        answer = self("GetObject", Bucket="box", Key=key, **more)
        body = answer.pop("Body")
        with body.file as file:
            file.seek(body.offset)
            return answer, file.read(body.length)

    def keys(self, **more: Any) -> list[str]:
        """The keys of ``box``."""
        return [entry["Key"] for entry in self("ListObjectsV2", Bucket="box", **more).get("Contents", [])]


@pytest.fixture
def s3(tmp_path: Path) -> Iterator[S3]:
    """S3 with the bucket ``box``."""
    s3 = S3(tmp_path)
    s3("CreateBucket", Bucket="box")
    yield s3
    s3.objects.close()


@pytest.fixture
def s3_in(tmp_path: Path) -> Iterator[Callable[[str], S3]]:
    """S3 of another region, empty."""
    made: list[S3] = []

    def make(region: str) -> S3:
        made.append(S3(tmp_path / region, region))
        return made[-1]

    yield make
    for s3 in made:
        s3.objects.close()
