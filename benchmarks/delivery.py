"""EventBridge's matching with many rules, how long a stack of twelve resources takes, and a commit to staging."""

from __future__ import annotations

import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

from benchmarks.executions import ROLE, client, run
from benchmarks.measure import Pairs, command, report, report_limit
from benchmarks.own_service import own_service
from delivery.project.names import Project
from delivery.project.working_copy import Repository
from local_sagemaker import lifecycle
from local_sagemaker.arns import Arns
from local_sagemaker.cli.exec import connection
from local_sagemaker.config import Settings
from local_sagemaker.records import Records
from local_sagemaker.services.events.rule_store import DEFAULT, RuleStore

RULES, EVENTS, RESOURCES = 1_000, 10_000, 12
MOST_MS, MOST_SECONDS = 1.0, 2.0


def pattern(number: int) -> dict[str, Any]:
    """A pattern of a project's rules; each event matches those of one number."""
    detail: dict[str, Any] = {"ModelPackageGroupName": [f"group-{number % 100}"], "ModelApprovalStatus": ["Approved"]}
    if number % 3 == 0:
        detail["$or"] = [{"UpdatedModelPackageFields": ["ModelApprovalStatus"]},
                         {"UpdatedModelPackageFields": [{"exists": False}]}]  # fmt: skip
    if number % 3 == 1:
        detail["ModelPackageVersion"] = [{"numeric": [">", 0, "<", 1000]}]
    return {"source": ["aws.sagemaker"], "detail-type": ["SageMaker Model Package State Change"], "detail": detail}


def event(number: int) -> dict[str, Any]:
    return {
        "version": "0", "id": str(number), "source": "aws.sagemaker", "account": "123456789012",
        "detail-type": "SageMaker Model Package State Change", "region": "us-east-1", "resources": [],
        "detail": {
            "ModelPackageGroupName": f"group-{number % 100}", "ModelPackageVersion": number % 1000 + 1,
            "ModelApprovalStatus": "Approved", "UpdatedModelPackageFields": ["ModelApprovalStatus"],
        },
    }  # fmt: skip


def matching(folder: Path) -> list[bool]:
    """The milliseconds of an event with all rules, and how they grow with the number of events."""
    store = RuleStore(Records(folder / "records.db", "us-east-1"), Arns("123456789012", "us-east-1"))
    for number in range(RULES):
        store.put(DEFAULT, {"Name": f"rule-{number}", "State": "ENABLED", "EventPattern": json.dumps(pattern(number))})
    events = [event(number) for number in range(EVENTS)]
    matches = store.matching(DEFAULT, events[0])  # parses the patterns
    assert len(matches) == RULES // 100, len(matches)
    start, half = time.process_time(), EVENTS // 2
    for one in events[:half]:
        store.matching(DEFAULT, one)
    middle = time.process_time()
    for one in events[half:]:
        store.matching(DEFAULT, one)
    end = time.process_time()
    return [
        report_limit(f"{RULES:,} rules, {EVENTS:,} events: ms an event", 1000 * (end - start) / EVENTS, MOST_MS),
        report_limit("the second half of the events against the first, times", (end - middle) / (middle - start), 1.5),
    ]


