"""The campaign of kills of delivery: stacks, builds, pipelines and schedules, the service killed at any moment.

What was acknowledged comes to its end, what was not is there wholly or not at all, and nothing is left half made.
"""

from __future__ import annotations

import json
import os
import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from local_sagemaker import lifecycle
from tests.hostile import leftovers, processes
from tests.support import ROLE, Service, zipped

BUCKET, PIPELINE, PROJECT, QUEUE = "delivery-kills", "kills", "kills", "kills"
_LONGEST = (1.2, 4.0)  # seconds between the beginning of the work and the kill: while a stack is made, and later
_PATIENCE = 120.0
_TRUST = {"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
]}  # fmt: skip
_POLICY = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}
_BUILDSPEC = (
    "version: 0.2\nphases: {build: {commands: [sleep 1, echo built > out.txt]}}\nartifacts: {files: [out.txt]}\n"
)


@dataclass
class Round:
    """One mixture: what was acknowledged of it, by kind, and what was found wrong."""

    number: int
    begun: dict[str, str] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)

    def expect(self, right: object, what: str) -> None:
        """Notes a fault unless something is right."""
        if not right:
            self.faults.append(f"round {self.number}: {what}")


class DeliveryKills:
    """The campaign on one service."""

    def __init__(self, service: Service, seed: int) -> None:
        self._service, self._chance = service, random.Random(seed)
        self.ends: Counter[str] = Counter()

    def prepare(self) -> None:
        """A bucket, a repository's first commit, a build project, a delivery pipeline, a queue."""
        s3, code = self._service.client("s3"), self._service.client("codecommit")
        s3.create_bucket(Bucket=BUCKET)
        s3.put_object(Bucket=BUCKET, Key="seed.zip", Body=zipped(module="x = 1"))
        code.create_repository(repositoryName=PIPELINE)
        file = {"filePath": "buildspec.yml", "fileContent": _BUILDSPEC.encode()}
        code.create_commit(repositoryName=PIPELINE, branchName="main", putFiles=[file])
        builds, environment = self._service.client("codebuild"), {
            "type": "LINUX_CONTAINER", "image": "aws/codebuild/standard:7.0", "computeType": "BUILD_GENERAL1_SMALL",
        }  # fmt: skip
        own = {"type": "S3", "location": BUCKET, "namespaceType": "BUILD_ID", "packaging": "ZIP", "name": "a.zip"}
        source = {"type": "NO_SOURCE", "buildspec": _BUILDSPEC}
        builds.create_project(name=PROJECT, source=source, artifacts=own, environment=environment, serviceRole=ROLE)
        ordered = {"type": "CODEPIPELINE"}
        builds.create_project(
            name=f"{PROJECT}-ordered", source=ordered, artifacts=ordered, environment=environment, serviceRole=ROLE
        )
        self._service.client("codepipeline").create_pipeline(pipeline=_pipeline())
        self._service.client("sqs").create_queue(QueueName=QUEUE)

    def round(self, number: int) -> Round:
        """Begins the mixture, kills the service at some moment, starts it, and looks at what became of the work."""
        done = Round(number)
        thread = threading.Thread(target=self._begin, args=(done,))
        thread.start()
        time.sleep(self._chance.uniform(0, _LONGEST[number % 2]))
        for pid in processes.service(self._service):
            os.kill(pid, signal.SIGKILL)
        thread.join()
        while lifecycle.find_running(self._service.settings):
            time.sleep(0.01)
        self._service.up()
        for check in (self._check_stack, self._check_build, self._check_execution, self._check_schedule):
            try:
                check(done)
            except (ClientError, KeyError, TimeoutError) as error:
                done.faults.append(f"round {number}: {check.__name__}: {error!r}")
        self._check_folders(done)
        return done

    def _begin(self, done: Round) -> None:
        """Calls one after the other, the stack's first or in a changing order, until the service no longer answers."""
        call = {"stack": self._start_stack, "build": self._start_build, "execution": self._start_execution,
                "schedule": self._start_schedule}  # fmt: skip
        kinds = list(call)
        if done.number % 2:
            random.Random(done.number).shuffle(kinds)
        for kind in kinds:
            try:
                done.begun[kind] = call[kind](done.number)
            except (BotoCoreError, ClientError):
                return

    def _start_stack(self, number: int) -> str:
        stacks = self._service.client("cloudformation")
        request = {"StackName": f"kills-{number}", "Capabilities": ["CAPABILITY_NAMED_IAM"]}
        return str(stacks.create_stack(**request, TemplateBody=json.dumps(_template(number)))["StackId"])

    def _start_build(self, _: int) -> str:
        return str(self._service.client("codebuild").start_build(projectName=PROJECT)["build"]["id"])

    def _start_execution(self, _: int) -> str:
        return str(self._service.client("codepipeline").start_pipeline_execution(name=PIPELINE)["pipelineExecutionId"])

    def _start_schedule(self, number: int) -> str:
        moment = datetime.now(UTC) + timedelta(seconds=2)
        queue = f"arn:aws:sqs:us-east-1:123456789012:{QUEUE}"
        self._service.client("scheduler").create_schedule(
            Name=f"kills-{number}", ScheduleExpression=f"at({moment:%Y-%m-%dT%H:%M:%S})",
            FlexibleTimeWindow={"Mode": "OFF"}, ActionAfterCompletion="DELETE",
            Target={"Arn": queue, "RoleArn": ROLE, "Input": json.dumps({"round": number})},
        )  # fmt: skip
        return f"kills-{number}"

    def _wait(self, look: Callable[[], Any], what: str) -> Any:
        deadline = time.monotonic() + _PATIENCE
        while time.monotonic() < deadline:
            if found := look():
                return found
            time.sleep(0.1)
        raise TimeoutError(what)

    def _check_stack(self, done: Round) -> None:
        stacks, name = self._service.client("cloudformation"), f"kills-{done.number}"
        known = [row for row in stacks.describe_stacks()["Stacks"] if row["StackName"] == name]
        done.expect(known or "stack" not in done.begun, "the stack was acknowledged and is lost")
        if not known:
            return

        def settled() -> Any:
            status = stacks.describe_stacks(StackName=known[0]["StackId"])["Stacks"][0]["StackStatus"]
            return None if status.endswith("_IN_PROGRESS") else status

        status = self._wait(settled, "the stack's creation")
        self.ends[f"stack {status}"] += 1
        rows = stacks.describe_stack_events(StackName=name)["StackEvents"]
        reasons = [row["ResourceStatusReason"] for row in rows if row["ResourceStatus"].endswith("FAILED")]
        done.expect(status == "CREATE_COMPLETE", f"the stack is {status}: {reasons}")
        if status == "CREATE_COMPLETE":
            self._check_contents(done, name)
        stacks.delete_stack(StackName=name)
        status = self._wait(settled, "the stack's deletion")
        done.expect(status == "DELETE_COMPLETE", f"the stack's deletion is {status}")
        for what, rows in self._named(name).items():
            done.expect(name not in json.dumps(rows, default=str), f"{what} is left of a deleted stack")

    def _check_contents(self, done: Round, name: str) -> None:
        """Everything that takes more than one call is whole."""
        iam, s3 = self._service.client("iam"), self._service.client("s3")
        attached = iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"]
        done.expect(
            len(attached) == 1 and iam.list_role_policies(RoleName=name)["PolicyNames"], "the role is half made"
        )
        versioning = s3.get_bucket_versioning(Bucket=name).get("Status")
        done.expect(versioning == "Enabled" and s3.get_bucket_cors(Bucket=name), "the bucket is half made")
        (group,) = self._service.client("logs").describe_log_groups(logGroupNamePrefix=name)["logGroups"]
        done.expect(group.get("retentionInDays") == 3, "the log group is half made")
        branches = self._service.client("codecommit").list_branches(repositoryName=name)["branches"]
        done.expect(branches == ["main"], "the repository is half made")
        topic = f"arn:aws:sns:us-east-1:123456789012:{name}"
        found = self._service.client("sns").list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]
        done.expect(len(found) == 1, f"the topic has {len(found)} subscriptions")

    def _named(self, name: str) -> dict[str, Any]:
        client = self._service.client
        return {
            "a role": client("iam").list_roles(MaxItems=1000)["Roles"],
            "a bucket": client("s3").list_buckets()["Buckets"],
            "a log group": client("logs").describe_log_groups(logGroupNamePrefix=name)["logGroups"],
            "a repository": client("codecommit").list_repositories()["repositories"],
            "a topic": client("sns").list_topics()["Topics"],
            "a subscription": client("sns").list_subscriptions()["Subscriptions"],
        }

    def _check_build(self, done: Round) -> None:
        builds = self._service.client("codebuild")
        identities = builds.list_builds_for_project(projectName=PROJECT)["ids"]
        wanted = done.begun.get("build")
        done.expect(wanted is None or wanted in identities, "the build was acknowledged and is lost")
        for identity in identities:
            (build,) = self._wait(
                lambda identity=identity: [
                    row for row in builds.batch_get_builds(ids=[identity])["builds"] if row["buildComplete"]
                ],
                "the build",
            )
            status = build["buildStatus"]
            if identity == wanted:
                self.ends[f"build {status}"] += 1
            done.expect(status in ("SUCCEEDED", "FAULT"), f"the build is {status}")
            listed = self._service.client("s3").list_objects_v2(Bucket=BUCKET, Prefix=identity.partition(":")[2])
            done.expect(status != "SUCCEEDED" or listed["KeyCount"], "a build that succeeded left no artifact")

    def _check_execution(self, done: Round) -> None:
        pipelines = self._service.client("codepipeline")
        wanted = done.begun.get("execution")

        def ended() -> Any:
            rows = pipelines.list_pipeline_executions(pipelineName=PIPELINE)["pipelineExecutionSummaries"]
            return None if any(row["status"] in ("InProgress", "Stopping") for row in rows) else rows

        states = {row["pipelineExecutionId"]: row["status"] for row in self._wait(ended, "the delivery pipeline")}
        done.expect(wanted is None or wanted in states, "the execution was acknowledged and is lost")
        if wanted is None or wanted not in states:
            return
        self.ends[f"execution {states[wanted]}"] += 1
        request = {"pipelineName": PIPELINE, "filter": {"pipelineExecutionId": wanted}}
        actions = pipelines.list_action_executions(**request)["actionExecutionDetails"]
        failed = [row for row in actions if row["status"] == "Failed"]
        text = json.dumps([row["output"] for row in failed], default=str)
        done.expect("FAULT" in text or states[wanted] == "Succeeded", f"the execution is {states[wanted]}: {text}")
        done.expect(not [row for row in actions if row["status"] == "InProgress"], "an action is in progress still")
        counts = Counter(row["actionName"] for row in actions)
        done.expect(max(counts.values()) == 1, f"actions ran twice: {counts}")

    def _check_schedule(self, done: Round) -> None:
        name = f"kills-{done.number}"
        schedules = self._service.client("scheduler")

        def over() -> bool:
            return name not in [row["Name"] for row in schedules.list_schedules()["Schedules"]]

        self._wait(over, "the schedule's end")
        if "schedule" not in done.begun:
            return
        queues = self._service.client("sqs")
        url = queues.get_queue_url(QueueName=QUEUE)["QueueUrl"]

        def arrived() -> bool:
            for message in queues.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", []):
                queues.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
                self.ends[f"message {json.loads(message['Body'])['round']}"] += 1
            return self.ends[f"message {done.number}"] > 0

        self._wait(arrived, "the schedule's message")

    def _check_folders(self, done: Round) -> None:
        deadline = time.monotonic() + processes.TIDY
        while (left := leftovers.of_running_work(self._service)) and time.monotonic() < deadline:
            time.sleep(0.1)
        done.expect(not left, f"folders are left: {left}")


