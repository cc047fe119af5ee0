"""Model servers to compare with, each serving one XGBoost model as its manual says, in an environment of its own.

``BENCHMARK_PEERS`` names the folder of the environments (``FOLDER/mlserver``, ...); what is not there is left out,
or made with pip when ``BENCHMARK_MAKE_PEERS`` is set. None writes an access log, and each predicts with one thread
per worker, as the endpoint does.
"""

from __future__ import annotations

import http.client
import itertools
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import xgboost as xgb

COLUMNS = 10
NAMES = [f"f{number}" for number in range(COLUMNS)]
START_SECONDS = 180.0
CSV, JSON = "text/csv", "application/json"
Rows = list[list[float]]


def csv_text(rows: Rows) -> str:
    """Rows as CSV with all digits."""
    return "\n".join(",".join(map(repr, row)) for row in rows)


def _lines(body: bytes) -> list[float]:
    return [float(value) for value in body.split()]


@dataclass(frozen=True)
class Peer:
    """One server. `command` holds {bin}, {workers}, {ports[0]} and so on; `files` are written to its folder, which has
    model.ubj."""

    name: str
    command: str
    packages: str = ""
    path: str = "/invocations"
    content_type: str = CSV
    encode: Callable[[Rows], str] = csv_text
    decode: Callable[[bytes], list[float]] = _lines
    files: Mapping[str, str] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    prepare: str = ""
    """A program that runs once in its folder, before the server."""


def _open_inference(rows: Rows) -> str:
    values = list(itertools.chain.from_iterable(rows))
    tensor = {"name": "rows", "shape": [len(rows), COLUMNS], "datatype": "FP32", "data": values}
    return json.dumps({"inputs": [tensor]})


BARE = Peer(
    "bare",
    "{bin}/python -W ignore -m uvicorn bare:app --port {ports[0]} --workers {workers} --lifespan off --no-access-log "
    "--log-level error",
    files={"bare.py": f"""
import numpy as np, xgboost as xgb
from starlette.requests import Request
from starlette.responses import Response
booster = xgb.Booster(model_file="model.ubj")
async def app(scope, receive, send):
    text = await Request(scope, receive).body()
    values = np.fromstring(text.replace(b"\\n", b","), dtype=np.float32, sep=",")
    found = booster.inplace_predict(values.reshape(-1, {COLUMNS})).tolist()
    await Response("%.9g\\n" * len(found) % tuple(found), media_type="text/csv")(scope, receive, send)
"""},
)  # fmt: skip
"""Not a peer but what a server without any feature comes to: uvicorn, starlette, numpy, xgboost."""

PEERS = (
    Peer(
        "mlserver", "{bin}/mlserver start .", "mlserver mlserver-xgboost uvloop<0.22",
        "/v2/models/model/infer", JSON, _open_inference, lambda body: list(json.loads(body)["outputs"][0]["data"]),
        files={"model-settings.json": json.dumps({
            "name": "model", "implementation": "mlserver_xgboost.XGBoostModel", "parameters": {"uri": "./model.ubj"},
        })},
        environment={"MLSERVER_PARALLEL_WORKERS": "{workers}", "MLSERVER_DEBUG": "false",
                     "MLSERVER_HOST": "127.0.0.1", "MLSERVER_HTTP_PORT": "{ports[0]}",
                     "MLSERVER_GRPC_PORT": "{ports[1]}", "MLSERVER_METRICS_PORT": "{ports[2]}"},
    ),
    Peer(
        "bentoml", "{bin}/bentoml serve service:Model --host 127.0.0.1 --port {ports[0]}", "bentoml xgboost",
        "/predict", JSON, lambda rows: json.dumps({"rows": rows}), json.loads,
        files={"service.py": """
import os, bentoml, numpy as np, xgboost as xgb
@bentoml.service(workers=int(os.environ["WORKERS"]), logging={"access": {"enabled": False}})
class Model:
    def __init__(self) -> None:
        self.booster = xgb.Booster(model_file="model.ubj")
    @bentoml.api
    def predict(self, rows: np.ndarray) -> np.ndarray:
        return self.booster.inplace_predict(rows)
"""},
        environment={"WORKERS": "{workers}", "BENTOML_HOME": ".", "BENTOML_DO_NOT_TRACK": "true"},
    ),
    Peer(
        "mlflow", "{bin}/mlflow models serve --model-uri saved --env-manager local --host 127.0.0.1 --port {ports[0]} "
        "--workers {workers}", "mlflow xgboost",
        encode=lambda rows: ",".join(NAMES) + "\n" + csv_text(rows),
        decode=lambda body: list(json.loads(body)["predictions"]),
        environment={"UVICORN_ACCESS_LOG": "false"},
        prepare=f"""
import mlflow.models, mlflow.xgboost, pandas as pd, xgboost as xgb
booster = xgb.Booster(model_file="model.ubj")
booster.feature_names = {NAMES}
example = pd.DataFrame([[0.5] * {COLUMNS}], columns={NAMES})
mlflow.xgboost.save_model(booster, "saved", signature=mlflow.models.infer_signature(example))
""",
    ),
)  # fmt: skip


