"""Values under names, kept by each kind of resource: written, and read back after a kill.

A ledger knows what was acknowledged, and the one write that was under way. After a kill each name must hold what was
acknowledged, or what was being written: wholly, and nothing else.
"""

from __future__ import annotations

import hashlib
import json
import random
from dataclasses import dataclass, field
from typing import Any

from tests.support import ROLE, Service, zipped

NAMES = ("a", "b", "c", "d")
ABSENT = ""


@dataclass
class Ledger:
    """One kind of resource. Subclasses write and read."""

    service: Service
    chance: random.Random
    values: dict[str, str] = field(default_factory=dict)
    under_way: tuple[str, str] | None = None
    written: int = 0

    def __post_init__(self) -> None:
        self.connect()
        self.prepare()

    def connect(self) -> None:
        """Takes clients of the service as it runs now."""

    def prepare(self) -> None:
        """Makes what the writes need, once."""

    def put(self, name: str, value: str, before: str) -> None:
        """Writes; `before` is what the name has."""
        raise NotImplementedError

    def delete(self, name: str) -> None:
        """Deletes."""
        raise NotImplementedError

    def read(self) -> dict[str, str]:
        """What all names have."""
        raise NotImplementedError

    def step(self) -> None:
        """One write. Whatever it raises, it stays under way."""
        name, self.written = self.chance.choice(NAMES), self.written + 1
        before = self.values.get(name, ABSENT)
        value = ABSENT if before and self.chance.random() < 0.3 else f"v{self.written}"
        self.under_way = (name, value)
        if value:
            self.put(name, value, before)
        else:
            self.delete(name)
        self.values[name] = value
        self.under_way = None

    def check(self) -> list[str]:
        """What is not as acknowledged; what there is counts from now on."""
        self.connect()
        present, faults = self.read(), []
        for name in {*NAMES, *present, *self.values}:
            allowed = {self.values.get(name, ABSENT)}
            if self.under_way and self.under_way[0] == name:
                allowed.add(self.under_way[1])
            value = present.get(name, ABSENT)
            if value not in allowed:
                faults.append(f"{type(self).__name__}: {name} has {value!r}, not of {sorted(allowed)}")
        self.values, self.under_way = present, None
        return faults


class Objects(Ledger):
    """S3, with bodies of some size."""

    def connect(self) -> None:
        self.s3 = self.service.client("s3")

    def prepare(self) -> None:
        self.s3.create_bucket(Bucket="ledger")

    def put(self, name: str, value: str, before: str) -> None:
        self.s3.put_object(Bucket="ledger", Key=name, Body=_body(value))

    def delete(self, name: str) -> None:
        self.s3.delete_object(Bucket="ledger", Key=name)

    def read(self) -> dict[str, str]:
        keys = [item["Key"] for item in self.s3.list_objects_v2(Bucket="ledger").get("Contents", [])]
        return {key: _value(self.s3.get_object(Bucket="ledger", Key=key)["Body"].read()) for key in keys}


class Uploads(Objects):
    """S3 by multipart uploads and copies, in a bucket with versions."""

    def prepare(self) -> None:
        self.s3.create_bucket(Bucket="uploads")
        self.s3.put_bucket_versioning(Bucket="uploads", VersioningConfiguration={"Status": "Enabled"})

    def put(self, name: str, value: str, before: str) -> None:
        where = {"Bucket": "uploads", "Key": f"{name}-source"}
        upload = self.s3.create_multipart_upload(**where)["UploadId"]
        tag = self.s3.upload_part(**where, UploadId=upload, PartNumber=1, Body=_body(value))["ETag"]
        parts = {"Parts": [{"ETag": tag, "PartNumber": 1}]}
        self.s3.complete_multipart_upload(**where, UploadId=upload, MultipartUpload=parts)
        self.s3.copy_object(Bucket="uploads", Key=name, CopySource=where)

    def delete(self, name: str) -> None:
        self.s3.delete_object(Bucket="uploads", Key=name)

    def read(self) -> dict[str, str]:
        items = self.s3.list_objects_v2(Bucket="uploads").get("Contents", [])
        keys = [item["Key"] for item in items if item["Key"] in NAMES]
        return {key: _value(self.s3.get_object(Bucket="uploads", Key=key)["Body"].read()) for key in keys}


class Pipelines(Ledger):
    """SageMaker's pipelines."""

    def connect(self) -> None:
        self.sagemaker = self.service.client("sagemaker")

    def put(self, name: str, value: str, before: str) -> None:
        steps = [{"Name": "A", "Type": "Fail", "Arguments": {"ErrorMessage": value}}]
        members = {"PipelineName": name, "PipelineDefinition": json.dumps({"Version": "2020-12-01", "Steps": steps}),
                   "RoleArn": ROLE}  # fmt: skip
        (self.sagemaker.update_pipeline if before else self.sagemaker.create_pipeline)(**members)

    def delete(self, name: str) -> None:
        self.sagemaker.delete_pipeline(PipelineName=name)

    def read(self) -> dict[str, str]:
        names = [one["PipelineName"] for one in self.sagemaker.list_pipelines(MaxResults=100)["PipelineSummaries"]]
        texts = {name: self.sagemaker.describe_pipeline(PipelineName=name)["PipelineDefinition"] for name in names}
        return {name: json.loads(text)["Steps"][0]["Arguments"]["ErrorMessage"] for name, text in texts.items()}


