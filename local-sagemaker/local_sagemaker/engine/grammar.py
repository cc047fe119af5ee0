"""The words of AWS's definition parser: what is read, and how it says what it can't read."""

from __future__ import annotations

import json
import re
from typing import Any

from local_sagemaker.errors import ValidationError

Json = Any
PREFIX = "Unable to parse pipeline definition."
_NAME = re.compile(r"[A-Za-z0-9\-_]{1,64}")


def invalid(text: str) -> ValidationError:
    """The error of a definition that can't be read, as AWS words its beginning."""
    return ValidationError(f"{PREFIX} {text}")


def without_nulls(value: Json) -> Json:
    """The value without object members that are null, at any depth."""
    if isinstance(value, dict):
        return {key: without_nulls(item) for key, item in value.items() if item is not None}
    if isinstance(value, list):
        return [without_nulls(item) for item in value]
    return value


def read_object(value: Json, *members: str) -> dict[str, Json]:
    """The value as an object; with `members`, one that has no others.

    AWS's text for an unknown one is recorded in aws/sagemaker-python-sdk issue 2746.
    """
    if not isinstance(value, dict):
        raise invalid("Expecting start of Json Object.")
    for name in value:
        if members and name not in members:
            raise unknown_property(name)
    return value


def unknown_property(name: str) -> ValidationError:
    """The error of a member that an object of the definition's own grammar does not have."""
    return invalid(f"Cannot parse object, unknown property '{name}'.")


def read_array(value: Json) -> list[Json]:
    """The value as an array."""
    if not isinstance(value, list):
        raise invalid("Expecting start of Json Array.")
    return value


def read_text(owner: str, member: str, value: Json, limit: int) -> str:
    """The value as a string of at most `limit` characters."""
    if not isinstance(value, str) or len(value) > limit:
        raise invalid(f"{member} of {owner} must be a string of at most {limit} characters.")
    return value


def read_name(what: str, value: Json) -> str:
    """The name of a step or of a parameter."""
    if not isinstance(value, str) or not _NAME.fullmatch(value):
        raise invalid(f"{what} name {quote(value)} must match ^[A-Za-z0-9\\-_]{{1,64}}$.")
    return value


def quote(value: Json) -> str:
    """A value inside a message, cut where it is long."""
    shown = json.dumps(value)
    return shown if len(shown) <= 300 else f"{shown[:300]}..."