def _pipeline() -> dict[str, Any]:
    def action(category: str, provider: str, configuration: dict[str, str], *names: str) -> dict[str, Any]:
        kind = {"category": category, "owner": "AWS", "provider": provider, "version": "1"}
        given, made = ([{"name": name}] if name else [] for name in names)
        return {"name": provider, "actionTypeId": kind, "configuration": configuration, "inputArtifacts": given,
                "outputArtifacts": made}  # fmt: skip

    source = {"RepositoryName": PIPELINE, "BranchName": "main", "PollForSourceChanges": "false"}
    stages = [
        action("Source", "CodeCommit", source, "", "Code"),
        action("Build", "CodeBuild", {"ProjectName": f"{PROJECT}-ordered"}, "Code", "Built"),
        action("Deploy", "S3", {"BucketName": BUCKET, "Extract": "true", "ObjectKey": "deployed"}, "Built", ""),
    ]
    return {
        "name": PIPELINE, "roleArn": ROLE, "pipelineType": "V2", "executionMode": "QUEUED",
        "artifactStore": {"type": "S3", "location": BUCKET},
        "stages": [{"name": row["name"], "actions": [row]} for row in stages],
    }  # fmt: skip


def _template(number: int) -> dict[str, Any]:
    name = f"kills-{number}"
    queue = f"arn:aws:sqs:us-east-1:123456789012:{QUEUE}"
    rules = {"CorsRules": [{"AllowedMethods": ["GET"], "AllowedOrigins": ["*"]}]}
    return {"Resources": {
        "Role": {"Type": "AWS::IAM::Role", "Properties": {
            "RoleName": name, "AssumeRolePolicyDocument": _TRUST,
            "ManagedPolicyArns": ["arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"],
            "Policies": [{"PolicyName": "own", "PolicyDocument": _POLICY}],
        }},
        "Bucket": {"Type": "AWS::S3::Bucket", "DependsOn": "Role", "Properties": {
            "BucketName": name, "VersioningConfiguration": {"Status": "Enabled"}, "CorsConfiguration": rules,
        }},
        "Group": {"Type": "AWS::Logs::LogGroup", "DependsOn": "Role", "Properties": {
            "LogGroupName": name, "RetentionInDays": 3,
        }},
        "Repository": {"Type": "AWS::CodeCommit::Repository", "DependsOn": "Bucket", "Properties": {
            "RepositoryName": name, "Code": {"S3": {"Bucket": BUCKET, "Key": "seed.zip"}},
        }},
        "Topic": {"Type": "AWS::SNS::Topic", "DependsOn": "Repository", "Properties": {
            "TopicName": name, "Subscription": [{"Protocol": "sqs", "Endpoint": queue}],
        }},
    }}  # fmt: skip


def run(service: Service, count: int, seed: int) -> tuple[str, list[str]]:
    """So many kills; how the work ended, and the faults."""
    campaign, began, faults = DeliveryKills(service, seed), time.monotonic(), list[str]()
    campaign.prepare()
    for number in range(count):
        faults += campaign.round(number).faults
    ends = {name: kind for name, kind in sorted(campaign.ends.items()) if not name.startswith("message")}
    summary = f"{count} kills in {time.monotonic() - began:.0f} s: {ends}, {len(faults)} faults"
    service.down()
    faults += processes.faults_of_ended(service)
    return summary, faults + [f"left: {name}" for name in leftovers.of_ended_service(service)]
