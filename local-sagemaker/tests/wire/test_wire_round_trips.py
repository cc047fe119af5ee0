"""Every operation there and back: botocore writes and we read, we write and botocore reads."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import urlsplit

import pytest
from botocore.awsrequest import create_request_object, prepare_request_dict
from botocore.parsers import create_parser
from botocore.serialize import create_serializer

from local_sagemaker.api import models
from local_sagemaker.wire import detect
from local_sagemaker.wire.body import Body, source_of
from local_sagemaker.wire.protocols import PROTOCOLS
from local_sagemaker.wire.request import WireRequest
from tests.wire.operations import GROUPS, in_group, list_operations, streams_events
from tests.wire.samples import plain, sample

SAME_REQUEST = {
    "s3:PutBucketLifecycle": "s3:PutBucketLifecycleConfiguration",
    "s3:GetBucketLifecycle": "s3:GetBucketLifecycleConfiguration",
    "s3:PutBucketNotification": "s3:PutBucketNotificationConfiguration",
    "s3:GetBucketNotification": "s3:GetBucketNotificationConfiguration",
    "s3:ListDirectoryBuckets": "s3:ListBuckets",
}
"""Operations whose request is another's, which is what the wire takes it for."""
AMBIGUOUS = {"s3:GetBucketNotification": "its deprecated model has two members in one element"}
ELSEWHERE = {"s3:WriteGetObjectResponse": "has a host name of its own"}


def sent(name: str, parameters: dict[str, Any], host: str = "http://127.0.0.1:5000") -> WireRequest:
    """The request as botocore sends it."""
    service, _, operation_name = name.partition(":")
    operation = models.operation(service, operation_name)
    serializer = create_serializer(operation.service_model.resolved_protocol, include_validation=False)
    written = serializer.serialize_to_request(parameters, operation)
    prepare_request_dict(written, host)
    prepared = create_request_object(written).prepare()
    body = prepared.body.read() if hasattr(prepared.body, "read") else prepared.body or b""
    body = body.encode() if isinstance(body, str) else bytes(body)
    url = urlsplit(prepared.url)
    headers = {
        key.lower(): value.decode() if isinstance(value, bytes) else str(value)
        for key, value in prepared.headers.items()
    }
    headers["host"] = url.netloc
    return WireRequest(prepared.method, url.path, url.query, headers, Body(source_of(body), length=len(body)))


def parsed(name: str, request: WireRequest) -> tuple[str, dict[str, Any]]:
    """The name and members that the wire makes of a request."""
    signing = models.model(name.partition(":")[0]).signing_name
    target = detect.find(signing, request)
    return target.name, PROTOCOLS[target.protocol].parse(request, target)


def check_each(group: str, check: Callable[[str], None], without: Iterable[str]) -> None:
    """Checks all operations of a group. A test for each would have pytest report 3,000, and collect them per worker."""
    failures = []
    for name in in_group(group) - {*without}:
        try:
            check(name)
        except Exception as error:
            error.add_note(name)
            failures.append(error)
    if failures:
        raise ExceptionGroup(f"{len(failures)} operations of {group}", failures)


@pytest.mark.parametrize("group", GROUPS)
def test_requests_of_botocore_are_read_back(group: str) -> None:
    check_each(group, check_request, ELSEWHERE)


def check_request(name: str) -> None:
    shape = models.operation(*name.split(":")).input_shape
    parameters = sample(shape) if shape is not None else {}
    found, members = parsed(name, sent(name, parameters))
    assert found == SAME_REQUEST.get(name, name)
    if name not in SAME_REQUEST:
        assert plain(members) == plain(parameters)


@pytest.mark.parametrize("group", GROUPS)
def test_requests_with_required_members_only_are_found(group: str) -> None:
    check_each(group, check_short_request, ELSEWHERE)


def check_short_request(name: str) -> None:
    shape = models.operation(*name.split(":")).input_shape
    parameters = sample(shape) if shape is not None else {}
    few = {member: parameters[member] for member in (shape.required_members if shape is not None else ())}
    found, members = parsed(name, sent(name, few))
    assert found == SAME_REQUEST.get(name, name)
    if name not in SAME_REQUEST:
        assert {key: value for key, value in plain(members).items() if key in few} == plain(few)


@pytest.mark.parametrize("group", GROUPS)
def test_answers_are_read_by_botocore(group: str) -> None:
    check_each(group, check_answer, AMBIGUOUS)


def check_answer(name: str) -> None:
    operation = models.operation(*name.split(":"))
    shape = operation.output_shape
    response = plain(sample(shape)) if shape is not None else {}
    target = detect.Target(operation.service_model.service_name, operation, {})
    answer = PROTOCOLS[target.protocol].respond(response, target)
    body = io.BytesIO(answer.body) if operation.has_streaming_output else answer.body  # as its client passes it
    raw = {"status_code": answer.status, "headers": _Headers(answer.headers), "body": body}
    understood = create_parser(operation.service_model.resolved_protocol).parse(raw, shape)
    understood.pop("ResponseMetadata")
    if name == "s3:GetBucketLocation":  # botocore reads this one by a special case of its client
        region = response["LocationConstraint"].encode()
        assert answer.body.endswith(
            b'<LocationConstraint xmlns="http://s3.amazonaws.com/doc/2006-03-01/">' + region + b"</LocationConstraint>"
        )
        return
    assert plain(understood) == response


class _Headers(dict[str, str]):
    """Headers by names in lower case, as botocore's parsers look them up."""

    def __init__(self, headers: dict[str, str]) -> None:
        super().__init__({name.lower(): value for name, value in headers.items()})

    def get(self, key: str, default: Any = None) -> Any:
        return super().get(key.lower(), default)

    def __getitem__(self, key: str) -> str:
        return super().__getitem__(key.lower())

    def __contains__(self, key: object) -> bool:
        return super().__contains__(str(key).lower())


def test_every_implemented_operation_is_in_a_model_and_covered() -> None:
    assert list_operations(), "no class in local_sagemaker.services has a marked method"
    covered = set().union(*map(in_group, GROUPS))
    assert len(covered) > 1_000 and covered > {*SAME_REQUEST, *AMBIGUOUS, *ELSEWHERE}
    others = set(list_operations()) - covered
    assert all(streams_events(models.operation(*name.split(":"))) for name in others), others
