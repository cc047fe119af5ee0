"""RegisterModel steps: CreateModelPackage, exactly once.

The group is made when it is missing: SDKs under a pipeline session never create it, AWS's own examples register
into groups that nobody made. The ClientToken comes from execution, step and attempt, so a kill between the call and
the record does not register twice.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field

from local_sagemaker.api.request_shapes import request_shape
from local_sagemaker.arns import is_arn, last
from local_sagemaker.engine.arguments import fit
from local_sagemaker.engine.expressions import resolve
from local_sagemaker.engine.steps.job import refusal
from local_sagemaker.engine.steps.step_type import RETRIED, SUCCEEDED, Ended, Immediate, Record, StepRun, Tools
from local_sagemaker.errors import ServiceError

_SPACE = uuid.UUID("6f0f7a3e-52f5-4f0e-9c5c-0b8d1f6f2a11")


@dataclass(frozen=True)
class RegisterModelStep(Immediate):
    """Registers a model package version."""

    type: str = field(default="RegisterModel", init=False)
    operation: str = field(default="CreateModelPackage", init=False)
    described: str = field(default="DescribeModelPackage", init=False)
    members: frozenset[str] = field(default=RETRIED, init=False)
    refused: frozenset[str] = field(
        default=frozenset({"ModelPackageName", "CertifyForMarketplace", "ClientToken"}), init=False
    )

    def resolve(self, run: StepRun) -> Record:
        """The CreateModelPackage request; GeneratedBy names the execution unless the definition says otherwise."""
        request: Record = fit(resolve(run.step.arguments, run.scope), request_shape(self.operation))
        made_by = {"GeneratedBy": run.facts.execution_arn, **request.get("MetadataProperties", {})}
        attempt = f"{run.facts.execution_arn}/{run.step.name}/{run.record['AttemptCount']}"
        return {**request, "MetadataProperties": made_by, "ClientToken": str(uuid.uuid5(_SPACE, attempt))}

    def start(self, run: StepRun) -> Ended | None:
        """Creates the group when it is missing, then the version."""
        request = run.request
        group = request.get("ModelPackageGroupName")
        try:
            if group and not is_arn(group):
                _ensure_group(group, run.tools)
            answer = run.tools.call("sagemaker:CreateModelPackage", request)
        except ServiceError as error:
            return refusal(self.operation, error)
        run.record["Metadata"] = {"RegisterModel": {"Arn": answer["ModelPackageArn"]}}
        return SUCCEEDED

    def resume(self, run: StepRun) -> Ended | None:
        """The same request again: its token makes it the same version."""
        return self.start(run)

    def properties(self, record: Record, tools: Tools) -> Record:
        """DescribeModelPackage's answer."""
        arn = record["Metadata"]["RegisterModel"]["Arn"]
        return tools.call("sagemaker:DescribeModelPackage", {"ModelPackageName": arn})


def _ensure_group(name: str, tools: Tools) -> None:
    try:
        tools.call("sagemaker:DescribeModelPackageGroup", {"ModelPackageGroupName": last(name)})
        return
    except ServiceError as error:
        if error.code not in ("ValidationException", "ResourceNotFound"):
            raise
    try:
        tools.call("sagemaker:CreateModelPackageGroup", {"ModelPackageGroupName": name})
    except ServiceError as error:
        if "already exists" not in error.message:  # a parallel step may have made it meanwhile
            raise


REGISTER_MODEL = RegisterModelStep()