def available() -> list[tuple[Peer, Path]]:
    """The peers that can be measured here, each with its interpreter."""
    folder = os.environ.get("BENCHMARK_PEERS")
    if not folder:
        return []
    peers = []
    for peer in PEERS:
        python = Path(folder).absolute() / peer.name / "bin" / "python"
        if not python.exists() and os.environ.get("BENCHMARK_MAKE_PEERS"):
            print(f"making {python.parent.parent}", flush=True)
            subprocess.run([sys.executable, "-m", "venv", str(python.parent.parent)], check=True)
            subprocess.run([str(python), "-m", "pip", "install", "--quiet", *peer.packages.split()], check=True)
        if python.exists():
            peers.append((peer, python))
    return peers


@contextmanager
def serving(peer: Peer, python: Path, booster: xgb.Booster, workers: int) -> Iterator[str]:
    """Runs a peer; the address that predicts."""
    with ExitStack() as held:
        folder = Path(held.enter_context(tempfile.TemporaryDirectory()))
        booster.save_model(folder / "model.ubj")
        for name, text in peer.files.items():
            (folder / name).write_text(text)
        values: dict[str, Any] = {"bin": python.parent, "workers": workers, "ports": _free_ports(3)}
        environment = {
            **os.environ, "PATH": f"{python.parent}:{os.environ['PATH']}", "OMP_NUM_THREADS": "1",
            **{name: text.format_map(values) for name, text in peer.environment.items()},
        }  # fmt: skip
        log = held.enter_context((folder / "log").open("w+b"))
        if peer.prepare:
            subprocess.run(
                [str(python), "-c", peer.prepare], cwd=folder, env=environment, stdout=log, stderr=log, check=True
            )
        process = subprocess.Popen(
            [word.format_map(values) for word in peer.command.split()], cwd=folder, env=environment,
            stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
        )  # fmt: skip
        held.callback(_stop, process)
        url = f"http://127.0.0.1:{values['ports'][0]}{peer.path}"
        _await(peer, url, process, folder / "log")
        yield url


def _await(peer: Peer, url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    """Returns when the peer predicts."""
    address, body, deadline = urlsplit(url), peer.encode([[0.5] * COLUMNS]), time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        with suppress(OSError, http.client.HTTPException):
            connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=10)
            with closing(connection):
                connection.request("POST", address.path, body, {"Content-Type": peer.content_type})
                if connection.getresponse().status == 200:
                    return
        time.sleep(0.1)
    raise SystemExit(f"{peer.name} does not predict:\n{log.read_text()[-3000:]}")


def _free_ports(count: int) -> list[int]:
    with ExitStack() as held:
        sockets = [held.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)]
        return [item.getsockname()[1] for item in sockets]


def _stop(process: subprocess.Popen[bytes]) -> None:
    """Ends the server and its workers: they are a process group of their own."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        with suppress(ProcessLookupError, subprocess.TimeoutExpired):
            os.killpg(process.pid, number)
            process.wait(15)
