"""A container of many models: the API to load, query and unload them (contracts: containers 5.6).

``POST /models`` loads the model in a folder, or returns 507 when it would not fit into the memory that the container
may take: then the platform unloads another one and tries again.
"""

from __future__ import annotations

import json
import logging
import os
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from local_sagemaker.allocator import give_back
from local_sagemaker.containers.http_connection import Request, Response
from local_sagemaker.containers.model_server import ModelApplication, run
from local_sagemaker.containers.paths import ml

LIMIT = "LOCAL_SAGEMAKER_MODEL_MEMORY_MB"
"""Variable of the container: the memory (resident set) that its server may take. Half of the machine's by default."""
_GROWTH = 5
"""Bytes in memory for each byte on disk that a model is expected to take while it is loaded: XGBoost takes 4.4, and
1.5 when it is."""
_JSON = "application/json"
log = logging.getLogger(__name__)
Invoke = Callable[[Request], Response]


def serve(load: Callable[[Path], Invoke]) -> int:
    """Serves until SIGTERM, in one process: what is loaded in one worker would be missing in another."""
    late = refusal(500, "InternalServerException", "Worker died.")
    return run(
        lambda: ModelApplication(_never, route=LoadedModels(load, limit_of(os.environ)).respond, late=late), forks=False
    )


def _never(_request: Request) -> Response:
    return Response(404)


def limit_of(environment: Mapping[str, str]) -> int:
    """The bytes that the server may take."""
    if environment.get(LIMIT):
        return int(float(environment[LIMIT]) * 1024**2)
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2


def refusal(status: int, kind: str, message: str) -> Response:
    """An error in the form of the model server."""
    return _document(status, {"code": status, "type": kind, "message": message})


class LoadedModels:
    """The models in memory, by the platform's opaque names."""

    def __init__(self, load: Callable[[Path], Invoke], limit: int) -> None:
        self._load, self._limit = load, limit
        self._loaded: dict[str, tuple[str, Invoke]] = {}
        self._loading = threading.Lock()

    def respond(self, method: str, path: str, request: Request) -> Response:
        """One request of the platform."""
        parts = [part for part in path.split("/") if part]
        if parts == ["models"] and method == "POST":
            return self._register(request)
        if parts == ["models"] and method == "GET":
            listed = [{"modelName": name, "modelUrl": url} for name, (url, _) in self._loaded.items()]
            return _document(200, {"models": listed})
        if len(parts) < 2 or parts[0] != "models":
            return refusal(404, "ResourceNotFoundException", "Requested resource is not found.")
        name, rest = parts[1], parts[2:]
        if name in self._loaded and not rest and method == "GET":
            return _document(200, [{"modelName": name, "modelUrl": self._loaded[name][0]}])
        if name in self._loaded and rest == ["invoke"] and method == "POST":
            return self._loaded[name][1](request)
        if name in self._loaded and not rest and method == "DELETE":
            del self._loaded[name]
            give_back()
            return _document(200, {"status": f'Model "{name}" unregistered'})
        return refusal(404, "ModelNotFoundException", f"Model not found: {name}")

    def _register(self, request: Request) -> Response:
        try:
            requested: Any = json.loads(request.body)
            name, url = requested["model_name"], requested["url"]
        except (ValueError, KeyError, TypeError):
            return refusal(400, "BadRequestException", "Parameter model_name is required.")
        with self._loading:
            if name in self._loaded:
                return refusal(409, "ConflictStatusException", f"Model {name} is already registered.")
            folder = ml() / Path(url).relative_to("/opt/ml") if url.startswith("/opt/ml/") else Path(url)
            if resident() + _GROWTH * _size(folder) > self._limit and self._loaded:
                return refusal(507, "InsufficientStorage", f"There is no memory for model {name}.")
            try:
                invoke = self._load(folder)
            except Exception as error:
                log.exception("model %s cannot be loaded", name)
                return refusal(500, "InternalServerException", f"{type(error).__name__}: {error}")
            give_back()
            if resident() > self._limit and self._loaded:
                del invoke
                give_back()
                return refusal(507, "InsufficientStorage", f"There is no memory for model {name}.")
            self._loaded[name] = (url, invoke)
        return _document(200, {"status": "Workers scaled"})


def resident() -> int:
    """The bytes of memory that this process holds."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def _size(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())


def _document(status: int, document: Any) -> Response:
    return Response(status, json.dumps(document).encode(), _JSON)
