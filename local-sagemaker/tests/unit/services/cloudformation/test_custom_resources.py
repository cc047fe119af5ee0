"""How custom resources wait for responses, and what is no response (user guide, "crpg-ref")."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from typing import Any

import pytest

from local_sagemaker.cloudformation.errors import TemplateError
from local_sagemaker.http import RawRequest
from local_sagemaker.services.cloudformation.custom_responses import CustomResponses
from local_sagemaker.services.cloudformation.handlers.custom import CustomResource
from local_sagemaker.services.cloudformation.handlers.handler import Cancelled, DeploymentContext, Identity

FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:f"
TOPIC = "arn:aws:sns:us-east-1:123456789012:t"
Provider = Callable[[CustomResponses, str, str], None]


def put(responses: CustomResponses, url: str, body: str) -> int:
    path, _, query = url.removeprefix("http://host").partition("?")
    return responses.respond(RawRequest("PUT", path, query, body=body.encode())).status


class Made:
    """A context whose provider responses at once with `body`; what it was sent, and what was kept, by the handler."""

    def __init__(self, body: str | None) -> None:
        self.responses, self.sent, self.kept = CustomResponses("http://host"), [("", {})], list[Identity]()
        self.body, self.cancelled = body, threading.Event()
        self.sent.clear()

    def call(self, operation: str, request: dict[str, Any]) -> dict[str, Any]:
        self.sent.append((operation, request))
        document = json.loads(request.get("Payload") or request["Message"])
        if self.body is not None:
            assert put(self.responses, document["ResponseURL"], self.body) == 200
            assert put(self.responses, document["ResponseURL"], "{}") == 200  # the first response counts
        return {}

    def context(self) -> DeploymentContext:
        return DeploymentContext(self.call, "123456789012", "us-east-1", "s", "Made", self.cancelled, self.kept.append,
                                 stack_id="arn:s", kind="Custom::A", responses=self.responses)  # fmt: skip

    def create(self, **properties: Any) -> Identity:
        return CustomResource().create(self.context(), {"ServiceToken": FUNCTION, **properties})


def response(**members: Any) -> str:
    return json.dumps({"Status": "SUCCESS", "PhysicalResourceId": "id", **members})


def test_an_answer_is_the_resource() -> None:
    made = Made(response(Data={"Text": "a", "Number": 1.5, "Flag": False, "List": [1, "b"], "Deep.Name": "c"}))
    identity = made.create()
    assert identity.attributes == {"Text": "a", "Number": "1.5", "Flag": "false", "List": ["1", "b"], "Deep.Name": "c"}
    (operation, request), = made.sent  # fmt: skip
    assert (operation, request["FunctionName"], request["InvocationType"]) == ("lambda:Invoke", FUNCTION, "Event")
    url = json.loads(request["Payload"])["ResponseURL"]
    assert put(made.responses, url, "{}") == 403  # it has ended with the wait


def test_a_topic_is_asked_too_and_an_update_may_make_another() -> None:
    made = Made(response())
    properties = {"ServiceToken": TOPIC}
    same = CustomResource().update(made.context(), Identity("id"), properties, {**properties, "A": "1"})
    other = CustomResource().update(made.context(), Identity("first"), properties, {**properties, "A": "1"})
    assert (same.replaces, other.replaces, other.physical) == (False, True, "id")
    assert [operation for operation, _ in made.sent] == ["sns:Publish", "sns:Publish"]
    assert made.sent[0][1]["TopicArn"] == TOPIC
    with pytest.raises(TemplateError, match="Modifying service token is not allowed"):
        CustomResource().update(made.context(), Identity("id"), properties, {"ServiceToken": FUNCTION})


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ("{", "Invalid Json"),
        ("[]", "Invalid Response object"),
        (response(Data="x" * 4096), "Response object is too long."),
        (response(Status="DONE"), "Status must be SUCCESS or FAILED"),
        (response(PhysicalResourceId=""), "Invalid PhysicalResourceId"),
        (response(PhysicalResourceId="x" * 1025), "Invalid PhysicalResourceId"),
        (response(Data=["a"]), "Data must be an object"),
    ],
)
def test_what_is_no_answer(body: str, text: str) -> None:
    with pytest.raises(TemplateError, match=text):
        Made(body).create()


def test_without_an_answer_in_time_it_has_failed_and_has_an_id_to_be_deleted_by() -> None:
    made = Made(None)
    with pytest.raises(TemplateError, match=r"did not receive a response .* for requestId \[[0-9a-f-]{36}\]\."):
        made.create(ServiceTimeout="1")
    (kept,) = made.kept
    assert kept.physical.startswith("s-Made-")
    for wrong in (0, 3601, "soon"):
        with pytest.raises(TemplateError, match="an integer from 1 to 3600"):
            made.create(ServiceTimeout=wrong)
    assert len(made.sent) == 1
    made.cancelled.set()
    with pytest.raises(Cancelled):
        made.create()


def test_nobody_else_answers() -> None:
    responses = CustomResponses("http://host")
    with responses.expect("us-east-1", "arn:s|Made|1") as pending:
        path, _, query = pending.url.removeprefix("http://host").partition("?")
        assert responses.has_path(path)
        wrong = (RawRequest("PUT", path, "key=1"), RawRequest("PUT", path + "x", query), RawRequest("GET", path, query))
        assert {responses.respond(request).status for request in wrong} == {403} and not pending.arrived.is_set()
