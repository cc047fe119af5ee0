"""S3's events: what is written to and deleted from buckets that have EventBridge on (S3 user guide, "ev-events")."""

from __future__ import annotations

import secrets
from typing import Any

from local_sagemaker.arns import Arns
from local_sagemaker.objects.event_notifications import ObjectChange

SOURCE = "aws.s3"


def object_event(change: ObjectChange, arns: Arns) -> tuple[str, list[str], dict[str, Any]]:
    """Detail type, resources and detail of the event of a change."""
    item = change.item
    described: dict[str, Any] = {"key": item.key}
    if not item.marker:
        described |= {"etag": item.etag}
    if not change.deletion:
        described |= {"size": item.size}
    if item.version_id != "null":
        described["version-id"] = item.version_id
    described["sequencer"] = f"{item.sequence:018X}"
    detail = {
        "version": "0", "bucket": {"name": item.bucket}, "object": described,
        "request-id": secrets.token_hex(8).upper(), "requester": arns.account, "source-ip-address": "127.0.0.1",
        "reason": change.reason,
    }  # fmt: skip
    if change.deletion:
        detail["deletion-type"] = change.deletion
    kind = "Object Deleted" if change.deletion else "Object Created"
    return kind, [f"arn:{arns.partition}:s3:::{item.bucket}"], detail