class Packages(Ledger):
    """Groups of models with a version each, approved with a comment."""

    def connect(self) -> None:
        self.sagemaker = self.service.client("sagemaker")

    def put(self, name: str, value: str, before: str) -> None:
        if not before:
            self.sagemaker.create_model_package_group(ModelPackageGroupName=name)
            self.sagemaker.create_model_package(ModelPackageGroupName=name, ApprovalDescription=value,
                                                ModelApprovalStatus="Approved")  # fmt: skip
            return
        arn = f"arn:aws:sagemaker:us-east-1:123456789012:model-package/{name}/1"
        self.sagemaker.update_model_package(
            ModelPackageArn=arn, ModelApprovalStatus="Rejected", ApprovalDescription=value
        )

    def delete(self, name: str) -> None:
        arn = f"arn:aws:sagemaker:us-east-1:123456789012:model-package/{name}/1"
        self.sagemaker.delete_model_package(ModelPackageName=arn)
        self.sagemaker.delete_model_package_group(ModelPackageGroupName=name)

    def read(self) -> dict[str, str]:
        present = {}
        for group in self.sagemaker.list_model_package_groups()["ModelPackageGroupSummaryList"]:
            name = group["ModelPackageGroupName"]
            versions = self.sagemaker.list_model_packages(ModelPackageGroupName=name)["ModelPackageSummaryList"]
            if not versions:  # between two writes
                self.sagemaker.delete_model_package_group(ModelPackageGroupName=name)
                continue
            arn = versions[0]["ModelPackageArn"]
            present[name] = self.sagemaker.describe_model_package(ModelPackageName=arn)["ApprovalDescription"]
        return present


class Functions(Ledger):
    """Lambda's code."""

    def connect(self) -> None:
        self.functions = self.service.client("lambda")

    def put(self, name: str, value: str, before: str) -> None:
        code = zipped(main=f"def handler(event, context):\n    return '{value}'\n")
        if before:
            self.functions.update_function_code(FunctionName=name, ZipFile=code)
        else:
            self.functions.create_function(
                FunctionName=name, Runtime="python3.11", Role=ROLE, Handler="main.handler", Code={"ZipFile": code}
            )

    def delete(self, name: str) -> None:
        self.functions.delete_function(FunctionName=name)

    def read(self) -> dict[str, str]:
        return {one["FunctionName"]: self._returned(one["FunctionName"]) for one in
                self.functions.list_functions()["Functions"]}  # fmt: skip

    def _returned(self, name: str) -> str:
        self.functions.get_waiter("function_active_v2").wait(FunctionName=name)
        payload = self.functions.invoke(FunctionName=name)["Payload"].read()
        return str(json.loads(payload))


class Commits(Ledger):
    """Files of a repository."""

    def connect(self) -> None:
        self.code = self.service.client("codecommit")

    def prepare(self) -> None:
        self.code.create_repository(repositoryName="ledger")
        self._commit(putFiles=[{"filePath": "readme", "fileContent": b"x"}])

    def put(self, name: str, value: str, before: str) -> None:
        self._commit(putFiles=[{"filePath": name, "fileContent": value.encode()}])

    def delete(self, name: str) -> None:
        self._commit(deleteFiles=[{"filePath": name}])

    def _commit(self, **files: Any) -> None:
        branch = {}
        if self.code.list_branches(repositoryName="ledger")["branches"]:
            found = self.code.get_branch(repositoryName="ledger", branchName="main")["branch"]
            branch = {"parentCommitId": found["commitId"]}
        self.code.create_commit(repositoryName="ledger", branchName="main", **branch, **files)

    def read(self) -> dict[str, str]:
        where = {"repositoryName": "ledger", "commitSpecifier": "main"}
        names = [one["absolutePath"] for one in self.code.get_folder(**where, folderPath="/")["files"]]
        return {name: self.code.get_file(**where, filePath=name)["fileContent"].decode() for name in names
                if name != "readme"}  # fmt: skip


class Parameters(Ledger):
    """Systems Manager's parameters: moto's, which are made again from a journal."""

    def connect(self) -> None:
        self.ssm = self.service.client("ssm")

    def put(self, name: str, value: str, before: str) -> None:
        self.ssm.put_parameter(Name=f"/ledger/{name}", Value=value, Type="String", Overwrite=True)

    def delete(self, name: str) -> None:
        self.ssm.delete_parameter(Name=f"/ledger/{name}")

    def read(self) -> dict[str, str]:
        found = self.ssm.get_parameters_by_path(Path="/ledger")["Parameters"]
        return {one["Name"].rpartition("/")[2]: one["Value"] for one in found}


