"""The definition of the monitoring pipeline, as the JSON that SageMaker takes.

Merge, then for each of its data sets that a check reads: does the window have any? -> the checks -> a notification.
The conditions stand side by side, since SageMaker has none inside another.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from delivery.modelmonitor.portable.merge import CAPTURE, LABELLED, LABELLED_ROWS, OUTPUTS, ROWS, WINDOW

ROOT = "/opt/ml/processing"
EXECUTION = {"Get": "Execution.PipelineExecutionId"}
DefinitionPart = dict[str, Any]
RUNTIME = 3300  # seconds


@dataclass(frozen=True)
class WindowBranch:
    """The part of the pipeline that reads one data set: its condition, and the count of `merge` that this compares.

    `without` is the step that reports a window without data; there is none for labels, which come late or never.
    """

    condition: str
    count: str
    notify: str
    without: str = ""


BRANCHES: Mapping[str, WindowBranch] = {
    CAPTURE: WindowBranch("HasData", "records", "Notify", "NotifyNoData"),
    ROWS: WindowBranch("HasRows", "rows", "NotifyRows", "NotifyNoRows"),
    LABELLED: WindowBranch("HasLabels", "labelled", "NotifyLabelled"),
    LABELLED_ROWS: WindowBranch("HasLabelledRows", "labelled_rows", "NotifyLabelledRows"),
}


@dataclass(frozen=True)
class MonitorCheck:
    """A check: its step, the folder of its reports, what it reads, and where it runs."""

    step: str
    kind: str
    check: str
    dataset: str
    config: str
    constraints: str
    statistics: str = ""
    image: str = ""
    model: str = ""
    max_runtime: int = RUNTIME


@dataclass(frozen=True)
class MonitoringPlan:
    """Everything that the pipeline of one stage needs; places are S3 URIs."""

    endpoint: str
    group: str
    role: str
    image: str
    capture: str
    ground_truth: str
    output: str
    work: str
    archive: str
    merge: str
    notify: str
    checks: Sequence[MonitorCheck]
    hours: int = 1
    instance_type: str = "ml.m5.large"
    volume_size: int = 20


def make_definition(plan: MonitoringPlan) -> DefinitionPart:
    """Of the pipeline; its one parameter is the end of the window, by default the moment of the run."""
    steps = [_merge(plan)]
    for dataset, branch in BRANCHES.items():
        checks = [check for check in plan.checks if check.dataset == dataset]
        if checks:
            without = [_notify(plan, checks, branch.without, with_files=False)] if branch.without else []
            steps.append(_decide(branch.condition, branch.count, _run(plan, checks, branch.notify), without))
    return {
        "Version": "2020-12-01",
        "Metadata": {},
        "Parameters": [{"Name": "WindowEnd", "Type": "String", "DefaultValue": " "}],
        "Steps": steps,
    }


def _run(plan: MonitoringPlan, checks: Sequence[MonitorCheck], notify: str) -> list[DefinitionPart]:
    return [*(_check(plan, check) for check in checks), _notify(plan, checks, notify, with_files=True)]


def _merge(plan: MonitoringPlan) -> DefinitionPart:
    arguments: list[Any] = ["--endpoint", plan.endpoint, "--capture", plan.capture]
    if plan.ground_truth:
        arguments += ["--ground-truth", plan.ground_truth]
    arguments += ["--hours", str(plan.hours), "--window-end", {"Get": "Parameters.WindowEnd"}]
    outputs = {name: _place(plan, name) for name in OUTPUTS}
    step = _processing(plan, "Merge", plan.image, "merge.py", arguments, {"code": plan.merge}, outputs)
    step["PropertyFiles"] = [{"PropertyFileName": "Window", "OutputName": WINDOW, "FilePath": "window.json"}]
    return step


def _check(plan: MonitoringPlan, check: MonitorCheck) -> DefinitionPart:
    arguments = [
        "--check", check.check, "--group", plan.group, "--root", "/opt/ml", "--fail-on-violation", "false",
        "--supplied-constraints", check.constraints,
    ]  # fmt: skip
    if check.statistics:
        arguments += ["--supplied-statistics", check.statistics]
    inputs = {"dataset": _place(plan, check.dataset), "config": check.config, "code": plan.archive}
    if check.model:
        inputs["model"] = check.model
    image, outputs = check.image or plan.image, {"check": _place(plan, f"checks/{check.kind}")}
    step = _processing(plan, check.step, image, "model_checks.pyz", arguments, inputs, outputs)
    step["Arguments"]["StoppingCondition"] = {"MaxRuntimeInSeconds": check.max_runtime}
    return {**step, "DependsOn": ["Merge"]}


def _notify(plan: MonitoringPlan, checks: Sequence[MonitorCheck], name: str, with_files: bool) -> DefinitionPart:
    kinds = ",".join(check.kind for check in checks)
    arguments = ["--endpoint", plan.endpoint, "--output", plan.output, "--kinds", kinds]
    inputs: dict[str, Any] = {"code": plan.notify, WINDOW: _place(plan, WINDOW)}
    if with_files:
        inputs.update({check.kind: _place(plan, f"checks/{check.kind}") for check in checks})
    step = _processing(plan, name, plan.image, "notify.py", arguments, inputs, {})
    return {**step, "DependsOn": [check.step for check in checks]} if with_files else step


def _decide(
    name: str, count: str, then: Sequence[DefinitionPart], otherwise: Sequence[DefinitionPart]
) -> DefinitionPart:
    """Whether the window has anything of a kind."""
    value = {"Std:JsonGet": {"PropertyFile": {"Get": "Steps.Merge.PropertyFiles.Window"}, "Path": count}}
    condition = {"Type": "GreaterThan", "LeftValue": value, "RightValue": 0}
    arguments = {"Conditions": [condition], "IfSteps": list(then), "ElseSteps": list(otherwise)}
    return {"Name": name, "Type": "Condition", "Arguments": arguments}


def _place(plan: MonitoringPlan, name: str) -> DefinitionPart:
    """A folder of this execution."""
    return {"Std:Join": {"On": "/", "Values": [plan.work, EXECUTION, name]}}


def _processing(
    plan: MonitoringPlan, name: str, image: str, program: str, arguments: Sequence[Any], inputs: Mapping[str, Any],
    outputs: Mapping[str, Any],
) -> DefinitionPart:  # fmt: skip
    job: DefinitionPart = {
        "ProcessingResources": {
            "ClusterConfig": {
                "InstanceType": plan.instance_type, "InstanceCount": 1, "VolumeSizeInGB": plan.volume_size,
            }
        },
        "AppSpecification": {
            "ImageUri": image,
            "ContainerEntrypoint": ["python3", f"{ROOT}/input/code/{program}"],
            "ContainerArguments": list(arguments),
        },
        "RoleArn": plan.role,
        "StoppingCondition": {"MaxRuntimeInSeconds": RUNTIME},
        "ProcessingInputs": [_input(key, uri) for key, uri in inputs.items()],
    }  # fmt: skip
    if outputs:
        job["ProcessingOutputConfig"] = {"Outputs": [_output(key, uri, name) for key, uri in outputs.items()]}
    return {"Name": name, "Type": "Processing", "Arguments": job}


def _input(name: str, uri: Any) -> DefinitionPart:
    source = {"S3Uri": uri, "LocalPath": f"{ROOT}/input/{name}", "S3DataType": "S3Prefix", "S3InputMode": "File",
              "S3DataDistributionType": "FullyReplicated", "S3CompressionType": "None"}  # fmt: skip
    return {"InputName": name, "AppManaged": False, "S3Input": source}


def _output(name: str, uri: Any, step: str) -> DefinitionPart:
    folder = f"{ROOT}/output/{name}" if step == "Merge" else f"{ROOT}/output"
    target = {"S3Uri": uri, "LocalPath": folder, "S3UploadMode": "EndOfJob"}
    return {"OutputName": name, "AppManaged": False, "S3Output": target}
