"""What the two check steps share: a processing job that computes a baseline, and a drift check against the last one.

The job always runs. When drift is to be looked for, it also gets the previous baseline as inputs, and a
constraint_violations.json in its output is the verdict; the job itself is Completed in any case.
"""

# ruff: noqa: ARG002 - methods of the contract take what other step types need

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from local_sagemaker.engine.arguments import truth
from local_sagemaker.engine.definition import Step
from local_sagemaker.engine.expressions import ExpressionError, resolve, text
from local_sagemaker.engine.paths import Token
from local_sagemaker.engine.steps.baselines import Baseline, plan, previous
from local_sagemaker.engine.steps.job import ProcessingJobStep, output_uris
from local_sagemaker.engine.steps.step_type import (
    CACHED,
    RETRIED,
    SUCCEEDED,
    Prepared,
    Record,
    StepContext,
    StepResult,
    StepRun,
    failure,
)
from local_sagemaker.engine.value_types import BOOLEAN, STRING, member_of
from local_sagemaker.errors import ServiceError
from local_sagemaker.json_text import load
from local_sagemaker.objects.uris import join, split

VIOLATIONS = "constraint_violations.json"
_SWITCHES = {"SkipCheck": False, "RegisterNewBaseline": False, "FailOnViolation": True}
_TEXTS = ("ModelPackageGroupName", "SuppliedBaselineStatistics", "SuppliedBaselineConstraints", "ModelName")
MEMBERS = CACHED | RETRIED | set(_SWITCHES) | {"CheckType", "ModelPackageGroupName", "SuppliedBaselineConstraints"}
"""The step-level members of both types."""
_KEY = ("AppSpecification", "Environment", "ProcessingInputs")


