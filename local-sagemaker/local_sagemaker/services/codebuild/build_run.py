"""One build, top to bottom: sources, specification, the agent in its process, artifacts.

What the agent says in its file of progress becomes the build's record. A build whose service is killed has lost its
process; it is not run again by itself, since its commands may have changed something (`Builds.resume`).
"""

from __future__ import annotations

import json
import logging
import signal
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from local_sagemaker import yaml_text
from local_sagemaker.api.operations import Call
from local_sagemaker.background import log_failure
from local_sagemaker.clock import now
from local_sagemaker.codebuild.batchspec import SOURCE_TASK, parse_batch
from local_sagemaker.codebuild.buildspec import Buildspec, BuildspecError, parse
from local_sagemaker.config import Settings
from local_sagemaker.files.removal import discard
from local_sagemaker.images.image import Program
from local_sagemaker.logs import Logs
from local_sagemaker.objects.types import Objects
from local_sagemaker.processes.spec import Process, Processes, ProcessSpec
from local_sagemaker.records.delivery_members import own_build
from local_sagemaker.records.delivery_status import BuildStatus
from local_sagemaker.records.status import SwitchState
from local_sagemaker.records.store import Body
from local_sagemaker.regexes import bounded
from local_sagemaker.regexes.bounded import RegexError
from local_sagemaker.services.codebuild import build_environment, runtimes
from local_sagemaker.services.codebuild.agent_output import AgentOutput
from local_sagemaker.services.codebuild.artifacts import BuildUploads
from local_sagemaker.services.codebuild.build_environment import SOURCE, EnvironmentReader, Variables
from local_sagemaker.services.codebuild.build_phases import Phases
from local_sagemaker.services.codebuild.build_reports import BuildReports
from local_sagemaker.services.codebuild.build_sources import FindRepository, Sources
from local_sagemaker.services.codebuild.build_store import BuildStore
from local_sagemaker.services.codebuild.errors import BuildFailure
from local_sagemaker.services.codebuild.projects import RolesOfServices
from local_sagemaker.services.codebuild.reports import ReportStore

log = logging.getLogger(__name__)
_TICK = 0.1
_AGENT = "local_sagemaker.codebuild.agent:main"
_PLAN = "/opt/ml/codebuild/plan.json"
BUILDSPEC = "buildspec.yml"


@dataclass(frozen=True)
class BuildServices:
    """What every build needs of the service. `environment` leads its processes to the service."""

    settings: Settings
    store: BuildStore
    objects: Objects
    logs: Logs
    processes: Processes
    environment: Mapping[str, str]
    repositories: FindRepository
    roles: RolesOfServices
    reports: ReportStore
    call: Call

    def log_of(self, build: Body) -> tuple[str, str]:
        """Group and stream of a build's log."""
        project, _, unique = build["id"].rpartition(":")
        logs = own_build(build).get("_logs", {}).get("cloudWatchLogs", {})
        prefix = logs.get("streamName")
        return logs.get("groupName") or f"/aws/codebuild/{project}", f"{prefix}/{unique}" if prefix else unique

    def say(self, build: Body, text: str) -> None:
        """A line of the platform's in a build's log."""
        group, stream = self.log_of(build)
        moment = time.strftime("%Y/%m/%d %H:%M:%S", time.gmtime())
        with self.logs.file(group, stream).open("a", encoding="utf-8") as file:
            file.write(f"[Container] {moment} {text}\n")
        self.logs.mark(group, stream)


