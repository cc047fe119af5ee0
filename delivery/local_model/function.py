"""The Lambda function that invokes the endpoint, with its role and its log group."""

from __future__ import annotations

import io
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from delivery import ownership
from delivery.clients import Clients, is_absent
from delivery.errors import not_found
from delivery.serverless import LAMBDA_LOGS, ensure_role

CODE = Path(__file__).with_name("predict.py")
RUNTIME = "python3.12"
TIMEOUT = 29  # seconds: as long as API Gateway waits
DAYS = 30  # that logs are kept; without a word they are for ever
ATTEMPTS = 6


def put_function(clients: Clients, function: str, endpoint: str, name: str) -> str:
    """Creates or updates the function and what it needs: its ARN.

    :param name: whose it is, as the tags say it.
    """
    role = _role(clients, function, endpoint, name)
    _log_group(clients, function, name)
    settings = {
        "Role": role,
        "Runtime": RUNTIME,
        "Handler": f"{CODE.stem}.lambda_handler",
        "Timeout": TIMEOUT,
        "MemorySize": 256,
        "Environment": {"Variables": {"ENDPOINT_NAME": endpoint}},
    }
    client = clients.functions
    try:
        arn = client.get_function(FunctionName=function)["Configuration"]["FunctionArn"]
    except ClientError as error:
        if not is_absent(error):
            raise
        tags = ownership.make_mapping(ownership.LOCAL_MODEL, name)
        made = _patiently(
            lambda: client.create_function(FunctionName=function, Code={"ZipFile": code()}, Tags=tags, **settings)
        )
        client.get_waiter("function_active_v2").wait(FunctionName=function, WaiterConfig={"Delay": 1})
        return str(made["FunctionArn"])
    _patiently(lambda: client.update_function_configuration(FunctionName=function, **settings))
    client.get_waiter("function_updated_v2").wait(FunctionName=function, WaiterConfig={"Delay": 1})
    client.update_function_code(FunctionName=function, ZipFile=code())
    client.get_waiter("function_updated_v2").wait(FunctionName=function, WaiterConfig={"Delay": 1})
    return str(arn)


def code() -> bytes:
    """The archive that Lambda takes: the same file is the same archive."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as zipped:
        member = zipfile.ZipInfo(CODE.name, (1980, 1, 1, 0, 0, 0))
        member.external_attr = 0o644 << 16  # readable for the user that Lambda runs it as
        zipped.writestr(member, CODE.read_bytes())
    return archive.getvalue()


def _role(clients: Clients, function: str, endpoint: str, name: str) -> str:
    """:raises NotFoundError: if there is no such endpoint."""
    try:
        arn = clients.sagemaker.describe_endpoint(EndpointName=endpoint)["EndpointArn"]
    except ClientError as error:
        if not is_absent(error):
            raise
        raise not_found("endpoint", endpoint, ()) from error
    allowed = {"Effect": "Allow", "Action": "sagemaker:InvokeEndpoint", "Resource": arn}
    tags = ownership.tags(ownership.LOCAL_MODEL, name)
    return ensure_role(clients, f"{function}-role", [allowed], tags)[0]


def _log_group(clients: Clients, function: str, name: str) -> None:
    """Made before Lambda makes it, so that it has tags and ends."""
    group = f"{LAMBDA_LOGS}{function}"
    try:
        clients.logs.create_log_group(logGroupName=group, tags=ownership.make_mapping(ownership.LOCAL_MODEL, name))
    except clients.logs.exceptions.ResourceAlreadyExistsException:
        return
    clients.logs.put_retention_policy(logGroupName=group, retentionInDays=DAYS)


def _patiently(call: Callable[[], Any]) -> Any:
    """Again for a while, as Lambda cannot assume a role in the first seconds of its life."""
    for attempt in range(ATTEMPTS):
        try:
            return call()
        except ClientError as error:
            if "cannot be assumed" not in error.response["Error"]["Message"] or attempt == ATTEMPTS - 1:
                raise
        time.sleep(2**attempt)
    return None
