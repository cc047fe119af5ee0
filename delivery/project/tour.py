"""The whole delivery on one machine, as a story: ``make tour``.

Creates a project, clones its three repositories, and follows what first commits, pushes, approvals and events start:
two versions in production, drift that retrains, a rejection, and the end of the project. Everything runs for real on
the local service; the commands and calls are those of AWS.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3

from delivery.errors import DeliveryError
from delivery.modelmonitor.baselines import DeployedModel, find_deployed, read_baseline
from delivery.project.names import Project
from delivery.project.tour_changes import change_rounds, edit_parameters
from delivery.project.tour_clock import TourError, avoid_the_hour, wait_for
from delivery.project.working_copy import Repository

PROJECT = Project("abalone", "p-tour")
KINDS = ("modelbuild", "modeldeploy", "modelmonitor")
QUICK = {"WaitIntervalInSeconds": "0", "TerminationWaitInSeconds": "0"}
RETRAINING = {"RetrainOnDrift": "yes"}
ROWS = 400
SHELL_WEIGHT, DRIFTED = 7, "_c7"
"""The column of the training data that drifts, and the feature's name where data has no header."""
VIOLATIONS = 4  # the exit code of a monitor that finds some
ROW = "-0.5746,-0.4321,-1.0644,-0.6419,-0.6077,-0.7262,-0.6382,0,0,1"