class BuildRun:
    """A running build. `again` is how often it may be run again, once it has ended by a phase that says RETRY."""

    def __init__(self, build: Body, services: BuildServices, ended: Callable[[BuildRun], None]) -> None:
        self.id: str = build["id"]
        self.again: int | None = None
        self._build, self._services, self._ended = build, services, ended
        self._folder = services.settings.jobs / f"codebuild-{self.id.rpartition(':')[2]}"
        self._phases = Phases(services.store, self.id)
        self._process: Process | None = None
        self._stopped = self._abandoned = self._timed_out = False
        self._failed = False
        self._output = AgentOutput(self._folder)
        self._uploads = BuildUploads(build, services.objects, self._output)
        self._reports = BuildReports(build, services.reports, self._output)
        self._finished = self._warned = False
        self._thread = threading.Thread(target=self._run, name=f"build {self.id}", daemon=True)

    def start(self) -> None:
        """Begins, in a thread of its own."""
        self._thread.start()

    def join(self, timeout: float) -> None:
        """Waits for its end."""
        if self._thread is not threading.current_thread():
            self._thread.join(timeout)

    def stop(self) -> None:
        """Ends it as stopped."""
        self._stopped = True
        self._kill()

    def abandon(self) -> None:
        """Ends it without a word: the service ends."""
        self._abandoned = True
        self._kill()

    def _kill(self) -> None:
        if self._process is not None:
            self._process.signal(signal.SIGKILL)

    def _run(self) -> None:
        done = False
        with log_failure(log, "build %s", self.id):
            self._work()
            done = True
        if not done and not self._abandoned:
            self._phases.fault("The local service failed; its log says why.")
        discard(self._folder)
        with log_failure(log, "after build %s", self.id):
            self._ended(self)

    def _work(self) -> None:
        group, stream = self._services.log_of(self._build)
        arn = self._services.settings.arns.of("logs", f"log-group:{group}:log-stream:{stream}")
        self._phases.set(logs={
            "groupName": group, "streamName": stream, "cloudWatchLogsArn": arn,
            "cloudWatchLogs": {"status": SwitchState.ENABLED, "groupName": group},
            "s3Logs": {"status": SwitchState.DISABLED},
        })  # fmt: skip
        self._phases.skip("SUBMITTED", "QUEUED", "PROVISIONING")
        self._phases.enter("DOWNLOAD_SOURCE")
        try:
            spec = self._prepare() if own_build(self._build).get("_task") != SOURCE_TASK else None
            if spec is None:
                self._read_batch()
        except BuildFailure as failure:
            self._fail(failure.code, failure.message)
            self._phases.enter("FINALIZING")
        else:
            self._phases.leave(BuildStatus.SUCCEEDED)
            if spec is not None:
                self._execute(spec)
            else:
                self._phases.enter("FINALIZING")
        if self._abandoned:
            return
        self._finish()
        self._services.logs.mark(group, stream, final=True)

    def _fail(self, code: str, message: str) -> None:
        """Ends the phase as failed, in the record and in the log."""
        self._failed = True
        build = self._services.store.require(self.id)
        self._services.say(build, f"Phase complete: {build['currentPhase']} State: FAILED")
        self._services.say(build, f"Phase context status code: {code} Message: {message}")
        self._phases.leave(BuildStatus.FAILED, [{"statusCode": code, "message": message}])

    def _finish(self) -> None:
        self._phases.leave(BuildStatus.SUCCEEDED)
        status = BuildStatus.FAILED if self._failed else BuildStatus.SUCCEEDED
        self._phases.complete(
            BuildStatus.STOPPED if self._stopped else BuildStatus.TIMED_OUT if self._timed_out else status
        )

    @property
    def _source(self) -> Path:
        return self._folder / "ml" / SOURCE.removeprefix("/opt/ml/")

    def _prepare(self) -> Buildspec:
        """Sources, specification and variables."""
        secondary = self._fetch()
        text = self._read_buildspec()
        try:
            spec = parse(text)
        except BuildspecError as error:
            raise BuildFailure("YAML_FILE_ERROR", str(error)) from error
        variables = EnvironmentReader(self._services.call).read(self._build, spec)
        self._plan(spec, variables)
        build = self._services.store.require(self.id)
        own = build_environment.own(build, secondary, self._services.log_of(build)[1])
        account = build["arn"].split(":")[4]
        git = build_environment.git_settings(self._services.environment, account, credentials=spec.git_credentials)
        service = {**self._services.environment, **self._keys_of_role(), **git}
        self._variables = build_environment.together(service, own, variables)
        return spec

    def _read_batch(self) -> None:
        """The first build of a batch has no commands: it reads the batch's specification from the source."""
        self._fetch()
        text = self._read_buildspec()
        try:
            parse_batch(text)
        except BuildspecError as error:
            raise BuildFailure("YAML_FILE_ERROR", str(error)) from error
        self._phases.set(_batchspec=text)

    def _keys_of_role(self) -> dict[str, str]:
        """The build's keys: the service role's, for as long as it may take."""
        session = f"AWSCodeBuild-{self.id.rpartition(':')[2]}"
        return self._services.roles.lend(
            self._build["serviceRole"], session, 60 * (self._build["timeoutInMinutes"] + 60)
        )

    def _fetch(self) -> list[str]:
        """Puts all sources into the build's folder; the identifiers of the secondary ones."""
        sources, build = Sources(self._services.objects, self._services.repositories), self._build
        if "_order" in build:
            first, *others = own_build(build)["_order"]["sources"]
            sources.unpack(first[1], first[2], self._source)
            for identifier, bucket, key in others:
                sources.unpack(bucket, key, self._source.parent / identifier)
            if build.get("sourceVersion"):
                self._phases.set(resolvedSourceVersion=build["sourceVersion"])
            return [identifier for identifier, *_ in others]
        fetched = sources.fetch(build["source"], build.get("sourceVersion", ""), self._source)
        if fetched.version:
            self._phases.set(resolvedSourceVersion=fetched.version)
        versions = {row["sourceIdentifier"]: row["sourceVersion"] for row in build.get("secondarySourceVersions", [])}
        names = []
        for source in build.get("secondarySources", []):
            name = source["sourceIdentifier"]
            sources.fetch(source, versions.get(name, ""), self._source.parent / name)
            names.append(name)
        return names

    def _read_buildspec(self) -> str:
        buildspec = self._build["source"].get("buildspec") or BUILDSPEC
        if "\n" in buildspec or buildspec.lstrip().startswith("{"):  # JSON of Terraform and boto3 is one line
            return str(buildspec)
        if buildspec.startswith("arn:aws:s3:::"):
            bucket, _, key = buildspec.removeprefix("arn:aws:s3:::").partition("/")
            file = self._services.objects.path(bucket, key)
            if file is None:
                raise BuildFailure("YAML_FILE_ERROR", f"{buildspec} does not exist")
            return _read_text(file)
        file = (self._source / buildspec).resolve()
        if not file.is_relative_to(self._source.resolve()) or not file.is_file():
            raise BuildFailure("YAML_FILE_ERROR", f"stat {SOURCE}/{buildspec}: no such file or directory")
        return _read_text(file)

    def _plan(self, spec: Buildspec, variables: Variables) -> None:
        """Writes what the agent is to do."""
        self._runtimes = chosen = runtimes.select(spec, self._build["environment"]["image"])
        notes = chosen.notes + [f"{name} has no effect in the local service." for name in spec.ignored]
        notes += [f"{name} is no member of a build specification: it has no effect." for name in spec.unknown]
        phases = [
            {"name": phase.name.upper(), "commands": phase.commands, "finally": phase.finally_commands,
             "on_failure": phase.on_failure.action, "refusal": chosen.refusal if phase.name == "install" else None}
            for phase in spec.phases
        ]  # fmt: skip
        plan = {
            "shell": runtimes.shell(spec.shell, self._build["environment"]["image"]), "source": SOURCE,
            "phases": phases, "notes": notes, "python": str(chosen.python.program) if chosen.python else "",
            "exported": build_environment.exportable(spec.exported, variables),
            "masked": list(variables.masked.values()),
            "artifacts": [asdict(artifact) for artifact in spec.artifacts] if self._uploads.wanted else [],
            "reports": [asdict(report) for report in spec.reports],
        }  # fmt: skip
        file = self._folder / "ml" / _PLAN.removeprefix("/opt/ml/")
        file.parent.mkdir(parents=True, exist_ok=True)
        (file.parent / "progress.jsonl").touch()
        file.write_text(json.dumps(plan))

    def _execute(self, spec: Buildspec) -> None:
        """Runs the agent, and takes in what it says until it ends."""
        group, stream = self._services.log_of(self._build)
        self._process = self._services.processes.start(
            ProcessSpec(
                program=Program(("codebuild-agent", _PLAN), _AGENT, readable=self._runtimes.readable),
                root=self._folder,
                log=self._services.logs.file(group, stream),
                environment=self._variables,
                working_directory=SOURCE,
            )
        )
        if self._stopped or self._abandoned:
            self._kill()
        deadline = now() + 60 * self._build.get("timeoutInMinutes", 60)
        ended = False
        while not ended:
            ended = self._process.wait(_TICK) is not None
            self._read_progress(spec)
            self._services.logs.mark(group, stream)
            if not ended and now() > deadline and not self._timed_out:
                self._timed_out = True
                self._kill()
        self._end_of_process()

    def _end_of_process(self) -> None:
        build = self._services.store.require(self.id)
        if self._abandoned:
            return
        if self._stopped or self._timed_out:
            self._phases.leave(BuildStatus.STOPPED if self._stopped else BuildStatus.TIMED_OUT)
        elif build["currentPhase"] != "FINALIZING":
            self._failed = True
            message = "The build's process ended before its phases did."
            self._phases.leave(BuildStatus.FAILED, [{"statusCode": "AGENT_ERROR", "message": message}])
        if build["currentPhase"] != "FINALIZING":
            self._phases.enter("FINALIZING")

    def _read_progress(self, spec: Buildspec) -> None:
        for message in self._output.messages(spec):
            if message is not None and not self._finished:
                self._receive(message, spec)
            elif not self._warned:
                self._warned = True
                self._services.say(self._build, "A line of progress.jsonl that the agent did not write is left out.")

    def _receive(self, message: dict[str, Any], spec: Buildspec) -> None:
        """Takes in one thing that the agent says."""
        if "enter" in message:
            self._phases.enter(message["enter"], message["start"])
        elif "phase" in message:
            self._failed = self._failed or message["status"] == BuildStatus.FAILED
            if message["status"] == BuildStatus.FAILED:
                self._choose_retry(message, spec)
            self._phases.leave(message["status"], message["contexts"], message["end"])
        elif "exported" in message:
            rows = [{"name": name, "value": value} for name, value in message["exported"].items()]
            self._phases.set(exportedEnvironmentVariables=rows)
        elif "artifact" in message:
            self._uploads.add([one.identifier for one in spec.artifacts].index(message["artifact"]), message)
        elif "report" in message:
            number = [one.name for one in spec.reports].index(message["report"])
            self._reports.take_in(number, spec.reports[number], message)
        elif "finished" in message:
            self._finished = True
            self._upload(message["finished"])

    def _upload(self, failure: str) -> None:
        """The platform's part of UPLOAD_ARTIFACTS."""
        try:
            self._phases.set(reportArns=self._reports.arns)
            if failure:
                raise BuildFailure("CLIENT_ERROR", failure)
            self._phases.set(**self._uploads.upload())
            if self._reports.failure:
                raise BuildFailure("CLIENT_ERROR", self._reports.failure)
            self._phases.leave(BuildStatus.SUCCEEDED)
        except BuildFailure as error:
            self._fail(error.code, error.message)
        self._phases.enter("FINALIZING")

    def _choose_retry(self, message: dict[str, Any], spec: Buildspec) -> None:
        """Whether a failed phase has the whole build run again."""
        rule = next(phase.on_failure for phase in spec.phases if phase.name.upper() == message["phase"])
        text = " ".join(context["message"] for context in message["contexts"])
        if rule.action == "RETRY" and _finds(rule.pattern, text):
            self.again = rule.retries
        elif "_order" not in self._build and self._build.get("autoRetryLimit"):
            self.again = int(self._build["autoRetryLimit"])


def _read_text(file: Path) -> str:
    """As much of a specification as is ever executed: a longer one is refused by its length."""
    with file.open("rb") as specification:
        return specification.read(4 * yaml_text.LONGEST + 1).decode("utf-8", "replace")


def _finds(pattern: str, text: str) -> bool:
    """Whether a client's pattern is found in a text; one that takes too long finds nothing."""
    try:
        return bounded.find("search", pattern, text) is not None
    except RegexError:
        return False