def stack() -> bool:
    """Seconds from CreateStack to CREATE_COMPLETE of twelve resources, in a service that is warm."""
    resources = {
        f"R{number}": {"Type": "AWS::SSM::Parameter", "Properties": {"Type": "String", "Value": str(number)}}
        if number % 2
        else {"Type": "AWS::SNS::Topic"}
        for number in range(RESOURCES)
    }
    body = json.dumps({"Resources": resources})
    with own_service() as service:
        stacks: Any = client(service.settings, "cloudformation")

        def create(name: str) -> float:
            start = time.perf_counter()
            stacks.create_stack(StackName=name, TemplateBody=body)
            while stacks.describe_stacks(StackName=name)["Stacks"][0]["StackStatus"] != "CREATE_COMPLETE":
                time.sleep(0.02)
            return time.perf_counter() - start

        create("warm")
        took = sorted(create(f"stack-{number}") for number in range(5))
    return report_limit(f"a stack of {RESOURCES} resources: seconds", took[len(took) // 2], MOST_SECONDS)


PROJECT = Project("abalone", "p-bench")
SLOWEST = 1.5
SECONDS = 1_200
"""After which a step of the measured delivery is given up."""


@dataclass(frozen=True)
class DeliveryTimer:
    """A project on a service, and what is measured of it."""

    settings: Settings
    folder: Path

    def client(self, name: str) -> Any:
        return client(self.settings, name)

    def wait(self, look: Callable[[], Any]) -> Any:
        """What `look` finds, as soon as it is anything."""
        end = time.monotonic() + SECONDS
        while not (found := look()):
            if time.monotonic() > end:
                raise SystemExit("the delivery does not get on")
            time.sleep(0.1)
        return found

    def create(self) -> Repository:
        """The project; its first executions have ended, which makes everything warm."""
        command("delivery", "create", PROJECT.name, PROJECT.id, "--source", "codecommit")
        pipelines = self.client("codepipeline")
        for kind in ("modelbuild", "modeldeploy", "modelmonitor"):

            def ended(name: str = f"{PROJECT.prefix}-{kind}") -> bool:
                rows = pipelines.list_pipeline_executions(pipelineName=name)["pipelineExecutionSummaries"]
                return bool(rows) and all(row["status"] != "InProgress" for row in rows)

            self.wait(ended)
        name = f"{PROJECT.prefix}-modelbuild"
        found = self.client("codecommit").get_repository(repositoryName=name)["repositoryMetadata"]
        repository = Repository("modelbuild", self.folder / "modelbuild", found["cloneUrlHttp"])
        repository.clone()
        return repository

    def newest(self) -> dict[str, Any]:
        """The newest version."""
        listed = self.client("sagemaker").list_model_packages(ModelPackageGroupName=PROJECT.group)
        return dict(max(listed["ModelPackageSummaryList"], key=lambda item: item["ModelPackageVersion"]))

    def run_model(self) -> float:
        """One execution of the model's pipeline as a commit makes it: with the build's own parameters, and as the
        measured commit changes nothing that a step reads, with the same steps from the cache.
        """
        sagemaker = self.client("sagemaker")
        first = sagemaker.list_pipeline_executions(PipelineName=PROJECT.group)["PipelineExecutionSummaries"][0]
        arn = first["PipelineExecutionArn"]
        pages = sagemaker.get_paginator("list_pipeline_parameters_for_execution").paginate(PipelineExecutionArn=arn)
        rows = [row for page in pages for row in page["PipelineParameters"] if row["Value"]]
        return run(sagemaker, PROJECT.group, {row["Name"]: row["Value"] for row in rows})

    def create_endpoint(self) -> float:
        """One endpoint of the newest version, until it is in service."""
        sagemaker, name = self.client("sagemaker"), "bench"
        version = sagemaker.describe_model_package(ModelPackageName=self.newest()["ModelPackageArn"])
        (packed,) = version["InferenceSpecification"]["Containers"]
        container = {member: packed[member] for member in ("Image", "ModelDataUrl", "Environment") if member in packed}
        sagemaker.create_model(ModelName=name, ExecutionRoleArn=ROLE, PrimaryContainer=container)
        variant = {"VariantName": "AllTraffic", "ModelName": name, "InstanceType": "ml.m5.large",
                   "InitialInstanceCount": 1}  # fmt: skip
        sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[variant])
        start = time.perf_counter()
        sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)
        self.wait(lambda: self.is_in_service(name))
        return time.perf_counter() - start

    def is_in_service(self, name: str) -> bool:
        sagemaker = self.client("sagemaker")
        try:
            return bool(sagemaker.describe_endpoint(EndpointName=name)["EndpointStatus"] == "InService")
        except sagemaker.exceptions.ClientError:
            return False

    def deliver(self, repository: Repository) -> tuple[float, float]:
        """Seconds from a push to its version, and from there, approved at once, to staging in service."""
        before = self.newest()["ModelPackageVersion"]
        (repository.folder / "README.md").write_text(f"another commit {time.time()}\n", "utf-8")
        start = time.perf_counter()
        repository.push("another commit")
        self.wait(lambda: self.newest()["ModelPackageVersion"] > before)
        middle = time.perf_counter()
        arn = self.newest()["ModelPackageArn"]
        self.client("sagemaker").update_model_package(ModelPackageArn=arn, ModelApprovalStatus="Approved")
        self.wait(lambda: self.is_in_service(f"{PROJECT.name}-staging"))
        return middle - start, time.perf_counter() - middle

    def builds(self) -> list[str]:
        """Of the measured delivery: what each phase of its builds took."""
        lines, client = [], self.client("codebuild")
        for kind in ("modelbuild", "modeldeploy"):
            newest = client.list_builds_for_project(projectName=f"{PROJECT.prefix}-{kind}")["ids"][0]
            (build,) = client.batch_get_builds(ids=[newest])["builds"]
            phases = [f"{row['phaseType']} {(row['endTime'] - row['startTime']).total_seconds():.1f}"
                      for row in build["phases"] if "endTime" in row]  # fmt: skip
            lines.append(f"  the build of {kind}, seconds: {', '.join(phases)}")
        return lines


