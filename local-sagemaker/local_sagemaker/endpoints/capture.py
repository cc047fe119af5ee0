"""Data capture: a sample of requests and responses, as lines of JSON objects in S3 (contracts: containers 5.4).

Noting a request costs the event loop an append; lines are made and written by the housekeeping thread, by age and
size, and at an endpoint's end.
"""

from __future__ import annotations

import base64
import json
import logging
import threading
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from local_sagemaker.errors import ServiceError
from local_sagemaker.objects import uris
from local_sagemaker.objects.types import Objects

SECONDS = 5.0
"""After this many seconds what was captured is written; AWS takes a minute or two."""
BYTES = 4 << 20
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Captured:
    """One invocation."""

    variant: str
    time: float
    request: bytes
    content_type: str
    response: bytes
    response_type: str
    inference_id: str | None
    attributes: str | None


class EndpointCapture:
    """The capture of one endpoint by a DataCaptureConfig."""

    def __init__(self, endpoint: str, config: Mapping[str, Any], objects: Objects) -> None:
        self._endpoint, self._objects = endpoint, objects
        self._target = config["DestinationS3Uri"].rstrip("/")
        self._share = config["InitialSamplingPercentage"] / 100 if config.get("EnableCapture", True) else 0.0
        modes = {option["CaptureMode"] for option in config["CaptureOptions"]}
        self._input = bool(modes & {"Input", "InputAndOutput"})
        self._output = bool(modes & {"Output", "InputAndOutput"})
        types = config.get("CaptureContentTypeHeader", {})
        self._csv = {name.lower() for name in types.get("CsvContentTypes", ())}
        self._json = {name.lower() for name in types.get("JsonContentTypes", ())}
        self._credit = 0.0
        self._held: list[Captured] = []
        self._bytes = 0
        self._oldest = 0.0
        self._lock, self._writing = threading.Lock(), threading.Lock()

    def draw_sample(self) -> bool:
        """Whether the next invocation belongs to the sample; exact over any run of them."""
        self._credit += self._share
        if self._credit < 1 - 1e-9:
            return False
        self._credit -= 1
        return True

    def add(self, captured: Captured) -> None:
        """Notes an invocation. From the event loop only."""
        with self._lock:
            if not self._held:
                self._oldest = time.monotonic()
            self._held.append(captured)
            self._bytes += len(captured.request) + len(captured.response)

    def due(self) -> bool:
        """Whether it is time to write."""
        return bool(self._held) and (self._bytes >= BYTES or time.monotonic() - self._oldest >= SECONDS)

    def flush(self) -> None:
        """Writes what was noted: a file per variant and hour."""
        with self._writing:
            with self._lock:
                held, self._held, self._bytes = self._held, [], 0
            files: dict[tuple[str, str], list[Captured]] = {}
            for captured in held:
                hour = datetime.fromtimestamp(captured.time, UTC).strftime("%Y/%m/%d/%H")
                files.setdefault((captured.variant, hour), []).append(captured)
            for (variant, hour), lines in files.items():
                self._write(variant, hour, lines)

    def _write(self, variant: str, hour: str, captured: list[Captured]) -> None:
        first = datetime.fromtimestamp(captured[0].time, UTC)
        name = f"{first:%M-%S}-{first.microsecond // 1000:03d}-{uuid.uuid4()}.jsonl"
        bucket, key = uris.split(f"{self._target}/{self._endpoint}/{variant}/{hour}/{name}")
        data = b"".join(self._line(one) for one in captured)
        try:
            self._objects.put(bucket, key, data, "application/json")
        except (ServiceError, OSError) as error:  # a missing bucket, a full disk
            log.warning("captured data of endpoint %s cannot be written: %s", self._endpoint, error)

    def _line(self, captured: Captured) -> bytes:
        data: dict[str, Any] = {}
        if self._input:
            data["endpointInput"] = self._part(captured.content_type, "INPUT", captured.request)
        if self._output:
            data["endpointOutput"] = self._part(captured.response_type, "OUTPUT", captured.response)
        moment = datetime.fromtimestamp(captured.time, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        metadata: dict[str, Any] = {"eventId": str(uuid.uuid4())}
        if captured.attributes:
            metadata["customAttributes"] = [captured.attributes]
        if captured.inference_id:
            metadata["inferenceId"] = captured.inference_id
        metadata["inferenceTime"] = moment
        line = {"captureData": data, "eventMetadata": metadata, "eventVersion": "0"}
        return json.dumps(line, separators=(",", ":"), ensure_ascii=False).encode() + b"\n"

    def _part(self, content_type: str, mode: str, data: bytes) -> dict[str, str]:
        kind = content_type.split(";")[0].strip().lower()
        encoding = "CSV" if kind in self._csv else "JSON" if kind in self._json else "BASE64"
        try:
            text = base64.b64encode(data).decode() if encoding == "BASE64" else data.decode("utf-8")
        except UnicodeDecodeError:
            text, encoding = base64.b64encode(data).decode(), "BASE64"
        return {"observedContentType": content_type, "mode": mode, "data": text, "encoding": encoding}
