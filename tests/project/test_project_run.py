"""run-pipeline against the local service: what it prints, how it exits, and how it lets go."""

from __future__ import annotations

import json
import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.commands import run_command
from tests.project.pseudo_terminal import written_to_terminal
from tests.support import COMMANDS, ROLE, Service, create_pipeline, finished, script_step, steps_of, until

MODULE = ("run-pipeline", "-n", "pipelines.abalone.pipeline", "--role-arn", ROLE)
SLOW = "import time; print('working', flush=True); time.sleep(60)"


@pytest.fixture
def module(tmp_path: Path) -> Any:
    """Makes a module whose get_pipeline answers a given definition, as hand-written ones do."""

    def make(name: str, *steps: dict[str, Any], parameters: tuple[dict[str, Any], ...] = ()) -> str:
        definition = {"Version": "2020-12-01", "Metadata": {}, "Parameters": list(parameters), "Steps": list(steps)}
        text = f"class P:\n    name = {name!r}\n    def definition(self):\n        return {json.dumps(definition)!r}\n"
        (tmp_path / f"{name.lower()}_module.py").write_text(f"{text}def get_pipeline(region):\n    return P()\n")
        return f"{name.lower()}_module"

    return make


def run(service: Service, module: str, folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = ("run-pipeline", "-n", module, "--role-arn", ROLE, *words)
    return run_command(service, *command, path=folder, check=False)


def execution_of(service: Service, name: str) -> str:
    summaries = service.client("sagemaker").list_pipeline_executions(PipelineName=name)["PipelineExecutionSummaries"]
    return str(summaries[0]["PipelineExecutionArn"])


def test_a_failed_step_shows_its_reason_and_the_end_of_its_log(service: Service, module: Any, tmp_path: Path) -> None:
    code = "[print('line', i) for i in range(40)]; raise ValueError('the data is odd')"
    done = run(service, module("RunFails", script_step("Breaks", code)), tmp_path)
    assert done.returncode == 1
    assert "ended: Failed" in done.stdout
    lines = done.stdout.splitlines()
    at = next(number for number, line in enumerate(lines) if line.startswith("Step Breaks failed: "))
    assert "AlgorithmError" in lines[at]
    assert lines[at + 1 : at + 3] == ["  ValueError: the data is odd", "  at <string>, line 1, in <module>"]
    assert lines[at + 3].startswith("  The whole log:  local-sagemaker logs pipelines-")
    identifier = execution_of(service, "RunFails").rpartition("/")[2]
    assert lines[at + 4].endswith(f"breakpoint() works:  local-sagemaker debug {identifier} Breaks")
    assert done.stdout.count("the data is odd") == 1 and "Traceback" not in done.stdout
    words = lines[at + 3].partition(":")[2].split()
    log = subprocess.run(words, env=service.environment(), capture_output=True, text=True, check=True).stdout
    assert "line 0" in log and "ValueError: the data is odd" in log
    words = lines[at + 4].partition("works:")[2].split()
    again = subprocess.run(
        words, env=service.environment(), capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL
    )
    assert (again.returncode, "ValueError: the data is odd" in again.stdout) == (1, True), again


def test_metrics_are_those_of_this_execution(service: Service, module: Any, tmp_path: Path) -> None:
    """Evaluate writes to the same place in every execution; what an earlier one left there is nobody's result."""
    service.client("s3").create_bucket(Bucket="run-metrics")
    code = (
        "import json, os; assert os.environ['WORKS'] == 'yes', 'no data'; "
        "json.dump({'auc': {'value': 0.7691}}, open('/opt/ml/processing/report/evaluation.json', 'w'))"
    )
    s3 = {"S3Uri": "s3://run-metrics/report", "LocalPath": "/opt/ml/processing/report", "S3UploadMode": "EndOfJob"}
    outputs = {"Outputs": [{"OutputName": "report", "S3Output": s3}]}
    step = script_step(
        "Evaluate", code, ProcessingOutputConfig=outputs, Environment={"WORKS": {"Get": "Parameters.Works"}}
    )
    step["PropertyFiles"] = [{"PropertyFileName": "R", "OutputName": "report", "FilePath": "evaluation.json"}]
    name = module("RunMetrics", step, parameters=({"Name": "Works", "Type": "String", "DefaultValue": "yes"},))
    assert "Metric auc.value: 0.7691" in run(service, name, tmp_path).stdout
    failed = run(service, name, tmp_path, "--parameter", "Works=no")
    assert failed.returncode == 1 and "AssertionError: no data" in failed.stdout
    assert "Metric auc" not in failed.stdout


def test_no_wait_starts_and_returns(service: Service, module: Any, tmp_path: Path) -> None:
    done = run(service, module("RunNoWait", script_step("Quick", "print('done')")), tmp_path, "--no-wait")
    assert done.returncode == 0, done.stderr
    execution = execution_of(service, "RunNoWait")
    assert execution in done.stdout and "ended" not in done.stdout
    assert finished(service.client("sagemaker"), execution)["PipelineExecutionStatus"] == "Succeeded"


def test_a_stopped_execution_is_not_a_success(service: Service, module: Any, tmp_path: Path) -> None:
    name = module("RunStopped", script_step("Slow", SLOW))
    process = background(service, name, tmp_path)
    sagemaker, execution = service.client("sagemaker"), started(service, "RunStopped")
    sagemaker.stop_pipeline_execution(PipelineExecutionArn=execution)
    output, _ = process.communicate(timeout=240)
    assert process.returncode == 1
    assert "ended: Stopped" in output


def test_ctrl_c_leaves_the_execution_running_and_says_how_to_go_on(
    service: Service, module: Any, tmp_path: Path
) -> None:
    process = background(service, module("RunCtrlC", script_step("Slow", SLOW)), tmp_path)
    sagemaker, execution = service.client("sagemaker"), started(service, "RunCtrlC")
    assert process.stdout
    assert next(line for line in process.stdout if line.startswith("Execution ")) == f"Execution {execution}\n"
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=240)
    assert process.returncode == 130
    assert "continues without this command" in errors
    assert f"run-pipeline --attach {execution}" in errors
    assert f"stop-pipeline-execution --pipeline-execution-arn {execution}" in errors
    described = sagemaker.describe_pipeline_execution(PipelineExecutionArn=execution)
    assert described["PipelineExecutionStatus"] == "Executing"
    sagemaker.stop_pipeline_execution(PipelineExecutionArn=execution)
    finished(sagemaker, execution)


