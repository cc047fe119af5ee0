"""The lines around a failure, wherever a job's code came from (studio ST-4)."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import resource
import tarfile
from collections.abc import Mapping
from typing import Any

import pytest

from local_sagemaker.errors import ServiceError
from local_sagemaker.studio.page import Visit
from local_sagemaker.studio.pages.source_lines import SourceExcerpt, read_source
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


def visit(objects: Mapping[str, bytes], calls: list[str] | None = None) -> Visit:
    """A visit whose S3 has these objects, by URI; `calls` are the operations that found one."""
    calls = [] if calls is None else calls

    def call(name: str, request: Mapping[str, Any]) -> dict[str, Any]:
        data = objects.get(f"s3://{request['Bucket']}/{request['Key']}")
        if data is None:
            raise ServiceError("no such key", code="NoSuchKey", status=404)
        calls.append(name)
        etag = f'"{hashlib.md5(data, usedforsecurity=False).hexdigest()}"'
        return {"ContentLength": len(data), "ETag": etag} if name == "s3:HeadObject" else {"Body": data}

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


def header(name: str, size: int, kind: bytes, pax: Mapping[str, str] | None = None) -> bytes:
    member = tarfile.TarInfo(name)
    member.size, member.type, member.pax_headers = size, kind, dict(pax or {})
    return member.tobuf(tarfile.PAX_FORMAT if pax else tarfile.GNU_FORMAT)


def bomb(kind: bytes, size: int) -> bytes:
    """An archive whose first header has so many bytes before the file that is asked for."""
    packed = io.BytesIO()
    with gzip.GzipFile(fileobj=packed, mode="wb", compresslevel=9) as file:
        file.write(header("././@LongLink", size, kind))
        for _ in range(size >> 20):
            file.write(bytes(1 << 20))
        file.write(whole_file())
    return packed.getvalue()


def whole_file(**pax: str) -> bytes:
    text, keys = SOURCE.encode(), {key.replace("_", "."): value for key, value in pax.items()}
    return header("train.py", len(text), tarfile.REGTYPE, keys) + text.ljust(1024, b"\0")


ODD = {
    "a long name of 256 MB": lambda: bomb(tarfile.GNUTYPE_LONGNAME, 256 << 20),
    "a PAX header of 256 MB": lambda: bomb(tarfile.XHDTYPE, 256 << 20),
    "a file of 256 MB": lambda: bomb(tarfile.REGTYPE, 256 << 20),
    "a sparse map of words": lambda: gzip.compress(whole_file(GNU_sparse_map="x,y", GNU_sparse_size="5")),
    "a negative size": lambda: gzip.compress(whole_file(size="-512")),
    "a size without bound": lambda: gzip.compress(whole_file(size="9" * 400)),
    "a symbolic link": lambda: gzip.compress(header("train.py", 0, tarfile.SYMTYPE)),
    "a hard link": lambda: gzip.compress(header("train.py", 0, tarfile.LNKTYPE)),
    "a device": lambda: gzip.compress(header("train.py", 0, tarfile.CHRTYPE)),
    "an archive that is cut": lambda: archive(train=SOURCE)[:-20],
    "a file that is cut": lambda: gzip.compress(whole_file()[:540]),
    "a damaged header": lambda: gzip.compress(b"x" * 512 + whole_file()),
    "no tar": lambda: gzip.compress(b"text"),
    "nothing": lambda: b"",
}


@pytest.mark.parametrize("case", ODD)
def test_odd_archives_show_nothing_and_take_no_memory(case: str) -> None:
    """In this process, which stands for the service: what is in an archive is another's to decide."""
    objects = {SUBMIT: ODD[case]()}
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    frame = Frame("/opt/ml/processing/input/code/train.py", 5, "read", LINE)
    assert read_source(visit(objects), processing(SUBMIT), frame) is None
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 32 << 10, "kilobytes"


def test_an_archive_is_read_once() -> None:
    """A page that is open asks whenever something happens; another archive of the same name is another one."""
    frame, uri = Frame("/opt/ml/processing/input/code/train.py", 5, "read", LINE), "s3://b/once/sourcedir.tar.gz"
    for count, packed in enumerate((archive(train=SOURCE), archive(train=SOURCE.replace("absent", "other"))), 1):
        calls: list[str] = []
        shown = [read_source(visit({uri: packed}, calls), processing(uri), frame) for _ in range(3)]
        assert shown[0] is not None, count
        assert shown == shown[:1] * 3
        assert calls.count("s3:GetObject") == 1, count
