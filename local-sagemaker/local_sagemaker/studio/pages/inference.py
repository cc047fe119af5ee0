"""A test request to an endpoint: its response, and the same as Python and as a command."""

from __future__ import annotations

import csv
import io
import json
import shlex
import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from local_sagemaker.errors import ServiceError
from local_sagemaker.json_text import load
from local_sagemaker.studio.page import Visit
from local_sagemaker.studio.pages.recent_inferences import InferenceTry, last_tries, note_try

_LARGEST = 256 * 1024
_MEMBERS = (
    ("ContentType", "content_type"), ("Accept", "accept"), ("TargetVariant", "variant"), ("TargetModel", "model"),
    ("InferenceId", "inference"),
)  # fmt: skip


@dataclass(frozen=True)
class InferenceResult:
    """The response to a test request. `table` are the rows of a CSV response."""

    status: str
    is_error: bool
    text: str
    milliseconds: float
    content_type: str = ""
    variant: str = ""
    table: list[list[str]] = field(default_factory=list)


@dataclass(frozen=True)
class InferenceTest:
    """A test request as it is in the form, with its response once it was sent."""

    body: str
    members: dict[str, str]
    response: InferenceResult | None
    python: str
    command: str
    tries: list[InferenceTry] = field(default_factory=list)


def try_inference(visit: Visit, endpoint: str) -> InferenceTest:
    """What the form or the address says; sent if the form's action is to invoke."""
    fields = visit.form if visit.form else visit.query
    body = (fields.get("body") or [""])[0].replace("\r\n", "\n")
    members = {member: (fields.get(key) or [""])[0] for member, key in _MEMBERS}
    members["ContentType"] = members["ContentType"] or "text/csv"
    chosen = {member: value for member, value in members.items() if value}
    is_sent = visit.field("action") == "invoke"
    response = _invoke(visit, endpoint, body, chosen) if is_sent else None
    if response is not None:
        note_try(visit, endpoint, body, chosen, response)
    return InferenceTest(
        body, members, response, _python(endpoint, body, chosen), _command(endpoint, body, chosen),
        last_tries(visit, endpoint) if visit.value("tab") == "test" else [],
    )  # fmt: skip


def _invoke(visit: Visit, endpoint: str, body: str, members: dict[str, str]) -> InferenceResult:
    """Sends the request; an error of the API is a response, too."""
    started = time.perf_counter()
    request: dict[str, Any] = {"EndpointName": endpoint, "Body": body.encode(), **members}
    try:
        response = visit.call("sagemaker-runtime:InvokeEndpoint", request)
    except ServiceError as error:
        took = 1000 * (time.perf_counter() - started)
        return InferenceResult(f"{error.status} {error.code}", True, error.message, took)
    took = 1000 * (time.perf_counter() - started)
    content = response.get("Body", b"")
    raw = content if isinstance(content, bytes) else bytes(content.read())
    text, kind = raw[:_LARGEST].decode("utf-8", "replace"), response.get("ContentType", "")
    if "json" in kind:
        with suppress(ValueError):
            text = json.dumps(load(text), indent=2, ensure_ascii=False)
    table = list(csv.reader(io.StringIO(text)))[:100] if "csv" in kind else []
    return InferenceResult("200 OK", False, text, took, kind, response.get("InvokedProductionVariant", ""), table)


def _python(endpoint: str, body: str, members: dict[str, str]) -> str:
    lines = [f"    {member}={value!r}," for member, value in members.items()]
    return "\n".join(
        [
            "import boto3", "", 'response = boto3.client("sagemaker-runtime").invoke_endpoint(',
            f"    EndpointName={endpoint!r},", *lines, f"    Body={body.encode()!r},", ")",
            'print(response["Body"].read().decode())',
        ]
    )  # fmt: skip


def _command(endpoint: str, body: str, members: dict[str, str]) -> str:
    """A pipe, since versions 1 and 2 of the AWS CLI agree on bodies that are files only."""
    words = ["local-sagemaker", "exec", "--", "aws", "sagemaker-runtime", "invoke-endpoint"]
    words += ["--endpoint-name", endpoint]
    names = {"ContentType": "content-type", "Accept": "accept", "TargetVariant": "target-variant",
             "TargetModel": "target-model", "InferenceId": "inference-id"}  # fmt: skip
    for member, value in members.items():
        words += [f"--{names[member]}", value]
    sends = shlex.join([*words, "--body", "fileb:///dev/stdin", "/dev/stdout"])
    return f"printf %s {shlex.quote(body)} | {sends}"
