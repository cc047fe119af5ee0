"""One batch build, top to bottom: its specification, its builds in their order, their artifacts together.

Its builds are builds like any other. A batch whose service is killed ends as a fault, as its builds do.
"""

from __future__ import annotations

import copy
import logging
import os
import threading
from collections.abc import Callable
from typing import Any

from local_sagemaker.background import log_failure
from local_sagemaker.clock import now
from local_sagemaker.codebuild.batchspec import SOURCE_TASK, Batchspec, BatchTask, parse_batch
from local_sagemaker.files.removal import discard
from local_sagemaker.records.delivery_members import BuildRecord, own_batch, own_build
from local_sagemaker.records.delivery_status import BuildStatus
from local_sagemaker.records.store import Body
from local_sagemaker.services.codebuild.batch_artifacts import BatchArtifacts
from local_sagemaker.services.codebuild.batch_store import CLIENT_ERROR, BatchPhases, BatchStore
from local_sagemaker.services.codebuild.build_run import BuildServices
from local_sagemaker.services.codebuild.builds import Builds
from local_sagemaker.services.codebuild.errors import BuildFailure, InvalidInput
from local_sagemaker.services.codebuild.projects import check

log = logging.getLogger(__name__)
_TICK = 0.1
AT_ONCE = os.cpu_count() or 1
"""How many builds of a batch run at once: on AWS each has a machine, here all have this one."""


class BatchEnd(Exception):
    """The batch ends with a status, whatever is left to do."""

    def __init__(self, status: BuildStatus) -> None:
        super().__init__(status)
        self.status = status


