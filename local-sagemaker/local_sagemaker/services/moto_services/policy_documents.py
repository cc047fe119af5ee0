"""Policy documents inside moto: it refuses some that IAM takes, and enforces a part of a key's policy.

moto's check of IAM's documents reads a copy in which those parts have a form that it knows.
The policies of keys change nothing, as those of roles and buckets here.
"""

from __future__ import annotations

import importlib
import json
from collections.abc import Callable
from functools import cache
from typing import Any

from local_sagemaker.json_text import JsonError, load

_REGIONAL_S3 = ("accesspoint/", "job/", "storage-lens/", "storage-lens-group/", "async-request/", "access-grants/")
"""What S3's ARNs with a region begin with (Service Authorization Reference, "Resource types defined by Amazon S3")."""


@cache
def correct_policies(service: str) -> None:
    """Has a service of moto take the policies that AWS takes; does so once."""
    if service == "kms":
        vars(importlib.import_module("moto.kms.responses"))["validate_policy"] = lambda _key, _action: None
    if service == "iam":
        validation: Any = importlib.import_module("moto.iam.policy_validation")
        validation.SERVICE_TYPE_REGION_INFORMATION_ERROR_ASSOCIATIONS["s3"]["valid_starting_values"] = _REGIONAL_S3
        validation.BaseIAMPolicyValidator.__init__ = _reads_in_its_words(validation.BaseIAMPolicyValidator.__init__)


def _reads_in_its_words(make: Callable[[Any, str], None]) -> Callable[[Any, str], None]:
    def make_from_copy(own: Any, policy_document: str) -> None:
        make(own, in_words_of_moto(policy_document))

    return make_from_copy


def in_words_of_moto(text: str) -> str:
    """A document for moto's check: of the new version, numbers as texts, all of IAM's resources as roles."""
    try:
        document = load(text)
    except JsonError:
        return text
    if not isinstance(document, dict) or "Statement" not in document:
        return text
    sent = document["Statement"]
    statements = [_statement(one) for one in sent] if isinstance(sent, list) else _statement(sent)
    return json.dumps({**document, **_version(document), "Statement": statements})


def is_of_old_version(text: str) -> bool:
    """Whether a policy is written in the version of 2008, which is that of documents without one."""
    try:
        document = load(text)
    except JsonError:
        return False
    return isinstance(document, dict) and "Statement" in document and bool(_version(document))


def _version(document: dict[str, Any]) -> dict[str, str]:
    return {"Version": "2012-10-17"} if document.get("Version", "2008-10-17") == "2008-10-17" else {}


def _statement(statement: Any) -> Any:
    if not isinstance(statement, dict):
        return statement
    known = {"Condition": _texts, "Resource": _resources, "NotResource": _resources}
    return {name: known[name](value) if name in known else value for name, value in statement.items()}


def _texts(value: Any) -> Any:
    """Operators, keys and values of a condition, whose numbers may be numbers (IAM's grammar of policies)."""
    if isinstance(value, dict):
        return {name: _texts(part) for name, part in value.items()}
    if isinstance(value, list):
        return [_texts(part) for part in value]
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


def _resources(value: Any) -> Any:
    if isinstance(value, list):
        return [_resources(part) for part in value]
    parts = value.split(":", 5) if isinstance(value, str) else []
    everything = len(parts) == 6 and parts[2] == "iam" and parts[5] == "*"
    return ":".join((*parts[:5], "role/*")) if everything else value
