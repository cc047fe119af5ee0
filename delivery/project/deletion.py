"""The end of a project, as a plan: what is deleted and in which order, before anything is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from delivery.clients import is_absent
from delivery.deletion import Deletion, send
from delivery.errors import DeliveryError
from delivery.project.names import BUILDS, EXPERIMENT_RULES, REJECTION_RULE, RULES, STACKS, Project
from delivery.project.ownership import describe_stack, find_foreign
from delivery.stages.deploy import read_status
from delivery.stages.pauses import Pauses
from pipelines import session
from pipelines.experiments import StillRunningError, find_running, is_experiment, stop, stop_executions

LEAST_EMPTYINGS = 5
EMPTYING = 30.0  # seconds that a bucket is emptied again and again


@dataclass(frozen=True)
class Planner:
    """Finds what a project has."""

    region: str
    project: Project
    uploads: str
    """The bucket that its template and its repositories' first contents were put into."""

    def client(self, service: str) -> Any:
        """A client in the region."""
        clients: Any = session.boto_session(self.region)
        return clients.client(service)

    def plan(self, with_data: bool) -> list[Deletion]:
        """Rules first, so that nothing starts any more; then what runs, monitors, endpoints, the project; on request
        the data.

        :raises DeliveryError: if anything that has the project's names is not its own.
        """
        account = str(self.client("sts").get_caller_identity()["Account"])
        if foreign := list(find_foreign(self.client, self.project, account)):
            raise DeliveryError(f"nothing is deleted: {'; '.join(foreign)}")
        listed = [*self._rules(), *self._pipelines(), *self._stacks()]
        return [*listed, *self._data()] if with_data else listed

    def remaining(self, account: str) -> Iterator[str]:
        """What stays without the data, and costs."""
        bucket = self.project.bucket(account)
        if self._has_bucket(bucket):
            yield f"the bucket {bucket} stays, and costs what S3 costs: --with-data deletes it"
        if logs := self._log_groups():
            yield f"{len(logs)} log groups of builds stay, and cost what CloudWatch costs: --with-data deletes them"
        for group in self._groups():
            yield f"the model group {group} stays, which costs nothing: --with-data deletes it"

    def keeps_identity(self) -> bool:
        """Whether the project is of GitHub: then the account's OIDC provider stays, since other projects use it."""
        stack = describe_stack(self.client("cloudformation"), self.project.stack) or {}
        parameters = {item["ParameterKey"]: item.get("ParameterValue") for item in stack.get("Parameters", [])}
        return parameters.get("SourceProvider") == "github-actions"

    def _rules(self) -> Iterator[Deletion]:
        events = self.client("events")
        rules = {rule["Name"] for rule in events.list_rules(NamePrefix=self.project.prefix)["Rules"]}
        for suffix in (*RULES, REJECTION_RULE, *EXPERIMENT_RULES):
            name = f"{self.project.prefix}-{suffix}"
            if name in rules:
                yield Deletion("events", "disable_rule", {"Name": name}, text=f"disable the rule {name}")

    def _is_own(self, name: str, arn: str) -> bool:
        """Whether a pipeline or a model group is the project's, or by its tag that of one of its experiments."""
        own = self.project.group
        return name == own or (name.startswith(f"{own}-") and is_experiment(self.client("sagemaker"), arn, own))

    def _pipelines(self) -> Iterator[Deletion]:
        """The model's pipelines, which builds have made: one that runs is stopped first."""
        sagemaker = self.client("sagemaker")
        listed = sagemaker.get_paginator("list_pipelines").paginate(PipelineNamePrefix=self.project.group)
        for item in [item for page in listed for item in page["PipelineSummaries"]]:
            name = item["PipelineName"]
            if not self._is_own(name, item["PipelineArn"]):
                continue
            for arn in find_running(sagemaker, name):
                request = {"PipelineExecutionArn": arn}
                yield Deletion("sagemaker", "stop_pipeline_execution", request, text=f"stop the execution {arn}")
            text = f"delete the pipeline {name}"
            yield Deletion("sagemaker", "delete_pipeline", {"PipelineName": name}, text=text)

    def _stacks(self) -> Iterator[Deletion]:
        cloudformation, own = self.client("cloudformation"), self.project.stack
        for name in [*(f"{self.project.prefix}-{suffix}" for suffix in STACKS), own]:
            if read_status(cloudformation, name) is None:
                continue
            if name == own and self._is_project():
                text, request = f"delete the SageMaker project {self.project.name}", {"ProjectName": self.project.name}
                yield Deletion("sagemaker", "delete_project", request, waits=name, text=text)
            else:
                request, text = {"StackName": name}, f"delete the stack {name}"
                yield Deletion("cloudformation", "delete_stack", request, waits=name, text=text)

    def _is_project(self) -> bool:
        """Whether SageMaker made the project, by CreateProject: then it also deletes it."""
        try:
            description = self.client("sagemaker").describe_project(ProjectName=self.project.name)
        except ClientError as error:
            if is_absent(error):
                return False
            raise
        return bool(description["ProjectId"] == self.project.id)

    def _groups(self) -> list[str]:
        pages = self.client("sagemaker").get_paginator("list_model_package_groups")
        return sorted(
            item["ModelPackageGroupName"]
            for page in pages.paginate(NameContains=self.project.group)
            for item in page["ModelPackageGroupSummaryList"]
            if self._is_own(item["ModelPackageGroupName"], item["ModelPackageGroupArn"])
        )

    def _log_groups(self) -> list[str]:
        """Of the project's builds, by their whole names: others may begin alike."""
        pages, own = self.client("logs").get_paginator("describe_log_groups"), f"/aws/codebuild/{self.project.prefix}-"
        names = {item["logGroupName"] for page in pages.paginate(logGroupNamePrefix=own) for item in page["logGroups"]}
        return [f"{own}{build}" for build in BUILDS if f"{own}{build}" in names]

    def _data(self) -> Iterator[Deletion]:
        pages = self.client("sagemaker").get_paginator("list_model_packages")
        for group in self._groups():
            listed = pages.paginate(ModelPackageGroupName=group)
            for arn in [item["ModelPackageArn"] for page in listed for item in page["ModelPackageSummaryList"]]:
                request = {"ModelPackageName": arn}
                yield Deletion("sagemaker", "delete_model_package", request, text=f"delete the version {arn}")
            request, text = {"ModelPackageGroupName": group}, f"delete the model group {group}"
            yield Deletion("sagemaker", "delete_model_package_group", request, text=text)
        for name in self._log_groups():
            yield Deletion("logs", "delete_log_group", {"logGroupName": name}, text=f"delete the log group {name}")
        account = str(self.client("sts").get_caller_identity()["Account"])
        bucket = self.project.bucket(account)
        if self._has_bucket(bucket):
            yield from self.list_objects(bucket)
            yield Deletion("s3", "delete_bucket", {"Bucket": bucket}, text=f"delete the bucket {bucket}")
        if self._has_bucket(self.uploads):
            yield from self.list_objects(self.uploads, self.project.uploads)

    def _has_bucket(self, name: str) -> bool:
        try:
            self.client("s3").head_bucket(Bucket=name)
        except ClientError as error:
            if is_absent(error):
                return False
            raise
        return True

    def list_objects(self, bucket: str, prefix: str = "") -> Iterator[Deletion]:
        """What empties a bucket, or a part of it."""
        for page in self.client("s3").get_paginator("list_object_versions").paginate(Bucket=bucket, Prefix=prefix):
            listed = [*page.get("Versions", []), *page.get("DeleteMarkers", [])]
            objects = [{"Key": item["Key"], "VersionId": item["VersionId"]} for item in listed]
            if objects:
                request = {"Bucket": bucket, "Delete": {"Objects": objects, "Quiet": True}}
                text = f"delete {len(objects)} objects of {bucket}{f' below {prefix}' if prefix else ''}"
                yield Deletion("s3", "delete_objects", request, text=text)


