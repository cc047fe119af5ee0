"""Answers on their way out: what is read at once, what is streamed, and that files are closed."""

from __future__ import annotations

import asyncio
import io
from pathlib import Path
from typing import Any

import pytest

from local_sagemaker.objects.types import FileRange
from local_sagemaker.wire.request import WireResponse
from local_sagemaker.wire.responses import PIECE, SMALL, prepare, send_response


def sent(answer: WireResponse) -> tuple[int, dict[bytes, bytes], list[bytes]]:
    """Status, headers and pieces that the server gets."""
    messages: list[dict[str, Any]] = []

    async def send(message: dict[str, Any]) -> None:
        messages.append(message)

    asyncio.run(send_response(send, answer))
    start, *rest = messages
    assert [message.get("more_body", False) for message in rest] == [True] * (len(rest) - 1) + [False]
    return start["status"], dict(start["headers"]), [message["body"] for message in rest]


@pytest.mark.parametrize("length", [0, 5, SMALL, SMALL + 1, 2 * PIECE, 2 * PIECE + 1])
def test_parts_of_files(tmp_path: Path, length: int) -> None:
    file = tmp_path / "object"
    content = bytes(range(251)) * (3 * PIECE // 251)
    file.write_bytes(content)
    opened = file.open("rb")
    answer = prepare(WireResponse(body=FileRange(file, 7, length, opened)))
    assert isinstance(answer.body, bytes) == (length <= SMALL)
    file.unlink()  # an object deleted during its download still arrives whole
    _, headers, pieces = sent(answer)
    assert b"".join(pieces) == content[7 : 7 + length]
    assert headers[b"content-length"] == str(length).encode()
    assert opened.closed
    assert max(map(len, pieces)) <= max(PIECE, SMALL)


def test_a_missing_file_fails_before_anything_was_sent(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        prepare(WireResponse(body=FileRange(tmp_path / "gone", 0, 1)))


def test_open_files_are_streamed_without_a_length() -> None:
    body = io.BytesIO(b"x" * (PIECE + 1))
    _, headers, pieces = sent(WireResponse(headers={"Content-Type": "a/b"}, body=body))
    assert [len(piece) for piece in pieces] == [PIECE, 1, 0]
    assert b"content-length" not in headers
    assert body.closed


@pytest.mark.parametrize("status", [204, 304])
def test_answers_without_a_body_say_no_length(status: int) -> None:
    assert sent(WireResponse(status)) == (status, {}, [b""])
