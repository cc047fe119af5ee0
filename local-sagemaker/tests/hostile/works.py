"""Work that the campaign of kills disturbs: begun and acknowledged, then looked at until it has come to its end."""

from __future__ import annotations

import json
import operator
import time
import uuid
from collections import Counter
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import xgboost as xgb
from botocore.exceptions import BotoCoreError, ClientError

from tests.integration import tuning
from tests.integration.endpoint_models import BUCKET, ROWS, Made, booster, floats, text
from tests.support import ROLE, Service, create_function

MODULE = "pipelines.abalone.pipeline"
OLD, NEW = booster(1), booster(2)
PATIENCE = 240.0
_CHANGING = ("Creating", "Updating", "RollingBack", "Deleting")
WRITE = (
    "import boto3\n"
    "def handler(event, context):\n"
    "    boto3.client('s3', region_name='us-east-1').put_object(Bucket=event['bucket'], Key=event['key'], Body=b'x')\n"
)


@dataclass
class Works:
    """All kinds of work on one service. `prepare` makes what they need, once."""

    service: Service
    pipeline: str = ""
    data: str = ""
    models: dict[str, str] = field(default_factory=dict)

    def prepare(self) -> None:
        """The pipeline, two models, data for tuning, a function."""
        self.service.run("run-pipeline", "--module-name", MODULE, "--role-arn", ROLE, timeout=900)
        sagemaker = self.sagemaker
        self.pipeline = sagemaker.list_pipelines()["PipelineSummaries"][0]["PipelineName"]
        definition = json.loads(sagemaker.describe_pipeline(PipelineName=self.pipeline)["PipelineDefinition"])
        for step in definition["Steps"]:
            step.pop("CacheConfig", None)
        sagemaker.update_pipeline(PipelineName=self.pipeline, PipelineDefinition=json.dumps(definition))
        made = self.made
        self.models = {"old": made.model(OLD), "new": made.model(NEW)}
        self.data = tuning.bucket(self.service)
        create_function(self.service.client("lambda"), "write", WRITE, Timeout=60)

    @property
    def made(self) -> Made:
        """Makers of endpoints, with clients of the service as it runs now."""
        return Made(self.service)

    @property
    def sagemaker(self) -> Any:
        """A client of the service as it runs now."""
        return self.service.client("sagemaker")

    def execution(self) -> Check:
        """The abalone pipeline; a job that was killed itself may fail it."""
        arn = self.sagemaker.start_pipeline_execution(PipelineName=self.pipeline)["PipelineExecutionArn"]

        def check(killed: set[str]) -> str | None:
            described = self.sagemaker.describe_pipeline_execution(PipelineExecutionArn=arn)
            status = described["PipelineExecutionStatus"]
            if status in ("Executing", "Stopping"):
                return None
            may_fail = {"Failed"} if killed & {"job", "model server"} else set()
            fault = _fault("execution", status, {"Succeeded"} | may_fail, lambda: self._reasons(arn))
            return fault + self._steps_left(arn, status)

        return check

    def update(self) -> Check:
        """An endpoint, and an update of it that was acknowledged."""
        made = self.made
        endpoint = made.endpoint(made.config(self.models["old"], count=2))
        config = made.config(self.models["new"], count=2)
        made.sagemaker.update_endpoint(EndpointName=endpoint, EndpointConfigName=config)

        def check(_: set[str]) -> str | None:
            now = self.made
            found = now.sagemaker.describe_endpoint(EndpointName=endpoint)
            if found["EndpointStatus"] in _CHANGING:
                return None
            fault = _fault("endpoint", found["EndpointStatus"], {"InService"}, lambda: found.get("FailureReason"))
            fault += _fault("endpoint", found["EndpointConfigName"], {config})
            if not fault and not _answers(now, endpoint, NEW):
                return None  # a server that was killed is being started again
            now.sagemaker.delete_endpoint(EndpointName=endpoint)
            return fault

        return check

    def tuning(self) -> Check:
        """A tuning job of four training jobs."""
        name = tuning.tune(
            self.service,
            HyperParameterTuningJobConfig=tuning.config(4),
            TrainingJobDefinition=tuning.definition(self.data),
        )

        def check(killed: set[str]) -> str | None:
            found = tuning.described(self.service, name)
            status, counts = found["HyperParameterTuningJobStatus"], found["TrainingJobStatusCounters"]
            if status in ("InProgress", "Stopping"):
                return None
            fault = _fault("tuning job", status, {"Completed"}, lambda: found.get("FailureReason"))
            ended = {counts["Completed"], counts["Completed"] + counts["NonRetryableError"]}
            return fault + _fault(
                "training jobs", 4, ended if "job" in killed else {counts["Completed"]}, lambda: counts
            )

        return check

    def events(self) -> Check:
        """Invocations of a function that were acknowledged, each of which writes an object."""
        prefix, functions = f"events-{uuid.uuid4().hex[:8]}/", self.service.client("lambda")
        for number in range(20):
            event = json.dumps({"bucket": self.data, "key": f"{prefix}{number}"}).encode()
            functions.invoke(FunctionName="write", InvocationType="Event", Payload=event)

        def check(_: set[str]) -> str | None:
            found = self.service.client("s3").list_objects_v2(Bucket=self.data, Prefix=prefix)
            return "" if found["KeyCount"] == 20 else None

        return check

    def asynchronous(self) -> Check:
        """Invocations of an asynchronous endpoint that were acknowledged: each leaves its output, or says why not."""
        made, place = self.made, f"s3://{BUCKET}/asynchronous/{uuid.uuid4().hex}"
        output = {"OutputConfig": {"S3OutputPath": place, "S3FailurePath": f"{place}-failed"}}
        endpoint = made.endpoint(made.config(self.models["old"], AsyncInferenceConfig=output))
        made.upload(f"asynchronous/{endpoint}.csv", text(ROWS[:3]))
        request = {"EndpointName": endpoint, "InputLocation": f"s3://{BUCKET}/asynchronous/{endpoint}.csv"}
        queued = [made.runtime.invoke_endpoint_async(**request, ContentType="text/csv") for _ in range(10)]

        def check(killed: set[str]) -> str | None:
            now = self.made
            pages = now.s3.get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix="asynchronous/")
            present = {f"s3://{BUCKET}/{item['Key']}" for page in pages for item in page.get("Contents", [])}
            outputs = [one["OutputLocation"] in present for one in queued]
            failures = [one["FailureLocation"] in present for one in queued]
            if not all(map(operator.or_, outputs, failures)):
                return None
            if now.sagemaker.describe_endpoint(EndpointName=endpoint)["EndpointStatus"] in _CHANGING:
                return None
            now.sagemaker.delete_endpoint(EndpointName=endpoint)
            may_fail = killed & {"model server", "fork server"}  # the invocation that it was answering
            return _fault("failed invocations", sum(failures), range(11) if may_fail else [0])

        return check

    def groups(self) -> Check:
        """Records and objects that were acknowledged."""
        names = [f"group-{uuid.uuid4().hex[:8]}" for _ in range(20)]
        sagemaker, s3 = self.sagemaker, self.service.client("s3")
        for name in names:
            sagemaker.create_model_package_group(ModelPackageGroupName=name)
            s3.put_object(Bucket=self.data, Key=f"groups/{name}", Body=name.encode())

        def check(_: set[str]) -> str | None:
            for name in names:
                self.sagemaker.delete_model_package_group(ModelPackageGroupName=name)
                body = self.service.client("s3").get_object(Bucket=self.data, Key=f"groups/{name}")["Body"].read()
                if body != name.encode():
                    return f"object {name} holds {body!r}"
            return ""

        return check

    def _steps_left(self, arn: str, status: str) -> str:
        """What is wrong with the steps of an execution that has ended."""
        steps = self.sagemaker.list_pipeline_execution_steps(PipelineExecutionArn=arn)["PipelineExecutionSteps"]
        states = Counter(step["StepStatus"] for step in steps)
        names = Counter(step["StepName"] for step in steps)
        fault = _fault("states of steps", set(states) - {"Succeeded", "Failed", "Stopped"}, [set()], lambda: states)
        fault += _fault("failed steps", states["Failed"] > 0, [status == "Failed"], lambda: states)
        return fault + _fault("steps of a name", max(names.values()), [1], lambda: names)

    def _reasons(self, arn: str) -> list[str]:
        steps = self.sagemaker.list_pipeline_execution_steps(PipelineExecutionArn=arn)["PipelineExecutionSteps"]
        return [f"{step['StepName']}: {step['FailureReason']}" for step in steps if "FailureReason" in step]


Check = Callable[[set[str]], str | None]
"""Told what was killed; None while the work goes on, "" when it has ended right, else what is wrong."""


def awaited(check: Check, killed: set[str]) -> str:
    """The outcome of a check, asked until it has one."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        try:
            outcome = check(killed)
        except (ClientError, BotoCoreError) as error:
            return f"refused, or not answered: {error}"
        if outcome is not None:
            return outcome
        time.sleep(0.1)
    return f"not ended within {PATIENCE} s"


def _fault(what: str, value: object, right: Collection[Any], more: Callable[[], object] = lambda: "") -> str:
    return "" if value in right else f"{what} is {value}, not of {list(map(str, right))}: {more()}; "


def _answers(made: Made, endpoint: str, model: xgb.Booster) -> bool:
    try:
        got = floats(made.invoke(endpoint, ROWS[:5])["Body"].read())
    except ClientError:
        return False
    return bool(np.allclose(got, model.predict(xgb.DMatrix(ROWS[:5])), rtol=1e-5))
