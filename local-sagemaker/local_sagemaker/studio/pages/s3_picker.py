"""Browsing S3 for the value of a parameter, inside the form that has the parameter."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from local_sagemaker.errors import ServiceError
from local_sagemaker.studio import urls
from local_sagemaker.studio.page import Visit
from local_sagemaker.studio.views.times import seconds

_MOST = 200


@dataclass(frozen=True)
class PickableEntry:
    """A bucket, a folder or an object."""

    name: str
    uri: str
    is_folder: bool
    size: int | None = None
    modified: float | None = None


@dataclass(frozen=True)
class S3Picker:
    """One folder to choose from. `place` is its URI, empty for the list of buckets; `above` that of the folder above,
    None at the top; `browser` the address of the S3 pages where there are more entries than are shown."""

    parameter: str
    place: str
    above: str | None
    entries: list[PickableEntry]
    browser: str = ""
    failure: str = ""


def pick_from(visit: Visit, parameter: str, uri: str) -> S3Picker:
    """The entries of the folder that a URI is in: ListBuckets, or ListObjectsV2 with a delimiter."""
    bucket, _, key = uri.removeprefix("s3://").partition("/") if uri.startswith("s3://") else ("", "", "")
    if not bucket:
        buckets = visit.call("s3:ListBuckets", {}).get("Buckets", [])
        entries = [
            PickableEntry(item["Name"], f"s3://{item['Name']}/", True, None, seconds(item.get("CreationDate")))
            for item in buckets
        ]
        return S3Picker(parameter, "", None, entries)
    prefix = key[: key.rfind("/") + 1]
    place, parent = f"s3://{bucket}/{prefix}", prefix.rstrip("/").rpartition("/")[0]
    above = "" if not prefix else f"s3://{bucket}/{parent}/" if parent else f"s3://{bucket}/"
    request: dict[str, Any] = {"Bucket": bucket, "Prefix": prefix, "Delimiter": "/", "MaxKeys": _MOST}
    try:
        response = visit.call("s3:ListObjectsV2", request)
    except ServiceError as error:
        return S3Picker(parameter, place, "", [], failure=error.message)
    entries = [
        PickableEntry(item["Prefix"][len(prefix) :], f"s3://{bucket}/{item['Prefix']}", True)
        for item in response.get("CommonPrefixes", [])
    ]
    entries += [
        PickableEntry(
            item["Key"][len(prefix) :], f"s3://{bucket}/{item['Key']}", False, item["Size"],
            seconds(item.get("LastModified")),
        )
        for item in response.get("Contents", [])
        if item["Key"] != prefix
    ]  # fmt: skip
    return S3Picker(parameter, place, above, entries, urls.s3(place) if response.get("IsTruncated") else "")
