"""The policy of a form: signed by one of our keys, not expired, true of every field (API reference, "POST Policy")."""

from __future__ import annotations

import base64
import hmac
import json
import math
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from local_sagemaker.clock import machine_time
from local_sagemaker.errors import ServiceError
from local_sagemaker.json_text import load
from local_sagemaker.wire import auth_errors, signature
from local_sagemaker.wire.request import WireRequest
from local_sagemaker.wire.signature import AccessKeySource

_FREE = ("policy", "signature", "x-amz-signature", "awsaccesskeyid", "file")
"""Fields that need no condition, beside those that begin with ``x-ignore-``."""


def verify(fields: Mapping[str, str], request: WireRequest, keys: AccessKeySource) -> None:
    """Checks the signature, of version 4 or 2."""
    policy = fields["policy"].encode("utf-8", "replace")
    if "x-amz-signature" in fields:
        parts = fields.get("x-amz-credential", "").rsplit("/", 4)
        if len(parts) != 5 or fields.get("x-amz-algorithm") != "AWS4-HMAC-SHA256":
            raise auth_errors.bad_signature(
                "The form's x-amz-credential and x-amz-algorithm are not of AWS4-HMAC-SHA256."
            )
        key, date, region, service, _ = parts
        secret = signature.usable(keys, key, fields.get("x-amz-security-token"), "s3", request).secret
        computed = hmac.digest(signature.derive_key(secret, date, region, service), policy, "sha256").hex()
        auth_errors.check_region("s3", region)
        request.region = region
        claimed = fields["x-amz-signature"].lower()
    else:
        token = fields.get("x-amz-security-token")
        secret = signature.usable(keys, fields.get("awsaccesskeyid", ""), token, "s3", request).secret
        computed = base64.b64encode(hmac.digest(secret.encode(), policy, "sha1")).decode()
        claimed = fields["signature"]
    if not hmac.compare_digest(computed.encode(), claimed.encode("utf-8", "replace")):
        raise auth_errors.wrong_signature("s3", request)


def check(fields: Mapping[str, str]) -> tuple[float, float]:
    """Checks the fields, ``bucket`` among them; returns the bytes that the file may have."""
    policy = _document(fields["policy"])
    size: tuple[float, float] = (0, math.inf)
    covered = set()
    for condition in policy["conditions"]:
        operator, name, value = _condition(condition)
        if operator == "content-length-range":
            size = (name, value)
            continue
        covered.add(name)
        if not _holds(operator, name, fields.get(name, ""), value):
            raise _condition_error(operator, f"${name}", value)
    extra = [name for name in fields if name not in covered | set(_FREE) and not name.startswith("x-ignore-")]
    if extra:
        raise _policy_error(f"Extra input fields: {', '.join(extra)}")
    return size


def _document(text: str) -> dict[str, Any]:
    try:
        policy = load(base64.b64decode(text))
    except ValueError as error:
        raise _invalid("Invalid JSON.") from error
    if not isinstance(policy, dict) or not isinstance(policy.get("conditions"), list):
        raise _invalid("Policy missing conditions.")
    try:
        expires = datetime.fromisoformat(policy["expiration"]).replace(tzinfo=UTC).timestamp()
    except (KeyError, TypeError, ValueError) as error:
        raise _invalid("Policy missing expiration.") from error
    if machine_time() > expires:
        raise _policy_error("Policy expired.")
    return policy


def _condition(condition: Any) -> tuple[str, Any, Any]:
    """Operator, name of the field and value; of a range of sizes, its bounds."""
    if isinstance(condition, dict) and len(condition) == 1:
        ((name, value),) = condition.items()
        return "eq", str(name).lower(), str(value)
    if not isinstance(condition, list) or len(condition) != 3:
        raise _policy_error(f"Policy Condition failed: {json.dumps(condition)}")
    operator, first, second = condition
    if operator == "content-length-range":
        if isinstance(first, int) and isinstance(second, int):
            return operator, first, second
    elif operator in ("eq", "starts-with") and str(first).startswith("$"):
        return operator, str(first)[1:].lower(), str(second)
    raise _condition_error(operator, first, second)


def _holds(operator: str, name: str, text: str, value: str) -> bool:
    if operator == "eq":
        return text == value
    parts = text.split(",") if name == "content-type" else [text]
    return all(part.strip().startswith(value) for part in parts)


def _condition_error(*condition: Any) -> ServiceError:
    return _policy_error(f"Policy Condition failed: {json.dumps(condition)}")


def _policy_error(text: str) -> ServiceError:
    return ServiceError(f"Invalid according to Policy: {text}", code="AccessDenied", status=403)


def _invalid(text: str) -> ServiceError:
    return ServiceError(f"Invalid Policy: {text}", code="InvalidPolicyDocument", status=400)
