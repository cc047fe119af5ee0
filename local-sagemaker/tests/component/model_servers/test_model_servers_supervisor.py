"""Model servers as processes, and batch transform against them: the same predictions everywhere."""

from __future__ import annotations

import http.client
import io
import json
import os
import shutil
import tarfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import pytest
import xgboost as xgb

from local_sagemaker import images
from local_sagemaker.config import Settings
from local_sagemaker.errors import ValidationError
from local_sagemaker.images.image import Program
from local_sagemaker.model_servers.model_data import ModelDataError
from local_sagemaker.model_servers.supervisor import ModelServerError, SupervisedServer, SupervisedServers
from local_sagemaker.objects.disk import DiskObjects

XGBOOST = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:3.0-5"
SKLEARN = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.4-2-cpu-py3"
AGENT = Program(("batch",), "local_sagemaker.batch.agent:main")
ROWS = np.random.default_rng(0).normal(size=(4000, 5)).astype(np.float32)


def archive(**files: bytes) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for name, data in files.items():
            info = tarfile.TarInfo(name.replace("_", "-") if name.startswith("xgboost") else f"code/{name}.py")
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return buffer.getvalue()


@pytest.fixture(scope="module")
def booster() -> xgb.Booster:
    """A regression model."""
    parameters = {"objective": "reg:squarederror", "max_depth": 5, "nthread": 1}
    return xgb.train(parameters, xgb.DMatrix(ROWS, ROWS[:, 0] * 3 - ROWS[:, 1]), 30)


@pytest.fixture(scope="module")
def objects(tmp_path_factory: pytest.TempPathFactory, booster: xgb.Booster) -> Iterator[DiskObjects]:
    """An object store with model archives."""
    objects = DiskObjects(tmp_path_factory.mktemp("objects"))
    objects.buckets.create("models", "us-east-1")
    objects.put("models", "xgb.tar.gz", archive(xgboost_model=bytes(booster.save_raw())))
    objects.put("models", "none.tar.gz", archive(readme=b""))
    double = (
        b"import json\ndef model_fn(d): return 0\ndef input_fn(data, content_type): return data, content_type\n"
        b"def predict_fn(data, model): return ''.join(f'{2 * float(x)}\\n' for x in data[0].split())\n"
        b"def output_fn(prediction, accept): return prediction, 'text/csv'\n"
    )
    objects.put("models", "double.tar.gz", archive(inference=double))
    yield objects
    objects.close()


@pytest.fixture
def start(forked: Any, objects: DiskObjects, tmp_path: Path) -> Iterator[Callable[..., SupervisedServer]]:
    """Starts model servers and stops them at the end."""
    servers = SupervisedServers(settings=Settings(home=tmp_path), objects=objects, processes=forked)
    started: list[SupervisedServer] = []

    def one(*containers: dict[str, Any], **environment: str) -> SupervisedServer:
        started.append(servers.start(containers, environment, tmp_path / f"server{len(started)}", tmp_path / "log"))
        return started[-1]

    yield one
    for server in started:
        server.stop()


def container(archive_name: str, image: str = XGBOOST, **environment: str) -> dict[str, Any]:
    return {"Image": image, "ModelDataUrl": f"s3://models/{archive_name}.tar.gz", "Environment": environment}


def post(url: str, body: bytes, content_type: str = "text/csv", accept: str = "") -> tuple[int, bytes]:
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=60)
    headers = {"Content-Type": content_type, **({"Accept": accept} if accept else {})}
    connection.request("POST", "/invocations", body, headers)
    response = connection.getresponse()
    found = response.status, response.read()
    connection.close()
    return found


def csv_text(rows: np.ndarray[Any, Any]) -> str:
    return "".join(",".join(map(repr, row)) + "\n" for row in rows.tolist())


