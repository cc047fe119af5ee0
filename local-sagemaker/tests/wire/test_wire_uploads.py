"""Bodies of uploads: large, chunked, with checksums in headers and trailers, damaged, cut short, refused."""

from __future__ import annotations

import base64
import hashlib
import http.client
import io
import os
import socket
import zlib
from typing import Any

import pytest
from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.exceptions import ClientError
from botocore.httpchecksum import AwsChunkedWrapper, Crc32Checksum

from local_sagemaker.objects.checksums import checksum
from tests.wire.conftest import Table
from tests.wire.serving import Served

DATA = os.urandom(3 << 20) + b"end"
MD5 = hashlib.md5(DATA).hexdigest()


def crc32(data: bytes) -> str:
    return base64.b64encode(zlib.crc32(data).to_bytes(4, "big")).decode()


def code(call: Any, **parameters: Any) -> str:
    with pytest.raises(ClientError) as caught:
        call(**parameters)
    return str(caught.value.response["Error"]["Code"])


@pytest.mark.parametrize("size", [0, 1, 1 << 20, (1 << 20) + 1, len(DATA)])
def test_uploads_of_boto3_arrive_whole(served: Served, table: Table, size: int) -> None:
    """boto3 adds a CRC-32 by itself, and signs the hash of the body over http."""
    part = DATA[:size]
    answer = served.client("s3").put_object(Bucket="bbb", Key="k", Body=io.BytesIO(part))
    assert answer["ETag"].strip('"') == hashlib.md5(part).hexdigest()
    assert table.got["put"]["size"] == size
    assert table.got["put"]["verified"] == {"ChecksumCRC32": crc32(part)}


@pytest.mark.parametrize("algorithm", ["CRC32", "SHA1", "SHA256"])
def test_checksums_that_boto3_computes(served: Served, table: Table, algorithm: str) -> None:
    served.client("s3").put_object(Bucket="bbb", Key="k", Body=DATA, ChecksumAlgorithm=algorithm)
    expected = checksum(algorithm, DATA)
    assert table.got["put"]["verified"] == {f"Checksum{algorithm}": expected}
    assert table.got["put"][f"Checksum{algorithm}"] == expected


@pytest.mark.parametrize("algorithm", ["CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256"])
def test_checksums_that_the_client_gives(served: Served, algorithm: str) -> None:
    s3, part = served.client("s3"), DATA[:300_001]
    member = f"Checksum{algorithm}"
    s3.put_object(Bucket="bbb", Key="k", Body=part, **{member: checksum(algorithm, part)})
    wrong = checksum(algorithm, part[1:])
    assert code(s3.put_object, Bucket="bbb", Key="k", Body=part, **{member: wrong}) == "BadDigest"


def test_content_md5(served: Served) -> None:
    s3 = served.client("s3", request_checksum_calculation="when_required")
    good = base64.b64encode(hashlib.md5(b"abc").digest()).decode()
    s3.put_object(Bucket="bbb", Key="k", Body=b"abc", ContentMD5=good)
    assert code(s3.put_object, Bucket="bbb", Key="k", Body=b"abd", ContentMD5=good) == "BadDigest"
    assert code(s3.put_object, Bucket="bbb", Key="k", Body=b"abc", ContentMD5="abc") == "InvalidDigest"


def test_parts_arrive_like_objects(served: Served, table: Table) -> None:
    served.client("s3").upload_part(Bucket="bbb", Key="k", UploadId="u", PartNumber=3, Body=DATA)
    got = table.got["put"]
    assert (got["PartNumber"], got["UploadId"], got["md5"]) == (3, "u", MD5)


def signed(served: Served, method: str, path: str, headers: dict[str, str], payload: str) -> AWSRequest:
    """A request whose payload line is given."""
    keys = Credentials(served.credentials.access_key_id, served.credentials.secret_access_key)
    request = AWSRequest(method, served.url + path, headers=headers)

    class Signer(S3SigV4Auth):
        def payload(self, request: Any) -> str:
            return payload

    Signer(keys, "s3", "us-east-1").add_auth(request)
    return request


