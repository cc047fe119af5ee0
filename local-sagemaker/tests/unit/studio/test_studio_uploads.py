"""Files that pages take, where the disk is full."""

from __future__ import annotations

import asyncio
import errno
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from local_sagemaker.api.operations import Response
from local_sagemaker.config import Settings
from local_sagemaker.records import Records
from local_sagemaker.studio.app import Studio
from local_sagemaker.studio.session import COOKIE
from local_sagemaker.studio.uploads import MEDIA_TYPE


@pytest.mark.parametrize(
    ("number", "status", "code"), [(errno.ENOSPC, 507, "NoSpace"), (errno.EIO, 500, "InternalFailure")]
)
def test_a_file_that_cannot_be_kept_is_an_error_document(tmp_path: Path, number: int, status: int, code: str) -> None:
    def call(_name: str, _request: dict[str, Any]) -> Response:
        raise OSError(number, "no")

    settings = Settings(home=tmp_path)
    records = Records(settings.records_file)
    studio = Studio(
        settings=settings, records=records, call=lambda _region: call, secret="secret", url="http://127.0.0.1:1",
        status=dict,
    )  # fmt: skip
    cookie = studio.sessions.open(studio.sessions.make_link())
    headers = {"host": f"{studio.host}:1", "content-type": MEDIA_TYPE, "origin": studio.origin,
               "sec-fetch-site": "same-origin", "cookie": f"{COOKIE}={cookie}"}  # fmt: skip
    scope = {
        "type": "http", "method": "POST", "path": "/_studio/s3", "query_string": b"bucket=b&name=n",
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
    }  # fmt: skip
    sent: list[Mapping[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"text"}

    async def send(message: Mapping[str, Any]) -> None:
        sent.append(message)

    asyncio.run(studio(scope, receive, send))
    records.close()
    assert sent[0]["status"] == status, sent
    assert json.loads(sent[1]["body"])["error"]["code"] == code
