"""Runs the analyzers' programs as the platform does: in processes of their library set, each with its /opt/ml."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import numpy as np

from local_sagemaker import images
from local_sagemaker.config import Settings
from local_sagemaker.files.removal import remove
from local_sagemaker.processes import ForkedProcesses, ProcessSpec

MODEL_MONITOR = "sagemaker-model-monitor-analyzer"
MERGER = "sagemaker-model-monitor-groundtruth-merger"
CLARIFY = "sagemaker-clarify-processing:1.0"
SECONDS = 240.0


@cache
def _processes(place: Path) -> ForkedProcesses:
    """The fork server of all jobs of this process; it ends with it."""
    return ForkedProcesses(settings=Settings(home=Path(tempfile.mkdtemp(prefix="analyzers-", dir=place))), keep=[place])


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

    def run(self, image: str, environment: Mapping[str, str] | None = None) -> Ended:
        """One job of an image."""
        kind, uri = images.find(image, "process")
        root = Path(tempfile.mkdtemp(prefix="job-", dir=self.ml.parent))
        self.ml.mkdir(exist_ok=True)
        self.ml.rename(root / "ml")
        try:
            program = kind.process(uri, None, None)
            spec = ProcessSpec(program, root, self.ml.parent / "log.txt", environment=environment or {})
            code = _processes(_place(root)).start(spec).wait(SECONDS)
        finally:
            (root / "ml").rename(self.ml)
            remove(root)
        assert code is not None, "the job hangs"
        return Ended(code, self.ml)

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


def _place(root: Path) -> Path:
    """pytest's folder of this run, which all jobs' folders are in; pytest removes it some day."""
    runs = (folder for folder in root.parents if folder.parent.name.startswith("pytest-of-"))
    return next(runs, root.parent)


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
