"""Bodies as files: sizes of reads, early ends, and a pipe that holds its sender back."""

from __future__ import annotations

import asyncio
import gzip
import threading
import tracemalloc
from collections.abc import Mapping
from typing import Any

import pytest

from local_sagemaker.errors import ServiceError
from local_sagemaker.objects.checksums import checksum
from local_sagemaker.wire import incoming_body
from local_sagemaker.wire.aws_chunked import AwsChunked
from local_sagemaker.wire.body import HELD, Body, BodyPipe, source_of
from local_sagemaker.wire.checksums import Checksums
from local_sagemaker.wire.incoming_body import BodyTooLarge


def pieces(*parts: bytes) -> Body:
    left = list(parts)
    return Body(lambda: left.pop(0) if left else b"", length=sum(map(len, parts)))


def test_reads_of_any_size() -> None:
    assert pieces(b"abc", b"defg").read() == b"abcdefg"
    body = pieces(b"abc", b"defg")
    assert [body.read(2) for _ in range(5)] == [b"ab", b"c", b"de", b"fg", b""]
    assert pieces().read(5) == b""


def test_documents_have_a_limit_and_uploads_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("local_sagemaker.wire.body.LARGEST", 5)
    assert pieces(b"abc", b"de").whole() == b"abcde"
    with pytest.raises(ServiceError) as caught:
        pieces(b"abc", b"def", b"ghi").whole()
    assert caught.value.code == "MaxMessageLengthExceeded"
    assert pieces(b"abc", b"def", b"ghi").read() == b"abcdefghi"


def test_checksums_are_known_once_the_last_byte_was_read() -> None:
    body = pieces(b"abc", b"def")
    body.expect(Checksums({"x-amz-checksum-crc32": checksum("crc32", b"abcdef")}))
    assert body.read(3) == b"abc"
    assert body.checksums == {}
    assert body.read(3) == b"def"
    assert body.checksums == {"ChecksumCRC32": checksum("crc32", b"abcdef")}


def test_a_wrong_checksum_is_raised_instead_of_the_last_bytes() -> None:
    body = pieces(b"abc", b"def")
    body.expect(Checksums({"x-amz-checksum-crc32": "AAAAAA=="}))
    assert body.read(3) == b"abc"
    with pytest.raises(ServiceError, match="CRC32"):
        body.read(3)


def test_a_short_body_is_incomplete() -> None:
    with pytest.raises(ServiceError) as caught:
        Body(source_of(b"abc"), length=4).read()
    assert caught.value.code == "IncompleteBody"


@pytest.mark.parametrize("size", [1, 3, 7, 1000])
def test_chunks_may_be_cut_anywhere(size: int) -> None:
    framed = b"5\r\nhello\r\n6;x=y\r\n world\r\n0\r\nA-Trailer: b \r\n\r\n"
    left = [framed[start : start + size] for start in range(0, len(framed), size)]
    trailers: dict[str, str] = {}
    source = AwsChunked(lambda: left.pop(0) if left else b"", None, trailers)
    assert b"".join(iter(source, b"")) == b"hello world"
    assert trailers == {"a-trailer": "b"}


def test_a_pipe_stops_receiving_while_nobody_reads() -> None:
    """A sender of 64 MiB is held back at the limit, and every byte arrives in order."""
    total, size = 64 << 20, 1 << 16
    sent = most = taken = 0

    async def receive() -> Mapping[str, Any]:
        nonlocal sent, most
        sent += size
        most = max(most, sent - taken)
        return {"type": "http.request", "body": bytes([sent // size % 251]) * size, "more_body": sent < total}

    async def run() -> None:
        pipe = BodyPipe(receive)
        body = Body(pipe, length=total)
        assert sent == 0, "nothing is received before the first read"
        wrong: list[int] = []

        def read() -> None:
            nonlocal taken
            for number in range(1, total // size + 1):
                piece = body.read(size)
                taken += len(piece)
                if piece != bytes([number % 251]) * size:
                    wrong.append(number)

        await asyncio.to_thread(read)
        assert not wrong

    asyncio.run(run())
    assert taken == total
    assert most <= 2 * HELD + 2 * size


def test_a_reader_learns_that_the_client_went_away() -> None:
    async def receive() -> Mapping[str, Any]:
        return {"type": "http.disconnect"}

    async def run() -> None:
        with pytest.raises(ServiceError) as caught:
            await asyncio.to_thread(Body(BodyPipe(receive), length=5).read)
        assert caught.value.code == "IncompleteBody"

    asyncio.run(run())
    assert threading.active_count() < 50


def test_compressed_documents_are_inflated_within_their_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(incoming_body, "LIMIT", 1 << 20)
    headers = {"content-encoding": "gzip", "content-length": "9", "content-type": "text/plain"}
    kept = {"content-type": "text/plain"}
    assert incoming_body.inflate("monitoring", headers, gzip.compress(b"Action=PutMetricData")) == (
        kept, b"Action=PutMetricData",
    )  # fmt: skip
    assert incoming_body.inflate("monitoring", headers, gzip.compress(bytes(1 << 20)))[1] == bytes(1 << 20)
    assert incoming_body.inflate("monitoring", kept, b"plain") == (kept, b"plain")
    bomb = gzip.compress(bytes(64 << 20))
    tracemalloc.start()
    try:
        with pytest.raises(BodyTooLarge, match="Request must be smaller than 1048576 bytes"):
            incoming_body.inflate("monitoring", headers, bomb)
        assert tracemalloc.get_traced_memory()[1] < 8 << 20
    finally:
        tracemalloc.stop()
    for damaged in (b"", b"no gzip", gzip.compress(b"x" * 100)[:-9], gzip.compress(b"") * 1000):
        with pytest.raises(ServiceError, match="can't be decompressed") as raised:
            incoming_body.inflate("monitoring", headers, damaged)
        assert (raised.value.code, raised.value.status) == ("SerializationException", 400)
