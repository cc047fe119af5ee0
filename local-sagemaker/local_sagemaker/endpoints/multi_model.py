"""Many models behind one container: loaded when first requested, the least recently used unloaded under pressure.

Speaks the container's model API (contracts: containers 5.6): ``POST /models``, ``DELETE /models/<name>``,
``POST /models/<name>/invoke``; a 507 of a load means that something else must go first. Lives in the event loop.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
import uuid
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path

from local_sagemaker.endpoints.errors import InvalidInvocation, ModelNotReady
from local_sagemaker.endpoints.model_invocation import ModelInvocation
from local_sagemaker.errors import ServiceError
from local_sagemaker.files.removal import discard
from local_sagemaker.model_servers import model_data
from local_sagemaker.model_servers.async_client import NoServerResponse, ServerResponse, TimedOut, Upstream
from local_sagemaker.model_servers.model_data import ModelDataError
from local_sagemaker.objects import uris
from local_sagemaker.objects.types import Objects

LOADING_SECONDS = 360.0
PATIENCE = 60.0
"""Seconds that an invocation waits for its model; then it is to try again, while loading continues."""
ON_DISK = 4 << 30
"""Bytes of unpacked models that are kept on disk, loaded or not."""
_LOADED, _EXISTS, _FULL, _GONE = 200, 409, 507, 404
log = logging.getLogger(__name__)


class LoadFailed(Exception):
    """The container refused a model; `response` is what it said."""

    def __init__(self, response: ServerResponse) -> None:
        super().__init__(response.body.decode("utf-8", "replace"))
        self.response = response


class MultiModel:
    """The models of one instance's container. `prefix` is the container's ModelDataUrl."""

    def __init__(
        self,
        upstream: Upstream,
        *,
        prefix: str,
        folder: Path,
        objects: Objects,
        cached: bool = True,
        count: Callable[[str, float], None] = lambda _name, _value: None,
    ) -> None:
        """`folder` is the container's /opt/ml; `count` takes metrics (name, value)."""
        self._upstream, self._prefix, self._folder, self._objects = upstream, prefix, folder, objects
        self._cached, self._count = cached, count
        self._loaded: OrderedDict[str, str] = OrderedDict()  # target -> opaque name, least recently used first
        self._loading: dict[str, asyncio.Task[str]] = {}
        self._unpacked: OrderedDict[str, int] = OrderedDict()  # opaque name -> bytes on disk
        self._busy: dict[str, int] = {}
        self._room = asyncio.Lock()

    def forget(self) -> None:
        """The process was started again: nothing is loaded any more. From any thread."""
        self._loaded.clear()

    @property
    def loaded(self) -> list[str]:
        """The targets in memory, the least recently used first."""
        return list(self._loaded)

    async def respond(self, target: str, invocation: ModelInvocation) -> ServerResponse:
        """The response of one model, which is loaded first when it is not."""
        for attempt in (1, 2):
            self._busy[target] = self._busy.get(target, 0) + 1
            try:
                response = await self._invoke_loaded(target, invocation)
            finally:
                self._busy[target] -= 1
                if not self._busy[target]:
                    del self._busy[target]
            if response.status != _GONE or attempt == 2 or b"Model not found" not in response.body:
                break
            self._loaded.pop(target, None)  # unloaded in the meantime: once more from the start
        if not self._cached and target not in self._busy:
            await self._unload(target)
        return response

    async def _invoke_loaded(self, target: str, invocation: ModelInvocation) -> ServerResponse:
        name = self._loaded.get(target)
        self._count("ModelCacheHit", float(name is not None))
        if name is None:
            try:
                name = await self._load(target)
            except LoadFailed as error:
                return error.response
        self._loaded[target] = name
        self._loaded.move_to_end(target)
        headers = invocation.headers(invocation.content_type, invocation.accept)
        headers += f"X-Amzn-SageMaker-Target-Model: {target}\r\n"
        return await self._upstream.request(
            "POST", f"/models/{name}/invoke", headers, invocation.body,
            seconds=invocation.seconds, limit=invocation.limit,
        )  # fmt: skip

    async def _load(self, target: str) -> str:
        """Waits for the model; loading continues when the waiting ends."""
        task = self._loading.get(target)
        if task is None:
            task = self._loading[target] = asyncio.create_task(self._fetch_and_load(target))
            task.add_done_callback(lambda _: self._loading.pop(target, None))
        done, _ = await asyncio.wait([task], timeout=PATIENCE)
        if not done:
            raise ModelNotReady(f"Model {target} is being loaded; try again.")
        return task.result()

    async def _fetch_and_load(self, target: str) -> str:
        name = _opaque(target)
        loop = asyncio.get_running_loop()
        began = loop.time()
        if name in self._unpacked:
            self._unpacked.move_to_end(name)
        else:
            self._unpacked[name] = await loop.run_in_executor(None, self._fetch, target, name)
            await self._tidy()
        fetched = loop.time()
        self._count("ModelDownloadingTime", (fetched - began) * 1e6)
        async with self._room:  # one at a time: what one makes room for, another must not take
            while True:
                response = await self._manage(
                    "POST", "/models", {"model_name": name, "url": f"/opt/ml/models/{name}/model"}
                )
                if response.status != _FULL or not await self._make_room():
                    break
        if response.status not in (_LOADED, _EXISTS):
            raise LoadFailed(response)
        self._loaded[target] = name
        self._count("ModelLoadingTime", (loop.time() - fetched) * 1e6)
        self._count("ModelLoadingWaitTime", (loop.time() - began) * 1e6)
        self._count("LoadedModelCount", float(len(self._loaded)))
        return name

    async def _make_room(self) -> bool:
        """Unloads the least recently used model that nobody queries now; False when there is none."""
        for target in list(self._loaded):
            if target not in self._busy:
                await self._unload(target)
                return True
        if self._loaded:
            await asyncio.sleep(0.01)  # all of them are being queried
            return True
        return False

    async def _unload(self, target: str) -> None:
        name = self._loaded.pop(target, None)
        if name is not None:
            began = asyncio.get_running_loop().time()
            await self._manage("DELETE", f"/models/{name}", None)
            self._count("ModelUnloadingTime", (asyncio.get_running_loop().time() - began) * 1e6)

    async def _manage(self, method: str, path: str, document: dict[str, str] | None) -> ServerResponse:
        body = json.dumps(document).encode() if document else b""
        headers = "Content-Type: application/json\r\n" if document else ""
        try:
            return await self._upstream.request(method, path, headers, body, seconds=LOADING_SECONDS)
        except (NoServerResponse, TimedOut) as error:
            log.warning("%s %s: %s", method, path, error)
            raise

    def _fetch(self, target: str, name: str) -> int:
        """Brings the model's files to ``/opt/ml/models/<name>/model``, in a thread; their bytes."""
        folder = self._folder / "models" / name
        location = f"{self._prefix.rstrip('/')}/{target.lstrip('/')}"
        bucket, key = uris.split(location)
        try:
            model_data.fetch({"ModelDataUrl": location}, self._objects, folder / "model")
        except ModelDataError as error:
            discard(folder)
            if self._objects.head(bucket, key) is None:
                raise InvalidInvocation(
                    f"Failed to download model data(bucket: {bucket}, key: {key}). Please ensure that there is an "
                    "object located at the URL and that the role passed to CreateModel has permissions to download "
                    "the model."
                ) from error
            raise InvalidInvocation(error.message) from error
        except ServiceError as error:
            raise InvalidInvocation(error.message) from error
        return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())

    async def _tidy(self) -> None:
        """Removes unpacked models while there are too many bytes of them: the oldest, never one that is in memory or
        on its way there. Each is renamed first, so that it can be fetched again in the meantime."""
        wanted = {*self._loaded.values(), *map(_opaque, self._loading)}
        bytes_kept, removed = sum(self._unpacked.values()), []
        for name in [name for name in self._unpacked if name not in wanted]:
            if bytes_kept <= ON_DISK:
                break
            bytes_kept -= self._unpacked.pop(name)
            folder = self._folder / "models" / name
            removed.append(folder.rename(folder.with_name(f".{uuid.uuid4().hex}")))
        for folder in removed:
            await asyncio.get_running_loop().run_in_executor(None, discard, folder)


def _opaque(target: str) -> str:
    """The name that the container knows a model by."""
    return hashlib.sha256(target.encode()).hexdigest()[:32]
