"""Generated secrets: the template that a password is put into."""

from __future__ import annotations

from unittest.mock import MagicMock

import pytest

from local_sagemaker.errors import ValidationError
from local_sagemaker.services.cloudformation.handlers.secrets_and_images import read_template, value_of


def test_a_template_is_an_object() -> None:
    assert read_template('{"user": "me"}') == {"user": "me"}
    assert read_template(None) == {}


@pytest.mark.parametrize("text", ["[1]", '"me"', "{user: me}", "[" * 5_000])
def test_another_template_is_refused_in_words(text: str) -> None:
    with pytest.raises(ValidationError, match="SecretStringTemplate is no JSON"):
        read_template(text)


@pytest.mark.parametrize(
    ("properties", "text"),
    [
        ({"SecretString": "a", "GenerateSecretString": {}}, "both SecretString and GenerateSecretString"),
        ({"GenerateSecretString": {"SecretStringTemplate": "{}"}}, "must be specified together"),
        ({"GenerateSecretString": {"GenerateStringKey": "key"}}, "must be specified together"),
    ],
)
def test_members_that_would_be_dropped_are_refused(properties: dict[str, object], text: str) -> None:
    with pytest.raises(ValidationError, match=text):
        value_of(MagicMock(), properties)
