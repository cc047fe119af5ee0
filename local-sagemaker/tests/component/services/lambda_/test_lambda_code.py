"""Archives that can't be unpacked are refused when they are given, and leave nothing."""

from __future__ import annotations

import io
import struct
import zipfile
from pathlib import Path
from typing import Any

import pytest

from local_sagemaker.services.lambda_.code import CodeArchives
from local_sagemaker.services.lambda_.errors import InvalidValue


def zipped(*names: str, body: bytes = b"x" * 100, method: int = zipfile.ZIP_DEFLATED) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        for name in names:
            archive.writestr(name, body)
    return file.getvalue()


def patched(data: bytes, header: bytes, offset: int, form: str, value: int) -> bytes:
    """The archive with a number in each header of a kind replaced."""
    made = bytearray(data)
    position = made.find(header)
    while position >= 0:
        struct.pack_into(form, made, position + offset, value)
        position = made.find(header, position + 4)
    return bytes(made)


LOCAL, CENTRAL = b"PK\x03\x04", b"PK\x01\x02"
GOOD = zipped("main.py")
BAD = {
    "encrypted": patched(patched(GOOD, LOCAL, 6, "<H", 1), CENTRAL, 8, "<H", 1),
    "unknown method": patched(patched(GOOD, LOCAL, 8, "<H", 99), CENTRAL, 10, "<H", 99),
    "newer version": patched(GOOD, CENTRAL, 6, "<H", 250),
    "wrong checksum": patched(GOOD, CENTRAL, 16, "<I", 1),
    "wrong offset": patched(GOOD, CENTRAL, 42, "<I", 5000),
    "wrong size": patched(GOOD, CENTRAL, 20, "<I", 3),
    "long name": zipped("n" * 300),
    "a file that is a folder": zipped("a", "a/b"),
    "damaged": GOOD[:40] + bytes(20) + GOOD[60:],
    "lzma": zipped("main.py", method=zipfile.ZIP_LZMA)[:45]
    + b"\xff" * 30
    + zipped("main.py", method=zipfile.ZIP_LZMA)[75:],
    "short": GOOD[:-10],
    "no archive": b"no",
    "empty": zipped(),
}


def left(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


@pytest.mark.parametrize("kind", BAD)
def test_an_archive_that_can_not_be_unpacked(tmp_path: Path, kind: str) -> None:
    code = CodeArchives(folder=tmp_path, call=lambda *_: {})
    with pytest.raises(InvalidValue):
        code.take({"ZipFile": BAD[kind]})
    assert left(tmp_path) == []


def test_what_leads_out_of_the_folder_stays_inside(tmp_path: Path) -> None:
    code = CodeArchives(folder=tmp_path / "functions", call=lambda *_: {})
    archive: Any = code.take({"ZipFile": zipped("../../../out", "/etc/x", "main.py")})
    inside = {path.relative_to(code.folder(archive.name)).as_posix() for path in left(code.folder(archive.name))}
    assert inside == {"out", "etc/x", "main.py"}
    assert [path.name for path in tmp_path.iterdir()] == ["functions"]
