"""Environment variables that sound secret, in every way that the services' documents hold them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from local_sagemaker.masking import MASK, is_secret, mask_at, mask_document, number_secrets

SECRET = "s3cr3t"
PAIRS = [{"name": "API_TOKEN", "value": SECRET, "type": "PLAINTEXT"}, {"name": "STAGE", "value": "test"}]
CAPITAL = [{"Name": "API_TOKEN", "Value": SECRET}, {"Name": "STAGE", "Value": "test"}]
VARIABLES = {"API_TOKEN": SECRET, "STAGE": "test"}


@pytest.mark.parametrize("document", [
    {"Environment": VARIABLES},
    {"Environment": {**VARIABLES, "API_TOKEN": {"Std:Join": {"On": "", "Values": [SECRET, {"Get": "Parameters.P"}]}}}},
    {"Containers": [{"Environment": VARIABLES}]},
    {"Environment": {"Variables": VARIABLES}},
    {"Environment": CAPITAL},
    {"environment": PAIRS},
    {"environment": {"environmentVariables": PAIRS}},
    {"detail": {"additional-information": {"environment": {"environment-variables": PAIRS}}}},
    {"exportedEnvironmentVariables": PAIRS},
    {"environmentVariablesOverride": PAIRS},
    {"configuration": {"ProjectName": "p", "EnvironmentVariables": json.dumps(PAIRS)}},
    {"configuration": {"EnvironmentVariables": json.dumps(VARIABLES | {"Environment": VARIABLES, "API_TOKEN": ""})}},
    {"Environment": {"Type": "LINUX_CONTAINER", "EnvironmentVariables": [*CAPITAL]}},
    {"Resources": {"Job": {"Environment": {"Variables": VARIABLES, "Other": {"Environment": VARIABLES}}}}},
])  # fmt: skip
def test_a_document_in_each_spelling(document: Any) -> None:
    shown = json.dumps(mask_document(document), ensure_ascii=False)
    assert SECRET not in shown
    assert MASK in shown
    assert "test" in shown, "what is no secret is shown"
    assert mask_document(mask_document(document)) == mask_document(document)


@pytest.mark.parametrize("document", [
    {"Environment": "prod"}, {"environment": {"type": "LINUX_CONTAINER"}}, {"Environment": {"STAGE": "test"}},
    {"configuration": {"EnvironmentVariables": '[ {"name":"A","value":"1"} ]'}}, {"HyperParameters": {"key": "1"}},
    {"Environment": {"API_TOKEN": ""}}, {"EnvironmentVariables": "#{variables.A}"}, ["a", 1, None],
])  # fmt: skip
def test_what_is_no_secret_is_as_it_was(document: Any) -> None:
    assert mask_document(document) == document


def test_text_that_cannot_be_read_is_masked_as_a_whole() -> None:
    assert mask_document({"EnvironmentVariables": f"[API_TOKEN: {SECRET}"}) == {"EnvironmentVariables": MASK}


def test_a_member_of_a_document_by_its_path() -> None:
    assert mask_at("Environment.API_TOKEN", SECRET) == MASK
    assert mask_at("Containers[0].Environment.API_TOKEN.Std:Join.Values[0]", SECRET) == MASK
    assert mask_at("Environment", VARIABLES) == {**VARIABLES, "API_TOKEN": MASK}
    assert mask_at("Environment.STAGE", "test") == "test"
    assert mask_at("HyperParameters.key", "1") == "1"


def test_different_values_have_different_numbers() -> None:
    hide = number_secrets()
    shown = [mask_document({"Environment": {"A_KEY": value}}, hide)["Environment"]["A_KEY"] for value in "aba"]
    assert shown == [f"{MASK} 1", f"{MASK} 2", f"{MASK} 1"]
    assert is_secret("db_password")
