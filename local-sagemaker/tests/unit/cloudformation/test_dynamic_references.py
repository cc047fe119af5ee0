"""Dynamic references of templates: what they lead to, and what is refused (contracts: delivery 2.2)."""

from __future__ import annotations

import json
from typing import Any

import pytest

from local_sagemaker.cloudformation.dynamic_references import DynamicReferences, refuse_secure
from local_sagemaker.cloudformation.errors import TemplateError
from local_sagemaker.cloudformation.template import load
from local_sagemaker.errors import ServiceError

ARN = "arn:aws:secretsmanager:us-east-1:123456789012:secret:db-AbCdEf"
VERSIONS = {"": "new", "AWSPREVIOUS": "old", "id-1": "first"}


def call(name: str, request: dict[str, Any]) -> dict[str, Any]:
    if name == "ssm:GetParameter" and request["Name"] in ("/a", "/a:1"):
        return {"Parameter": {"Value": f"value of {request['Name']}"}}
    if name == "secretsmanager:GetSecretValue" and request["SecretId"] in ("db", ARN):
        version = VERSIONS[request.get("VersionStage") or request.get("VersionId") or ""]
        return {"SecretString": json.dumps({"user": version, "port": 5432})}
    raise ServiceError("not here", code="NotFound", status=400)


@pytest.mark.parametrize(
    ("value", "result"),
    [
        ("{{resolve:ssm:/a}}", "value of /a"),
        ({"list": ["x {{resolve:ssm:/a:1}} y", 5]}, {"list": ["x value of /a:1 y", 5]}),
        ("{{resolve:secretsmanager:db:SecretString:user}}", "new"),
        ("{{resolve:secretsmanager:db:SecretString:user::}}", "new"),
        ("{{resolve:secretsmanager:db:SecretString:user:AWSPREVIOUS}}", "old"),
        ("{{resolve:secretsmanager:db:SecretString:user::id-1}}", "first"),
        (f"{{{{resolve:secretsmanager:{ARN}:SecretString:port}}}}", "5432"),
        ("{{resolve:secretsmanager:db}}", '{"user": "new", "port": 5432}'),
        ("{{resolve:secretsmanager:db:SecretString}}", '{"user": "new", "port": 5432}'),
    ],
)
def test_a_reference_is_what_it_leads_to(value: Any, result: Any) -> None:
    assert DynamicReferences(call).resolve(value) == result


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("{{resolve:ssm:/none}}", "Unable to fetch parameters [/none] from parameter store for this account."),
        ("{{resolve:ssm:/a:}}", "Incorrect format is used in the following SSM reference: [{{resolve:ssm:/a:}}]"),
        ("{{resolve:ssm-secure:/a}}", "SSM Secure reference is not supported in: [{{resolve:ssm-secure:/a}}]"),
        ("{{resolve:secretsmanager:none}}", "not here"),
        ("{{resolve:secretsmanager:db:SecretString:no}}", "Could not find a value associated with JSONKey in "
         "SecretString"),
        ("{{resolve:secretsmanager:db:SecretBinary:user}}", "Incorrect format is used in the following secret "
         "reference: db:SecretBinary:user"),
    ],
)  # fmt: skip
def test_a_reference_that_leads_nowhere_is_refused(value: str, message: str) -> None:
    references = DynamicReferences(call)
    with pytest.raises(TemplateError) as raised:
        references.resolve(value)
    assert raised.value.message == message
    assert references.known({"a": value}) == {"a": value}


def test_a_reference_that_stays_is_the_same_value_before_and_after() -> None:
    """What is changed beside it is all that a handler sees; one that is gone is not read any more."""
    before = {"Name": "{{resolve:ssm:/a}}", "Rows": [{"To": "{{resolve:ssm:/a:1}}"}], "Gone": "{{resolve:ssm:/none}}"}
    after = {"Name": "{{resolve:ssm:/a}}", "Rows": [{"To": "{{resolve:ssm:/a:1}}"}, {"To": "x"}]}
    _, noted = DynamicReferences(call).resolve_and_note(after)
    present, wanted, digests = DynamicReferences(call).resolve_both(before, after, noted)
    assert digests == noted and "value of" not in str(noted)
    assert present == {"Name": "value of /a", "Rows": [{"To": "value of /a:1"}], "Gone": "{{resolve:ssm:/none}}"}
    assert wanted == {"Name": "value of /a", "Rows": [{"To": "value of /a:1"}, {"To": "x"}]}
    assert DynamicReferences(call).resolve_both(before, after, {})[0] == present, "nothing is noted"
    present, _, _ = DynamicReferences(call).resolve_both(before, after, {**noted, "{{resolve:ssm:/a}}": "another"})
    assert present["Name"] == "{{resolve:ssm:/a}}"
    with pytest.raises(TemplateError):
        DynamicReferences(call).resolve_both(after, before, noted)


def test_records_with_values_are_what_the_references_lead_to() -> None:
    """Other values, other references and references that lead nowhere are changes."""
    before = {"A": "value of /a", "B": [{"C": "5432"}], "D": "other", "E": "{{resolve:ssm:/a:1}}", "F": "x", "G": 1}
    port = "{{resolve:secretsmanager:db:SecretString:port}}"
    after = {"A": "{{resolve:ssm:/a}}", "B": [{"C": port}], "D": "{{resolve:ssm:/a}}", "E": "{{resolve:ssm:/a}}",
             "F": "{{resolve:ssm:/none}}", "New": "{{resolve:ssm:/a}}"}  # fmt: skip
    expected = {**before, "A": "{{resolve:ssm:/a}}", "B": [{"C": port}]}
    assert DynamicReferences(call).as_written(before, after) == expected


def test_encrypted_parameters_are_refused_by_the_property() -> None:
    document = {"Resources": {"P": {"Type": "AWS::SNS::Topic", "Properties": {
        "DisplayName": {"Fn::Sub": "{{resolve:ssm-secure:/a:1}}"}, "Tags": [{"Key": "k", "Value": "v"}],
    }}}}  # fmt: skip
    with pytest.raises(TemplateError) as raised:
        refuse_secure(load(json.dumps(document)).resources["P"])
    assert raised.value.message == "SSM Secure reference is not supported in: [AWS::SNS::Topic/Properties/DisplayName]"
