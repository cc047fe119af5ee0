"""How a new object is said to be encrypted: as its request says, else as its bucket's default is.

Nothing here is encrypted: the members are kept, so that programs which look at them find what they find on AWS.
"""

from __future__ import annotations

from dataclasses import replace

from local_sagemaker.objects.disk import DiskObjects
from local_sagemaker.objects.stored_object import ObjectAttributes

SETTING = "BucketEncryption"


def with_default(attributes: ObjectAttributes, objects: DiskObjects, bucket: str) -> ObjectAttributes:
    """The attributes with the bucket's default encryption, unless they say their own."""
    kept = objects.buckets.setting(bucket, SETTING)
    if not kept or "ServerSideEncryption" in attributes.headers:
        return attributes
    rule = (kept.get("Rules") or [{}])[0]
    default = rule.get("ApplyServerSideEncryptionByDefault") or {}
    settings = {
        "ServerSideEncryption": default.get("SSEAlgorithm"),
        "SSEKMSKeyId": default.get("KMSMasterKeyID"),
        "BucketKeyEnabled": rule.get("BucketKeyEnabled"),
    }
    headers = {name: value for name, value in settings.items() if value}
    return replace(attributes, headers={**headers, **attributes.headers})