class CheckStep(ProcessingJobStep):
    """A check; the two types say which checks they have, what their files are called and how the job is configured."""

    title: str
    """How the failure text names the check: ``Quality``, ``Clarify``."""
    checks: tuple[str, ...]
    statistics_file: str | None = None
    constraints_file: str = "constraints.json"

    def problems(self, step: Step) -> Iterator[str]:
        """A check of another type, or a job that writes nowhere."""
        if step.members.get("CheckType") not in self.checks:
            yield (
                f"CheckType of step '{step.name}' must be one of {', '.join(self.checks)}, "
                f"not {json.dumps(step.members.get('CheckType'))}"
            )
        output = step.arguments.get("ProcessingOutputConfig")
        if isinstance(output, dict) and not output.get("Outputs"):
            output = None
        if not output:
            yield f"The job of step '{step.name}' has no output, where its baseline would be"

    def scalars(self, step: Step) -> Iterator[tuple[str, Any, str]]:
        """The switches, and what names baselines and the model."""
        for name in _SWITCHES.keys() & step.members.keys():
            yield name, step.members[name], BOOLEAN
        for name in step.members.keys() & set(_TEXTS):
            yield name, step.members[name], STRING

    def property_type(self, step: Step, path: tuple[Token, ...]) -> str:
        """The new baseline and the one that was checked against, all of them S3 URIs."""
        files = ("Constraints", "Statistics") if self.statistics_file else ("Constraints",)
        kinds = ("CalculatedBaseline", "BaselineUsedForDriftCheck")
        return member_of({f"{kind}{file}": STRING for kind in kinds for file in files}, path)

    def prepare(self, run: StepRun) -> Prepared:
        """The job's request under ``Job``, the check's switches and baselines beside it."""
        job = super().prepare(run)
        members = resolve(dict(run.step.members), run.scope(job.name))
        request: Record = {"Job": job.request, "CheckType": members["CheckType"]}
        for name, default in _SWITCHES.items():
            request[name] = truth(members.get(name, default), name)
        for name in _TEXTS:
            if members.get(name):  # an empty parameter means: not given
                request[name] = text(members[name])
        return Prepared(job.name, request)

    def signature(self, request: Record) -> Record | None:
        """The check's and the job's configuration; output locations are left out, as for processing steps."""
        check = {key: value for key, value in request.items() if key not in ("Job", "FailOnViolation")}
        return {**check, **{key: request["Job"][key] for key in _KEY if key in request["Job"]}}

    def start(self, run: StepRun) -> StepResult | None:
        """Finds the previous baseline, then creates the job."""
        request = run.request
        check_type, group = request["CheckType"], request.get("ModelPackageGroupName")
        supplied = Baseline(request.get("SuppliedBaselineConstraints"), request.get("SuppliedBaselineStatistics"))
        try:
            baseline = previous(check_type, supplied, group, run.context.call)
            row = plan(
                skip=request["SkipCheck"],
                register=request["RegisterNewBaseline"],
                previous=baseline.complete(check_type),
            )
            if not row.possible:
                return failure(self._no_baseline(check_type, group))
            run.notes["previous"] = {"constraints": baseline.constraints, "statistics": baseline.statistics}
            run.notes["drift"] = row.drift
            job = self.job_request(run, request, baseline if row.drift else None)
        except (ServiceError, ExpressionError) as error:
            return failure(f"ClientError: {error}")
        run.save()
        return self.create(run, job)

    def job_request(self, run: StepRun, request: Record, baseline: Baseline | None) -> Record:
        """The CreateProcessingJob request; `baseline` is what drift is looked for against."""
        raise TypeError(f"{self.type} does not say how its job is configured")

    def metadata(self, arn: str, run: StepRun) -> Record:
        """The check, its switches and its job; the baselines are added when the job has ended."""
        request = run.request
        shown = ("CheckType", "ModelPackageGroupName", "SkipCheck", "RegisterNewBaseline")
        return {self.type: {**{name: request[name] for name in shown if name in request}, "CheckJobArn": arn}}

    def outcome(self, run: StepRun, resource: Record) -> StepResult | None:
        """Sets the baselines, and applies FailOnViolation when drift was looked for."""
        result = super().outcome(run, resource)
        if result is not SUCCEEDED:
            return result
        request, details = run.request, run.record["Metadata"][self.type]
        folder = output_uris(resource)[0]
        new = {"Constraints": join(folder, self.constraints_file)}
        if self.statistics_file:
            new["Statistics"] = join(folder, self.statistics_file)
        old = {name.capitalize(): uri for name, uri in run.notes["previous"].items() if uri}
        used = new if request["RegisterNewBaseline"] else old
        details.update({f"CalculatedBaseline{name}": uri for name, uri in new.items()})
        details.update({f"BaselineUsedForDriftCheck{name}": used[name] for name in new if name in used})
        report = join(folder, VIOLATIONS)
        if not run.notes["drift"] or not _has_violations(report, resource, run.context):
            return SUCCEEDED
        details["ViolationReport"] = report
        if not request["FailOnViolation"]:
            return SUCCEEDED
        return failure(f"ClientError: {self.title} check failed. See violation report: {report}")

    def properties(self, record: Record, context: StepContext) -> Record:
        """The new baseline and the one that was checked against."""
        details: dict[str, Any] = record["Metadata"][self.type]
        return {name: value for name, value in details.items() if "Baseline" in name and name != "RegisterNewBaseline"}

    def outputs(self, properties: Record) -> list[str]:
        """The files of the new baseline."""
        return [uri for name, uri in properties.items() if name.startswith("CalculatedBaseline")]

    def _no_baseline(self, check_type: str, group: str | None) -> str:
        files = "statistics and constraints" if self.statistics_file else "constraints"
        where = f"model package group '{group}' has no approved version with them" if group else "no group is given"
        return (
            f"ClientError: The previous baseline ({files}) of check type {check_type} must be available: none was "
            f"supplied and {where}. Set both SkipCheck and RegisterNewBaseline to true for the first run."
        )


def with_input(request: Record, name: str, uri: str, folder: str) -> Record:
    """The request with one more S3 input; one of that name is replaced."""
    source = {
        "S3Uri": uri,
        "LocalPath": folder,
        "S3DataType": "S3Prefix",
        "S3InputMode": "File",
        "S3DataDistributionType": "FullyReplicated",
        "S3CompressionType": "None",
    }
    kept = [entry for entry in request.get("ProcessingInputs", []) if entry["InputName"] != name]
    return {**request, "ProcessingInputs": [*kept, {"InputName": name, "S3Input": source}]}


def with_variable(request: Record, name: str, value: str) -> Record:
    """The request with one more environment variable."""
    return {**request, "Environment": {**request.get("Environment", {}), name: value}}


def _has_violations(report: str, job: Record, context: StepContext) -> bool:
    bucket, key = split(report)
    info = context.objects.head(bucket, key)
    # A fixed output location may still hold the report of an earlier execution.
    if info is None or info.modified + 1 < float(job.get("CreationTime", 0)):
        return False
    try:
        violations = load(context.objects.read(bucket, key) or b"{}")
    except (ValueError, ServiceError):
        return True
    return not (isinstance(violations, dict) and violations.get("violations") == [])
