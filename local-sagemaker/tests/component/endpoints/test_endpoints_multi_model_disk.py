"""The unpacked models of a container: none is removed while it is wanted, and not more are kept than fit."""

from __future__ import annotations

import asyncio
import io
import json
import tarfile
from pathlib import Path
from typing import Any

import pytest

from local_sagemaker.endpoints import multi_model
from local_sagemaker.endpoints.model_invocation import ModelInvocation
from local_sagemaker.endpoints.multi_model import MultiModel
from local_sagemaker.model_servers.async_client import ServerResponse

SIZE, ROOM, KEPT, CLIENTS = 1000, 3, 5, 8


class Container:
    """A container that has room for some models; it answers with what is in a model's file."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.models = folder, dict[str, bytes]()

    async def request(self, method: str, path: str, _headers: str, body: bytes, **_: Any) -> ServerResponse:
        await asyncio.sleep(0)
        match method, path.strip("/").split("/"):
            case "POST", ["models"]:
                asked = json.loads(body)
                if len(self.models) >= ROOM:
                    return ServerResponse(507)
                file = self.folder / Path(asked["url"]).relative_to("/opt/ml") / "weights"
                await asyncio.sleep(0.001)
                self.models[asked["model_name"]] = file.read_bytes()
            case "DELETE", ["models", name]:
                del self.models[name]
            case "POST", ["models", name, "invoke"]:
                if name not in self.models:
                    return ServerResponse(404, {}, b"Model not found")
                return ServerResponse(200, {}, self.models[name])
        return ServerResponse(200)


class Archives:
    """An object store with an archive for every key."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def path(self, _bucket: str, key: str) -> Path:
        file = self._folder / key.replace("/", "-")
        data = key.encode().ljust(SIZE)
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
            info = tarfile.TarInfo("weights")
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
        file.write_bytes(buffer.getvalue())
        return file


def test_many_models_at_once_on_a_small_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(multi_model, "ON_DISK", KEPT * SIZE)
    (tmp_path / "ml").mkdir()
    (tmp_path / "store").mkdir()
    container: Any = Container(tmp_path / "ml")
    store: Any = Archives(tmp_path / "store")

    async def ask() -> list[ServerResponse]:
        models = MultiModel(container, prefix="s3://bucket/models/", folder=tmp_path / "ml", objects=store)
        turns = asyncio.Semaphore(CLIENTS)

        async def one(number: int) -> ServerResponse:
            async with turns:
                return await models.respond(f"{number}.tar.gz", ModelInvocation(b"x"))

        return await asyncio.gather(*(one(number % 60) for number in range(150)))

    answers = asyncio.run(ask())
    found = [answer.body.decode().strip() for answer in answers]
    assert found == [f"models/{number % 60}.tar.gz" for number in range(150)]
    assert len([*(tmp_path / "ml" / "models").iterdir()]) <= ROOM + CLIENTS  # those that were wanted at the end
