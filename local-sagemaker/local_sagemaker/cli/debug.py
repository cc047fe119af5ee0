"""``local-sagemaker debug``: runs the job of a step again at this terminal, where ``breakpoint()`` works."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from types import MappingProxyType

from local_sagemaker import lifecycle
from local_sagemaker.cli import terminal
from local_sagemaker.cli.exec import connection
from local_sagemaker.cli.executions import ARN, ExecutionCommands
from local_sagemaker.config import Settings, check_port

VARIABLE = "LOCAL_SAGEMAKER_DEBUGGER"
"""Read by `hook/local_sagemaker_debugger.py`: the port and the folder of debugpy."""
EXAMPLES = """examples:
  local-sagemaker debug Evaluate                     that step of the newest execution that has it
  local-sagemaker debug AbalonePipeline Evaluate     of the pipeline's newest execution; its id or ARN will do, too
  local-sagemaker debug AbalonePipeline              the step of it that failed
  local-sagemaker debug my-training-job              a job outside of executions
  local-sagemaker debug Evaluate --listen 5678       for an editor's debugger

The job's program runs once more on one host, with the inputs that it had, as they are in S3 now. Its input and output
are this terminal; its outputs are not uploaded, and the record of the job stays as it is.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Which step."""
    add_step_arguments(parser)
    parser.add_argument("--listen", metavar="PORT", help="wait for an editor's debugger (debugpy) on this port")
    parser.epilog = EXAMPLES


def add_step_arguments(parser: argparse.ArgumentParser) -> None:
    """An execution and a step, as `logs` takes them."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("name", help="part of the name of a step, a job, or an execution's id or ARN, or a pipeline")
    parser.add_argument("step", nargs="?", help="part of the name of a step of that execution")


def run(options: argparse.Namespace, settings: Settings) -> int:
    """Runs it; the exit code is the program's."""
    if options.listen is None:
        return run_step(options, settings, shell=False)
    port, debugger = check_port(options.listen, "--listen"), find_spec("debugpy")
    if debugger is None or debugger.origin is None:
        raise lifecycle.LifecycleError("debugpy is not installed here: pip install 'local-sagemaker[debug]'")
    folder = str(Path(debugger.origin).parent.resolve())
    return run_step(options, settings, shell=False, variables={VARIABLE: f"{port}:{folder}"}, shown=folder)


def run_step(
    options: argparse.Namespace,
    settings: Settings,
    *,
    shell: bool,
    variables: Mapping[str, str] = MappingProxyType({}),
    shown: str = "",
) -> int:
    """Runs the program of a step's job, or a shell in its place, at this terminal."""
    service = lifecycle.find_running(settings) or lifecycle.start(settings)
    arn = ARN.fullmatch(options.name)
    client = connection(settings, service, {"AWS_REGION": arn[1]} if arn else None)
    job = ExecutionCommands(client).find_job(options.name, options.step)
    print(f"{'A shell for' if shell else 'Running'} {job.name}{f' of step {job.step}' if job.step else ''}")
    sys.stdout.flush()
    return terminal.run_here(
        settings, service, client["AWS_REGION"], job, shell=shell, environment=variables, shown=shown
    )
