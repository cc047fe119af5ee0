"""Who is calling, who may assume which role, and the keys that STS and IAM hand out here."""

from __future__ import annotations

import base64
import json
import re
import secrets
import string
from datetime import datetime
from typing import Any, Protocol
from xml.sax.saxutils import unescape

from local_sagemaker.clock import machine_time
from local_sagemaker.config import Settings
from local_sagemaker.http import RawResponse
from local_sagemaker.records import Records
from local_sagemaker.services.caller_identity import CALLER_ID, caller_arn
from local_sagemaker.services.moto_services import query_responses
from local_sagemaker.services.moto_services.policies import matches

KIND = "issued-key"
_KEPT = 1000  # As many as the credentials' file keeps.


class IssuedKeys(Protocol):
    """Where handed-out keys are remembered, so that requests signed with them are let in."""

    def issue(self, access_key_id: str, secret: str, token: str | None, expires: float | None) -> None:
        """Remembers a key across restarts; a temporary one has a session token and a time (seconds since the epoch)."""
        ...


class Identities:
    """STS GetCallerIdentity, the check before AssumeRole, and remembering keys."""

    def __init__(self, *, settings: Settings, records: Records, credentials: IssuedKeys) -> None:
        self._settings = settings
        self._records = records
        self._credentials = credentials

    def caller(self, access_key: str) -> dict[str, str]:
        """The response of GetCallerIdentity for the code that has the access key."""
        issued = self._records.get(KIND, access_key)
        if issued:
            return {"Arn": issued["arn"], "UserId": issued["id"], "Account": self._settings.account}
        return {"Arn": caller_arn(self._settings), "UserId": CALLER_ID, "Account": self._settings.account}

    def refuses(self, access_key: str, parameters: dict[str, str], iam: Any) -> RawResponse | None:
        """The refusal of AssumeRole in AWS's words when the role does not exist or does not trust the caller."""
        arn, caller = parameters.get("RoleArn", ""), self.caller(access_key)["Arn"]
        role = _role(iam, arn)
        if role and _trusts(role.assume_role_policy_document, caller, self._settings):
            return None
        text = f"User: {caller} is not authorized to perform: sts:AssumeRole on resource: {arn}"
        return query_responses.refusal("sts", 403, "AccessDenied", text)

    def remember(self, response: RawResponse, access_key: str) -> None:
        """Lets in who signs with the key that a response hands out, as the identity that the response names."""
        text = response.body.decode("utf-8", "replace")
        key, secret = _element(text, "AccessKeyId"), _element(text, "SecretAccessKey")
        if not key or not secret:
            return
        named = self.caller(access_key)
        arn, identity = _element(text, "Arn"), _element(text, "AssumedRoleId") or _element(text, "FederatedUserId")
        if user := _element(text, "UserName"):
            arn, identity = f"arn:aws:iam::{self._settings.account}:user/{user}", f"AIDA{key[4:]}"
        self._keep(key, arn or named["Arn"], identity or named["UserId"])
        expiration = _element(text, "Expiration")
        expires = datetime.fromisoformat(expiration).timestamp() if expiration else None
        self._credentials.issue(key, secret, _element(text, "SessionToken"), expires)

    def _keep(self, key: str, arn: str, identity: str) -> None:
        self._records.put(KIND, key, {"arn": arn, "id": identity})
        for oldest, _ in self._records.items(KIND)[:-_KEPT]:
            self._records.delete(KIND, oldest)

    def lend(self, arn: str, session: str, seconds: float, iam: Any) -> dict[str, str]:
        """Temporary keys of a role for a service that has assumed it, as the variables that AWS's clients read."""
        role = _role(iam, arn)
        name = arn.rpartition("/")[2]
        identity = role.id if role else f"AROA{base64.b32encode(name.encode()).decode().rstrip('=')[:17]:A<17}"
        key = "ASIA" + "".join(secrets.choice(string.ascii_uppercase + "234567") for _ in range(16))
        secret, token = secrets.token_urlsafe(30), secrets.token_urlsafe(180)
        caller = f"{arn.rpartition(':role/')[0].replace(':iam::', ':sts::')}:assumed-role/{name}/{session}"
        self._keep(key, caller, f"{identity}:{session}")
        self._credentials.issue(key, secret, token, machine_time() + seconds)
        return {"AWS_ACCESS_KEY_ID": key, "AWS_SECRET_ACCESS_KEY": secret, "AWS_SESSION_TOKEN": token}

    @staticmethod
    def distrusts(arn: str, service: str, iam: Any) -> bool:
        """Whether a role exists and does not let a service (``codebuild.amazonaws.com``) assume it."""
        role = _role(iam, arn)
        return role is not None and not _allows(role.assume_role_policy_document, "Service", (service, "*"))


def _element(text: str, name: str) -> str | None:
    match = re.search(f"<{name}>(.*?)</{name}>", text, re.DOTALL)
    return unescape(match[1]) if match else None


def _role(iam: Any, arn: str) -> Any:
    return next((one for one in iam.roles.values() if one.arn == arn), None)


def _trusts(document: str | dict[str, Any], caller: str, settings: Settings) -> bool:
    role = re.sub(r":sts::(\d+):assumed-role/([^/]+)/.*", r":iam::\1:role/\2", caller)
    account = (settings.account, f"arn:aws:iam::{settings.account}:root")
    return _allows(document, "AWS", ("*", caller, role, *account))


def _allows(document: str | dict[str, Any], kind: str, names: tuple[str, ...]) -> bool:
    """Whether a trust policy lets one of the names, as principals of a kind, assume its role."""
    policy = json.loads(document) if isinstance(document, str) else document
    statements = policy.get("Statement", [])
    trusted = False
    for statement in statements if isinstance(statements, list) else [statements]:
        actions = statement.get("Action", [])
        actions = actions if isinstance(actions, list) else [actions]
        if not any(matches(action, "sts:AssumeRole", case=False) for action in actions):
            continue
        if _names(statement.get("Principal", {}), kind, names):
            if statement.get("Effect") == "Deny":
                return False
            trusted = True
    return trusted


def _names(principal: Any, kind: str, names: tuple[str, ...]) -> bool:
    named = principal.get(kind, []) if isinstance(principal, dict) else principal
    return any(one in names for one in (named if isinstance(named, list) else [named]))
