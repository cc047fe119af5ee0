"""The agent of a batch transform job: sends the records of its input objects to the model server, writes the responses.

Runs as a process of its own. ``/opt/ml/plan.json`` holds ``{"server": url, "request": CreateTransformJob's request,
"inputs": [{"key", "name", "path"}], "output": folder, "capture": folder, "started": time}``, with files that are
decompressed already; the output of an object is ``<folder>/<name>.out``. The reason of a failed job is left in
``/opt/ml/output/failure`` (contracts: containers 6).
"""

from __future__ import annotations

import json
import os
import sys
from collections import deque
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from local_sagemaker.batch import data_processing
from local_sagemaker.batch.data_capture import BatchCapture
from local_sagemaker.batch.data_processing import DataProcessingError, Processing
from local_sagemaker.batch.splitting import Batching, RecordError
from local_sagemaker.containers.paths import ml
from local_sagemaker.json_path import PathError
from local_sagemaker.model_client import BadStatus, ModelClient, NoModelResponse

MEGABYTE = 1024**2
SEE_LOGS = "{}: See job logs for more information"


@dataclass(frozen=True)
class TransformParameters:
    """How the job talks to the server: the request's values, else the container's, else AWS's defaults."""

    concurrent: int
    megabytes: int
    strategy: str

    @classmethod
    def of(cls, request: Mapping[str, Any], container: Mapping[str, Any]) -> TransformParameters:
        """Merges a CreateTransformJob request with the response of ``GET /execution-parameters``."""

        def first(name: str, default: Any) -> Any:
            value = request.get(name)
            return container.get(name, default) if value is None else value

        strategy = str(first("BatchStrategy", "MultiRecord")).replace("_", "").lower()
        return cls(
            int(first("MaxConcurrentTransforms", 1)) or 1,
            int(first("MaxPayloadInMB", 6)),
            "SINGLE_RECORD" if strategy == "singlerecord" else "MULTI_RECORD",
        )


class ObjectFailed(Exception):
    """An input object without output. `category` is how the job's FailureReason begins."""

    def __init__(self, category: str, text: str) -> None:
        super().__init__(text)
        self.category = category


class Agent:
    """One job's work."""

    def __init__(self, plan: Mapping[str, Any]) -> None:
        request = plan["request"]
        source = request["TransformInput"]
        self.inputs, self.output = plan["inputs"], Path(plan["output"])
        self.bucket = source["DataSource"]["S3DataSource"]["S3Uri"].removeprefix("s3://").split("/")[0]
        self.assembled = request["TransformOutput"].get("AssembleWith", "None") == "Line"
        self.started = datetime.fromtimestamp(plan.get("started", 0), UTC)
        self.capture = BatchCapture(request, Path(plan["capture"])) if "DataCaptureConfig" in request else None
        self.processing: Processing = data_processing.of(request, self.started.strftime("%Y-%m-%dT%H:%M:%SZ"))
        client = request.get("ModelClientConfig", {})
        self.client = ModelClient(
            plan["server"],
            headers={
                "Content-Type": source.get("ContentType"),
                "Accept": request["TransformOutput"].get("Accept") or "*/*",
            },
            seconds=client.get("InvocationsTimeoutInSeconds", 600),
            retries=client.get("InvocationsMaxRetries", 3),
        )
        self.parameters = TransformParameters.of(request, self.client.execution_parameters())
        limit = self.parameters.megabytes * MEGABYTE or None
        single = self.parameters.strategy == "SINGLE_RECORD"
        self.batching = Batching(source.get("SplitType", "None"), single, limit)

    def run(self) -> list[ObjectFailed]:
        """Transforms every object; returns what failed."""
        p = self.parameters
        _log(f"MaxConcurrentTransforms={p.concurrent}, MaxPayloadInMB={p.megabytes}, BatchStrategy={p.strategy}")
        failed, done = [], []
        with ThreadPoolExecutor(p.concurrent) as pool:
            for item in self.inputs:
                try:
                    self._transform(item, pool)
                    done.append(item)
                except ObjectFailed as error:
                    failed.append(error)
                    for line in ("", *f"{error.category}: {error}".split("\n")):
                        _log(f"{self.bucket}/{item['key']}: {line}")
        if self.capture:
            self.capture.write(self.bucket, done, self.started)
        return failed

    def _transform(self, item: Mapping[str, str], pool: ThreadPoolExecutor) -> None:
        """One object. Its output appears whole or not at all."""
        target = self.output / f"{item['name']}.out"
        target.parent.mkdir(parents=True, exist_ok=True)
        part = target.with_name(f".{target.name}.part")
        try:
            with part.open("wb") as out:
                for response in self._responses(Path(item["path"]).read_bytes(), pool):
                    out.write(response)
            part.replace(target)
        except (RecordError, DataProcessingError) as error:
            raise ObjectFailed("ClientError", f"400\nMessage: {error}") from error
        except BadStatus as error:
            category = "ClientError" if error.status < 500 else "AlgorithmError"
            text = f"Bad HTTP status received from algorithm: {error.status}"
            raise ObjectFailed(category, f"{error.status}\n{text}\nMessage:\n{error}") from error
        except NoModelResponse as error:
            raise ObjectFailed("AlgorithmError", f"No response from the algorithm: {error}") from error
        finally:
            part.unlink(missing_ok=True)

    def _responses(self, data: bytes, pool: ThreadPoolExecutor) -> Iterator[bytes]:
        """The outputs of all batches in their order, with some requests under way at any time."""
        waiting: deque[Future[bytes]] = deque()
        try:
            for batch in self.batching.batches(data):
                waiting.append(pool.submit(self._output, batch))
                if len(waiting) > self.parameters.concurrent:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()

    def _output(self, batch: bytes) -> bytes:
        response = self.client.invoke(self.processing.request(batch))
        result = self.processing.output(batch, response)
        return result + b"\n" if self.assembled and not result.endswith(b"\n") else result


def main(_arguments: list[str] | None = None) -> int:
    """Does the plan of this process's /opt/ml; 0 when every object has an output."""
    plan = json.loads((ml() / "plan.json").read_text("utf-8"))
    try:
        failed = Agent(plan).run()
    except PathError as error:
        bucket = plan["request"]["TransformInput"]["DataSource"]["S3DataSource"]["S3Uri"].removeprefix("s3://")
        for item in plan["inputs"]:
            _log(f"{bucket.split('/')[0]}/{item['key']}: {error}")
        failed = [ObjectFailed("ClientError", str(error))]
    if not failed:
        return 0
    file = ml() / "output" / "failure"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(SEE_LOGS.format(failed[0].category), "utf-8")
    return 1


def _log(text: str) -> None:
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3]
    sys.stdout.write(f"{now}:[sagemaker logs]: {text}{os.linesep}")
    sys.stdout.flush()