def send(served: Served, request: AWSRequest, body: bytes) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", served.port, timeout=20)
    connection.request(request.method, request.url.removeprefix(served.url), body=body, headers=dict(request.headers))
    response = connection.getresponse()
    answer = response.status, response.read()
    connection.close()
    return answer


def trailing(served: Served, body: bytes, length: int = len(DATA)) -> tuple[int, bytes]:
    headers = {
        "Content-Encoding": "gzip,aws-chunked",
        "X-Amz-Trailer": "x-amz-checksum-crc32",
        "X-Amz-Decoded-Content-Length": str(length),
        "Content-Length": str(len(body)),
    }
    return send(served, signed(served, "PUT", "/bbb/k", headers, "STREAMING-UNSIGNED-PAYLOAD-TRAILER"), body)


def test_unsigned_chunks_with_a_trailing_checksum(served: Served, table: Table) -> None:
    """What boto3 sends over https, made by its own wrapper."""
    wrapper = AwsChunkedWrapper(
        io.BytesIO(DATA), checksum_cls=Crc32Checksum, checksum_name="x-amz-checksum-crc32", chunk_size=100_000
    )
    body = wrapper.read()
    assert trailing(served, body)[0] == 200
    got = table.got["put"]
    assert (got["size"], got["md5"], got["verified"]) == (len(DATA), MD5, {"ChecksumCRC32": crc32(DATA)})
    assert (got["ContentEncoding"], got["ContentLength"]) == ("gzip", len(DATA))


@pytest.mark.parametrize(
    ("body", "length", "expected"),
    [
        (b"3\r\nabc\r\n0\r\nx-amz-checksum-crc32:AAAAAA==\r\n\r\n", 3, b"BadDigest"),
        (b"3\r\nabc\r\n0\r\n\r\n", 3, b"BadDigest"),
        (b"3\r\nabc\r\n0\r\nx-amz-checksum-crc32:NSRBwg==\r\n\r\n", 4, b"IncompleteBody"),
        (b"4\r\nabc\r\n0\r\n\r\n", 4, b"IncompleteBody"),
        (b"zz\r\nabc", 3, b"IncompleteBody"),
        (b"", 3, b"IncompleteBody"),
    ],
)
def test_damaged_chunks(served: Served, body: bytes, length: int, expected: bytes) -> None:
    status, answer = trailing(served, body, length)
    assert status == 400
    assert b"<Code>" + expected in answer


def signed_chunks(served: Served, *, trailer: bool, damage: bool = False) -> tuple[int, bytes]:
    """The documented chunk signatures, written out here with botocore's own signer."""
    payload = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD" + ("-TRAILER" if trailer else "")
    headers = {"Content-Encoding": "aws-chunked", "X-Amz-Decoded-Content-Length": str(len(DATA))}
    if trailer:
        headers["X-Amz-Trailer"] = "x-amz-checksum-sha256"
    request = signed(served, "PUT", "/bbb/k", headers, payload)
    keys = Credentials(served.credentials.access_key_id, served.credentials.secret_access_key)
    signer = SigV4Auth(keys, "s3", "us-east-1")
    stamp = request.headers["X-Amz-Date"]
    request.context["timestamp"] = stamp
    previous = request.headers["Authorization"].rsplit("Signature=", 1)[1]
    empty, body = hashlib.sha256(b"").hexdigest(), b""
    for start in [*range(0, len(DATA), 1_000_000), None]:
        chunk = DATA[start : start + 1_000_000] if start is not None else b""
        text = ["AWS4-HMAC-SHA256-PAYLOAD", stamp, signer.credential_scope(request), previous, empty]
        previous = signer.signature("\n".join([*text, hashlib.sha256(chunk).hexdigest()]), request)
        body += b"%x;chunk-signature=%s\r\n" % (len(chunk), previous.encode())
        body += chunk + b"\r\n" if chunk else b""
    if trailer:
        line = f"x-amz-checksum-sha256:{checksum('sha256', DATA)}"
        hashed = hashlib.sha256(f"{line}\n".encode()).hexdigest()
        text = ["AWS4-HMAC-SHA256-TRAILER", stamp, signer.credential_scope(request), previous, hashed]
        last = "0" * 64 if damage else signer.signature("\n".join(text), request)
        body += f"{line}\r\nx-amz-trailer-signature:{last}\r\n".encode()
    elif damage:
        body = body.replace(DATA[2_500_000:2_500_010], b"0123456789")
    return send(served, request, body + b"\r\n")


