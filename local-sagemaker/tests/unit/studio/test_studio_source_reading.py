"""The lines around a failure, wherever a job's code came from (studio ST-4)."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Mapping
from typing import Any

import pytest

from local_sagemaker.errors import ServiceError
from local_sagemaker.studio.page import Visit
from local_sagemaker.studio.pages.source_reading import SourceExcerpt, read_source
from local_sagemaker.studio.views.failure import Frame

SOURCE = "import json\n\n\ndef read(name):\n    return json.load(open(name))\n\n\nread('absent.json')\n"
LINE = "return json.load(open(name))"


def archive(**files: str) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        for name, text in files.items():
            member = tarfile.TarInfo(name.replace("__", "/") + ".py")
            member.size = len(text)
            tar.addfile(member, io.BytesIO(text.encode()))
    return packed.getvalue()


def visit(objects: Mapping[str, bytes]) -> Visit:
    """A visit whose S3 has these objects, by URI."""

    def call(name: str, request: Mapping[str, Any]) -> dict[str, Any]:
        data = objects.get(f"s3://{request['Bucket']}/{request['Key']}")
        if data is None:
            raise ServiceError("no such key", code="NoSuchKey", status=404)
        return {"ContentLength": len(data)} if name == "s3:HeadObject" else {"Body": data}

    return Visit({}, {}, call, None, "", 0.0)  # type: ignore[arg-type]


def processing(uri: str, folder: str = "/opt/ml/processing/input/code") -> dict[str, Any]:
    return {"ProcessingInputs": [{"InputName": "code", "S3Input": {"S3Uri": uri, "LocalPath": folder}}]}


def channel(uri: str) -> dict[str, Any]:
    source = {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": uri}}
    return {"InputDataConfig": [{"ChannelName": "code", "DataSource": source}]}


PACKED = {"s3://b/job/sourcedir.tar.gz": archive(train=SOURCE, lib__helper="x = 1\n" + SOURCE)}
SUBMIT = "s3://b/job/sourcedir.tar.gz"
CASES = {
    "a script of a processing job": (processing("s3://b/c/read.py"), "/opt/ml/processing/input/code/read.py", 5,
                                     {"s3://b/c/read.py": SOURCE.encode()}),
    "a file below a processing input": (processing("s3://b/c"), "/opt/ml/processing/input/code/lib/read.py", 5,
                                        {"s3://b/c/lib/read.py": SOURCE.encode()}),
    "a framework processor's archive": (processing(SUBMIT), "/opt/ml/processing/input/code/train.py", 5, PACKED),
    "its archive in a folder": (processing("s3://b/job"), "/opt/ml/processing/input/code/lib/helper.py", 6, PACKED),
    "script mode": ({"HyperParameters": {"sagemaker_submit_directory": SUBMIT}}, "/opt/ml/code/train.py", 5, PACKED),
    "script mode of the SDK, in JSON": ({"HyperParameters": {"sagemaker_submit_directory": json.dumps(SUBMIT)}},
                                        "/opt/ml/code/lib/helper.py", 6, PACKED),
    "the code channel": (channel("s3://b/code/"), "/opt/ml/input/data/code/train.py", 5,
                         {"s3://b/code/train.py": SOURCE.encode()}),
    "the code channel's archive": (channel(SUBMIT), "/opt/ml/code/train.py", 5, PACKED),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_lines_are_read_from_the_jobs_code(case: str) -> None:
    job, file, line, objects = CASES[case]
    excerpt = read_source(visit(objects), job, Frame(file, line, "read", LINE))
    assert isinstance(excerpt, SourceExcerpt)
    assert excerpt.lines[excerpt.at - excerpt.first].strip() == LINE
    assert (excerpt.at, len(excerpt.lines)) == (line, 5)
    assert bool(excerpt.member) == (objects is PACKED)


@pytest.mark.parametrize(
    ("job", "file", "line"),
    [
        (processing(SUBMIT), "/opt/ml/processing/input/code/other.py", 5),  # is not in the archive
        (processing(SUBMIT), "/opt/ml/processing/input/code/../train.py", 5),
        (processing(SUBMIT), "/opt/ml/processing/input/code/train.py", 4),  # another text is there now
        (processing("s3://b/broken.tar.gz"), "/opt/ml/processing/input/code/train.py", 5),
        (processing("s3://b/absent"), "/opt/ml/processing/input/code/train.py", 5),
        ({"HyperParameters": {"sagemaker_submit_directory": "file:///etc"}}, "/opt/ml/code/passwd", 1),
        ({}, "/opt/ml/code/train.py", 5),
    ],
)
def test_what_is_not_there_shows_nothing(job: dict[str, Any], file: str, line: int) -> None:
    objects = {**PACKED, "s3://b/broken.tar.gz": b"\x1f\x8bno archive"}
    assert read_source(visit(objects), job, Frame(file, line, "read", LINE)) is None
