"""``local-sagemaker logs``: the service's own log, or what jobs and the steps of executions wrote, newest first."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from local_sagemaker import lifecycle
from local_sagemaker.cli import log_files
from local_sagemaker.cli.exec import connection
from local_sagemaker.cli.executions import ARN, ID, ExecutionCommands, job_of
from local_sagemaker.cli.log_files import LogFile
from local_sagemaker.config import Settings
from local_sagemaker.lifecycle import LifecycleError

Look = Callable[[], list[LogFile]]
EXAMPLES = """examples:
  local-sagemaker logs                               the service's own log
  local-sagemaker logs --failed                      the steps of the execution that failed last, or the job
  local-sagemaker logs AbalonePipeline               all steps of its newest execution, the last one first
  local-sagemaker logs AbalonePipeline Evaluate -f   one step of it, as it runs; an execution's id or ARN will do, too
  local-sagemaker logs Preprocess                    the newest stream whose name has this word
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Which logs, how much of them, and whether to follow them."""
    parser.epilog, parser.formatter_class = EXAMPLES, argparse.RawDescriptionHelpFormatter
    parser.add_argument("name", nargs="?", help="an execution's id or ARN, a pipeline, or a part of the name of a "
                        "step, job, endpoint or function; left out: the service itself")  # fmt: skip
    parser.add_argument("step", nargs="?", help="part of the name of a step of that execution")
    parser.add_argument("--execution", metavar="ID|ARN|PIPELINE", help="the same as the first word")
    parser.add_argument("--failed", action="store_true", help="only steps that failed")
    parser.add_argument("--all", action="store_true", help="older streams of that name, too")
    parser.add_argument("-n", "--lines", type=_count, default=50, help="last lines of each (default 50, 0: all)")
    parser.add_argument("-f", "--follow", action="store_true", help="show what is added, until the execution ends")


def _count(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text} is not a number of lines")
    return int(text)


def run(options: argparse.Namespace, settings: Settings) -> int:
    """Shows them."""
    which, step = _read_words(options)
    if which is None and not options.failed:
        service = settings.home / "service.log"
        _show_streams(options, settings, lambda: _list_if_present(service), "the service")
        return 0
    if which is not None and not (step or options.failed or options.execution or ARN.fullmatch(which)):
        streams = partial(log_files.find, settings.home, which)
        if not _is_pipeline_or_id(settings, which) and streams():
            _show_streams(options, settings, streams, which)
            return 0
    executions = _open_executions(settings, which)
    arn, job = (executions.require(which), None) if which else executions.last_failure()
    if arn:
        _show_execution(options, settings, executions, arn, step)
    elif job:
        _show_streams(options, settings, partial(log_files.of_job, settings.home, job), job)
    else:
        print("Nothing has failed.")
    return 0


def _read_words(options: argparse.Namespace) -> tuple[str | None, str | None]:
    """The execution (or whatever is named) and the step."""
    if options.execution is None:
        return options.name, options.step
    if options.step:
        raise LifecycleError("An execution and one step are enough: leave --execution or a word out.")
    return options.execution, options.name


def _is_pipeline_or_id(settings: Settings, which: str) -> bool:
    """Whether streams of executions, or of their jobs, have this as a part of their names, rather than of a step's."""
    logs = settings.home / "logs"
    if ID.fullmatch(which) and any(logs.glob(f"*/*/pipelines-{which}-*.log")):
        return True
    notes = logs.glob("*/+aws+sagemaker+PipelineExecutions/*.log")
    return any(which in file.stem.split("+")[:2] for file in notes)


def _open_executions(settings: Settings, which: str | None) -> ExecutionCommands:
    service = lifecycle.find_running(settings) or lifecycle.start(settings)
    arn = ARN.fullmatch(which or "")
    return ExecutionCommands(connection(settings, service, {"AWS_REGION": arn[1]} if arn else None))


def _list_if_present(path: Path) -> list[LogFile]:
    return [LogFile(path, path.name, 0.0)] if path.exists() else []


def _show_streams(options: argparse.Namespace, settings: Settings, look: Look, what: str) -> None:
    """The newest of the streams, or all; the others are counted."""
    files = look()
    if not files:
        raise LifecycleError(f"There is no log of '{what}' in {settings.home}.")
    newest = files if options.all else files[:1]
    positions = {file.path: file.path.stat().st_size for file in files}
    log_files.show(newest, options.lines, positions)
    if len(files) > len(newest):
        print(f"({len(files) - len(newest)} older streams have '{what}' in their names: --all shows them)")
    if options.follow:
        log_files.follow(look, positions, ended=lambda: False)


def _show_execution(
    options: argparse.Namespace, settings: Settings, executions: ExecutionCommands, arn: str, word: str | None
) -> None:
    """The steps of an execution, the last one first; those with the word in their names, or those that failed."""

    def steps() -> list[dict[str, Any]]:
        return [
            step
            for step in executions.steps(arn)
            if (word or "").lower() in step["StepName"].lower()
            and (not options.failed or step["StepStatus"] == "Failed")
        ]

    def look() -> list[LogFile]:
        return [file for step in steps() for file in _find_files(settings, step)]

    positions: dict[Path, int] = {}
    current_steps = steps()
    if not current_steps and not options.follow:
        kind = "failed step" if options.failed else "step that has started"
        print(f"The execution {arn} has no {kind}{f' with {word} in its name' if word else ''}.")
    for step in current_steps:
        print(f"Step {step['StepName']} of {arn.rpartition('/')[2]}: {step['StepStatus']}")
        if "FailureReason" in step:
            print(f"  {step['FailureReason']}")
        log_files.show(_find_files(settings, step), options.lines, positions)
    if options.follow:
        log_files.follow(look, positions, ended=lambda: executions.has_ended(arn))


def _find_files(settings: Settings, step: dict[str, Any]) -> list[LogFile]:
    job = job_of(step)
    return log_files.of_job(settings.home, job) if job else []
