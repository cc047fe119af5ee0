"""Generated secrets: the template that a password is put into."""

from __future__ import annotations

import pytest

from local_sagemaker.errors import ValidationError
from local_sagemaker.services.cloudformation.handlers.secrets_and_images import read_template


def test_a_template_is_an_object() -> None:
    assert read_template('{"user": "me"}') == {"user": "me"}
    assert read_template(None) == {}


@pytest.mark.parametrize("text", ["[1]", '"me"', "{user: me}", "[" * 5_000])
def test_another_template_is_refused_in_words(text: str) -> None:
    with pytest.raises(ValidationError, match="SecretStringTemplate is no JSON"):
        read_template(text)
