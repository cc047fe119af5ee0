"""Channels of the built-in algorithm: which are allowed and in which form, and what a ContentType means.

The first check compares content type, mode and distribution as given, so ``text/csv; label_size=1`` is refused there
although the parser could read it, exactly as in the container (specs: containers 3.2).
"""

from __future__ import annotations

from collections.abc import Mapping
from email.message import Message
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
KNOWN = ("train", "validation", "code")


def _supported(name: str, channel: Mapping[str, Any]) -> bool:
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
        if not _supported(name, channel):
            raise UserError(f"Channel configuration for '{name}' channel is not supported: {dict(channel)}")


@lru_cache(maxsize=256)
def content_format(content_type: str | None) -> str:
    """``csv``, ``libsvm``, ``parquet`` or ``recordio-protobuf``; parameters are read, and none given is libsvm."""
    if content_type is None:
        return LIBSVM
    header = Message()
    header["Content-Type"] = content_type.lower()
    name, *parameters = header.get_params(failobj=[("", "")])
    found = CONTENT_TYPES.get(name[0])
    if found is None:
        raise UserError(f"{content_type} is not an accepted ContentType: {', '.join(CONTENT_TYPES)}.")
    if found == CSV and any(key == "label_size" and value != "1" for key, value in parameters):
        raise UserError(
            f"{content_type} is not an accepted csv ContentType. Optional parameter label_size must be equal to 1"
        )
    return found
