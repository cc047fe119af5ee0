"""A model's files: where they come from, and which archives are refused."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from local_sagemaker.model_servers.model_data import ModelDataError, exists, fetch
from local_sagemaker.objects.disk import DiskObjects


def archive(*members: tuple[tarfile.TarInfo, bytes], mode: str = "w:gz") -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode=mode) as tar:  # type: ignore[call-overload]
        for info, data in members:
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return buffer.getvalue()


def member(name: str, kind: bytes = tarfile.REGTYPE, link: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, link
    return info


@pytest.fixture
def objects(tmp_path: Path) -> Iterator[DiskObjects]:
    """An object store with a bucket."""
    objects = DiskObjects(tmp_path / "objects")
    objects.buckets.create("models", "us-east-1")
    objects.put("models", "m/model.tar.gz", archive((member("xgboost-model"), b"M"), (member("code/a.py"), b"A")))
    objects.put("models", "plain/one", b"1")
    objects.put("models", "plain/sub/two", b"2")
    yield objects
    objects.close()


ARCHIVE = {"xgboost-model": "M", "code/a.py": "A"}


def source(uri: str, compression: str, kind: str = "S3Prefix") -> dict[str, Any]:
    return {"ModelDataSource": {"S3DataSource": {"S3Uri": uri, "S3DataType": kind, "CompressionType": compression}}}


@pytest.mark.parametrize(
    ("container", "files"),
    [
        ({"ModelDataUrl": "s3://models/m/model.tar.gz"}, ARCHIVE),
        ({"ModelDataUrl": "https://s3.us-east-1.amazonaws.com/models/m/model.tar.gz"}, ARCHIVE),
        ({"ModelDataUrl": "https://models.s3.us-east-1.amazonaws.com/m/model.tar.gz"}, ARCHIVE),
        (source("s3://models/m/model.tar.gz", "Gzip", "S3Object"), ARCHIVE),
        (source("s3://models/plain/", "None"), {"one": "1", "sub/two": "2"}),
        (source("s3://models/plain/one", "None", "S3Object"), {"one": "1"}),
        ({}, {}),
    ],
)
def test_files(objects: DiskObjects, tmp_path: Path, container: dict[str, Any], files: dict[str, str]) -> None:
    folder = tmp_path / "model"
    assert exists(container, objects)
    fetch(container, objects, folder)
    found = {str(file.relative_to(folder)): file.read_text() for file in folder.rglob("*") if file.is_file()}
    assert found == files


@pytest.mark.parametrize(
    "container", [{"ModelDataUrl": "s3://models/none.tar.gz"}, source("s3://models/none/", "None")]
)
def test_missing(objects: DiskObjects, tmp_path: Path, container: dict[str, Any]) -> None:
    assert not exists(container, objects)
    with pytest.raises(ModelDataError, match=r"Could not find model data at s3://models/none"):
        fetch(container, objects, tmp_path / "model")


@pytest.mark.parametrize(
    "bad",
    [
        member("../evil"),
        member("a/../../evil"),
        member("/evil"),
        member("link", tarfile.SYMTYPE, "/etc/passwd"),
        member("link", tarfile.SYMTYPE, "../../evil"),
        member("hard", tarfile.LNKTYPE, "../../evil"),
        member("device", tarfile.CHRTYPE),
    ],
)
def test_refused_members(objects: DiskObjects, tmp_path: Path, bad: tarfile.TarInfo) -> None:
    objects.put("models", "bad.tar.gz", archive((bad, b"")))
    folder = tmp_path / "inner" / "model"
    if bad.name == "/evil":  # the leading slash is dropped, as tar does
        fetch({"ModelDataUrl": "s3://models/bad.tar.gz"}, objects, folder)
        assert (folder / "evil").exists()
        return
    with pytest.raises(ModelDataError, match=r"Model data at s3://models/bad\.tar\.gz is refused: "):
        fetch({"ModelDataUrl": "s3://models/bad.tar.gz"}, objects, folder)
    assert not list(tmp_path.rglob("evil"))


@pytest.mark.parametrize(
    "data", [b"", b"no archive", archive((member("a"), b"x" * 5000))[:60]], ids=["empty", "text", "cut"]
)
def test_broken_archives(objects: DiskObjects, tmp_path: Path, data: bytes) -> None:
    objects.put("models", "broken.tar.gz", data)
    with pytest.raises(ModelDataError, match="Failed to extract model data archive from URL s3://models/broken"):
        fetch({"ModelDataUrl": "s3://models/broken.tar.gz"}, objects, tmp_path / "model")
