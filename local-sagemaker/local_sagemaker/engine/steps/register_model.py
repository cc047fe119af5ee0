"""RegisterModel steps: CreateModelPackage, exactly once.

The group is made when it is missing: SDKs under a pipeline session never create it, AWS's own examples register
into groups that nobody made. The ClientToken comes from execution, step and attempt, so a crash between the call and
the record does not register twice.
"""

from __future__ import annotations

import uuid
from contextlib import suppress

from local_sagemaker.api.request_shapes import request_shape
from local_sagemaker.arns import is_arn, last
from local_sagemaker.engine.arguments import fit
from local_sagemaker.engine.expressions import resolve
from local_sagemaker.engine.steps.create import refusal
from local_sagemaker.engine.steps.step_type import (
    RETRIED,
    SUCCEEDED,
    Prepared,
    Record,
    StepContext,
    StepResult,
    StepRun,
    StepType,
)
from local_sagemaker.errors import MISSING, TAKEN, ServiceError

_SPACE = uuid.UUID("6f0f7a3e-52f5-4f0e-9c5c-0b8d1f6f2a11")


class RegisterModelStep(StepType):
    """Registers a model package version."""

    type = "RegisterModel"
    operation = "CreateModelPackage"
    described = "DescribeModelPackage"
    members = RETRIED
    refused = frozenset({"ModelPackageName", "CertifyForMarketplace", "ClientToken"})

    def prepare(self, run: StepRun) -> Prepared:
        """The CreateModelPackage request; GeneratedBy names the execution unless the definition says otherwise."""
        request: Record = fit(resolve(run.step.arguments, run.scope("")), request_shape(self.operation))
        made_by = {"GeneratedBy": run.execution.arn, **request.get("MetadataProperties", {})}
        attempt = f"{run.execution.arn}/{run.step.name}/{run.record['AttemptCount']}"
        token = str(uuid.uuid5(_SPACE, attempt))
        return Prepared("", {**request, "MetadataProperties": made_by, "ClientToken": token})

    def start(self, run: StepRun) -> StepResult | None:
        """Creates the group when it is missing, then the version."""
        request = run.request
        group = request.get("ModelPackageGroupName")
        try:
            if group and not is_arn(group):
                _ensure_group(group, run.context)
            response = run.context.call("sagemaker:CreateModelPackage", request)
        except ServiceError as error:
            return refusal(self.operation, error)
        run.record["Metadata"] = {"RegisterModel": {"Arn": response["ModelPackageArn"]}}
        return SUCCEEDED

    def properties(self, record: Record, context: StepContext) -> Record:
        """DescribeModelPackage's response."""
        arn = record["Metadata"]["RegisterModel"]["Arn"]
        return context.call("sagemaker:DescribeModelPackage", {"ModelPackageName": arn})


def _ensure_group(name: str, context: StepContext) -> None:
    try:
        context.call("sagemaker:DescribeModelPackageGroup", {"ModelPackageGroupName": last(name)})
        return
    except MISSING:
        pass
    with suppress(*TAKEN):  # a parallel step may have made it since
        context.call("sagemaker:CreateModelPackageGroup", {"ModelPackageGroupName": name})


REGISTER_MODEL = RegisterModelStep()
