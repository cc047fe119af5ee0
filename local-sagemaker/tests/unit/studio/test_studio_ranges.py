"""Ranges of downloads: the part that a Range header requests, and the answer with it."""

from __future__ import annotations

from pathlib import Path

import pytest

from local_sagemaker.objects.types import FileRange
from local_sagemaker.studio.downloads import Download, respond
from local_sagemaker.studio.page import Content
from local_sagemaker.studio.ranges import RangeError, RangeRequest


@pytest.mark.parametrize(
    ("header", "part"),
    [
        ("bytes=0-0", (0, 1)), ("bytes=2-5", (2, 4)), ("bytes=4-", (4, 6)), ("bytes=8-99", (8, 2)),
        ("bytes=-3", (7, 3)), ("bytes=-99", (0, 10)), ("BYTES = 1 - 2", (1, 2)),
        ("", None), ("bytes=-", None), ("bytes=5-2", None), ("bytes=0-1,4-5", None), ("lines=1-2", None),
        ("bytes=a-b", None), (f"bytes={'9' * 30}-", None),
    ],
)  # fmt: skip
def test_part_that_is_requested(header: str, part: tuple[int, int] | None) -> None:
    assert RangeRequest(header).part(10) == part


@pytest.mark.parametrize("header", ["bytes=10-", "bytes=99-100", "bytes=-0"])
def test_behind_the_end(header: str) -> None:
    with pytest.raises(RangeError):
        RangeRequest(header).part(10)


def test_a_part_of_other_bytes_is_all_of_them() -> None:
    assert RangeRequest("bytes=2-3", '"a"').part(10, '"a"') == (2, 2)
    assert RangeRequest("bytes=2-3", '"a"').part(10, '"b"') is None
    assert RangeRequest("bytes=2-3", "Sun, 29 Nov 2026 00:00:00 GMT").part(10) is None


def answer(tmp_path: Path, header: str) -> tuple[int, dict[str, str], bytes]:
    path = tmp_path / "file"
    path.write_bytes(b"..0123456789..")
    content = Content(FileRange(path, 2, 10, path.open("rb")), "text/plain", "a.log", etag='"e"')
    status, body, headers = respond(content, RangeRequest(header))
    assert content.body.file is not None  # type: ignore[union-attr]
    data = body.first + b"".join(body.rest) if isinstance(body, Download) else body
    assert content.body.file.closed  # type: ignore[union-attr]
    assert headers["Accept-Ranges"] == "bytes"
    assert int(headers["Content-Length"]) == len(data)
    return status, headers, data


def test_answers(tmp_path: Path) -> None:
    status, headers, data = answer(tmp_path, "bytes=3-5")
    assert (status, headers["Content-Range"], data) == (206, "bytes 3-5/10", b"345")
    status, headers, data = answer(tmp_path, "")
    assert (status, "Content-Range" in headers, data) == (200, False, b"0123456789")
    status, headers, data = answer(tmp_path, "bytes=12-")
    assert (status, headers["Content-Range"], data) == (416, "bytes */10", b"")
