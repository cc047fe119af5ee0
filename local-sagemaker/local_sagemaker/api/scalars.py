"""Scalars of the model's shapes as text and back, where documents and headers need them.

Dicts inside the service hold times as float seconds since the epoch, blobs as bytes, everything else as JSON has it.
"""

from __future__ import annotations

import base64
import json
import re
from datetime import UTC, datetime
from email.utils import formatdate, parsedate_to_datetime
from typing import Any

from local_sagemaker.integers import whole
from local_sagemaker.json_text import load

Shape = Any
"""botocore's Shape. Which attributes it has depends on its `type_name`, which types can't say."""


_NUMBER = re.compile(r"[+-]?(?:[0-9]{1,40}\.?[0-9]{0,40}|\.[0-9]{1,40})(?:[eE][+-]?[0-9]{1,3})?")


def time_to_text(seconds: float, form: str) -> str:
    """A time as ``iso8601`` (milliseconds), ``rfc822`` or ``unixtimestamp`` text."""
    if form == "rfc822":
        return formatdate(seconds, usegmt=True)
    if form == "unixtimestamp":
        return str(int(seconds)) if seconds == int(seconds) else repr(seconds)
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def time_from_text(text: str) -> float | str:
    """A time in any of the three forms; text that is none of them stays as it is, for validation to name."""
    if _NUMBER.fullmatch(text):
        return float(text)
    try:
        read = datetime.fromisoformat(text)
    except ValueError:
        try:
            read = parsedate_to_datetime(text)
        except (ValueError, TypeError, IndexError):
            return text
    try:
        return (read if read.tzinfo else read.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return text


def time_form(shape: Shape, default: str) -> str:
    """The form of times at this place of this protocol."""
    return str(shape.serialization.get("timestampFormat", default)).lower()


def from_text(shape: Shape, text: str) -> Any:
    """The value of a header, query parameter, path label or XML text; what does not fit stays text."""
    kind = shape.type_name
    if kind == "string":
        if shape.serialization.get("jsonvalue"):
            return load(base64.b64decode(text))
        return text
    if kind == "boolean":
        return {"true": True, "false": False}.get(text.strip().lower(), text)
    if kind == "timestamp":
        return time_from_text(text.strip())
    if kind == "blob":
        return base64.b64decode(text)
    if kind in ("integer", "long"):
        number = whole(text)
        return text if number is None else number
    return float(text) if _NUMBER.fullmatch(text) else text


def to_text(shape: Shape, value: Any, time_default: str) -> str:
    """A scalar as text for a header, a query or XML."""
    kind = shape.type_name
    if kind == "boolean":
        return "true" if value else "false"
    if kind == "timestamp":
        return time_to_text(value, time_form(shape, time_default))
    if kind == "blob":
        return base64.b64encode(value if isinstance(value, bytes) else str(value).encode()).decode()
    if kind == "string" and shape.serialization.get("jsonvalue"):
        return base64.b64encode(json.dumps(value).encode()).decode()
    return str(value)
