"""Functions, versions and aliases as records, and how a reference is resolved to one of them.

Kinds: `function` (the configuration of $LATEST with its tags and permissions), `function-version`, `function-alias`
and `function-event-config` by ``name:version``. A configuration's ``_code`` names its archive.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from contextlib import AbstractContextManager

from local_sagemaker.config import Settings
from local_sagemaker.records import Records
from local_sagemaker.records.own_members import own_function
from local_sagemaker.records.store import AlreadyExists, Body
from local_sagemaker.services.lambda_.errors import LambdaConflict, LambdaNotFound, RevisionChanged
from local_sagemaker.services.lambda_.names import LATEST, FunctionReference

FUNCTION, VERSION, ALIAS = "function", "function-version", "function-alias"
EVENT_CONFIG = "function-event-config"


class FunctionStore:
    """Reads and writes functions."""

    def __init__(self, *, settings: Settings, records: Records) -> None:
        self._settings, self._records, self.account = settings, records, settings.account

    def arn(self, name: str, qualifier: str | None = None) -> str:
        """The ARN of a function, a version or an alias."""
        arn = self._settings.arns.of("lambda", f"function:{name}")
        return f"{arn}:{qualifier}" if qualifier else arn

    def transaction(self) -> AbstractContextManager[None]:
        """Several reads and writes as one."""
        return self._records.transaction()

    def insert(self, name: str, body: Body) -> None:
        """Adds a function."""
        try:
            self._records.insert(FUNCTION, name, body)
        except AlreadyExists as error:
            raise LambdaConflict(f"Function already exist: {name}") from error

    def latest(self, reference: FunctionReference) -> Body:
        """The function itself, whatever version is named."""
        body = self._records.get(FUNCTION, reference.name)
        if body is None:
            raise self._not_found(reference)
        return body

    def find(self, reference: FunctionReference) -> Body:
        """The configuration that a reference means: that of $LATEST, of a version, or of an alias's version."""
        body = self.latest(reference)
        version = reference.qualifier or LATEST
        if version == LATEST:
            return body
        alias = self._records.get(ALIAS, f"{reference.name}:{version}")
        published = self._records.get(VERSION, f"{reference.name}:{alias['FunctionVersion'] if alias else version}")
        if alias and alias["FunctionVersion"] == LATEST:
            return body
        if published is None:
            raise self._not_found(reference)
        return published

    def functions(self) -> list[Body]:
        """All functions by name."""
        return sorted(self._records.list(FUNCTION), key=lambda body: body["FunctionName"])

    def versions(self, name: str) -> list[Body]:
        """The published versions of a function, oldest first."""
        return self._records.list(VERSION, f"{name}:")

    def add_version(self, name: str, body: Body) -> None:
        """Adds a published version."""
        self._records.insert(VERSION, f"{name}:{body['Version']}", body)

    def aliases(self, name: str) -> list[Body]:
        """The aliases of a function by name."""
        return sorted(self._records.list(ALIAS, f"{name}:"), key=lambda body: body["Name"])

    def alias(self, name: str, alias: str) -> Body:
        """One alias."""
        body = self._records.get(ALIAS, f"{name}:{alias}")
        if body is None:
            raise LambdaNotFound(f"Cannot find alias arn: {self.arn(name, alias)}")
        return body

    def add_alias(self, name: str, body: Body) -> None:
        """Adds an alias."""
        try:
            self._records.insert(ALIAS, f"{name}:{body['Name']}", body)
        except AlreadyExists as error:
            raise LambdaConflict(f"Alias already exists: {self.arn(name, body['Name'])}") from error

    def put_alias(self, name: str, body: Body) -> None:
        """Replaces an alias."""
        self._records.put(ALIAS, f"{name}:{body['Name']}", body)

    def delete_alias(self, name: str, alias: str) -> None:
        """Removes an alias; nothing happens when it does not exist."""
        self._records.delete(ALIAS, f"{name}:{alias}")

    def event_config(self, reference: FunctionReference) -> Body | None:
        """How the events of a function, version or alias are tried."""
        return self._records.get(EVENT_CONFIG, f"{reference.name}:{reference.qualifier or LATEST}")

    def event_configs(self, name: str) -> list[Body]:
        """Those of a function, oldest first."""
        return self._records.list(EVENT_CONFIG, f"{name}:")

    def put_event_config(self, reference: FunctionReference, body: Body | None) -> None:
        """Replaces or removes one."""
        key = f"{reference.name}:{reference.qualifier or LATEST}"
        if body is None:
            self._records.delete(EVENT_CONFIG, key)
        else:
            self._records.put(EVENT_CONFIG, key, body)

    def change(self, reference: FunctionReference, revision: str | None, change: Callable[[Body], None]) -> Body:
        """Changes a function in one transaction; with `revision`, only when that is still the newest."""

        def apply(body: Body) -> None:
            check_revision(body, revision)
            change(body)

        body = self._records.update(FUNCTION, reference.name, apply)
        if body is None:
            raise self._not_found(reference)
        return body

    def delete(self, reference: FunctionReference) -> list[Body]:
        """Removes a version, or a function with all that belongs to it; the configurations that no longer exist.

        Raises LambdaConflict for a version that aliases name. One that does not exist is deleted already, as AWS was
        seen to say (floci-io/floci#2824).
        """
        name, version = reference.name, reference.qualifier
        with self._records.transaction():
            latest = self.latest(reference)
            if version:
                return self._delete_version(name, version)
            removed = [latest, *self.versions(name)]
            self._records.delete(FUNCTION, name)
            for kind in (VERSION, ALIAS, EVENT_CONFIG):
                for key, _ in self._records.items(kind, f"{name}:"):
                    self._records.delete(kind, key)
        return removed

    def _delete_version(self, name: str, version: str) -> list[Body]:
        aliases = [alias["Name"] for alias in self.aliases(name) if alias["FunctionVersion"] == version]
        if aliases:  # the text is AWS's (zappa/Zappa#960)
            raise LambdaConflict(
                f"Unable to delete version because the following aliases reference it: [{', '.join(aliases)}]"
            )
        body = self._records.get(VERSION, f"{name}:{version}")
        self._records.delete(VERSION, f"{name}:{version}")
        return [body] if body else []

    def archives(self) -> set[str]:
        """The archives that a function or version needs."""
        return {own_function(body)["_code"] for kind in (FUNCTION, VERSION) for body in self._records.list(kind)}

    def _not_found(self, reference: FunctionReference) -> LambdaNotFound:
        return LambdaNotFound(f"Function not found: {self.arn(reference.name, reference.qualifier)}")


def check_revision(body: Body, revision: str | None) -> None:
    """Refuses a change of what is not the revision that the caller knows."""
    if revision and revision != body["RevisionId"]:
        raise RevisionChanged(
            "The RevisionId provided does not match the latest RevisionId. Call the "
            "GetFunction/GetAlias/GetPolicy API to retrieve the latest RevisionId for your resource."
        )


def touch(body: Body) -> None:
    """Gives a changed configuration its new revision and time."""
    body["RevisionId"] = str(uuid.uuid4())
    body["LastModified"] = last_modified()


def last_modified() -> str:
    """Now, as LastModified has it: ``2026-01-02T03:04:05.678+0000``."""
    moment = time.time()
    return f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(moment))}.{int(moment % 1 * 1000):03d}+0000"
