"""Pushes and objects that start pipelines without a rule: V2 triggers, change detection, polling.

Reads the log of changes behind its own place in it, so that a push starts its pipelines once, also after a restart.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from local_sagemaker.background import leave_out, log_failure
from local_sagemaker.clock import now
from local_sagemaker.codecommit.git import GitError, GitRepository
from local_sagemaker.codepipeline.triggers import Push, matches
from local_sagemaker.errors import ServiceError
from local_sagemaker.events import DELETED, Event
from local_sagemaker.objects.types import Objects
from local_sagemaker.records.delivery_members import own_delivery
from local_sagemaker.records.kinds import CODE_REFERENCE, CONNECTED_REFERENCE
from local_sagemaker.services.codepipeline.execution_start import ExecutionStart, Trigger
from local_sagemaker.services.codepipeline.pipeline_store import POLLED, PipelineStore

log = logging.getLogger(__name__)
_PLACE = "codepipeline-place"
POLL_SECONDS = 10.0
"""Between two looks at objects that are polled; a minute on AWS."""
Action = dict[str, Any]


class SourceTriggers:
    """Starts pipelines for changes of their sources."""

    def __init__(
        self, store: PipelineStore, starter: ExecutionStart, repositories: Callable[[str, str], GitRepository | None],
        objects: Objects,
    ) -> None:  # fmt: skip
        self._store, self._starter, self._repositories, self._objects = store, starter, repositories, objects
        self._polled = 0.0

    def look(self) -> None:
        """Takes in what has changed since the last look."""
        records = self._store.records
        place = records.get(_PLACE, "place")
        number = int(place["number"]) if place else records.event_log.newest()
        while True:
            changes = records.event_log.after(number, region=records.region)
            pushes = dict(self._pushes(changes))  # by git, which takes time: before the transaction
            with records.transaction():
                for change in changes:
                    with leave_out(log, "what %s starts", change.arn):
                        self._take_in(change, pushes.get(change.number))
                    number = change.number
                if changes or place is None:
                    place = {"number": number}
                    records.put(_PLACE, "place", place)
            if not changes:
                break
        if now() - self._polled >= POLL_SECONDS:
            self._polled = now()
            self._poll_objects()

    def _sources(self) -> list[tuple[str, dict[str, Any], Action]]:
        """(pipeline, structure, action) of all source actions."""
        sources = []
        for name in self._store.names():
            structure = self._store.structure(name, self._store.pipeline(name)["version"])
            sources += [(name, structure, action) for action in structure["stages"][0]["actions"]]
        return sources

    def _take_in(self, change: Event, push: Push | None) -> None:
        if change.status == DELETED:
            return
        if push is not None:
            self._start_connected(change, push)
        elif change.kind == CODE_REFERENCE.kind and change.body["referenceType"] == "branch":
            for name, _, action in self._sources():
                settings = action["configuration"]
                own = (settings.get("RepositoryName"), settings.get("BranchName"))
                wanted = (change.body["repositoryName"], change.body["referenceName"])
                if action["actionTypeId"]["provider"] == "CodeCommit" and own == wanted and _polls(settings):
                    self._begin(name, Trigger("PollForSourceChanges", action["name"]))

    def _start_connected(self, change: Event, push: Push) -> None:
        repository = str(change.body["repositoryName"])
        for name, structure, action in self._sources():
            settings = action["configuration"]
            if settings.get("FullRepositoryId") != repository:
                continue
            triggers = [
                row for row in structure.get("triggers", [])
                if row["gitConfiguration"]["sourceActionName"] == action["name"]
            ]  # fmt: skip
            if triggers:
                started = any(matches(trigger, push) for trigger in triggers)
            else:
                branch = change.body["referenceType"] == "branch"
                same = change.body["referenceName"] == settings["BranchName"]
                started = branch and same and settings.get("DetectChanges", "true").lower() != "false"
            if started:
                revision = {"revisionType": "COMMIT_ID", "revisionValue": str(change.body["commitId"])}
                if change.body["referenceType"] == "branch":  # not the action's own, which is for starts by hand
                    revision["branchName"] = str(change.body["referenceName"])
                detail = settings["ConnectionArn"]
                self._begin(name, Trigger("WebhookV2", detail, revisions={action["name"]: revision}))

    def _pushes(self, changes: Iterable[Event]) -> Iterator[tuple[int, Push]]:
        for change in changes:
            if change.kind == CONNECTED_REFERENCE.kind and change.status != DELETED:
                with leave_out(log, "the push %s", change.arn):
                    yield change.number, self._push(change)

    def _push(self, change: Event) -> Push:
        body = change.body
        git = self._repositories("GITHUB", str(body["repositoryName"]))
        paths: list[str] = []
        if git is not None:
            try:
                paths = git.paths_between(body.get("oldCommitId"), str(body["commitId"]))
            except GitError as error:
                log.warning("push to %s: %s", body["repositoryName"], error)
        return Push(str(body["referenceType"]), str(body["referenceName"]), str(body["commitId"]), tuple(paths))

    def _begin(self, name: str, trigger: Trigger) -> None:
        with leave_out(log, "pipeline %s", name):
            try:
                self._starter.start(name, trigger)
            except ServiceError as error:
                log.warning("pipeline %s was not started: %s", name, error.message)

    def _poll_objects(self) -> None:
        for name, _, action in self._sources():
            if action["actionTypeId"]["provider"] == "S3" and _polls(action["configuration"]):
                with log_failure(log, "source %s of pipeline %s", action["name"], name):
                    self._poll_object(name, action)

    def _poll_object(self, name: str, action: Action) -> None:
        settings = action["configuration"]
        info = self._objects.head(settings["S3Bucket"], settings["S3ObjectKey"])
        version = info.version if info else None
        key = f"{name}/{action['name']}"
        with self._store.records.transaction():
            seen = self._store.records.get(POLLED, key)
            if version is None or (seen and seen["version"] == version) or name not in self._store.names():
                return
            self._store.records.put(POLLED, key, {"version": version})
            last = self._last_version(name, action["name"])
            if (seen or last) and version != last:
                self._begin(name, Trigger("PollForSourceChanges", action["name"]))

    def _last_version(self, name: str, action: str) -> str | None:
        """The version of an object that the pipeline had last: what came between that and the first look is new."""
        for execution in reversed(self._store.executions(name)):
            for row in own_delivery(execution)["_sources"]:
                if row["actionName"] == action:
                    return str(row["revisionId"])
        return None


def _polls(settings: dict[str, str]) -> bool:
    return settings.get("PollForSourceChanges", "true").lower() != "false"
