"""Lambda functions: configuration, a test with a JSON event, the end of the log."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from typing import Any

from local_sagemaker import json_text
from local_sagemaker.errors import ValidationError
from local_sagemaker.studio import urls
from local_sagemaker.studio.page import Page, Visit
from local_sagemaker.studio.pages.log_window import clean
from local_sagemaker.studio.views.times import parse_time


@dataclass(frozen=True)
class FunctionRow:
    """A function of the list."""

    name: str
    href: str
    runtime: str
    modified: float | None
    description: str


@dataclass(frozen=True)
class FunctionsContext:
    """What the list of functions shows."""

    rows: list[FunctionRow] = field(metadata={"help": "functions"})
    next: str = field(metadata={"help": "the next page's marker, empty on the last"})


def load(visit: Visit) -> FunctionsContext:
    """lambda:ListFunctions."""
    request: dict[str, Any] = {"MaxItems": 50}
    if visit.value("token"):
        request["Marker"] = visit.value("token")
    response = visit.call("lambda:ListFunctions", request)
    rows = [
        FunctionRow(
            item["FunctionName"], urls.to("functions", item["FunctionName"]), item.get("Runtime", ""),
            parse_time(str(item.get("LastModified", ""))), item.get("Description", ""),
        )
        for item in response.get("Functions", [])
    ]  # fmt: skip
    return FunctionsContext(rows, response.get("NextMarker", ""))


@dataclass(frozen=True)
class FunctionContext:
    """What a function's page shows."""

    name: str = field(metadata={"help": "the function's name"})
    arn: str = field(metadata={"help": "its ARN"})
    configuration: dict[str, Any] = field(metadata={"help": "GetFunctionConfiguration's response"})
    response: str = field(metadata={"help": "the payload of the test, if one was sent"})
    failure: str = field(metadata={"help": "FunctionError of the test"})
    log: list[str] = field(metadata={"help": "the end of the test's log"})


def load_one(visit: Visit) -> FunctionContext:
    """The configuration, and the response to a test event."""
    body = visit.call("lambda:GetFunctionConfiguration", {"FunctionName": visit.path["function"]})
    response, failure, log = "", "", []
    if visit.field("action") == "invoke":
        text = visit.field("event") or "{}"
        try:
            json_text.load(text)
        except ValueError as error:
            raise ValidationError(f"The event is no JSON: {error}") from error
        request = {"FunctionName": body["FunctionName"], "Payload": text.encode(), "LogType": "Tail"}
        result = visit.call("lambda:Invoke", request)
        payload = result.get("Payload", b"")
        response = payload.decode("utf-8", "replace") if isinstance(payload, bytes) else str(payload)
        failure = result.get("FunctionError", "")
        log = [
            clean(line)
            for line in base64.b64decode(result.get("LogResult", "")).decode("utf-8", "replace").splitlines()
        ]
    return FunctionContext(body["FunctionName"], body["FunctionArn"], body, response, failure, log)


def act(_visit: Visit) -> str:
    """The test's response is on the page."""
    return ""


PAGE = Page("/functions", load, "functions.html", "Functions")
FUNCTION = Page("/functions/{function}", load_one, "function.html", "Functions", act)
