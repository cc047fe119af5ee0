"""InvokeEndpoint beside a bare uvicorn handler with the same model; the cold start of an endpoint.

Signed and verified on our side, neither on the other. Both have one worker process, and then one for each core. The
load is closed: each client has a connection and sends when its last answer is whole; every answer is compared with
the model's own. Generator and servers share the cores, so what counts is the ratio of two runs one after the other.
"""

from __future__ import annotations

import asyncio
import io
import os
import socket
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import xgboost as xgb
from botocore import auth, awsrequest, credentials

from benchmarks.executions import client
from benchmarks.measure import Pairs, command, in_turn, report
from local_sagemaker import lifecycle
from local_sagemaker.cli.exec import connection
from local_sagemaker.config import Settings

IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:3.0-5"
COLUMNS, BUCKET = 10, "benchmark-endpoints"
LOADS = [(1, 1), (1, 8), (1, 64), (1000, 1), (1000, 8), (1000, 64)]
"""Rows in a request, and clients."""
SECONDS, ROUNDS = 2.0, 5
TARGET = 1 / 0.9
BARE = """
import numpy as np, xgboost as xgb
from starlette.requests import Request
from starlette.responses import Response
booster = xgb.Booster(model_file="model.ubj")
async def app(scope, receive, send):
    text = await Request(scope, receive).body()
    values = np.fromstring(text.replace(b"\\n", b","), dtype=np.float32, sep=",")
    found = booster.inplace_predict(values.reshape(-1, COLUMNS)).tolist()
    await Response("%.9g\\n" * len(found) % tuple(found), media_type="text/csv")(scope, receive, send)
""".replace("COLUMNS", str(COLUMNS))
ONCE = """
import sys, xgboost as xgb, numpy as np
booster = xgb.Booster(model_file=sys.argv[1])
booster.inplace_predict(np.zeros((1, COLUMNS), dtype=np.float32))
""".replace("COLUMNS", str(COLUMNS))


class Load:
    """The requests of a load and how fast they are answered."""

    def __init__(self, url: str, bodies: list[tuple[bytes, Any]], sign: Any) -> None:
        self._address = urlsplit(url)
        self._requests = []
        for body, expected in bodies:
            headers = {"Host": self._address.netloc, "Content-Type": "text/csv", **sign(url, body)}
            lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
            head = f"POST {self._address.path} HTTP/1.1\r\n{lines}Content-Length: {len(body)}\r\n\r\n"
            self._requests.append((head.encode() + body, expected))
        self._known: dict[int, bytes] = {}

    def measure(self, clients: int) -> float:
        """Seconds for 1,000 requests."""
        return asyncio.run(self._measure(clients))

    async def _measure(self, clients: int) -> float:
        counts, started = [0] * clients, time.perf_counter()
        over = started + SECONDS
        await asyncio.gather(*(self._client(number, counts, over) for number in range(clients)))
        return 1000 * (time.perf_counter() - started) / sum(counts)

    async def _client(self, number: int, counts: list[int], over: float) -> None:
        reader, writer = await asyncio.open_connection(self._address.hostname, self._address.port)
        turn = number
        while time.perf_counter() < over:
            turn = (turn + 1) % len(self._requests)
            request, expected = self._requests[turn]
            writer.write(request)
            head = await reader.readuntil(b"\r\n\r\n")
            at = head.lower().index(b"content-length:")
            body = await reader.readexactly(int(head[at + 15 : head.index(b"\r", at)]))
            if body != self._known.get(turn):
                found = np.array(body.split(), dtype=np.float32)
                if not head.startswith(b"HTTP/1.1 200") or not np.allclose(found, expected, rtol=1e-6):
                    raise SystemExit(f"a wrong answer: {head[:200]!r} {body[:200]!r}")
                self._known[turn] = body
            counts[number] += 1
        writer.close()


def model() -> tuple[xgb.Booster, Any]:
    """A regression of 50 trees, and rows to ask it."""
    rows = np.random.default_rng(0).uniform(size=(4000, COLUMNS)).astype(np.float32)
    settings = {"objective": "reg:squarederror", "max_depth": 5, "nthread": 1}
    return xgb.train(settings, xgb.DMatrix(rows, rows[:, 0] * 3 - rows[:, 1]), 50), rows


