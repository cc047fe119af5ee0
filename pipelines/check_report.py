"""``check-report``: the pages of the checks of an execution that has run, here or on AWS."""

from __future__ import annotations

import argparse
import sys
import webbrowser
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from pipelines import local
from pipelines.command_line import EXECUTION, Parser, not_an_execution
from pipelines.refusals import describe

if TYPE_CHECKING:
    from mypy_boto3_sagemaker.client import SageMakerClient

EXAMPLES = """examples:
  the newest execution of a pipeline, on this machine:
    check-report --local AbalonePipeline -n pipelines.abalone.pipeline --open
  one execution, on AWS:
    check-report arn:aws:sagemaker:eu-west-1:123456789012:pipeline/AbalonePipeline/execution/re6k4f903tj9
"""


def parser() -> argparse.ArgumentParser:
    made = Parser(
        "check-report",
        description="Show what the checks of an execution found, and write an HTML page for each. "
        "The exit code is 1 if one of them has failed or has violations.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    made.add_argument("execution", help="ARN of an execution, or the name of a pipeline for its newest one")
    made.add_argument("-n", "--module-name", help="the pipeline's module, whose package may name the columns")
    made.add_argument("--output", metavar="FOLDER", type=Path, help="where the pages go; by default reports/")
    made.add_argument("--open", action="store_true", help="open the pages in the browser")
    made.add_argument(local.FLAG, action="store_true", help="ask the service on this machine")
    made.add_argument("--region", help="AWS region; by default that of the ARN or the environment")
    return made


def main(argv: Sequence[str] | None = None) -> int:
    """The exit code: 0 if no check has violations or failed, 1 if one has, 2 if there is nothing to report."""
    words = sys.argv[1:] if argv is None else list(argv)
    arguments = parser().parse_args(words)
    if arguments.execution.startswith("arn:") and not EXECUTION.fullmatch(arguments.execution):
        print(f"check-report: {not_an_execution(arguments.execution)}", file=sys.stderr)
        return 2
    if arguments.local:
        return local.hand_over("check-report", words)
    try:
        return report(arguments)
    except (BotoCoreError, ClientError, ImportError) as error:
        print(f"check-report: {describe(error)}", file=sys.stderr)
        return 2


def report(arguments: argparse.Namespace) -> int:
    """Writes the pages and prints what they say in short."""
    from pipelines import progress
    from pipelines.reports import names
    from pipelines.reports.writer import FOLDER, Reports
    from pipelines.session import AwsClients, find_region

    execution = arguments.execution
    clients = AwsClients(
        find_region(arguments.region or (execution.split(":")[3] if execution.startswith("arn:") else None))
    )
    arn = execution if execution.startswith("arn:") else newest(clients.sagemaker, execution)
    steps = progress.list_steps(clients.sagemaker, arn) if arn else {}
    with Reports(clients, arn, names.of_module(arguments.module_name), arguments.output or FOLDER) as reports:
        pages = reports.finish(steps)
    if not pages:
        print(f"check-report: {arn or execution} has no check that has ended", file=sys.stderr)
        return 2
    print(f"Checks of {arn}:")
    for written in pages:
        for line in written.verdict.lines(written.check.step):
            print(line)
    print("Reports:")
    for written in pages:
        print(f"  {written.check.step:30} {written.where}")
        if arguments.open and written.path:
            webbrowser.open(written.path.absolute().as_uri())
    return 1 if any(written.verdict.good is False for written in pages) else 0


def newest(sagemaker: SageMakerClient, pipeline: str) -> str:
    """The ARN of the pipeline's newest execution; empty if it has none."""
    listed = sagemaker.list_pipeline_executions(
        PipelineName=pipeline, SortBy="CreationTime", SortOrder="Descending", MaxResults=1
    )["PipelineExecutionSummaries"]
    return listed[0]["PipelineExecutionArn"] if listed else ""


if __name__ == "__main__":
    sys.exit(main())