class BatchRun:
    """A running batch. `kept` are the identifiers of builds that succeeded before, and are not run again."""

    def __init__(
        self, batch: Body, services: BuildServices, store: BatchStore, builds: Builds,
        ended: Callable[[BatchRun], None], kept: frozenset[str] = frozenset(),
    ) -> None:  # fmt: skip
        self.id: str = batch["id"]
        self._batch, self._services, self._store, self._builds, self._ended = batch, services, store, builds, ended
        self._phases = BatchPhases(store, self.id)
        self._passed, self._begun = set(kept), set(kept)
        self._retried = bool(kept)
        self._running: dict[str, str] = {}
        self._tasks: dict[str, BatchTask] = {}
        self._source_build = ""
        self._failed = False
        self._stopped = self._abandoned = False
        self._begin_time = now()
        self._artifacts = BatchArtifacts(batch, services)
        self._thread = threading.Thread(target=self._run, name=f"batch {self.id}", daemon=True)

    def start(self) -> None:
        """Begins, in a thread of its own."""
        self._thread.start()

    def join(self, timeout: float) -> None:
        """Waits for its end."""
        self._thread.join(timeout)

    def stop(self) -> None:
        """Ends it as stopped, with its builds."""
        self._stopped = True

    def abandon(self) -> None:
        """Ends it without a word: the service ends."""
        self._abandoned = True

    def _run(self) -> None:
        done = False
        with log_failure(log, "batch %s", self.id):
            self._work()
            done = True
        if not done and not self._abandoned:
            self._phases.fail_all("The local service failed; its log says why.")
        discard(self._artifacts.folder)
        self._ended(self)

    def _work(self) -> None:
        try:
            self._advance()
        except BuildFailure as failure:
            self._phases.leave(CLIENT_ERROR, [{"statusCode": failure.code, "message": failure.message}])
            self._phases.end(BuildStatus.FAILED)
        except BatchEnd as end:
            self._halt()
            if not self._abandoned:
                self._settle()
                self._phases.leave(end.status)
                self._phases.end(end.status)

    def _advance(self) -> None:
        self._phases.skip("SUBMITTED")
        if self._retried:
            spec = parse_batch(own_batch(self._batch)["_batchspec"])
            self._artifacts.check(spec)
        else:
            self._phases.enter("DOWNLOAD_BATCHSPEC")
            spec = self._download()
            self._phases.leave(BuildStatus.SUCCEEDED)
        self._phases.enter("IN_PROGRESS")
        self._build_all(spec)
        self._phases.leave(BuildStatus.SUCCEEDED)
        self._phases.enter("COMBINE_ARTIFACTS")
        if self._artifacts.combined:
            self._phases.set(**self._artifacts.combine([task.identifier for task in spec.tasks]))
        self._phases.leave(BuildStatus.SUCCEEDED)
        self._phases.end(BuildStatus.SUCCEEDED)

    def _check_time(self) -> None:
        if self._stopped or self._abandoned:
            raise BatchEnd(BuildStatus.STOPPED)
        if now() > self._begin_time + 60 * self._batch["buildBatchConfig"]["timeoutInMins"]:
            raise BatchEnd(BuildStatus.TIMED_OUT)

    def _download(self) -> Batchspec:
        """The specification, read by a build of its own, which has the version of the source, too."""
        self._start(BatchTask(SOURCE_TASK))
        while SOURCE_TASK in self._running:
            self._check_time()
            self._look()
            self._pause()
        source = self._services.store.require(self._source_build)
        if SOURCE_TASK not in self._passed:
            words = [
                row["message"] for phase in source["phases"] for row in phase.get("contexts", []) if row["message"]
            ]
            raise BuildFailure("BATCH_DOWNLOAD_SOURCE_FAILED", " ".join(words) or f"Build {source['id']} failed")
        members: Body = {name: source[name] for name in ("_batchspec", "resolvedSourceVersion") if name in source}
        self._phases.set(**members)
        self._batch |= members
        spec = parse_batch(own_batch(source)["_batchspec"])
        self._phases.put_groups([
            {"identifier": task.identifier, "dependsOn": list(task.depends_on), "ignoreFailure": task.ignore_failure}
            for task in spec.tasks
        ])  # fmt: skip
        self._check_builds(spec)
        self._artifacts.check(spec)
        return spec

    def _check_builds(self, spec: Batchspec) -> None:
        limits = self._batch["buildBatchConfig"].get("restrictions", {})
        most, allowed = limits.get("maximumBuildsAllowed", 100), limits.get("computeTypesAllowed")
        if len(spec.tasks) > most:
            raise BuildFailure("CLIENT_ERROR", f"The batch has {len(spec.tasks)} builds; {most} are allowed.")
        for task in spec.tasks:
            kind = task.environment.get("computeType", self._batch["environment"]["computeType"])
            if allowed and kind not in allowed:
                raise BuildFailure("CLIENT_ERROR", f"The compute type {kind} of {task.identifier} is not allowed.")
            try:
                check(self._wanted(task))
            except InvalidInput as error:
                raise BuildFailure("CLIENT_ERROR", f"{task.identifier}: {error.message}") from error

    def _build_all(self, spec: Batchspec) -> None:
        """Runs the builds. Raises when one that counts failed, after those that run have ended."""
        self._tasks = {task.identifier: task for task in spec.tasks}
        while True:
            self._check_time()
            self._look()
            if self._failed and spec.fast_fail:
                self._halt()
            for task in spec.ready(self._begun, self._passed) if not (self._failed and spec.fast_fail) else []:
                if len(self._running) < AT_ONCE:
                    self._start(task)
            if not self._running:
                break
            self._pause()
        self._settle()
        if self._failed:
            failed = [task.identifier for task in spec.tasks if task.identifier not in self._passed]
            raise BuildFailure("BATCH_BUILD_FAILED", f"Builds that did not succeed: {', '.join(failed)}")

    @staticmethod
    def _pause() -> None:
        threading.Event().wait(_TICK)

    def _look(self) -> None:
        """Takes in the builds that have ended."""
        for identifier, identity in list(self._running.items()):
            build = self._builds.outcome(identity)
            if build is None:
                continue
            del self._running[identifier]
            self._phases.summarize(identifier, self._summary(identifier, build))
            task = self._tasks.get(identifier) if identifier != SOURCE_TASK else None
            if build["buildStatus"] == BuildStatus.SUCCEEDED:
                self._passed.add(identifier)
                self._artifacts.take_in(identifier, build)
            elif task is not None and task.ignore_failure:
                self._passed.add(identifier)
            else:
                self._failed = self._failed or identifier != SOURCE_TASK

    def _halt(self) -> None:
        """Stops the builds that run."""
        if self._abandoned:
            return
        for identity in self._running.values():
            self._builds.halt(identity)
        self._look()

    def _wanted(self, task: BatchTask) -> Body:
        """What a task builds: the batch's project with the task's overrides."""
        wanted = copy.deepcopy(own_batch(self._batch)["_wanted"])
        wanted["environment"] |= task.environment
        if task.buildspec:
            wanted["source"]["buildspec"] = task.buildspec
        if task.identifier == SOURCE_TASK:
            wanted["artifacts"] = {"type": "NO_ARTIFACTS"}
            wanted.pop("secondaryArtifacts", None)
        return wanted

    def _private(self, task: BatchTask) -> Body:
        return {
            **BuildRecord(_task=task.identifier), "buildBatchArn": self._batch["arn"],
            "initiator": self._batch["initiator"], **self._artifacts.private(task.identifier),
        }  # fmt: skip

    def _request(self, task: BatchTask) -> dict[str, Any]:
        rows = [{"name": name, "value": value, "type": "PLAINTEXT"} for name, value in task.variables.items()]
        names = {row["name"] for row in rows}
        before = [row for row in own_batch(self._batch)["_overrides"] if row["name"] not in names]
        request: dict[str, Any] = {"environmentVariablesOverride": [*before, *rows]}
        version = self._batch.get("resolvedSourceVersion") or self._batch.get("sourceVersion")
        return {**request, "sourceVersion": version} if version else request

    def _start(self, task: BatchTask) -> None:
        project = self._services.store.project(self._batch["projectName"])
        build = self._builds.begin(project, self._wanted(task), self._private(task), self._request(task))
        if task.identifier == SOURCE_TASK:
            self._source_build = build["id"]
        self._begun.add(task.identifier)
        self._running[task.identifier] = build["id"]
        self._phases.summarize(task.identifier, self._summary(task.identifier, build))

    def _settle(self) -> None:
        """Builds whose turn never came are stopped ones, as a response of AWS's has it (AWS CLI, retry-build-batch)."""
        for identifier, task in self._tasks.items():
            if identifier not in self._begun:
                project = self._services.store.project(self._batch["projectName"])
                build = self._builds.never(project, self._wanted(task), self._private(task), self._request(task))
                summary = {"arn": build["arn"], "requestedOn": build["startTime"], "buildStatus": build["buildStatus"]}
                self._phases.summarize(identifier, summary)

    def _summary(self, identifier: str, build: Body) -> dict[str, Any]:
        kind = own_build(build)["_artifacts"][0]["type"].lower()
        primary = {"type": kind, "identifier": identifier}
        if build["artifacts"].get("location"):
            primary["location"] = build["artifacts"]["location"]
        secondary = [
            {"type": "s3", "identifier": row["artifactIdentifier"], "location": row["location"]}
            for row in build.get("secondaryArtifacts", [])
        ]
        return {
            "arn": build["arn"], "requestedOn": build["startTime"], "buildStatus": build["buildStatus"],
            "primaryArtifact": primary, "secondaryArtifacts": secondary,
        }  # fmt: skip