def _delete_bucket(planner: Planner, deletion: Deletion) -> None:
    """Empties it again where something wrote into it since: captured requests, logs and results arrive late."""
    pauses, times = Pauses(), 0
    while pauses.seconds < EMPTYING or times < LEAST_EMPTYINGS:  # one of a large bucket may take longer than that
        times += 1
        try:
            return send(planner.client, deletion)
        except ClientError as error:
            if error.response["Error"]["Code"] != "BucketNotEmpty":
                raise
        for emptying in planner.list_objects(deletion.request["Bucket"]):
            send(planner.client, emptying)
        pauses.rest()
    return send(planner.client, deletion)


def carry_out(planner: Planner, deletion: Deletion) -> None:
    """Sends it, and waits for the stack that it deletes, or before a pipeline goes for the end of what it runs.

    :raises DeliveryError: if the stack could not be deleted, or an execution does not end.
    """
    if deletion.operation == "stop_pipeline_execution":
        stop(planner.client("sagemaker"), deletion.request["PipelineExecutionArn"])
        return
    if deletion.operation == "delete_pipeline":
        try:
            stop_executions(planner.client("sagemaker"), deletion.request["PipelineName"])
        except StillRunningError as error:
            raise DeliveryError(str(error)) from error
    if deletion.operation == "delete_bucket":
        _delete_bucket(planner, deletion)
        return
    send(planner.client, deletion)
    if not deletion.waits:
        return
    cloudformation, pauses = planner.client("cloudformation"), Pauses()
    while (status := read_status(cloudformation, deletion.waits)) is not None:
        if status == "DELETE_FAILED":
            raise DeliveryError(f"the stack {deletion.waits} could not be deleted; its events say why")
        pauses.rest()