@dataclass
class Tour:
    """The steps, each of which prints what it saw."""

    folder: Path
    started: float = field(default_factory=time.monotonic)
    _clients: dict[str, Any] = field(default_factory=dict)

    def tell(self, text: str) -> None:
        """One line of the story, with the seconds since its start."""
        print(f"{time.monotonic() - self.started:6.1f} s  {text}", flush=True)

    def client(self, service: str) -> Any:
        """A client of the environment's region; each is made once."""
        make: Any = boto3.client
        if service not in self._clients:
            self._clients[service] = make(service)
        return self._clients[service]

    def create(self) -> dict[str, Repository]:
        """The project, and working copies of its repositories."""
        self._command("delivery", "create", PROJECT.name, PROJECT.id, "--source", "codecommit")
        self.tell(f"the project {PROJECT.name} exists: three repositories, three pipelines, their rules")
        repositories = {}
        for kind in KINDS:
            name = f"{PROJECT.prefix}-{kind}"
            url = self.client("codecommit").get_repository(repositoryName=name)["repositoryMetadata"]["cloneUrlHttp"]
            repositories[kind] = Repository(kind, self.folder / kind, url)
            repositories[kind].clone()
        return repositories

    def settle(self, repositories: Mapping[str, Repository]) -> None:
        """Deployment and monitoring have nothing to do yet, and say so; a push each says how they will do it."""
        for kind in ("modeldeploy", "modelmonitor"):
            self._wait_executions(kind, 1)
            if (status := self._stage(kind, "DeployStaging")["latestExecution"]["status"]) != "Skipped":
                raise TourError(f"the stage DeployStaging of {kind} is {status}, and nothing is approved yet")
            self.tell(f"{kind} waits: its stages are skipped, nothing is red")
        edit_parameters(self.folder / "modeldeploy/delivery/modeldeploy/prod-config.json", QUICK)
        edit_parameters(self.folder / "modelmonitor/delivery/modelmonitor/staging-monitoring-config.json", RETRAINING)
        for kind in ("modeldeploy", "modelmonitor"):
            repositories[kind].push("settings of the tour")

    def first_version(self) -> str:
        """What the creation has started leads to a version that waits for approval; its ARN."""
        version = self.wait_version(1)
        self.tell(f"the first commit led to version 1, {version['ModelApprovalStatus']}")
        for kind, count in zip(KINDS, (1, 2, 2), strict=True):
            self._wait_executions(kind, count)
        self.tell("the first executions of the three pipelines have succeeded")
        return str(version["ModelPackageArn"])

    def build_version(self, repository: Repository, message: str, number: int) -> str:
        """A push of the model code leads to a version that waits for approval; its ARN."""
        repository.push(message)
        version = self.wait_version(number)
        self.tell(f"commit {message!r} led to version {number}, {version['ModelApprovalStatus']}")
        return str(version["ModelPackageArn"])

    def wait_version(self, number: int) -> dict[str, Any]:
        """The version with this number, as soon as it exists."""

        def find() -> Any:
            self._raise_if_failed("modelbuild")
            return next((item for item in self._versions() if item["ModelPackageVersion"] == number), None)

        return dict(wait_for(find, f"version {number}"))

    def approve_version(self, arn: str, status: str = "Approved") -> None:
        """What a person does in the registry."""
        self.client("sagemaker").update_model_package(
            ModelPackageArn=arn, ModelApprovalStatus=status, ApprovalDescription=f"tour: {status}"
        )
        self.tell(f"version {arn.rpartition('/')[2]} is {status}")

    def follow_to_production(self, number: int) -> None:
        """Staging, its test, the manual approval, production."""
        arn = wait_for(lambda: self._waiting_approval("modeldeploy", "DeployStaging", number), "the staging's approval")
        self.tell(f"{PROJECT.name}-staging serves version {number} and its test has passed; production is approved now")
        self._approve("modeldeploy", "DeployStaging", arn)
        self._wait_serving("prod", number)
        self.tell(f"{PROJECT.name}-prod serves version {number}")

    def show_stage(self, number: int) -> None:
        """Production's own test has ended well, and the version says so."""

        def stage() -> str:
            summary = next(item for item in self._versions() if item["ModelPackageVersion"] == number)
            described = self.client("sagemaker").describe_model_package(ModelPackageName=summary["ModelPackageArn"])
            life = described.get("ModelLifeCycle", {})
            return f"{life.get('Stage')}, {life.get('StageStatus')}"

        wait_for(lambda: stage() == "Production, Approved", f"the last stage of version {number}")
        self.tell(f"the last stage of version {number} is {stage()}")

    def follow_monitors(self, number: int) -> None:
        """Staging in service has started the monitoring pipeline, production's deployment another time; each waits for
        an approval before it changes production's monitors.
        """
        ends = 2 + 2 * number  # the creation and the push of its settings came before
        wait_for(lambda: self._approve_monitors() == ends, f"the monitors of version {number}")
        for stage in ("staging", "prod"):
            self.tell(f"{stage} is monitored: {', '.join(self._schedules(stage))}")
            if (monitored := self._monitored_model(stage)) != (model := self._deployed(stage).model):
                raise TourError(f"{stage} serves {model}, and its monitor of explainability explains {monitored}")

    def _approve_monitors(self) -> int:
        """Approves what waits in the monitoring pipeline; the number of its executions that have succeeded."""
        if action := self._waiting_approval("modelmonitor", "DeployStaging"):
            self._approve("modelmonitor", "DeployStaging", action)
        return sum(row["status"] == "Succeeded" for row in self._executions("modelmonitor"))

    def _monitored_model(self, stage: str) -> str:
        """The model that the stage's monitor of explainability makes an endpoint of."""
        sagemaker, name = self.client("sagemaker"), f"{PROJECT.name}-{stage}-model-explainability"
        schedule = sagemaker.describe_monitoring_schedule(MonitoringScheduleName=name)["MonitoringScheduleConfig"]
        definition = sagemaker.describe_model_explainability_job_definition(
            JobDefinitionName=schedule["MonitoringJobDefinitionName"]
        )
        uri = definition["ModelExplainabilityAppSpecification"]["ConfigUri"]
        return str(read_baseline(self.client("s3"), uri)["predictor"]["model_name"])

    def drift(self) -> None:
        """Staging gets heavier shells than the training had: its monitor says so, and the alarm starts a retraining."""
        before = self._model_executions()
        rows = list(self._drifted_rows())
        runtime, name = self.client("sagemaker-runtime"), f"{PROJECT.name}-staging"
        for row in rows:
            runtime.invoke_endpoint(EndpointName=name, Body=row.encode(), ContentType="text/csv")
        self.tell(f"{len(rows)} requests to {name} have heavier shells than the training data")
        violation = wait_for(self._find_drift, f"a violation of {DRIFTED}")
        self.tell(f"the monitor {name}-data-quality reports: {violation}")
        self._wait_alarm(f"{name}-drift")
        wait_for(lambda: self._model_executions() - before, "the retraining")
        self.tell(f"the alarm {name}-drift was raised, and has started a retraining")

    def _drifted_rows(self) -> Iterator[str]:
        """Rows of the training data of the deployed version, without their labels."""
        record = json.loads(self._command("model-registry", "lineage", f"{PROJECT.name}-staging", "--json"))
        (versions,) = record["variants"].values()
        bucket, _, prefix = versions[0]["training"]["data"]["train"].removeprefix("s3://").partition("/")
        s3 = self.client("s3")
        key = s3.list_objects_v2(Bucket=bucket, Prefix=prefix)["Contents"][0]["Key"]
        for line in s3.get_object(Bucket=bucket, Key=key)["Body"].read().decode().splitlines()[:ROWS]:
            cells = line.split(",")
            cells[SHELL_WEIGHT] = f"{float(cells[SHELL_WEIGHT]) + 3:g}"
            yield ",".join(cells[1:])

    def _find_drift(self) -> str:
        """The violation of the feature; empty if the monitor has none yet: the newest requests may not be in S3 yet."""
        words = ("local-sagemaker", "monitor", "run", f"{PROJECT.name}-staging-data-quality", "--json")
        done = subprocess.run(words, capture_output=True, text=True, check=False)
        if done.returncode not in (0, VIOLATIONS):
            raise TourError(f"{' '.join(words)}: {done.stderr.strip()}{done.stdout.strip()}")
        violations = json.loads(done.stdout).get("violations") or []
        return next((f"{one['constraint_check_type']} of {DRIFTED}: {one['description']}" for one in violations
                     if one.get("feature_name") == DRIFTED), "")  # fmt: skip

    def _wait_alarm(self, name: str) -> None:
        cloudwatch = self.client("cloudwatch")

        def rings() -> bool:
            (alarm,) = cloudwatch.describe_alarms(AlarmNames=[name])["MetricAlarms"]
            return bool(alarm["StateValue"] == "ALARM")

        wait_for(rings, f"the alarm {name}")

    def _model_executions(self) -> set[str]:
        pages = self.client("sagemaker").get_paginator("list_pipeline_executions")
        return {
            item["PipelineExecutionArn"]
            for page in pages.paginate(PipelineName=PROJECT.group)
            for item in page["PipelineExecutionSummaries"]
        }

    def _schedules(self, stage: str) -> list[str]:
        listed = self.client("sagemaker").list_monitoring_schedules(EndpointName=f"{PROJECT.name}-{stage}")
        return sorted(item["MonitoringScheduleName"] for item in listed["MonitoringScheduleSummaries"])

    def trace(self, commit: str) -> None:
        """Production's model leads back to the commit, its data and both approvals, in one command."""
        text = self._command("model-registry", "lineage", f"{PROJECT.name}-prod")
        for expected in (commit, f"{PROJECT.group}/2", "num_round = 70", "ApproveDeployment", "s3://"):
            if expected not in text:
                raise TourError(f"the lineage of {PROJECT.name}-prod does not name {expected}:\n{text}")
        self.tell(f"model-registry lineage leads from {PROJECT.name}-prod back to commit {commit[:12]}")

    @contextmanager
    def traffic(self) -> Iterator[list[str]]:
        """Requests to production all the time; the errors."""
        runtime, stop, errors, count = self.client("sagemaker-runtime"), threading.Event(), [], [0]

        def send() -> None:
            while not stop.wait(0.05):
                try:
                    runtime.invoke_endpoint(
                        EndpointName=f"{PROJECT.name}-prod", Body=ROW.encode(), ContentType="text/csv"
                    )
                    count[0] += 1
                except runtime.exceptions.ClientError as error:
                    errors.append(str(error))

        sender = threading.Thread(target=send)
        sender.start()
        try:
            yield errors
        finally:
            stop.set()
            sender.join()
        if errors:
            raise TourError(f"{len(errors)} of {count[0] + len(errors)} requests were lost: {errors[0]}")
        self.tell(f"{count[0]} requests to production during the update, none was lost")

    def expect_nothing(self, before: int) -> None:
        """A rejected version started no deployment."""
        time.sleep(3)
        after = len(self._executions("modeldeploy"))
        if after != before:
            raise TourError("the rejection started a deployment")
        self.tell("the rejected version started nothing")

    def delete(self) -> None:
        """The project with its data; the second time there is nothing left."""
        words = ("delivery", "delete", PROJECT.name, PROJECT.id, "--yes", "--with-data")
        self._command(*words)
        left = self._command(*words)
        if "nothing is left" not in left:
            raise TourError(f"something is left of the project: {left}")
        self.tell("the project is deleted, and nothing is left of it")

    def run(self) -> None:
        """All of it."""
        if remark := avoid_the_hour(self._command):
            self.tell(remark)
        repositories = self.create()
        self.settle(repositories)
        version = self.first_version()
        self.approve_version(version)
        self.follow_to_production(1)
        self.follow_monitors(1)
        change_rounds(self.folder / "modelbuild", 50, 70)
        version = self.build_version(repositories["modelbuild"], "more rounds, and the baselines of that model", 2)
        with self.traffic():
            self.approve_version(version)
            self.follow_to_production(2)
        self.follow_monitors(2)
        self.show_stage(2)
        self.trace(repositories["modelbuild"].commit())
        self.drift()
        version = str(self.wait_version(3)["ModelPackageArn"])
        before = len(self._executions("modeldeploy"))
        self.tell("the retraining led to version 3, PendingManualApproval")
        self.approve_version(version, "Rejected")
        self.expect_nothing(before)
        self.delete()

    def _command(self, *words: str) -> str:
        done = subprocess.run(list(words), capture_output=True, text=True, check=False)
        if done.returncode:
            raise TourError(f"{' '.join(words)}: {done.stderr.strip() or done.stdout.strip()}")
        return done.stdout

    def _versions(self) -> list[dict[str, Any]]:
        listed = self.client("sagemaker").list_model_packages(ModelPackageGroupName=PROJECT.group)
        return list(listed["ModelPackageSummaryList"])

    def _executions(self, kind: str) -> list[dict[str, Any]]:
        listed = self.client("codepipeline").list_pipeline_executions(pipelineName=f"{PROJECT.prefix}-{kind}")
        return list(listed["pipelineExecutionSummaries"])

    def _stage(self, kind: str, name: str) -> dict[str, Any]:
        state = self.client("codepipeline").get_pipeline_state(name=f"{PROJECT.prefix}-{kind}")
        return next(dict(stage) for stage in state["stageStates"] if stage["stageName"] == name)

    def _wait_executions(self, kind: str, count: int) -> None:
        """Until so many executions have ended, all of them well."""

        def succeeded() -> bool:
            self._raise_if_failed(kind)
            statuses = [row["status"] for row in self._executions(kind)]
            return len(statuses) == count and {*statuses} == {"Succeeded"}

        wait_for(succeeded, f"the end of {count} executions of {kind}")

    def _raise_if_failed(self, kind: str) -> None:
        state = self.client("codepipeline").get_pipeline_state(name=f"{PROJECT.prefix}-{kind}")
        for stage in state["stageStates"]:
            for action in stage["actionStates"]:
                latest = action.get("latestExecution", {})
                if latest.get("status") == "Failed":
                    text = latest.get("errorDetails", {}).get("message", latest.get("summary", ""))
                    raise TourError(f"{kind}, {stage['stageName']}, {action['actionName']} failed: {text}")

    def _waiting_approval(self, kind: str, stage: str, number: int | None = None) -> dict[str, Any] | None:
        """The manual approval that waits, once staging serves the version."""
        self._raise_if_failed(kind)
        if number is not None and self._serving("staging") != number:
            return None
        for action in self._stage(kind, stage)["actionStates"]:
            latest = action.get("latestExecution", {})
            if latest.get("status") == "InProgress" and latest.get("token"):
                return dict(action)
        return None

    def _approve(self, kind: str, stage: str, action: Mapping[str, Any]) -> None:
        self.client("codepipeline").put_approval_result(
            pipelineName=f"{PROJECT.prefix}-{kind}", stageName=stage, actionName=action["actionName"],
            token=action["latestExecution"]["token"], result={"status": "Approved", "summary": "tour"},
        )  # fmt: skip

    def _deployed(self, stage: str) -> DeployedModel:
        """What the stage's endpoint serves; a model without a name until it is in service."""
        deployed = find_deployed(self.client("sagemaker"), f"{PROJECT.name}-{stage}")
        return deployed or DeployedModel("", None)

    def _serving(self, stage: str) -> int | None:
        """The number of the version that the stage's endpoint serves, once it is in service."""
        version = self._deployed(stage).version
        return int(version.rpartition("/")[2]) if version else None

    def _wait_serving(self, stage: str, number: int) -> None:
        def serves() -> bool:
            self._raise_if_failed("modeldeploy")
            return self._serving(stage) == number

        wait_for(serves, f"version {number} on {stage}")


def main() -> int:
    """The exit code: 0, or 1 where the story does not come to its end."""
    if not os.environ.get("AWS_ENDPOINT_URL"):
        print("tour: this is for the service on this machine: make tour", file=sys.stderr)
        return 1
    if not shutil.which("git"):
        print("tour: there is no git on PATH: install it, as the story begins with a push", file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory(prefix="tour-") as folder:
        tour = Tour(Path(folder))
        try:
            tour.run()
        except DeliveryError as error:
            tour.tell(f"the tour ends here: {error}")
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