def test_an_execution_is_followed_again(service: Service, tmp_path: Path) -> None:
    sagemaker = service.client("sagemaker")
    create_pipeline(sagemaker, "RunAttach", script_step("Slow", "import time; time.sleep(2)"))
    arn = sagemaker.start_pipeline_execution(PipelineName="RunAttach")["PipelineExecutionArn"]
    done = run_command(service, "run-pipeline", "--attach", arn, cwd=tmp_path, check=False)
    assert done.returncode == 0, done.stderr
    assert f"Execution {arn}" in done.stdout and "ended: Succeeded" in done.stdout


def test_the_region_of_the_command_line_counts(service: Service, module: Any, tmp_path: Path) -> None:
    name = module("RunRegion", script_step("Quick", "pass"))
    done = run(service, name, tmp_path, "--region", "eu-west-1", "--no-wait")
    assert done.returncode == 0, done.stderr
    assert "Pipeline arn:aws:sagemaker:eu-west-1:" in done.stdout
    assert "Execution arn:aws:sagemaker:eu-west-1:" in done.stdout


def background(service: Service, module: str, folder: Path) -> subprocess.Popen[str]:
    environment = service.environment()
    environment["PYTHONPATH"] = f"{environment['PYTHONPATH']}:{folder}"
    command = [str(COMMANDS / "run-pipeline"), "-n", module, "--role-arn", ROLE]
    # A shell that runs the tests in the background has Ctrl-C ignored, and so would the command.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    finally:
        signal.signal(signal.SIGINT, before)


def started(service: Service, name: str) -> str:
    """Waits until the pipeline's execution runs its step."""
    sagemaker = service.client("sagemaker")

    def running() -> str | None:
        if name not in {item["PipelineName"] for item in sagemaker.list_pipelines()["PipelineSummaries"]}:
            return None
        summaries = sagemaker.list_pipeline_executions(PipelineName=name)["PipelineExecutionSummaries"]
        arn = summaries[0]["PipelineExecutionArn"] if summaries else None
        return arn if arn and steps_of(sagemaker, arn) else None

    return str(until(running, f"{name} runs"))


def test_parameters_reach_the_execution_and_an_empty_one_means_the_default(
    service: Service, module: Any, tmp_path: Path
) -> None:
    declared = ({"Name": "Word", "Type": "String", "DefaultValue": "default"},
                {"Name": "Count", "Type": "Integer", "DefaultValue": 1})  # fmt: skip
    name = module("RunParameters", script_step("Quick", "pass"), parameters=declared)
    done = run(service, name, tmp_path, "--parameter", "Word=", "--parameter", "Count=3")
    assert done.returncode == 0, done.stderr
    listed = service.client("sagemaker").list_pipeline_parameters_for_execution(
        PipelineExecutionArn=execution_of(service, "RunParameters")
    )
    assert {p["Name"]: p["Value"] for p in listed["PipelineParameters"]} == {"Word": "default", "Count": "3"}


