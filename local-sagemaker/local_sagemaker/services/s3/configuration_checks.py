"""What S3 refuses of the configurations that are kept of a bucket; each check returns what is to be kept.

Texts are those of S3 (moto's tests that are marked as run against AWS, and the API reference of each Put operation).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from local_sagemaker.json_text import JsonError, load
from local_sagemaker.objects.index import BucketRow
from local_sagemaker.services.s3.attributes import check_bucket_tags
from local_sagemaker.services.s3.errors import (
    CrossLocationLoggingProhibited,
    InvalidRequest,
    InvalidTargetBucketForLogging,
    MalformedPolicy,
    NotImplementedHeader,
    S3MalformedXML,
)
from local_sagemaker.services.s3.unsupported import check_ownership

Value = Any
_METHODS = ("GET", "PUT", "POST", "DELETE", "HEAD")
_MOST_CORS, _MOST_LIFECYCLE = 100, 1000


def _check_tags(value: Value, _: BucketRow) -> Value:
    tags = check_bucket_tags(value.get("TagSet") or [])
    return {"TagSet": tags} if tags else None


def _policy(text: Value, _: BucketRow) -> Value:
    try:
        policy = load(text, constants=False)
    except JsonError as error:
        raise MalformedPolicy() from error
    if not isinstance(policy, dict):
        raise MalformedPolicy()
    if not isinstance(policy.get("Statement"), list | dict):
        raise MalformedPolicy("Missing required field Statement")
    return text


def _cors(value: Value, _: BucketRow) -> Value:
    rules = value.get("CORSRules") or []
    if not 1 <= len(rules) <= _MOST_CORS:
        raise S3MalformedXML()
    for rule in rules:
        for method in rule.get("AllowedMethods") or []:
            if method not in _METHODS:
                raise InvalidRequest(f"Found unsupported HTTP method in CORS config. Unsupported method is {method}")
        _check_wildcards(rule)
    return value


def _check_wildcards(rule: Value) -> None:
    """The texts are those that users of S3 and its compatible stores report."""
    for member in ("AllowedOrigin", "AllowedHeader"):
        for text in rule.get(f"{member}s") or []:
            if text.count("*") > 1:
                raise InvalidRequest(f'{member} "{text}" can not have more than one wildcard.')
    for text in rule.get("ExposeHeaders") or []:
        if "*" in text:
            raise InvalidRequest(
                f'ExposeHeader "{text}" contains wildcard. We currently do not support wildcard for ExposeHeader.'
            )


def _lifecycle(value: Value, _: BucketRow) -> Value:
    rules = value.get("Rules") or []
    if not 1 <= len(rules) <= _MOST_LIFECYCLE:
        raise S3MalformedXML()
    for rule in rules:
        if ("Filter" in rule) == ("Prefix" in rule):
            raise S3MalformedXML()
        condition = rule.get("Filter") or {}
        if len(condition) > 1:
            raise S3MalformedXML()
        expiration = rule.get("Expiration")
        if expiration is not None and len(expiration) != 1:
            raise S3MalformedXML()
        old = rule.get("NoncurrentVersionExpiration")
        if old is not None and "NoncurrentDays" not in old:
            raise S3MalformedXML()
        if any("StorageClass" not in move for move in rule.get("Transitions") or []):
            raise S3MalformedXML()
        moves = rule.get("NoncurrentVersionTransitions") or []
        if any({"StorageClass", "NoncurrentDays"} - move.keys() for move in moves):
            raise S3MalformedXML()
    return value


def _encryption(value: Value, _: BucketRow) -> Value:
    rules = value.get("Rules") or []
    if len(rules) != 1:
        raise S3MalformedXML()
    return {**value, "Rules": [{"BucketKeyEnabled": False, **rules[0]}]}


def _public_access(value: Value, _: BucketRow) -> Value:
    if not value:
        raise InvalidRequest("Must specify at least one configuration.")
    names = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
    return {name: bool(value.get(name)) for name in names}


def _acceleration(value: Value, bucket: BucketRow) -> Value:
    if "." in bucket.name:
        raise InvalidRequest("S3 Transfer Acceleration is not supported for buckets with periods (.) in their names")
    return value


def _ownership(value: Value, _: BucketRow) -> Value:
    check_ownership(value)
    return value


def _notification(value: Value, _: BucketRow) -> Value:
    """Events go to EventBridge only: what else may be notified is refused by name."""
    for other in ("TopicConfigurations", "QueueConfigurations", "LambdaFunctionConfigurations"):
        if value.get(other):
            raise NotImplementedHeader(f"The local service sends events of buckets to EventBridge only, not {other}.")
    return value or None


def check_logging(value: Value, bucket: BucketRow, find: Callable[[str], BucketRow | None]) -> Value:
    """What is to be kept of a BucketLoggingStatus: the logs must go to a bucket of the same region (texts: moto)."""
    target = (value.get("LoggingEnabled") or {}).get("TargetBucket")
    if target is None:
        return None
    target_bucket = find(target)
    if target_bucket is None:
        raise InvalidTargetBucketForLogging(TargetBucket=target)
    if target_bucket.region != bucket.region:
        raise CrossLocationLoggingProhibited(
            TargetBucketLocation=target_bucket.region, SourceBucketLocation=bucket.region
        )
    return value


CHECKS: dict[str, Callable[[Value, BucketRow], Value]] = {
    "BucketTagging": _check_tags,
    "BucketPolicy": _policy,
    "BucketCors": _cors,
    "BucketLifecycleConfiguration": _lifecycle,
    "BucketEncryption": _encryption,
    "PublicAccessBlock": _public_access,
    "BucketAccelerateConfiguration": _acceleration,
    "BucketOwnershipControls": _ownership,
    "BucketNotificationConfiguration": _notification,
}
"""By the name of the configuration; the others are kept as they come."""


def check(name: str, value: Value, bucket: BucketRow) -> Value:
    """What is to be kept of a configuration, None for nothing."""
    checked = CHECKS.get(name)
    return checked(value, bucket) if checked else value