def delivery() -> bool:
    """From a commit to staging in service, against one run of the model, one endpoint and two bare interpreters.

    The delivery: a push, the source as an artifact, a build that looks whether all packages are there, loads the
    SDK, makes the definition and runs it, until the version is listed; then, as that is approved at once, the event, a
    second such build that renders the configurations, and a stack with the endpoint. What the floor has of it is the
    run (the median of three) and the endpoint, each by a call of its own, and a start of Python for each of the two
    builds: neither the SDK nor pip nor git. Beside it, without a target, the same with the run as people make it, by
    `run-pipeline`: a process that loads the SDK.
    """
    with own_service() as service, tempfile.TemporaryDirectory(prefix="bench-commit-") as folder:
        found = lifecycle.find_running(service.settings)
        assert found
        with mock.patch.dict(os.environ, connection(service.settings, found)):
            timer = DeliveryTimer(service.settings, Path(folder))
            repository = timer.create()
            model, endpoint = statistics.median(timer.run_model() for _ in range(3)), timer.create_endpoint()
            words = ("run-pipeline", "--module-name", "pipelines.abalone.pipeline", "--role-arn", ROLE)
            command(*words)  # the next ones take steps from the cache, as the delivered one does
            process = statistics.median(command(*words) for _ in range(3))
            interpreters = sum(command(sys.executable, "-c", "") for _ in range(2))
            to_version, to_staging = timer.deliver(repository)
            for line in timer.builds():
                print(line)
    rest, took = endpoint + interpreters, to_version + to_staging
    print(f"  commit to version {to_version:.1f} s, approval to staging {to_staging:.1f} s; a run {model:.1f} s, an "
          f"endpoint {endpoint:.1f} s, two interpreters {interpreters:.2f} s")  # fmt: skip
    print(f"  with `run-pipeline` as a process for the run, {process:.1f} s: ratio {took / (process + rest):.2f}")
    return report("a commit to staging in service", Pairs([took], [model + rest]), SLOWEST)


def main() -> bool:
    """Prints the figures; says whether all targets are met."""
    with tempfile.TemporaryDirectory(prefix="bench-delivery-") as folder:
        results = matching(Path(folder))
    return all([*results, stack(), delivery()])


if __name__ == "__main__":
    sys.exit(0 if main() else 1)
