"""The newest requests that an endpoint captured, read from the end of the newest file of each variant."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from local_sagemaker.errors import ServiceError
from local_sagemaker.json_text import load
from local_sagemaker.studio.page import Visit
from local_sagemaker.studio.pages.objects import PREVIEW, read_tail, split_uri
from local_sagemaker.studio.views.times import parse_time

_LEVELS = 4  # year, month, day, hour
_SHOWN = 30
_LONGEST = 2_000


@dataclass(frozen=True)
class CapturedRecord:
    """A request and its response."""

    time: float | None
    variant: str
    content_type: str
    input: str
    output: str
    inference: str


def read_captures(visit: Visit, endpoint: str, capture: dict[str, Any], variants: list[str]) -> list[CapturedRecord]:
    """Newest first, at most thirty; none where nothing was captured."""
    bucket, prefix = split_uri(str(capture.get("DestinationS3Uri", "")).rstrip("/"))
    if not bucket:
        return []
    records: list[CapturedRecord] = []
    for variant in variants:
        place = "/".join(part for part in (prefix, endpoint, variant) if part)
        try:
            key = _newest_key(visit, bucket, f"{place}/")
            records += _read(visit, bucket, key, variant) if key else []
        except ServiceError as error:  # nothing was captured yet, or the bucket was deleted
            visit.note("s3:GetObject", error)
    return sorted(records, key=lambda item: item.time or 0.0, reverse=True)[:_SHOWN]


def _newest_key(visit: Visit, bucket: str, folder: str) -> str:
    """Folders are named by time, so that the last in order is the newest."""
    for _ in range(_LEVELS):
        response = visit.call("s3:ListObjectsV2", {"Bucket": bucket, "Prefix": folder, "Delimiter": "/"})
        if not response.get("CommonPrefixes"):
            return ""
        folder = response["CommonPrefixes"][-1]["Prefix"]
    contents = visit.call("s3:ListObjectsV2", {"Bucket": bucket, "Prefix": folder}).get("Contents", [])
    return str(max(contents, key=lambda item: item["LastModified"])["Key"]) if contents else ""


def _read(visit: Visit, bucket: str, key: str, variant: str) -> list[CapturedRecord]:
    return list(_parse(read_tail(visit, bucket, key, PREVIEW), variant))[-_SHOWN:]


def _parse(data: bytes, variant: str) -> Iterator[CapturedRecord]:
    for line in data.decode("utf-8", "replace").splitlines():
        try:
            item = load(line)
        except ValueError:
            continue  # the first line may be cut
        if not isinstance(item, dict):
            continue
        content, event = item.get("captureData", {}), item.get("eventMetadata", {})
        sent, response = content.get("endpointInput", {}), content.get("endpointOutput", {})
        yield CapturedRecord(
            parse_time(str(event.get("inferenceTime", ""))), variant, str(sent.get("observedContentType", "")),
            _text(sent), _text(response), str(event.get("inferenceId") or event.get("eventId", "")),
        )  # fmt: skip


def _text(part: dict[str, Any]) -> str:
    if part.get("encoding") == "BASE64":
        return f"({len(str(part.get('data', '')))} characters of base64)"
    return str(part.get("data", ""))[:_LONGEST]
