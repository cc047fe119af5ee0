"""InvokeEndpointWithResponseStream through unmodified boto3, before a container that streams its answer."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError, EventStreamError

from tests.integration.endpoint_models import Made, booster, floats, script
from tests.support import SCIKIT_LEARN, Service, until

STREAMING = """
import os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

LEFT = []  # what clients asked for that left before the end

class Answer(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        words = body.decode().split()
        endless = words[0] == "endless"
        if words[0] == "left?":
            words = [str(len(LEFT))]
        if words[0] == "fail":
            self.send_response(400)
            self.send_header("Content-Length", "9")
            self.end_headers()
            self.wfile.write(b"not these")
            return
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.send_header("Content-Type", self.headers.get("Accept") or "text/plain")
        self.send_header("X-Amzn-SageMaker-Custom-Attributes", self.headers["X-Amzn-SageMaker-Custom-Attributes"] or "")
        self.end_headers()
        for word in words:
            if word == "die":
                self.connection.close()
                os._exit(3)
            if word.startswith("wait:"):  # for a file, so that the reader says when to go on
                while not Path(word[5:]).exists():
                    pass
            self.wfile.write(b"%x\\r\\n%b\\r\\n" % (len(word), word.encode()))
            self.wfile.flush()
        try:
            while endless:
                self.wfile.write(b"1\\r\\nx\\r\\n")
        except OSError:
            LEFT.append(body)
            return
        self.wfile.write(b"0\\r\\n\\r\\n")

ThreadingHTTPServer(("127.0.0.1", int(os.environ["SAGEMAKER_BIND_TO_PORT"])), Answer).serve_forever()
"""


@pytest.fixture(scope="module")
def made(service: Service) -> Made:
    return Made(service)


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """Outside of /tmp, which each container has for itself."""
    found = Path(tempfile.mkdtemp(dir="/var/tmp"))
    yield found
    shutil.rmtree(found)


@pytest.fixture(scope="module")
def endpoint(made: Made, folder: Path) -> Iterator[str]:
    """An endpoint of an image whose server streams one chunk for each word."""
    (folder / "serve.py").write_text(STREAMING)
    listed = made.service.home / "images.json"
    listed.write_text(json.dumps({"streaming": str(folder)}))
    name = made.endpoint(made.config(made.model(script(""), "host/streaming:1")))
    yield name
    made.delete(name)
    listed.unlink()


def parts(answer: Any) -> list[bytes]:
    return [event["PayloadPart"]["Bytes"] for event in answer["Body"]]


def test_each_chunk_is_a_part_when_it_comes(made: Made, endpoint: str, folder: Path) -> None:
    gate = folder / "gate"
    answer = made.runtime.invoke_endpoint_with_response_stream(
        EndpointName=endpoint, Body=f"one wait:{gate} three", ContentType="text/plain", Accept="text/x-words",
        CustomAttributes="trace-1",
    )  # fmt: skip
    assert answer["ContentType"] == "text/x-words"
    assert (answer["InvokedProductionVariant"], answer["CustomAttributes"]) == ("AllTraffic", "trace-1")
    events = iter(answer["Body"])
    assert next(events)["PayloadPart"]["Bytes"] == b"one"
    gate.touch()  # the container goes on only now
    assert b"".join(event["PayloadPart"]["Bytes"] for event in events) == f"wait:{gate}three".encode()


def test_a_plain_answer_is_one_part(made: Made) -> None:
    model = booster()
    name = made.endpoint(made.config(made.model(model)))
    plain = made.invoke(name)["Body"].read()
    answer = made.runtime.invoke_endpoint_with_response_stream(
        EndpointName=name, Body=b"1,2,3,4,5,6,7,8\n" * 1000, ContentType="text/csv", Accept="text/csv"
    )
    (part,) = parts(answer)
    assert answer["ContentType"].startswith("text/csv")
    assert len(floats(part)) == 1000 and len(floats(plain)) == 1
    made.delete(name)


def test_a_connection_that_breaks_is_an_event(made: Made, endpoint: str) -> None:
    answer = made.runtime.invoke_endpoint_with_response_stream(EndpointName=endpoint, Body=b"one two die")
    seen = []
    with pytest.raises(EventStreamError) as error:
        seen.extend(event["PayloadPart"]["Bytes"] for event in answer["Body"])
    assert error.value.response["Error"]["Code"] == "ModelStreamError"
    assert "reset or closed" in error.value.response["Error"]["Message"]

    def again() -> bool:
        try:
            answer = made.runtime.invoke_endpoint_with_response_stream(EndpointName=endpoint, Body=b"one")
        except made.runtime.exceptions.ModelError:  # it came before the container was started again
            return False
        return parts(answer) == [b"one"]

    assert until(again, "the container serves again")


def test_a_client_that_leaves_ends_the_stream(made: Made, endpoint: str) -> None:
    def invoke(body: str) -> dict[str, Any]:
        answer: dict[str, Any] = made.runtime.invoke_endpoint_with_response_stream(EndpointName=endpoint, Body=body)
        return answer

    before = int(b"".join(parts(invoke("left?"))))
    answer = invoke("endless")
    assert next(iter(answer["Body"]))["PayloadPart"]["Bytes"] == b"endless"
    answer["Body"].close()
    assert until(lambda: parts(invoke("left?")) == [b"%d" % (before + 1)], "the container's connection is closed")


def refused(made: Made, **request: Any) -> dict[str, Any]:
    with pytest.raises(ClientError) as error:
        made.runtime.invoke_endpoint_with_response_stream(**request)
    return dict(error.value.response)


def test_what_goes_wrong_before_the_first_part_is_a_plain_error(made: Made, endpoint: str) -> None:
    failed = refused(made, EndpointName=endpoint, Body=b"fail")
    assert (failed["Error"]["Code"], failed["OriginalStatusCode"]) == ("ModelError", 400)
    assert 'Received client error (400) from primary with message "not these"' in failed["Error"]["Message"]
    absent = refused(made, EndpointName="no-such-endpoint", Body=b"x")
    assert absent["Error"]["Code"] == "ValidationError" and "not found" in absent["Error"]["Message"]
    large = refused(made, EndpointName=endpoint, Body=b"x" * 6_291_457)
    assert large["Error"]["Code"] == "ValidationError" and "6291456" in large["Error"]["Message"]


def test_a_script_that_raises_is_a_model_error(made: Made) -> None:
    code = "def model_fn(folder): pass\ndef transform_fn(model, data, kind, accept): raise ValueError('no such word')\n"
    name = made.endpoint(made.config(made.model(script(code), SCIKIT_LEARN)))
    failed = refused(made, EndpointName=name, Body=b"x", ContentType="text/csv")
    assert failed["OriginalStatusCode"] == 500 and "<title>500 Internal Server Error" in failed["OriginalMessage"]
    made.delete(name)


def test_first_chunks_are_measured(made: Made, endpoint: str) -> None:
    cloudwatch = made.service.client("cloudwatch")
    parts(made.runtime.invoke_endpoint_with_response_stream(EndpointName=endpoint, Body=b"one"))
    dimensions = [{"Name": "EndpointName", "Value": endpoint}, {"Name": "VariantName", "Value": "AllTraffic"}]

    def listed() -> bool:
        found = cloudwatch.list_metrics(Namespace="AWS/SageMaker", Dimensions=dimensions)["Metrics"]
        return {"FirstChunkLatency", "Invocations"} <= {metric["MetricName"] for metric in found}

    assert until(listed, "the metrics are put")
