"""What an execution came to, in plain words: metrics, decisions, the registered model, reports, and what to do next."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pipelines import conditions, failures
from pipelines.checks.definition import check_steps
from pipelines.cost import prices
from pipelines.cost.estimate import in_dollars
from pipelines.cost.run import MINUTES_ON_AWS, estimate_run, own_parameters
from pipelines.definition import Definition, Step, steps
from pipelines.local import debug_command, is_local, log_command, next_command, page_command
from pipelines.logs import group_and_name, job_log
from pipelines.progress import Progress, remark
from pipelines.reports.verdicts import Written

if TYPE_CHECKING:
    from pipelines.session import AwsClients

_DEBUGGED = ("processing-job/", "training-job/")


@dataclass(frozen=True)
class Summary:
    """An ended execution and its definition. ``lines`` reads from AWS what the two do not hold."""

    clients: AwsClients
    execution_arn: str
    definition: Definition
    progress: Progress
    checks: Sequence[Written] = ()

    def lines(self) -> Iterator[str]:
        values = conditions.read_values(self.clients, self.definition, self.execution_arn, self.progress.steps)
        yield f"The execution {self.execution_arn.rpartition('/')[2]} ended: {self.progress.status}."
        yield from self._failures()
        yield from self._describe_caching()
        yield from _metrics(values, self.definition)
        yield from self._checks()
        yield from self._decisions(values)
        packages = self._packages()
        yield from self._registration(packages, values)
        yield from self._outputs()
        yield from self._reports()
        yield from self._cost(values)
        yield from self._next(packages)

    def _failures(self) -> Iterator[str]:
        if self.progress.failure:
            yield f"  {self.progress.failure}"
        for name, step in self.progress.steps.items():
            if step["StepStatus"] != "Failed":
                continue
            yield from self._failure(name, step)

    def _failure(self, name: str, step: Mapping[str, Any]) -> Iterator[str]:
        reason = step.get("FailureReason", "")
        if any(check.check.step == name and check.verdict.violations for check in self.checks):
            yield f"Step {name} failed: {reason}"
            return  # its log ends well: what is wrong is in the violations
        job = _job_of(step)
        first, *rest = failures.explain(reason, job_log(self.clients.logs, job) if job else [])
        yield f"Step {name} failed: {first}"
        yield from rest
        log = group_and_name(job or "")
        if log:
            yield f"  The whole log:  {log_command(*log)}"
        again = debug_command(self.execution_arn, name)
        if again and job and job.rpartition(":")[2].startswith(_DEBUGGED):
            yield f"  Run it again here, where breakpoint() works:  {again}"

    def _describe_caching(self) -> Iterator[str]:
        hits = [name for name, step in self.progress.steps.items() if "CacheHitResult" in step]
        if hits:
            yield f"Cache: {len(hits)} steps were reused: {', '.join(hits)}."

    def _decisions(self, values: conditions.Values) -> Iterator[str]:
        for step in steps(self.definition):
            ran = self.progress.steps.get(step["Name"])
            if step["Type"] == "Condition" and ran and ran["StepStatus"] == "Succeeded":
                yield f"Decision of {step['Name']}: {conditions.words(step, values)}: {remark(ran)}."

    def _outputs(self) -> Iterator[str]:
        for name, step in self.progress.steps.items():
            for output in step.get("Metadata", {}).get("Lambda", {}).get("OutputParameters", []):
                yield f"Output {name}.{output['Name']}: {output['Value']}"

    def _cost(self, values: conditions.Values) -> Iterator[str]:
        """One line; the assumptions in full are those of ``delivery cost run``."""
        table, own = prices.load(self.clients.region), own_parameters(values)
        estimate = estimate_run(self.definition, self.progress.steps, own, table)
        if not estimate.items:
            return
        yield f"Cost on AWS, estimated: {estimate.summarize()}."
        flag = ""
        if is_local():
            longer = estimate_run(self.definition, self.progress.steps, own, table, MINUTES_ON_AWS)
            least = f"{MINUTES_ON_AWS:g} minutes a job"
            yield f"  That is with this machine's times; {in_dollars(longer.total)} with {least}."
            flag = f" --minutes {MINUTES_ON_AWS:g}"
        yield f"  How, and what it leaves out:  {next_command(f'delivery cost run {self.execution_arn}{flag}')}"
        yield from (f"  {text}" for text in estimate.warnings())

    def _endpoints(self) -> list[str]:
        """The endpoints that Lambda functions say that they made."""
        calls = (step.get("Metadata", {}).get("Lambda", {}) for step in self.progress.steps.values())
        outputs = [output for metadata in calls for output in metadata.get("OutputParameters", [])]
        return [output["Value"] for output in outputs if output["Name"] == "endpoint_name"]

    def _packages(self) -> list[str]:
        registrations = (step.get("Metadata", {}).get("RegisterModel", {}) for step in self.progress.steps.values())
        return [metadata["Arn"] for metadata in registrations if "Arn" in metadata]

    def _registration(self, packages: Sequence[str], values: conditions.Values) -> Iterator[str]:
        for arn in packages:
            status = self.clients.sagemaker.describe_model_package(ModelPackageName=arn)
            yield f"Registered: {arn} ({status.get('ModelApprovalStatus', 'no approval status')})"
        registering = [step["Name"] for step in steps(self.definition) if step["Type"] == "RegisterModel"]
        if registering and not packages:
            yield f"Nothing was registered: {self._why_not(registering, values)}."

    def _why_not(self, registering: Sequence[str], values: conditions.Values) -> str:
        for step in steps(self.definition):
            ran = self.progress.steps.get(step["Name"], {})
            outcome = ran.get("Metadata", {}).get("Condition", {}).get("Outcome")
            branch = {"True": "ElseSteps", "False": "IfSteps"}.get(outcome or "")
            if branch and any(item["Name"] in registering for item in step["Arguments"].get(branch) or []):
                return f"{step['Name']} requires {conditions.words(step, values)}, and that is {outcome.lower()}"
        failed = [name for name, step in self.progress.steps.items() if step["StepStatus"] == "Failed"]
        if failed:
            return f"{', '.join(failed)} failed"
        return f"the execution ended as {self.progress.status} before {' and '.join(registering)}"

    def _checks(self) -> Iterator[str]:
        if self.checks:
            yield "Checks:"
        for written in self.checks:
            yield from written.verdict.lines(written.check.step)

    def _reports(self) -> Iterator[str]:
        if self.checks:
            yield "Reports:"
        for written in self.checks:
            yield f"  {written.check.step:30} {written.where}"
            if written.check.ended:
                yield f"  {'':30} {written.check.folder}"

    def _next(self, packages: Sequence[str]) -> Iterator[str]:
        for arn in packages:
            described = self.clients.sagemaker.describe_model_package(ModelPackageName=arn)
            name = f"{described.get('ModelPackageGroupName')}/{described.get('ModelPackageVersion')}"
            yield f"Next, approve the model:\n  {next_command(f'model-registry approve {name}')}"
        endpoints = self._endpoints()
        for endpoint in endpoints:
            yield f"Next, wait for the endpoint:\n  {next_command(f'model-registry wait {endpoint}')}"
        failed = any(step["StepStatus"] == "Failed" for step in self.progress.steps.values())
        if not packages and not endpoints and not failed:
            show = f"aws sagemaker list-pipeline-execution-steps --pipeline-execution-arn {self.execution_arn}"
            yield f"Next, look at the steps:\n  {next_command(show)}"
        page = page_command(self.execution_arn)
        if page:
            yield f"Look at it in the browser:\n  {page}"


def _metrics(values: conditions.Values, definition: Definition) -> Iterator[str]:
    """Of the steps that measure something; what checks find is said apart."""
    checks = {check.name for check in check_steps(definition)}
    for source, report in values.items():
        if source.startswith("Steps.") and source.split(".")[1] in checks:
            continue
        for path, value in conditions.metrics(report):
            yield f"Metric {path}: {value:.4f}"


def _job_of(step: Step) -> str | None:
    """The ARN of the job that a step ran, whatever its type."""
    for details in step.get("Metadata", {}).values():
        arn = details.get("CheckJobArn") or details.get("Arn")
        if arn:
            return str(arn)
    return None
