"""Reports among a step's outputs: pages, pictures and JSON that people read, with links to the sandboxed view."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from local_sagemaker.errors import ServiceError
from local_sagemaker.studio import urls
from local_sagemaker.studio.page import Visit
from local_sagemaker.studio.pages.job_details import JobView

_SHOWN = (".html", ".json", ".png", ".jpg", ".jpeg", ".svg", ".csv", ".pdf", ".txt", ".md", ".ipynb")
_MOST = 40


@dataclass(frozen=True)
class Report:
    """One file: `frame` is the address of its sandboxed content, empty for what has only a preview."""

    name: str
    uri: str
    bytes: int
    href: str
    frame: str


def reports_of(visit: Visit, metadata: Mapping[str, Any], job: JobView | None) -> list[Report]:
    """The readable files below the outputs of a step's job."""
    if job is None:
        return []
    outputs = job.describe.get("ProcessingOutputConfig", {}).get("Outputs", [])
    uris = [item.get("S3Output", {}).get("S3Uri", "") for item in outputs]
    uris += [
        str(value) for content in metadata.values() for value in content.values() if str(value).startswith("s3://")
    ]
    reports: dict[str, Report] = {}
    for uri in uris:
        for item in files_below(visit, uri):
            reports.setdefault(item.uri, item)
    return sorted(reports.values(), key=lambda item: (not item.frame, item.name))[:_MOST]


def files_below(visit: Visit, uri: str) -> list[Report]:
    """Readable files at or below a URI."""
    bucket, _, prefix = uri.removeprefix("s3://").partition("/")
    if not uri.startswith("s3://") or not prefix:
        return []
    try:
        response = visit.call("s3:ListObjectsV2", {"Bucket": bucket, "Prefix": prefix, "MaxKeys": 200})
    except ServiceError as error:
        visit.note("s3:ListObjectsV2", error)
        return []
    reports = []
    for item in response.get("Contents", []):
        key = item["Key"]
        if key.lower().endswith(_SHOWN) and (key == prefix or key.startswith(prefix.rstrip("/") + "/")):
            framed = key.lower().endswith((".html", ".svg"))
            frame = urls.to("content", bucket=bucket, key=key) if framed else ""
            reports.append(
                Report(
                    key.rpartition("/")[2],
                    f"s3://{bucket}/{key}",
                    item["Size"],
                    urls.to("s3", "object", bucket=bucket, key=key),
                    frame,
                )
            )
    return reports
