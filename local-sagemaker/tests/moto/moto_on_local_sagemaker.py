"""A pytest plugin for moto's own tests: `mock_aws` does nothing, and every client goes to the local service.

What moto does within a call takes its time here, as on AWS: calls that change stacks return when that is done, events
have a moment to reach their targets, and waiters look more often. Roles that tests make with a text that is no policy
get one, since IAM refuses such a text, and some tests try until it does not.
It runs in an environment of its own, beside moto and what its tests need, where this package is not installed.
"""

from __future__ import annotations

import inspect
import json
import os
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ContextDecorator
from typing import Any

import botocore.waiter
import moto
import pytest
from botocore.client import BaseClient
from botocore.exceptions import ClientError
from botocore.waiter import SingleWaiterConfig


class _Nothing(ContextDecorator):
    """`mock_aws` as a context manager, or started and stopped by hand."""

    def __enter__(self) -> _Nothing:
        return self

    def __exit__(self, *error: object) -> None:
        return None

    def start(self, reset: bool = True) -> None:
        """Nothing is to be mocked."""

    def stop(self) -> None:
        """Nothing was mocked."""


def _mock_aws(func: Any = None, config: Any = None) -> Any:
    del config
    return func if callable(func) or inspect.isclass(func) else _Nothing()


moto.mock_aws = _mock_aws


_METHOD = "_make_api_call"
_CALL = getattr(BaseClient, _METHOD)
_CHANGES = {"CreateStack", "UpdateStack", "DeleteStack", "ExecuteChangeSet", "CreateChangeSet"}
_SECONDS = 20
"""How long a stack may take."""


_TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}


def _call(client: Any, operation: str, arguments: dict[str, Any]) -> Any:
    if operation == "CreateRole" and not arguments.get("AssumeRolePolicyDocument", "{").startswith("{"):
        arguments = {**arguments, "AssumeRolePolicyDocument": json.dumps(_TRUST)}
    response = _CALL(client, operation, arguments)
    if operation in _CHANGES and client.meta.service_model.service_name == "cloudformation":
        _wait_for_stack(client, operation, arguments)
    elif operation == "PutEvents":
        time.sleep(0.3)
    return response


def _wait_for_stack(client: Any, operation: str, arguments: dict[str, Any]) -> None:
    end = time.monotonic() + _SECONDS
    names = {name: arguments[name] for name in ("StackName", "ChangeSetName") if name in arguments}
    while time.monotonic() < end:
        try:
            if operation == "CreateChangeSet":
                status = _CALL(client, "DescribeChangeSet", names)["Status"]
            elif "StackName" not in names:
                return
            else:
                status = _CALL(client, "DescribeStacks", {"StackName": names["StackName"]})["Stacks"][0]["StackStatus"]
        except ClientError:  # it is gone
            return
        if not status.endswith(("_IN_PROGRESS", "_PENDING")) or status == "REVIEW_IN_PROGRESS":
            return
        time.sleep(0.05)


class _QuickWaiter(SingleWaiterConfig):
    def __init__(self, single_waiter_config: dict[str, Any]) -> None:
        super().__init__({**single_waiter_config, "delay": 0.1, "maxAttempts": 10 * _SECONDS})


setattr(BaseClient, _METHOD, _call)
vars(botocore.waiter)["SingleWaiterConfig"] = _QuickWaiter


def _reset() -> None:
    url = f"{os.environ['AWS_ENDPOINT_URL']}/_local-sagemaker/reset"
    request = urllib.request.Request(url, b"", {"x-secret": os.environ["AWS_SECRET_ACCESS_KEY"]})
    with urllib.request.urlopen(request, timeout=60):
        pass


def _shares(cls: type | None) -> bool:
    """Whether the tests of a class use what its `setup_class` made."""
    return hasattr(cls, "setup_class") and not hasattr(cls, "setup_method")


@pytest.fixture(autouse=True, scope="class")
def _empty_service_of_class(request: pytest.FixtureRequest) -> None:
    if _shares(request.cls):
        _reset()


@pytest.fixture(autouse=True)
def _empty_service(request: pytest.FixtureRequest) -> Iterator[None]:
    """An empty service for each test; the variables that name it are as they were."""
    if not _shares(request.cls):
        _reset()
    before = dict(os.environ)
    yield
    os.environ.clear()
    os.environ.update(before)
