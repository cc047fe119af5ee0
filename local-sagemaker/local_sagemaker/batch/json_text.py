"""JSON as batch transform writes the documents that it filters or joins.

From recorded outputs of transform jobs of January 2023 and 2024 (deploy_and_monitor/sm-clarify_model_bias_monitor_*
of aws/amazon-sagemaker-examples): no blanks, members sorted by their names, and of a fraction at most 15 decimals, the
others cut off (0.9899773597717285 is written 0.989977359771728).
"""

from __future__ import annotations

import json
import math
from typing import Any

_DECIMALS = 15


def to_text(document: Any) -> str:
    """A parsed JSON document as text."""
    if isinstance(document, dict):
        members = sorted(document.items())
        return "{" + ",".join(f"{_text(name)}:{to_text(value)}" for name, value in members) + "}"
    if isinstance(document, list):
        return "[" + ",".join(map(to_text, document)) + "]"
    if isinstance(document, float):
        return _number(document)
    return _text(document)


def _text(scalar: Any) -> str:
    return json.dumps(scalar, ensure_ascii=False)


def _number(value: float) -> str:
    text = repr(value)
    whole, point, decimals = text.partition(".")
    if not math.isfinite(value):
        return json.dumps(value)
    if "e" in text or len(decimals) <= _DECIMALS:
        return text
    return f"{whole}{point}{decimals[:_DECIMALS].rstrip('0') or '0'}"
