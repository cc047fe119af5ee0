"""Channels of the built-in algorithm: which are allowed and in which form, and what a ContentType means.

The first check compares content type, mode and distribution as given, so ``text/csv; label_size=1`` is refused there
although the parser could read it, exactly as in the container (contracts: containers 3.2).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from local_sagemaker.containers.failure import UserError

CSV, LIBSVM, PARQUET, RECORDIO = "csv", "libsvm", "parquet", "recordio-protobuf"
CONTENT_TYPES = {
    CSV: CSV,
    LIBSVM: LIBSVM,
    PARQUET: PARQUET,
    RECORDIO: RECORDIO,
    "text/csv": CSV,
    "text/libsvm": LIBSVM,
    "text/x-libsvm": LIBSVM,
    "application/x-parquet": PARQUET,
    "application/x-recordio-protobuf": RECORDIO,
}
DISTRIBUTIONS = ("FullyReplicated", "ShardedByS3Key")
_SEPARATED = re.compile(r';((?:[^;"]|"(?:\\.|[^"\\])*"|")*)')
KNOWN = ("train", "validation", "code")


def _is_supported(name: str, channel: Mapping[str, Any]) -> bool:
    content = channel.get("ContentType", "text/libsvm")
    mode, distribution = channel["TrainingInputMode"], channel["S3DistributionType"]
    if name == "code":
        return (content, mode, distribution) == ("text/python", "File", "FullyReplicated")
    if mode not in ("File", "Pipe") or distribution not in DISTRIBUTIONS:
        return False
    return content in CONTENT_TYPES and not (mode == "Pipe" and CONTENT_TYPES[content] == LIBSVM)


def validate(channels: Mapping[str, Mapping[str, Any]]) -> None:
    """Raises UserError for a missing, unknown or unsupported channel."""
    if "train" not in channels:
        raise UserError("Missing required channel: train")
    for name, channel in channels.items():
        if name not in KNOWN:
            raise UserError(f"Extraneous channel found: {name}")
        if not _is_supported(name, channel):
            raise UserError(f"Channel configuration for '{name}' channel is not supported: {dict(channel)}")


@lru_cache(maxsize=256)
def content_format(content_type: str | None) -> str:
    """``csv``, ``libsvm``, ``parquet`` or ``recordio-protobuf``; parameters are read, and none given is libsvm."""
    if content_type is None:
        return LIBSVM
    name, parameters = parse_header(content_type.lower())
    format_name = CONTENT_TYPES.get(name)
    if format_name is None:
        raise UserError(f"{content_type} is not an accepted ContentType: {', '.join(CONTENT_TYPES)}.")
    if format_name == CSV and parameters.get("label_size", "1") != "1":
        raise UserError(
            f"{content_type} is not an accepted csv ContentType. Optional parameter label_size must be equal to 1"
        )
    return format_name


def parse_header(text: str) -> tuple[str, dict[str, str]]:
    """A header's value and its parameters, as Python's former module `cgi` took them apart."""
    value, *rest = _SEPARATED.findall(f";{text}") or [""]
    parameters = {}
    for part in rest:
        name, equals, content = part.partition("=")
        if equals:
            content = content.strip()
            if len(content) >= 2 and content[0] == content[-1] == '"':
                content = content[1:-1].replace("\\\\", "\\").replace('\\"', '"')
            parameters[name.strip().lower()] = content
    return value.strip(), parameters
