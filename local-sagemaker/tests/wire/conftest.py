"""One gateway for the tests of this folder, over handlers that keep what they were given."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import pytest

from local_sagemaker.api.operations import Handler
from local_sagemaker.errors import ResourceNotFound, ServiceError, ValidationError
from local_sagemaker.objects.types import FileRange
from tests.wire.serving import Served, serving


class ModelFailed(ServiceError):
    """An error with members of its own."""

    code, status = "ModelError", 424
    detail: ClassVar = {"OriginalStatusCode": 500, "OriginalMessage": "boom"}


class MarkerFound(ServiceError):
    """An S3 error with elements and headers beside its code."""

    detail: ClassVar = {"Key": "a <b>"}
    headers: ClassVar = {"x-amz-delete-marker": "true"}


@dataclass
class Table:
    """Handlers by operation; `got` is the last request of each, bodies read."""

    file: Path
    got: dict[str, dict[str, Any]] = field(default_factory=dict)

    def handlers(self) -> dict[str, Handler]:
        return {
            "sagemaker:DescribePipeline": self.describe_pipeline,
            "sagemaker:DescribeModel": self.fail(ValidationError('Could not find model "é".')),
            "sagemaker:DescribeTrainingJob": self.fail(ResourceNotFound("gone")),
            "sagemaker:DescribeImage": self.break_down,
            "sagemaker-runtime:InvokeEndpoint": self.invoke,
            "s3:PutObject": self.put,
            "s3:UploadPart": self.put,
            "s3:GetObject": self.get,
            "s3:HeadObject": self.fail(ServiceError("no", code="NoSuchKey", status=404)),
            "s3:ListBuckets": lambda _: {"Buckets": [{"Name": "one", "CreationDate": 1.5}]},
            "s3:DeleteBucket": self.fail(ServiceError("The bucket <x>", code="BucketNotEmpty", status=409)),
            "s3:DeleteObject": lambda _: {},
            "s3:DeleteObjects": self.fail(MarkerFound("no", code="MethodNotAllowed", status=405)),
            "logs:DescribeLogGroups": lambda _: {"logGroups": []},
        }

    def fail(self, error: ServiceError) -> Handler:
        def handler(request: dict[str, Any]) -> dict[str, Any]:
            raise error

        return handler

    def break_down(self, request: dict[str, Any]) -> dict[str, Any]:
        raise ZeroDivisionError("a bug")

    def describe_pipeline(self, request: dict[str, Any]) -> dict[str, Any]:
        return {"PipelineName": request["PipelineName"], "CreationTime": 1700000000.25, "LastModifiedBy": None}

    def invoke(self, request: dict[str, Any]) -> dict[str, Any]:
        if request["Body"] == b"boom":
            raise ModelFailed("Received server error (500) from primary")
        return {"Body": b"<" + request["Body"] + b">", "ContentType": request.get("ContentType", "text/csv")}

    def put(self, request: dict[str, Any]) -> dict[str, Any]:
        body, digest, size = request.get("Body"), hashlib.md5(), 0
        while body and (piece := body.read(1 << 20)):
            digest.update(piece)
            size += len(piece)
        self.got["put"] = {**request, "size": size, "md5": digest.hexdigest(), "verified": body and body.checksums}
        return {"ETag": f'"{digest.hexdigest()}"'}

    def get(self, request: dict[str, Any]) -> dict[str, Any]:
        first, last = 0, self.file.stat().st_size
        answer: dict[str, Any] = {"ContentType": "text/plain", "Metadata": {"a": "b"}, "LastModified": 1700000000.0}
        if "Range" in request:
            first = int(request["Range"].removeprefix("bytes=").rstrip("-"))
            answer |= {"ContentRange": f"bytes {first}-{last - 1}/{last}", "__status__": 206}
        return {**answer, "ContentLength": last - first, "Body": FileRange(self.file, first, last - first)}


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Table:
    file = tmp_path_factory.mktemp("objects") / "big"
    file.write_bytes(bytes(range(256)) * (12 << 10))  # 3 MiB
    return Table(file)


@pytest.fixture(scope="module")
def served(table: Table, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(table.handlers(), tmp_path_factory.mktemp("home")) as running:
        yield running
    assert not [t for t in threading.enumerate() if t.name == "uvicorn"]
