"""Runs the analyzers' entry functions as the platform does: in a forked process with its own /opt/ml."""

from __future__ import annotations

import importlib
import json
import multiprocessing
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import numpy as np

MODEL_MONITOR = "local_sagemaker.containers.analyzers.model_monitor_job"
CLARIFY = "local_sagemaker.containers.analyzers.clarify_job"

# The test's own process may have run OpenMP, and a fork of such a process hangs at its first parallel loop. So jobs are
# forked as the platform does it: from a process that imports the libraries and runs none of them.
FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload([MODEL_MONITOR, CLARIFY])


def _child(module: str, ml: Path, environment: Mapping[str, str]) -> None:
    os.environ.update(environment, LOCAL_SAGEMAKER_ML=str(ml), TMPDIR=str(ml.parent))
    with (ml.parent / "log.txt").open("a") as sink:
        sys.stdout = sys.stderr = sink
        code = importlib.import_module(module).main([])
    os._exit(code)


@dataclass
class Ended:
    """How a job ended, and what it wrote."""

    code: int
    ml: Path

    @property
    def message(self) -> str:
        return (self.ml / "output" / "message").read_text("utf-8")

    @property
    def output(self) -> Path:
        return self.ml / "processing" / "output"

    def json(self, name: str) -> Any:
        return json.loads((self.output / name).read_text("utf-8"))

    def files(self) -> list[str]:
        return sorted(str(f.relative_to(self.output)) for f in self.output.rglob("*") if f.is_file())


@dataclass
class JobFolder:
    """The /opt/ml of jobs that run one after the other."""

    ml: Path

    def write(self, name: str, content: str | bytes) -> Path:
        path = self.ml / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def run(self, module: str, environment: Mapping[str, str] | None = None) -> Ended:
        process = FORKS.Process(target=_child, args=(module, self.ml, environment or {}))
        process.start()
        process.join(120)
        assert process.exitcode is not None, "the job hangs"
        return Ended(process.exitcode, self.ml)

    def monitor(self, data: Mapping[str, str | bytes], dataset_format: Any, **environment: str) -> Ended:
        """A Model Monitor job on these files."""
        folder = self.ml / "processing" / "input" / "baseline_dataset_input"
        for old in folder.rglob("*") if folder.exists() else ():
            if old.is_file():
                old.unlink()
        for name, content in data.items():
            self.write(f"processing/input/baseline_dataset_input/{name}", content)
        base = {
            "dataset_source": "/opt/ml/processing/input/baseline_dataset_input",
            "dataset_format": json.dumps(dataset_format),
            "output_path": "/opt/ml/processing/output",
            "publish_cloudwatch_metrics": "Disabled",
        }
        return self.run(MODEL_MONITOR, {**base, **environment})

    def clarify(self, config: Any, data: Mapping[str, str | bytes], **environment: str) -> Ended:
        """A Clarify job on these files."""
        self.write("processing/input/config/analysis_config.json", json.dumps(config))
        for name, content in data.items():
            self.write(f"processing/input/data/{name}", content)
        return self.run(CLARIFY, environment)

    def keep_baseline(self, ended: Ended) -> dict[str, str]:
        """Copies statistics and constraints to where the engine puts a baseline; answers the environment for it."""
        found = {}
        for what, folder in (("constraints", "constraints"), ("statistics", "stats")):
            content = (ended.output / f"{what}.json").read_text("utf-8")
            self.write(f"processing/baseline/{folder}/{what}.json", content)
            found[f"baseline_{what}"] = f"/opt/ml/processing/baseline/{folder}/{what}.json"
        return found


@contextmanager
def model_server(answer: Any) -> Iterator[tuple[str, list[tuple[str, bytes]]]]:
    """A model behind POST /invocations: ``answer(content type, body)`` gives the body. Yields address and requests."""
    seen: list[tuple[str, bytes]] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            seen.append((self.headers["Content-Type"], body))
            try:
                status, reply = 200, answer(self.headers["Content-Type"], body)
            except ValueError as error:
                status, reply = 400, str(error).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(reply)))
            self.end_headers()
            self.wfile.write(reply)

        def log_message(self, *arguments: Any) -> None:
            """Silent."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", seen
    finally:
        server.shutdown()
        server.server_close()


def rows_of(body: bytes) -> Any:
    """The numbers of a CSV request."""
    return np.array([[float(value) for value in line.split(b",")] for line in body.strip().split(b"\n")])