def plan(run: Any, server: str, objects: dict[str, str | bytes], **request: Any) -> int:
    """Runs the batch agent; the outputs are in the run's folder ``output/batch``."""
    source = {"DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://data/in"}},
              "ContentType": "text/csv", "SplitType": "Line", **request.pop("input", {})}  # fmt: skip
    output = {
        "S3OutputPath": "s3://data/out",
        "AssembleWith": "Line",
        "Accept": "text/csv",
        **request.pop("output", {}),
    }
    inputs = []
    for name, content in objects.items():
        run.write(f"batch/{name}", content)
        inputs.append({"key": f"in/{name}", "name": name, "path": f"/opt/ml/batch/{name}"})
    request |= {"TransformInput": source, "TransformOutput": output}
    run.write("plan.json", {"server": server, "request": request, "inputs": inputs, "output": "/opt/ml/output/batch"})
    return run.run(AGENT)


def outputs(run: Any) -> dict[str, str]:
    folder = run.ml / "output" / "batch"
    return {str(file.relative_to(folder)): file.read_text() for file in folder.rglob("*") if file.is_file()}


def test_endpoint_batch_and_library_predict_the_same_bits(start: Any, new_run: Any, booster: xgb.Booster) -> None:
    direct = booster.predict(xgb.DMatrix(ROWS))
    server, batch = start(container("xgb")), start(container("xgb"), SAGEMAKER_BATCH="true")
    status, body = post(server.url, csv_text(ROWS).encode())
    assert status == 200
    assert np.array_equal(np.array(body.split(), dtype=np.float64).astype(np.float32), direct)
    small = b"".join(post(server.url, csv_text(ROWS[i : i + 1]).encode())[1] for i in range(20))
    assert small == b"".join(body.splitlines(keepends=True)[:20])
    scores = json.loads(post(server.url, csv_text(ROWS[:9]).encode(), accept="application/json")[1])["predictions"]
    assert [score["score"] for score in scores] == direct[:9].tolist()
    for request in ({}, {"BatchStrategy": "SingleRecord"}, {"MaxPayloadInMB": 1, "MaxConcurrentTransforms": 4}):
        rows = 40 if request.get("BatchStrategy") else len(ROWS)
        run = new_run()
        assert plan(run, batch.url, {"a/b.csv": csv_text(ROWS[:rows])}, **request) == 0, run.log
        lines = outputs(run)["a/b.csv.out"].splitlines()
        assert lines == [repr(value) for value in direct[:rows].tolist()]


def test_order_is_kept_with_many_small_requests(start: Any, program_run: Any, booster: xgb.Booster) -> None:
    server = start(container("xgb"), SAGEMAKER_BATCH="true")
    rows = np.tile(ROWS, (20, 1))  # several MB
    processing = {"InputFilter": "$[1:]", "JoinSource": "Input", "OutputFilter": "$[0,-1]"}
    text = "".join(f"id{number},{line}\n" for number, line in enumerate(csv_text(rows).splitlines()))
    request = {"MaxPayloadInMB": 1, "MaxConcurrentTransforms": 3, "DataProcessing": processing}
    assert plan(program_run, server.url, {"a.csv": text}, **request) == 0, program_run.log
    direct = np.tile(booster.predict(xgb.DMatrix(ROWS)), 20).tolist()
    assert outputs(program_run)["a.csv.out"] == "".join(f"id{i},{value!r}\n" for i, value in enumerate(direct))
    assert "MaxConcurrentTransforms=3, MaxPayloadInMB=1, BatchStrategy=MULTI_RECORD" in program_run.log


def test_parameters_come_from_the_container(start: Any, program_run: Any) -> None:
    server = start(container("xgb"), SAGEMAKER_BATCH="true")
    assert plan(program_run, server.url, {"a.csv": csv_text(ROWS[:2])}) == 0
    expected = f"MaxConcurrentTransforms={os.cpu_count()}, MaxPayloadInMB=6, BatchStrategy=MULTI_RECORD"
    assert expected in program_run.log


