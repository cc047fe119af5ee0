"""Bodies with ``Content-Encoding: aws-chunked``: sized chunks, each signed or not, then trailers.

Amazon S3 API reference, "Signature calculations for the Authorization header: transferring payload in multiple
chunks" and "... with trailing headers".
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass

from local_sagemaker.errors import ServiceError
from local_sagemaker.integers import natural
from local_sagemaker.wire.body import Body, Source, incomplete

EMPTY = hashlib.sha256(b"").hexdigest()
LINE = 16 << 10
"""No chunk header or trailer is longer, nor are all trailers together."""
_SIZE = re.compile(rb"[0-9a-fA-F]{1,15}")


@dataclass(frozen=True)
class ChunkSigner:
    """What the signatures of chunks continue from: the request's own signature."""

    key: bytes
    timestamp: str
    scope: str
    seed: str

    def sign(self, kind: str, previous: str, *hashes: str) -> str:
        """The signature after `previous`; kind is ``PAYLOAD`` or ``TRAILER``."""
        text = "\n".join((f"AWS4-HMAC-SHA256-{kind}", self.timestamp, self.scope, previous, *hashes))
        return hmac.digest(self.key, text.encode(), "sha256").hex()


def decode_chunks(body: Body, headers: Mapping[str, str], signer: ChunkSigner | None) -> Body:
    """The body without its chunk framing; `signer` is given when the chunks are signed."""
    length = natural(headers.get("x-amz-decoded-content-length", ""))
    if length is None:
        raise ServiceError("You must provide the Content-Length HTTP header.", code="MissingContentLength", status=411)
    trailers: dict[str, str] = {}
    return body.decode(lambda source: AwsChunked(source, signer, trailers), length, trailers)


class AwsChunked:
    """A source of the bytes inside the chunks of another source. Signatures are checked at the end of each chunk."""

    def __init__(self, source: Source, signer: ChunkSigner | None, trailers: MutableMapping[str, str]) -> None:
        self._source, self._signer, self._trailers = source, signer, trailers
        self._held = bytearray()
        self._left = 0
        self._ended = False
        self._hash = hashlib.sha256()
        self._previous = signer.seed if signer else ""
        self._signature = ""

    def __call__(self) -> bytes:
        """The next bytes of a chunk, b"" after the last."""
        if self._ended:
            return b""
        if not self._left and not self._open_chunk():
            self._end()
            return b""
        if not self._held:
            self._more()
        piece = bytes(self._held[: self._left])
        del self._held[: len(piece)]
        self._left -= len(piece)
        if self._signer:
            self._hash.update(piece)
        if not self._left:
            if self._line():
                raise incomplete()
            self._check_chunk()
        return piece

    def _open_chunk(self) -> int:
        size, _, extensions = self._line().partition(b";")
        if not _SIZE.fullmatch(size.strip()):
            raise incomplete()
        self._left = int(size, 16)
        self._signature = extensions.strip().removeprefix(b"chunk-signature=").decode("latin-1")
        self._hash = hashlib.sha256()
        return self._left

    def _check_chunk(self) -> None:
        if self._signer:
            self._compare(self._signer.sign("PAYLOAD", self._previous, EMPTY, self._hash.hexdigest()), self._signature)

    def _end(self) -> None:
        self._ended = True
        self._check_chunk()
        signed: list[str] = []
        size = 0
        while line := self._line(optional=True):
            size += len(line)
            if size > LINE:
                raise incomplete()
            name, _, value = line.decode("latin-1").partition(":")
            if name.lower() == "x-amz-trailer-signature":
                self._check_trailers(signed, value.strip())
            else:
                self._trailers[name.strip().lower()] = value.strip()
                signed.append(f"{name.strip().lower()}:{value.strip()}\n")
        while self._source():
            pass  # what follows the last trailer is no part of the body

    def _check_trailers(self, lines: list[str], signature: str) -> None:
        if self._signer:
            digest = hashlib.sha256("".join(lines).encode("latin-1")).hexdigest()
            self._compare(self._signer.sign("TRAILER", self._previous, digest), signature)

    def _compare(self, computed: str, signature: str) -> None:
        if not hmac.compare_digest(computed.encode(), signature.encode("latin-1", "replace")):
            raise ServiceError(
                "The request signature we calculated does not match the signature you provided. "
                "Check your key and signing method.",
                code="SignatureDoesNotMatch",
                status=403,
            )
        self._previous = computed

    def _line(self, *, optional: bool = False) -> bytes:
        """The next line without its end. A body may stop where a trailer is optional."""
        while (end := self._held.find(b"\r\n")) < 0:
            if len(self._held) > LINE:
                raise incomplete()
            if not self._more(optional=optional):
                return b""
        line = bytes(self._held[:end])
        del self._held[: end + 2]
        return line

    def _more(self, *, optional: bool = False) -> bool:
        piece = self._source()
        if not piece and not optional:
            raise incomplete()
        self._held += piece
        return bool(piece)
