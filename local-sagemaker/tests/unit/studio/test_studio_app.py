"""The application around the pages: what a page says of operations that fail, and requests that no page sees."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from local_sagemaker.clock import now
from local_sagemaker.config import Settings
from local_sagemaker.errors import NotSupported, ResourceNotFound, ServiceError
from local_sagemaker.records import Records
from local_sagemaker.studio.app import Studio

SECRET = "the key of the folder"
Ask = Callable[..., tuple[int, str]]
FAILING: dict[str, ServiceError] = {
    "sagemaker:ListProcessingJobs": ServiceError("The database is <b>locked</b>."),
    "codepipeline:ListPipelines": NotSupported("codepipeline:ListPipelines is not supported by the local service."),
    "sagemaker:ListEndpoints": ResourceNotFound("nothing of that name"),
}

FAILED = {
    "PipelineExecutionArn": "arn:aws:sagemaker:us-east-1:1:pipeline/P/execution/e", "CreationTime": 1.0,
    "LastModifiedTime": 2.0, "PipelineExecutionStatus": "Failed", "PipelineVersionId": 1,
    "FailureReason": "Step failure: One or multiple steps failed.",
}  # fmt: skip
PACKAGE = {
    "ModelPackageArn": "arn:aws:sagemaker:us-east-1:1:model-package/g/1", "ModelPackageGroupName": "G",
    "ModelPackageVersion": 1, "ModelApprovalStatus": "PendingManualApproval", "CreationTime": 1.0,
    "ModelMetrics": {"ModelQuality": {"Statistics": {"S3Uri": "s3://b/statistics.json"}}},
}  # fmt: skip
REASON = "AlgorithmError: Traceback (most recent call last):\nValueError: a column is missing"
ANSWERS: dict[str, dict[str, Any]] = {
    "sagemaker:DescribeModelPackage": PACKAGE,
    "sagemaker:ListPipelineExecutionSteps": {
        "PipelineExecutionSteps": [{"StepName": "Train", "StepStatus": "Failed", "FailureReason": REASON}]
    },
    "s3:HeadObject": {"ContentLength": 100},
    "s3:GetObject": {"Body": b'{"regression_metrics": {"mse": {"value": 4.82119}}}'},
}


@pytest.fixture
def ask(tmp_path: Path) -> Iterator[Ask]:
    """Requests a page; some operations fail, all others have nothing."""
    settings = Settings(home=tmp_path)
    records = Records(settings.records_file)

    def call(name: str, request: dict[str, Any]) -> dict[str, Any]:
        if name in FAILING:
            raise FAILING[name]
        if name == "sagemaker:DescribePipelineExecution":
            return FAILED if request["PipelineExecutionArn"] == FAILED["PipelineExecutionArn"] else {}
        return ANSWERS.get(name, {})

    records.put("pipeline-execution", "p/e", {**FAILED, "CreationTime": now()})
    records.put("model-package", "g/1", PACKAGE)

    studio = Studio(
        settings=settings, records=records, call=lambda _region: call, secret=SECRET, url="http://127.0.0.1:1",
        status=dict,
    )  # fmt: skip

    def get(target: str, **more: str) -> tuple[int, str]:
        path, _, query = target.partition("?")
        headers = {"host": f"{studio.host}:1", "x-secret": SECRET, **more}
        scope = {
            "type": "http", "method": "GET", "path": path, "query_string": query.encode(),
            "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
        }  # fmt: skip
        sent: list[dict[str, Any]] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request"}

        async def send(message: dict[str, Any]) -> None:
            sent.append(message)

        asyncio.run(studio(scope, receive, send))
        return sent[0]["status"], b"".join(message.get("body", b"") for message in sent).decode()

    yield get
    records.close()


def test_what_could_not_be_read_is_not_shown_as_empty(ask: Ask) -> None:
    """ST-1: an operation that failed or is not supported is named on the page, whose other regions are there; one
    that was refused has nothing to show."""
    status, text = ask("/_studio/")
    assert (status, "A part of this page could not be read" in text, "Try again" in text) == (200, True, True)
    assert "The database is &lt;b&gt;locked&lt;/b&gt;." in text
    assert "codepipeline:ListPipelines is not supported by the local service." in text
    assert "nothing of that name" not in text
    assert "Nothing runs now." in text
    named = json.loads(ask("/_studio/index.json")[1])["incomplete"].keys()
    assert named == FAILING.keys() - {"sagemaker:ListEndpoints"}
    assert "incomplete" not in json.loads(ask("/_studio/search.json")[1])


def test_home_says_what_waits_and_what_failed_where(ask: Ask) -> None:
    """The step and its reason, not that some step failed; a version's metrics beside its name."""
    needs = {item["title"]: item["text"] for item in json.loads(ask("/_studio/index.json")[1])["needs"]}
    assert needs == {
        "G / 1": "waits for approval, mse 4.821", "P e": "failed at Train: ValueError: a column is missing",
    }  # fmt: skip


def test_addresses_are_bounded(ask: Ask) -> None:
    status, text = ask("/_studio/?" + "&".join(f"a{number}=1" for number in range(300)))
    assert (status, "may have 200 fields" in text) == (413, True)


@pytest.mark.parametrize("name", ["a" * 3000, "%00", "\x00", "..", "../app.py", "style.css/x", ""])
def test_static_files_that_are_none(ask: Ask, name: str) -> None:
    assert ask(f"/_studio/static/{name}")[0] == 404


@pytest.mark.parametrize("region", ["a" * 3000, "../../x", "%00", "1e999", "US-EAST-1"])
def test_a_region_that_is_none_is_the_default_one(ask: Ask, region: str) -> None:
    """It would become a folder's name."""
    status, text = ask("/_studio/", cookie=f"region={region}")
    assert (status, ">us-east-1<" in text, region in text) == (200, True, False)