def test_a_bad_object_fails_alone(start: Any, program_run: Any) -> None:
    server = start(container("xgb"), SAGEMAKER_BATCH="true")
    good = csv_text(ROWS[:3])
    data = {"a.csv": good, "bad.csv": "x,y\n", "z.csv": good, "empty.csv": ""}
    assert plan(program_run, server.url, data) == 1
    assert set(outputs(program_run)) == {"a.csv.out", "z.csv.out", "empty.csv.out"}
    assert outputs(program_run)["empty.csv.out"] == ""
    assert program_run.failure == "ClientError: See job logs for more information"
    assert ":[sagemaker logs]: data/in/bad.csv: ClientError: 415" in program_run.log
    assert "data/in/bad.csv: Bad HTTP status received from algorithm: 415" in program_run.log
    assert "Loading csv data failed with Exception" in program_run.log


@pytest.mark.parametrize(
    ("request_", "data", "text"),
    [
        ({"MaxPayloadInMB": 1, "input": {"SplitType": "None"}, "output": {"AssembleWith": "None"}},
         "1,2,3,4,5\n" * 200000,
         "exceeds MaxPayloadInMB"),
        ({"DataProcessing": {"InputFilter": "$[9]"}}, "1,2\n", "Failed to parse input as CSV: Index out of bound"),
        ({"DataProcessing": {"JoinSource": "Input"}, "output": {"Accept": "application/json"}}, "1,2\n",
         "must be equal for a join"),
    ],
)  # fmt: skip
def test_client_errors(start: Any, program_run: Any, request_: dict[str, Any], data: str, text: str) -> None:
    server = start(container("xgb"), SAGEMAKER_BATCH="true")
    assert plan(program_run, server.url, {"a.csv": data}, **request_) == 1
    assert text in program_run.log
    assert program_run.failure == "ClientError: See job logs for more information"
    assert outputs(program_run) == {}


