"""A model's files: where they come from, and which archives are refused."""

from __future__ import annotations

import gzip
import io
import shutil
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from local_sagemaker.files import archives
from local_sagemaker.files.untrusted_folder import Folder
from local_sagemaker.model_servers.model_data import ModelDataError, fetch
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
    fetch(container, objects, folder)
    found = {str(file.relative_to(folder)): file.read_text() for file in folder.rglob("*") if file.is_file()}
    assert found == files


@pytest.mark.parametrize(
    "container", [{"ModelDataUrl": "s3://models/none.tar.gz"}, source("s3://models/none/", "None")]
)
def test_missing(objects: DiskObjects, tmp_path: Path, container: dict[str, Any]) -> None:
    with pytest.raises(ModelDataError, match=r"Could not find model data at s3://models/none"):
        fetch(container, objects, tmp_path / "model")


URL = "s3://models/bad.tar.gz"
INVALID = (
    f'Failed to extract model data archive for container "container_1" from URL "{URL}". Please ensure that the object '
    "located at the URL is a valid tar.gz archive."
)
TOO_LARGE = (
    f'Failed to extract model data archive for container "container_1" from URL "{URL}". The model data archive is too '
    "large. Please reduce the size of the model data archive or move to an instance type with more memory."
)


def reason(objects: DiskObjects, folder: Path, data: bytes) -> str:
    """Why an archive is refused."""
    objects.put("models", "bad.tar.gz", data)
    with pytest.raises(ModelDataError) as raised:
        fetch({"ModelDataUrl": URL}, objects, folder)
    return raised.value.message


def long_links(levels: int = 16) -> list[tuple[tarfile.TarInfo, bytes]]:
    """CVE-2025-4517: links whose paths are longer than the kernel takes, behind which a last link leads out."""
    name, steps, members = "d" * 247, "abcdefghijklmnop", []
    path = ""
    for step in steps[:levels]:
        members += [
            (member(f"{path}{name}", tarfile.DIRTYPE), b""),
            (member(f"{path}{step}", tarfile.SYMTYPE, name), b""),
        ]
        path += f"{name}/"
    long = "/".join(steps[:levels]) + "/" + "l" * 254
    up = member(long, tarfile.SYMTYPE, "../" * levels)
    out = member("escape", tarfile.SYMTYPE, f"{long}/../../outside")
    return [
        *members,
        (up, b""),
        (out, b""),
        (member("flag", tarfile.LNKTYPE, "escape/file"), b""),
        (member("flag"), b"x"),
    ]


LEADING_OUT: dict[str, list[tuple[tarfile.TarInfo, bytes]]] = {
    "dots": [(member("../evil"), b"x")],
    "dots inside": [(member("a/../../evil"), b"x")],
    "a link to a file": [(member("link", tarfile.SYMTYPE, "/etc/passwd"), b"")],
    "a link out": [(member("link", tarfile.SYMTYPE, "../../evil"), b"")],
    "a link inside": [(member("a"), b"1"), (member("link", tarfile.SYMTYPE, "a"), b"")],
    "a file behind a link": [(member("link", tarfile.SYMTYPE, ".."), b""), (member("link/evil"), b"x")],
    "a hard link out": [(member("hard", tarfile.LNKTYPE, "../../evil"), b"")],
    "a hard link to nothing": [(member("hard", tarfile.LNKTYPE, "none"), b"")],
    "a hard link to a folder": [(member("d", tarfile.DIRTYPE), b""), (member("hard", tarfile.LNKTYPE, "d"), b"")],
    "a device": [(member("device", tarfile.CHRTYPE), b"")],
    "a pipe": [(member("pipe", tarfile.FIFOTYPE), b"")],
    "a file that is a folder": [(member("a"), b"1"), (member("a/b"), b"1")],
    "a folder that is a file": [(member("a/b"), b"1"), (member("a"), b"1")],
    "a long name": [(member("n" * 300), b"1")],
    "long links": long_links(),
}


@pytest.mark.parametrize("way", LEADING_OUT)
def test_archives_that_hold_more_than_folders_and_files(objects: DiskObjects, tmp_path: Path, way: str) -> None:
    folder = tmp_path / "inner" / "model"
    (tmp_path / "inner").mkdir()
    (tmp_path / "inner" / "outside").mkdir()
    (tmp_path / "inner" / "outside" / "file").write_text("canary")
    assert reason(objects, folder, archive(*LEADING_OUT[way])) == INVALID
    assert not list(tmp_path.rglob("evil"))
    assert not list(folder.rglob("*link*"))
    assert (tmp_path / "inner" / "outside" / "file").read_text() == "canary"


def test_what_is_harmless_is_unpacked(objects: DiskObjects, deep_folder: Path) -> None:
    """A leading slash is dropped, as tar does; the last of equal names counts; depth is no matter."""
    deep = "d/" * 1500 + "file"
    members = archive(
        (member("./", tarfile.DIRTYPE), b""), (member("/etc/x"), b"1"), (member("x"), b"old"), (member("./x"), b"new"),
        (member("y", tarfile.LNKTYPE, "x"), b""), (member(deep), b"deep"), (member("empty", tarfile.DIRTYPE), b""),
    )  # fmt: skip
    objects.put("models", "odd.tar.gz", members)
    folder = deep_folder / "model"
    fetch({"ModelDataUrl": "s3://models/odd.tar.gz"}, objects, folder)
    with Folder(folder) as root:
        assert {entry.name for entry in root.walk()} == {"etc/x", "x", "y", deep}
        with root.open(deep) as file:
            assert file.read() == b"deep"
    assert [(folder / name).read_text() for name in ("x", "y", "etc/x")] == ["new", "new", "1"]
    assert (folder / "empty").is_dir()