class AlarmsLedger(Ledger):
    """CloudWatch's alarms."""

    def connect(self) -> None:
        self.alarms = self.service.client("cloudwatch")

    def put(self, name: str, value: str, before: str) -> None:
        self.alarms.put_metric_alarm(
            AlarmName=name, AlarmDescription=value, Namespace="n", MetricName="m", Statistic="Sum", Period=60,
            EvaluationPeriods=1, Threshold=1, ComparisonOperator="GreaterThanThreshold",
        )  # fmt: skip

    def delete(self, name: str) -> None:
        self.alarms.delete_alarms(AlarmNames=[name])

    def read(self) -> dict[str, str]:
        return {one["AlarmName"]: one["AlarmDescription"] for one in self.alarms.describe_alarms()["MetricAlarms"]}


class Rules(Ledger):
    """EventBridge's rules."""

    def connect(self) -> None:
        self.events = self.service.client("events")

    def put(self, name: str, value: str, before: str) -> None:
        self.events.put_rule(Name=name, Description=value, EventPattern='{"source": ["ledger"]}')

    def delete(self, name: str) -> None:
        self.events.delete_rule(Name=name)

    def read(self) -> dict[str, str]:
        return {one["Name"]: one["Description"] for one in self.events.list_rules()["Rules"]}


class Schedules(Ledger):
    """EventBridge Scheduler's schedules, of a time to come."""

    def connect(self) -> None:
        self.scheduler = self.service.client("scheduler")

    def put(self, name: str, value: str, before: str) -> None:
        target = {"Arn": "arn:aws:sqs:us-east-1:123456789012:ledger", "RoleArn": ROLE, "Input": json.dumps(value)}
        change = self.scheduler.update_schedule if before else self.scheduler.create_schedule
        change(Name=name, ScheduleExpression="at(2090-01-01T00:00:00)", FlexibleTimeWindow={"Mode": "OFF"},
               Description=value, Target=target)  # fmt: skip

    def delete(self, name: str) -> None:
        self.scheduler.delete_schedule(Name=name)

    def read(self) -> dict[str, str]:
        names = [one["Name"] for one in self.scheduler.list_schedules()["Schedules"]]
        return {name: json.loads(self.scheduler.get_schedule(Name=name)["Target"]["Input"]) for name in names}


class Projects(Ledger):
    """CodeBuild's projects."""

    def connect(self) -> None:
        self.builds = self.service.client("codebuild")

    def put(self, name: str, value: str, before: str) -> None:
        environment = {"type": "LINUX_CONTAINER", "image": "aws/codebuild/standard:7.0",
                       "computeType": "BUILD_GENERAL1_SMALL"}  # fmt: skip
        change = self.builds.update_project if before else self.builds.create_project
        change(name=f"ledger-{name}", description=value, source={"type": "NO_SOURCE", "buildspec": "version: 0.2"},
               artifacts={"type": "NO_ARTIFACTS"}, environment=environment, serviceRole=ROLE)  # fmt: skip

    def delete(self, name: str) -> None:
        self.builds.delete_project(name=f"ledger-{name}")

    def read(self) -> dict[str, str]:
        names = self.builds.list_projects()["projects"]
        found = self.builds.batch_get_projects(names=names)["projects"] if names else []
        return {one["name"].removeprefix("ledger-"): one["description"] for one in found}


class Apis(Ledger):
    """API Gateway's APIs."""

    def connect(self) -> None:
        self.apis = self.service.client("apigateway")

    def put(self, name: str, value: str, before: str) -> None:
        if not before:
            self.apis.create_rest_api(name=name, description=value)
            return
        change = {"op": "replace", "path": "/description", "value": value}
        self.apis.update_rest_api(restApiId=self._ids()[name], patchOperations=[change])

    def delete(self, name: str) -> None:
        self.apis.delete_rest_api(restApiId=self._ids()[name])

    def _ids(self) -> dict[str, str]:
        return {one["name"]: one["id"] for one in self.apis.get_rest_apis()["items"]}

    def read(self) -> dict[str, str]:
        return {one["name"]: one["description"] for one in self.apis.get_rest_apis()["items"]}


LEDGERS: tuple[type[Ledger], ...] = (
    Objects, Uploads, Pipelines, Packages, Functions, Commits, Parameters, AlarmsLedger, Rules, Schedules, Projects,
    Apis,
)  # fmt: skip


def _body(value: str) -> bytes:
    """A body whose bytes say which value it is, some hundred kilobytes long."""
    return f"{value} ".encode() + hashlib.sha256(value.encode()).digest() * 8000


def _value(body: bytes) -> str:
    value = body.partition(b" ")[0].decode()
    return value if body == _body(value) else f"broken bytes of {value}"
