"""An asynchronous invocation that was acknowledged leaves its output or why it failed, whatever goes wrong."""

from __future__ import annotations

import asyncio
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from local_sagemaker.config import Settings
from local_sagemaker.records import Records
from local_sagemaker.services.sagemaker_runtime.asynchronous_invocations import KIND, AsynchronousInvocations

OUTPUT = {"S3OutputPath": "s3://b/out", "S3FailurePath": "s3://b/failed"}


class BrokenObjects:
    """Objects whose bytes can't be read."""

    def __init__(self) -> None:
        self.written: dict[str, bytes] = {}

    def bucket_exists(self, bucket: str) -> bool:
        return True

    def read(self, bucket: str, key: str, limit: int) -> bytes:
        raise OSError("input/output error")

    def put(self, bucket: str, key: str, data: bytes, content_type: str) -> None:
        self.written[key] = data


def test_an_input_that_can_not_be_read_is_a_failure(tmp_path: Path) -> None:
    records, objects = Records(tmp_path / "records.sqlite"), BrokenObjects()
    spec = SimpleNamespace(asynchronous={"OutputConfig": OUTPUT}, variants=[SimpleNamespace(instances=1)])

    async def run() -> dict[str, Any]:
        endpoints: Any = SimpleNamespace(
            find=lambda _name: SimpleNamespace(route=True, spec=spec), loop=asyncio.get_running_loop()
        )
        made = AsynchronousInvocations(
            settings=Settings(home=tmp_path), records=records, objects=cast(Any, objects), endpoints=endpoints,
            invocations=cast(Any, None), call=lambda _name, _request: {},
        )  # fmt: skip
        response = made.invoke({"EndpointName": "e", "InputLocation": "s3://b/in"})
        for _ in range(1000):
            if not list(records.items(KIND)):
                break
            await asyncio.sleep(0.01)
        return response

    response = asyncio.run(run())
    records.close()
    key = response["FailureLocation"].removeprefix("s3://b/")
    assert list(objects.written) == [key]
    assert objects.written[key].startswith(b"An internal error occurred")
