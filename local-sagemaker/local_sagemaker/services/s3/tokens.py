"""Continuation tokens: opaque to clients, the name to continue from inside."""

from __future__ import annotations

import base64

from local_sagemaker.services.s3.errors import InvalidArgument


def make_token(name: str) -> str:
    """A token that holds a name."""
    return base64.urlsafe_b64encode(b"1" + name.encode()).decode()


def read_token(token: str) -> str:
    """The name in a token. Raises S3's error for anything that is none, the empty text too."""
    try:
        text = base64.b64decode(token, altchars="-_", validate=True).decode()
    except ValueError:
        text = ""
    if not text.startswith("1"):
        raise InvalidArgument(
            "The continuation token provided is incorrect", ArgumentName="continuation-token", ArgumentValue=token
        )
    return text[1:]