@contextmanager
def answering(statuses: list[int]) -> Iterator[tuple[str, list[str]]]:
    """A server that answers one status after the other, the last one for ever; and the requests that it saw."""
    seen: list[str] = []

    class Answer(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            seen.append(self.rfile.read(int(self.headers["Content-Length"])).decode())
            self.send_response_only(statuses.pop(0) if len(statuses) > 1 else statuses[0])
            self.send_header("Content-Length", "3")
            self.end_headers()
            self.wfile.write(b"ok\n")

        def do_GET(self) -> None:
            self.send_response_only(404)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Silent."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}", seen
    finally:
        server.shutdown()
        server.server_close()


@pytest.mark.parametrize(
    ("statuses", "retries", "code", "requests", "reason"),
    [
        ([500, 500, 200], None, 0, 3, None),
        ([503, 200], {"InvocationsMaxRetries": 1}, 0, 2, None),
        ([500], None, 1, 4, "AlgorithmError: See job logs for more information"),
        ([500], {"InvocationsMaxRetries": 0}, 1, 1, "AlgorithmError: See job logs for more information"),
        ([400], None, 1, 1, "ClientError: See job logs for more information"),
    ],
)
def test_retries(
    program_run: Any, statuses: list[int], retries: dict[str, int] | None, code: int, requests: int, reason: str | None
) -> None:
    with answering(list(statuses)) as (url, seen):
        request = {"ModelClientConfig": retries} if retries else {}
        assert plan(program_run, url, {"a.csv": "1\n2\n"}, **request) == code, program_run.log
        assert seen == ["1\n2\n"] * requests
    assert program_run.failure == reason
    assert outputs(program_run) == ({"a.csv.out": "ok\n"} if code == 0 else {})
    assert "MaxConcurrentTransforms=1, MaxPayloadInMB=6, BatchStrategy=MULTI_RECORD" in program_run.log


def test_containers_in_series(start: Any, booster: xgb.Booster) -> None:
    server = start(container("xgb"), container("double", SKLEARN, SAGEMAKER_PROGRAM="inference.py"))
    assert len(server.servers) == 2
    status, body = post(server.url, csv_text(ROWS[:3]).encode())
    assert (status, [float(x) for x in body.split()]) == (
        200,
        [2 * x for x in booster.predict(xgb.DMatrix(ROWS[:3])).tolist()],
    )
    status, body = post(server.url, b"a,b")
    assert status == 415  # the first error is the answer
    assert all(process.wait(0) is None for process in server.processes)


def test_a_model_that_does_not_load(start: Any, tmp_path: Path) -> None:
    with pytest.raises(ModelServerError) as error:
        start(container("none"))
    assert error.value.message == (
        "The primary container for production variant AllTraffic did not pass the ping health check. "
        "Please check CloudWatch logs for this endpoint."
    )
    assert not (tmp_path / "server0").exists()
    assert "No model file in /opt/ml/model" in (tmp_path / "log").read_text()


def test_missing_model_and_unknown_image(start: Any) -> None:
    with pytest.raises(ModelDataError, match=r"Could not find model data at s3://models/nowhere\.tar\.gz\."):
        start(container("nowhere"))
    with pytest.raises(ValidationError, match="is not known here"):
        start(container("xgb", "busybox"))


def test_stopping_ends_the_process_and_removes_the_model(start: Any, tmp_path: Path) -> None:
    server = start(container("xgb"))
    assert all(process.wait(0) is None for process in server.processes)
    assert (tmp_path / "server0" / "ml" / "model" / "xgboost-model").exists()
    server.stop()
    assert not all(process.wait(0) is None for process in server.processes)
    assert not (tmp_path / "server0").exists()
    with pytest.raises(OSError):
        post(server.url, b"1")


OWN_SERVER = """
import os
from http.server import BaseHTTPRequestHandler, HTTPServer

class Answer(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.end_headers()
    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200); self.end_headers()
        self.wfile.write(open("/opt/ml/model/readme.py").read().encode() or b"empty")

HTTPServer(("127.0.0.1", int(os.environ["SAGEMAKER_BIND_TO_PORT"])), Answer).serve_forever()
"""


def test_own_image_that_binds_the_port(start: Any, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "serve.py").write_text(OWN_SERVER.replace("/readme.py", "/code/readme.py"))
    (tmp_path / "images.json").write_text(json.dumps({"mine": "mine"}))
    images.configure(tmp_path / "images.json")
    try:
        server = start(container("none", "host/mine:1"))
        assert post(server.url, b"x") == (200, b"empty")
    finally:
        images.CUSTOM.file = None
        shutil.rmtree(tmp_path / "mine")


ANSWERS_FROM_CHANNEL = (
    b"import pathlib\ndef model_fn(d): return pathlib.Path('/opt/ml/additional-model-data-sources/draft')\n"
    b"def predict_fn(data, model): return ','.join(sorted(f.name + f.read_text() for f in model.iterdir()))\n"
    b"def output_fn(prediction, accept): return prediction, 'text/csv'\n"
)


def test_a_container_has_its_additional_data_sources(start: Any, objects: DiskObjects) -> None:
    objects.put("models", "channel.tar.gz", archive(inference=ANSWERS_FROM_CHANNEL))
    objects.put("models", "drafts/weights", b"1")
    objects.put("models", "drafts/config", b"2")
    source = {"S3Uri": "s3://models/drafts/", "S3DataType": "S3Prefix", "CompressionType": "None"}
    given = container("channel", SKLEARN, SAGEMAKER_PROGRAM="inference.py")
    sources = [{"ChannelName": "draft", "S3DataSource": source}]
    assert post(start({**given, "AdditionalModelDataSources": sources}).url, b"1")[1] == b"config2,weights1"
    outside = [{"ChannelName": "..", "S3DataSource": source}]
    with pytest.raises(ModelDataError, match=r"can't be called '\.\.'"):
        start({**given, "AdditionalModelDataSources": outside})
