"""Who is calling, who may assume which role, and the keys that STS and IAM hand out here."""

from __future__ import annotations

import json
import re
from datetime import datetime
from typing import Any, Protocol
from xml.sax.saxutils import unescape

from local_sagemaker.config import Settings
from local_sagemaker.http import RawResponse
from local_sagemaker.records import Records
from local_sagemaker.services.caller_identity import CALLER_ID, caller_arn
from local_sagemaker.services.moto_services import query_answers
from local_sagemaker.services.moto_services.policies import matches

KIND = "issued-key"
_KEPT = 1000  # As many as the credentials' file keeps.


class Issued(Protocol):
    """Where handed-out keys are remembered, so that requests signed with them are let in."""

    def issue(self, access_key_id: str, secret: str, token: str | None, expires: float | None) -> None:
        """Remembers a key across restarts; a temporary one has a session token and a time (seconds since the epoch)."""
        ...


class Identities:
    """STS GetCallerIdentity, the check before AssumeRole, and remembering keys."""

    def __init__(self, *, settings: Settings, records: Records, credentials: Issued) -> None:
        self._settings = settings
        self._records = records
        self._credentials = credentials

    def caller(self, access_key: str) -> dict[str, str]:
        """The answer of GetCallerIdentity for the code that has the access key."""
        issued = self._records.get(KIND, access_key)
        if issued:
            return {"Arn": issued["arn"], "UserId": issued["id"], "Account": self._settings.account}
        return {"Arn": caller_arn(self._settings), "UserId": CALLER_ID, "Account": self._settings.account}

    def refuses(self, access_key: str, parameters: dict[str, str], iam: Any) -> RawResponse | None:
        """The refusal of AssumeRole in AWS's words when the role does not exist or does not trust the caller."""
        arn, caller = parameters.get("RoleArn", ""), self.caller(access_key)["Arn"]
        role = next((one for one in iam.roles.values() if one.arn == arn), None)
        if role and _trusts(role.assume_role_policy_document, caller, self._settings):
            return None
        text = f"User: {caller} is not authorized to perform: sts:AssumeRole on resource: {arn}"
        return query_answers.refusal("sts", 403, "AccessDenied", text)

    def remember(self, response: RawResponse, access_key: str) -> None:
        """Lets in who signs with the key that an answer hands out, as the identity that the answer names."""
        text = response.body.decode("utf-8", "replace")
        key, secret = _element(text, "AccessKeyId"), _element(text, "SecretAccessKey")
        if not key or not secret:
            return
        named = self.caller(access_key)
        arn, identity = _element(text, "Arn"), _element(text, "AssumedRoleId") or _element(text, "FederatedUserId")
        if user := _element(text, "UserName"):
            arn, identity = f"arn:aws:iam::{self._settings.account}:user/{user}", f"AIDA{key[4:]}"
        self._records.put(KIND, key, {"arn": arn or named["Arn"], "id": identity or named["UserId"]})
        for oldest, _ in self._records.items(KIND)[:-_KEPT]:
            self._records.delete(KIND, oldest)
        expiration = _element(text, "Expiration")
        expires = datetime.fromisoformat(expiration).timestamp() if expiration else None
        self._credentials.issue(key, secret, _element(text, "SessionToken"), expires)


def _element(text: str, name: str) -> str | None:
    found = re.search(f"<{name}>(.*?)</{name}>", text, re.DOTALL)
    return unescape(found[1]) if found else None


def _trusts(document: str | dict[str, Any], caller: str, settings: Settings) -> bool:
    policy = json.loads(document) if isinstance(document, str) else document
    statements = policy.get("Statement", [])
    trusted = False
    for statement in statements if isinstance(statements, list) else [statements]:
        actions = statement.get("Action", [])
        actions = actions if isinstance(actions, list) else [actions]
        if not any(matches(action, "sts:AssumeRole", case=False) for action in actions):
            continue
        if _names(statement.get("Principal", {}), caller, settings):
            if statement.get("Effect") == "Deny":
                return False
            trusted = True
    return trusted


def _names(principal: Any, caller: str, settings: Settings) -> bool:
    named = principal.get("AWS", []) if isinstance(principal, dict) else principal
    role = re.sub(r":sts::(\d+):assumed-role/([^/]+)/.*", r":iam::\1:role/\2", caller)
    account = (settings.account, f"arn:aws:iam::{settings.account}:root")
    return any(one in ("*", caller, role, *account) for one in (named if isinstance(named, list) else [named]))