def bodies(booster: xgb.Booster, rows: Any, size: int) -> list[tuple[bytes, Any]]:
    """Requests of this many rows with their predictions."""
    step = max(size, len(rows) // 64)
    parts = [rows[at : at + size] for at in range(0, len(rows) - size + 1, step)]
    return [
        ("\n".join(",".join(map(repr, row)) for row in part.tolist()).encode(), booster.inplace_predict(part))
        for part in parts
    ]


@contextmanager
def bare(booster: xgb.Booster, workers: int) -> Iterator[str]:
    """A minimal server of the model; its address."""
    with tempfile.TemporaryDirectory() as folder:
        booster.save_model(f"{folder}/model.ubj")
        Path(folder, "bare.py").write_text(BARE)
        with closing(socket.create_server(("127.0.0.1", 0))) as free:
            port = free.getsockname()[1]
        words = [sys.executable, "-W", "ignore", "-m", "uvicorn", "bare:app", "--port", str(port), "--workers",
                 str(workers), "--lifespan", "off", "--no-access-log", "--log-level", "error"]  # fmt: skip
        process = subprocess.Popen(words, cwd=folder, env=os.environ | {"OMP_NUM_THREADS": "1"})
        try:
            deadline = time.monotonic() + 60
            while time.monotonic() < deadline:
                with closing(socket.socket()) as probe:
                    if probe.connect_ex(("127.0.0.1", port)) == 0:
                        break
                time.sleep(0.05)
            yield f"http://127.0.0.1:{port}/invocations"
        finally:
            process.terminate()
            process.wait()


def deploy(sagemaker: Any, name: str, workers: int) -> float:
    """Makes an endpoint; the seconds until it is in service."""
    role = "arn:aws:iam::123456789012:role/LocalSageMakerRole"
    container = {"Image": IMAGE, "ModelDataUrl": f"s3://{BUCKET}/model.tar.gz",
                 "Environment": {"SAGEMAKER_MODEL_SERVER_WORKERS": str(workers)}}  # fmt: skip
    sagemaker.create_model(ModelName=name, ExecutionRoleArn=role, PrimaryContainer=container)
    variant = {"VariantName": "AllTraffic", "ModelName": name, "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
    sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[variant])
    started = time.perf_counter()
    sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)
    while (status := sagemaker.describe_endpoint(EndpointName=name)["EndpointStatus"]) == "Creating":
        time.sleep(0.005)
    if status != "InService":
        raise SystemExit(f"the endpoint is {status}")
    return time.perf_counter() - started


def compare(settings: Settings, sagemaker: Any, booster: xgb.Booster, rows: Any) -> list[bool]:
    """Our endpoint and the bare handler in turn, under each load."""
    found = lifecycle.start(settings)
    variables = connection(settings, found)
    keys = credentials.Credentials(variables["AWS_ACCESS_KEY_ID"], variables["AWS_SECRET_ACCESS_KEY"])

    def sign(url: str, body: bytes) -> dict[str, str]:
        request = awsrequest.AWSRequest("POST", url, {"Content-Type": "text/csv"}, body)
        auth.SigV4Auth(keys, "sagemaker", "us-east-1").add_auth(request)
        return dict(request.headers)

    results = []
    for workers in sorted({1, os.cpu_count() or 1}):
        name = f"workers-{workers}"
        deploy(sagemaker, name, workers)
        with bare(booster, workers) as floor_url:
            for size, clients in LOADS:
                asked = bodies(booster, rows, size)
                ours = Load(f"{found['url']}/endpoints/{name}/invocations", asked, sign)
                floor = Load(floor_url, asked, lambda _url, _body: {})
                pairs = in_turn(lambda: ours.measure(clients), lambda: floor.measure(clients), ROUNDS)  # noqa: B023
                label = f"endpoint: 1,000 x {size} rows, {clients} clients, {workers} workers / bare handler"
                results.append(report(label, pairs, TARGET))
        sagemaker.delete_endpoint(EndpointName=name)
    return results


def cold_start(sagemaker: Any, booster: xgb.Booster) -> bool:
    """CreateEndpoint to InService, against a process that imports, loads and answers once."""
    with tempfile.TemporaryDirectory() as folder:
        booster.save_model(f"{folder}/model.ubj")
        numbers = iter(range(100))
        pairs: Pairs = in_turn(
            lambda: deploy(sagemaker, f"cold-{next(numbers)}", 1),
            lambda: command(sys.executable, "-c", ONCE, f"{folder}/model.ubj"),
        )
    return report("endpoint: CreateEndpoint to InService / a bare process", pairs, 0.5)


def main() -> bool:
    """Prints the figures; says whether all targets are met."""
    booster, rows = model()
    settings = Settings(home=Path(tempfile.mkdtemp(prefix="bench-")))
    lifecycle.start(settings)
    try:
        sagemaker, s3 = client(settings, "sagemaker"), client(settings, "s3")
        s3.create_bucket(Bucket=BUCKET)
        archive = io.BytesIO()
        with tarfile.open(fileobj=archive, mode="w:gz") as tar:
            data = bytes(booster.save_raw())
            info = tarfile.TarInfo("xgboost-model")
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
        s3.put_object(Bucket=BUCKET, Key="model.tar.gz", Body=archive.getvalue())
        return all([cold_start(sagemaker, booster), *compare(settings, sagemaker, booster, rows)])
    finally:
        lifecycle.stop(settings)