def stored(data: bytes) -> bytes:
    """An archive whose bytes are not compressed, so that they can be changed without a word from the compressor."""
    buffer = io.BytesIO()
    with gzip.GzipFile(fileobj=buffer, mode="wb", compresslevel=0) as file:
        file.write(archive((member("a"), data), mode="w"))
    return buffer.getvalue()


GOOD = archive((member("a"), bytes(range(256)) * 40))
CHANGED = stored(b"0123456789" * 5000)
BROKEN = {
    "empty": b"",
    "text": b"no archive",
    "cut": GOOD[:-20],
    "cut before the checksum": GOOD[:-8],
    "wrong checksum": GOOD[:-8] + bytes(4) + GOOD[-4:],
    "wrong length": GOOD[:-4] + b"1234",
    "changed bytes": CHANGED.replace(b"0123456789" * 10, bytes(100), 1),
    "plain tar": archive((member("a"), b"1"), mode="w"),
    "xz": archive((member("a"), b"1"), mode="w:xz"),
    "bzip2": archive((member("a"), b"1"), mode="w:bz2"),
    "gzip of nothing": gzip.compress(b""),
    "gzip of text": gzip.compress(b"no archive" * 100),
    "a damaged member": gzip.compress(
        archive((member("a"), b"1"), (member("b"), b"2"), mode="w").replace(b"b\0", b"\1\2", 1)
    ),
}


@pytest.mark.parametrize("kind", BROKEN)
def test_broken_archives(objects: DiskObjects, tmp_path: Path, kind: str) -> None:
    assert reason(objects, tmp_path / "model", BROKEN[kind]) == INVALID


def huge_name() -> bytes:
    """A member whose extended header claims a name of 8 GiB, and has 2 GiB of it."""
    info = member("././@LongLink", tarfile.GNUTYPE_LONGNAME)
    info.size = 8 << 30
    return gzip.compress(info.tobuf(tarfile.GNU_FORMAT)) + gzip.compress(bytes(256 << 20), 9) * 8


def sparse_file() -> bytes:
    """A member without bytes that is a Pebibyte long."""
    info = member("sparse")
    info.pax_headers = {
        "GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.name": "sparse",
        "GNU.sparse.realsize": str(1 << 50),
    }  # fmt: skip
    return archive((info, b"1\n1125899906842623\n1\n".ljust(512, b"\0") + b"x"))


@pytest.mark.parametrize("bomb", [huge_name, sparse_file])
def test_bombs_end_in_a_reason(
    objects: DiskObjects, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bomb: Callable[[], bytes]
) -> None:
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(archives.shutil, "disk_usage", lambda _: usage._replace(free=300 << 20))
    assert reason(objects, tmp_path / "model", bomb()) == TOO_LARGE
    assert sum(file.stat().st_blocks * 512 for file in (tmp_path / "model").rglob("*")) < 350 << 20


def test_members_are_counted(objects: DiskObjects, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "MOST_MEMBERS", 3)
    assert reason(objects, tmp_path / "model", archive(*[(member(str(n)), b"") for n in range(4)])) == TOO_LARGE


def test_a_container_that_writes_to_its_model_changes_no_object(objects: DiskObjects, tmp_path: Path) -> None:
    folder = tmp_path / "model"
    fetch(source("s3://models/plain/", "None"), objects, folder)
    path = objects.path("models", "plain/one")
    assert path is not None
    assert path.stat().st_ino != (folder / "one").stat().st_ino
    with (folder / "one").open("ab") as file:
        file.write(b"CHANGED")
    assert objects.read("models", "plain/one") == b"1"


@pytest.mark.parametrize(
    ("keys", "text"),
    [
        (["m/weights", "m/weights/part1"], "is the name of a file and of a folder in /opt/ml/model."),
        (["m/a//b"], "'a//b' can't be the name of a file in /opt/ml/model."),
        (["m/../../evil"], "'../../evil' can't be the name of a file in /opt/ml/model."),
        (["m/a/./b"], "'a/./b' can't be the name of a file in /opt/ml/model."),
        (["m/a\0b"], "can't be the name of a file in /opt/ml/model."),
        (["m/" + "n" * 256], "can't be the name of a file in /opt/ml/model."),
    ],
)
def test_uncompressed_files_need_names(objects: DiskObjects, tmp_path: Path, keys: list[str], text: str) -> None:
    for key in keys:
        objects.put("models", f"odd/{key}", b"1")
    with pytest.raises(ModelDataError) as raised:
        fetch(source("s3://models/odd/m/", "None"), objects, tmp_path / "model")
    assert raised.value.message.endswith(text)
    assert not (tmp_path / "evil").exists()
