"""The end of a project, as a plan: what is deleted and in which order, before anything is."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from delivery.deletion import Deletion, send
from delivery.errors import DeliveryError
from delivery.project.names import RULES, STACKS, Project
from delivery.stages.deploy import read_status
from pipelines import session

POLL = 1.0  # seconds


@dataclass(frozen=True)
class Planner:
    """Finds what a project has."""

    region: str
    project: Project

    def client(self, service: str) -> Any:
        """A client in the region."""
        clients: Any = session.boto_session(self.region)
        return clients.client(service)

    def plan(self, with_data: bool) -> list[Deletion]:
        """Rules first, so that nothing starts any more; then monitors, endpoints, the project; on request the data."""
        listed = [*self._rules(), *self._stacks()]
        return [*listed, *self._data()] if with_data else listed

    def remaining(self, account: str) -> Iterator[str]:
        """What stays without the data, and costs."""
        bucket = self.project.bucket(account)
        if self._has_bucket(bucket):
            yield f"the bucket {bucket} stays, and costs what S3 costs: --with-data deletes it"
        if self._versions() is not None:
            yield f"the model group {self.project.group} stays, which costs nothing: --with-data deletes it"

    def _rules(self) -> Iterator[Deletion]:
        events = self.client("events")
        rules = {rule["Name"] for rule in events.list_rules(NamePrefix=self.project.prefix)["Rules"]}
        for suffix in RULES:
            name = f"{self.project.prefix}-{suffix}"
            if name in rules:
                yield Deletion("events", "disable_rule", {"Name": name}, text=f"disable the rule {name}")

    def _stacks(self) -> Iterator[Deletion]:
        cloudformation = self.client("cloudformation")
        for name in [*(f"{self.project.prefix}-{suffix}" for suffix in STACKS), self.project.stack]:
            if read_status(cloudformation, name) is not None:
                request = {"StackName": name}
                yield Deletion("cloudformation", "delete_stack", request, waits=name, text=f"delete the stack {name}")

    def _versions(self) -> list[str] | None:
        sagemaker = self.client("sagemaker")
        try:
            sagemaker.describe_model_package_group(ModelPackageGroupName=self.project.group)
        except ClientError:
            return None
        listed = sagemaker.get_paginator("list_model_packages").paginate(ModelPackageGroupName=self.project.group)
        return [item["ModelPackageArn"] for page in listed for item in page["ModelPackageSummaryList"]]

    def _data(self) -> Iterator[Deletion]:
        versions = self._versions()
        for arn in versions or []:
            request = {"ModelPackageName": arn}
            yield Deletion("sagemaker", "delete_model_package", request, text=f"delete the version {arn}")
        if versions is not None:
            request = {"ModelPackageGroupName": self.project.group}
            text = f"delete the model group {self.project.group}"
            yield Deletion("sagemaker", "delete_model_package_group", request, text=text)
        account = str(self.client("sts").get_caller_identity()["Account"])
        bucket = self.project.bucket(account)
        if self._has_bucket(bucket):
            yield from self._objects(bucket)
            yield Deletion("s3", "delete_bucket", {"Bucket": bucket}, text=f"delete the bucket {bucket}")

    def _has_bucket(self, name: str) -> bool:
        try:
            self.client("s3").head_bucket(Bucket=name)
        except ClientError:
            return False
        return True

    def _objects(self, bucket: str) -> Iterator[Deletion]:
        for page in self.client("s3").get_paginator("list_object_versions").paginate(Bucket=bucket):
            listed = [*page.get("Versions", []), *page.get("DeleteMarkers", [])]
            objects = [{"Key": item["Key"], "VersionId": item["VersionId"]} for item in listed]
            if objects:
                request = {"Bucket": bucket, "Delete": {"Objects": objects, "Quiet": True}}
                yield Deletion("s3", "delete_objects", request, text=f"delete {len(objects)} objects of {bucket}")


def carry_out(planner: Planner, deletion: Deletion) -> None:
    """Sends it, and waits for the stack that it deletes.

    :raises DeliveryError: if the stack could not be deleted.
    """
    send(planner.client, deletion)
    if not deletion.waits:
        return
    cloudformation = planner.client("cloudformation")
    while (status := read_status(cloudformation, deletion.waits)) is not None:
        if status == "DELETE_FAILED":
            raise DeliveryError(f"the stack {deletion.waits} could not be deleted; its events say why")
        time.sleep(POLL)
