"""AWS's refusals of what someone typed: one sentence about the value, by the errors that the clients really raise."""

from __future__ import annotations

import boto3
import pytest
from botocore.exceptions import ClientError, ParamValidationError

from pipelines.refusals import describe


def refused(message: str, code: str = "ValidationException") -> str:
    return describe(ClientError({"Error": {"Code": code, "Message": message}}, "CreatePipeline"))


def test_a_value_that_does_not_match() -> None:
    text = "1 validation error detected: Value 'a b' at 'pipelineName' failed to satisfy constraint: Member must "
    assert refused(f"{text}satisfy regular expression pattern: [a-z]+") == (
        "'a b' is no pipeline name: it must match [a-z]+"
    )
    assert refused(f"{text}have length less than or equal to 256") == (
        "'a b' is no pipeline name: it must have length less than or equal to 256"
    )


def test_other_refusals_keep_their_words() -> None:
    several = "2 validation errors detected: Value 'a' at 'x' failed to satisfy constraint: Member must match; more"
    for message in (several, "The pipeline is in use."):
        assert message in refused(message)
    assert describe(KeyError()) == "KeyError"


def test_what_the_client_refuses_itself() -> None:
    client = boto3.client("s3", region_name="us-east-1", aws_access_key_id="a", aws_secret_access_key="b")
    with pytest.raises(ParamValidationError) as caught:
        client.head_bucket(Bucket="A B")
    text = describe(caught.value)
    assert (
        text.startswith('Invalid bucket name "A B": Bucket name must match the regex') and len(text.splitlines()) == 1
    )
    assert "accesspoint" not in text