@pytest.mark.parametrize("trailer", [False, True])
def test_signed_chunks(served: Served, table: Table, trailer: bool) -> None:
    assert signed_chunks(served, trailer=trailer)[0] == 200
    assert table.got["put"]["md5"] == MD5
    assert table.got["put"]["verified"] == ({"ChecksumSHA256": checksum("sha256", DATA)} if trailer else {})
    status, answer = signed_chunks(served, trailer=trailer, damage=True)
    assert status == 403
    assert b"SignatureDoesNotMatch" in answer


def test_unsigned_payload(served: Served, table: Table) -> None:
    assert send(served, signed(served, "PUT", "/bbb/k", {}, "UNSIGNED-PAYLOAD"), DATA)[0] == 200
    assert table.got["put"]["md5"] == MD5


def test_transfer_encoding_chunked(served: Served, table: Table) -> None:
    """Clients that do not know the length; HTTP's own chunks are the server's business, not aws-chunked."""
    request = signed(served, "PUT", "/bbb/k", {}, "UNSIGNED-PAYLOAD")
    connection = http.client.HTTPConnection("127.0.0.1", served.port, timeout=20)
    connection.request(
        "PUT", "/bbb/k", body=iter([DATA[:10], DATA[10:]]), headers=dict(request.headers), encode_chunked=True
    )
    assert connection.getresponse().status == 200
    assert table.got["put"]["md5"] == MD5
    connection.close()


def test_unknown_checksums_are_refused_rather_than_ignored(served: Served) -> None:
    request = signed(served, "PUT", "/bbb/k", {"x-amz-checksum-xxhash64": "AAAAAAAAAAA="}, "UNSIGNED-PAYLOAD")
    status, answer = send(served, request, b"abc")
    assert status == 400
    assert b"XXHASH64" in answer


def test_a_client_that_goes_away_leaves_an_incomplete_body(served: Served, table: Table) -> None:
    """The handler's read raises; nothing is kept of it, and the service goes on."""
    table.got.pop("put", None)
    request = signed(served, "PUT", "/bbb/k", {}, "UNSIGNED-PAYLOAD")
    with socket.create_connection(("127.0.0.1", served.port), timeout=20) as connection:
        head = "".join(f"{name}: {value}\r\n" for name, value in request.headers.items())
        connection.sendall(f"PUT /bbb/k HTTP/1.1\r\nHost: 127.0.0.1:{served.port}\r\n{head}".encode())
        connection.sendall(b"Content-Length: 5000000\r\n\r\n" + DATA[:1_500_000])
    assert served.client("s3").list_buckets()["Buckets"]
    assert "put" not in table.got


def expecting(served: Served, request: AWSRequest) -> tuple[bytes, socket.socket]:
    """Sends the head of an upload that asks first; answers the first line that comes back."""
    connection = socket.create_connection(("127.0.0.1", served.port), timeout=20)
    head = "".join(f"{name}: {value}\r\n" for name, value in request.headers.items())
    connection.sendall(
        f"PUT /bbb/k HTTP/1.1\r\nHost: 127.0.0.1:{served.port}\r\n{head}Expect: 100-continue\r\n"
        f"Content-Length: {len(DATA)}\r\n\r\n".encode()
    )
    return connection.recv(4096), connection


def test_expect_100_continue(served: Served, table: Table) -> None:
    """Accepted requests are told to go on, refused ones get their error and no invitation."""
    request = signed(served, "PUT", "/bbb/k", {}, "UNSIGNED-PAYLOAD")
    first, connection = expecting(served, request)
    assert first.startswith(b"HTTP/1.1 100 Continue")
    connection.sendall(DATA)
    assert connection.recv(4096).startswith(b"HTTP/1.1 200")
    assert table.got["put"]["md5"] == MD5
    connection.close()
    request.headers.replace_header("Authorization", request.headers["Authorization"][:-4] + "0000")
    first, connection = expecting(served, request)
    assert first.startswith(b"HTTP/1.1 403")
    assert b"connection: close" in first.lower()
    connection.close()