def test_a_second_upsert_updates_and_adds_tags(service: Service, module: Any, tmp_path: Path) -> None:
    sagemaker = service.client("sagemaker")
    create_pipeline(sagemaker, "RunUpdates", script_step("Old", "pass"))
    name = module("RunUpdates", script_step("New", "pass"))
    tags = "[{'Key': 'team', 'Value': 'sea'}]"
    done = run(service, name, tmp_path, "--no-wait", "--tags", tags, "--description", "The new one")
    assert done.returncode == 0, done.stderr
    described = sagemaker.describe_pipeline(PipelineName="RunUpdates")
    assert json.loads(described["PipelineDefinition"])["Steps"][0]["Name"] == "New"
    assert described["PipelineDescription"] == "The new one"
    assert {"Key": "team", "Value": "sea"} in sagemaker.list_tags(ResourceArn=described["PipelineArn"])["Tags"]


def test_a_terminal_shows_a_live_table(service: Service, module: Any, tmp_path: Path) -> None:
    environment = service.environment()
    environment.update(PYTHONPATH=f"{environment['PYTHONPATH']}:{tmp_path}", TERM="xterm-256color", COLUMNS="120")
    name = module("RunTable", script_step("Quick", "print('done')"))
    text = written_to_terminal(["run-pipeline", "-n", name, "--role-arn", ROLE], environment, columns=120)
    assert "Remark" in text and "1 of 1 steps done" in text and "\x1b[" in text


def test_the_definition_is_written_without_creating_a_pipeline(service: Service, tmp_path: Path) -> None:
    names = "{'pipeline_name': 'OnlyDefined'}"
    file = tmp_path / "definition.json"
    run_command(
        service, "get-pipeline-definition", "-n", "pipelines.abalone.pipeline", "--kwargs", names, "-f", str(file)
    )
    assert len(json.loads(file.read_text())["Parameters"]) == 22
    listed = service.client("sagemaker").list_pipelines(PipelineNamePrefix="OnlyDefined")["PipelineSummaries"]
    assert listed == []


def test_the_commands_say_it_when_a_project_cannot_be_read(service: Service, module: Any, tmp_path: Path) -> None:
    name = module("RunProject", script_step("Quick", "pass"))
    text = (tmp_path / f"{name}.py").read_text().replace("get_pipeline(region)", "get_pipeline(region, **more)")
    (tmp_path / f"{name}.py").write_text(text)
    arn = "arn:aws:sagemaker:us-east-1:123456789012:project/no-such-project"
    done = run(service, name, tmp_path, "--no-wait", "--kwargs", str({"sagemaker_project_arn": arn}))
    assert done.returncode == 0, done.stderr
    assert f"Tags of the project {arn} are left out: " in done.stderr


EVALUATE = (
    "import os, pathlib, sys; mode, file = os.environ['MODE'], pathlib.Path('/opt/ml/processing/out/report.json'); "
    """mode == 'write' and file.write_text('{"auc": {"value": 0.4182}}'); mode == 'fail' and sys.exit('no data')"""
)


def test_only_what_the_execution_wrote_is_in_its_summary(service: Service, module: Any, tmp_path: Path) -> None:
    service.client("s3").create_bucket(Bucket="run-metrics")
    s3 = {"S3Uri": "s3://run-metrics/fixed", "LocalPath": "/opt/ml/processing/out", "S3UploadMode": "EndOfJob"}
    evaluate = {
        **script_step(
            "Evaluate", EVALUATE,
            Environment={"MODE": {"Get": "Parameters.Mode"}},
            ProcessingOutputConfig={"Outputs": [{"OutputName": "out", "S3Output": s3}]},
        ),
        "PropertyFiles": [{"PropertyFileName": "Report", "OutputName": "out", "FilePath": "report.json"}],
    }  # fmt: skip
    auc = {"Std:JsonGet": {"PropertyFile": {"Get": "Steps.Evaluate.PropertyFiles.Report"}, "Path": "auc.value"}}
    conditions = [
        {"Type": "Equals", "LeftValue": {"Get": "Parameters.Mode"}, "RightValue": "write"},
        {"Type": "GreaterThanOrEqualTo", "LeftValue": auc, "RightValue": {"Get": "Parameters.MinAuc"}},
    ]
    gate = {"Name": "Gate", "Type": "Condition", "DependsOn": ["Evaluate"], "Arguments": {"Conditions": conditions}}
    declared = ({"Name": "Mode", "Type": "String", "DefaultValue": "write"},
                {"Name": "MinAuc", "Type": "Float", "DefaultValue": 0.7})  # fmt: skip
    name = module("RunMetrics", evaluate, gate, parameters=declared)

    done = run(service, name, tmp_path)
    wrote = done.stdout
    assert done.returncode == 0, done.stderr
    assert "Metric auc.value: 0.4182" in wrote
    decision = 'Parameters.Mode ("write") = "write" and auc.value (0.4182) >= Parameters.MinAuc (0.7)'
    assert f"Decision of Gate: {decision}: the condition is not met." in wrote

    failed = run(service, name, tmp_path, "--parameter", "Mode=fail").stdout
    assert "Step Evaluate failed" in failed and "Metric " not in failed

    silent = run(service, name, tmp_path, "--parameter", "Mode=silent").stdout
    assert "ended: Succeeded" in silent and "Metric " not in silent
