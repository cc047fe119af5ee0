"""``run-pipeline``: builds a pipeline, upserts it, starts it, follows it to its end, and says what came out.

The flow is ``main`` -> ``prepare`` (definition, data, switches, upsert) -> ``start`` -> ``watch`` -> summary.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from pipelines import interrupts, local
from pipelines.checks import FLAVOURS
from pipelines.command_line import EXECUTION, Parser, not_an_execution, where
from pipelines.commit import find_commit, with_commit

if TYPE_CHECKING:
    from pipelines.commit import SourceCommit
    from pipelines.definition import Definition
    from pipelines.loader import Built
    from pipelines.session import AwsClients
    from pipelines.switches import Choice

CHECKS_HELP = (
    "managed: by Model Monitor and Clarify, which are closed to new customers; portable: by the project's own "
    "processing steps; auto, the default: managed where the account has used those two"
)
INTERRUPTED = 130  # the exit code of a shell after Ctrl-C
EXAMPLES = """examples:
  on this machine, without an account:
    run-pipeline --local -n pipelines.abalone.pipeline
  on AWS:
    run-pipeline -n pipelines.abalone.pipeline -role-arn arn:aws:iam::123456789012:role/SageMakerRole \\
        -kwargs "{'region': 'eu-west-1', 'default_bucket': 'my-bucket'}" --parameter TrainingInstanceType=ml.m5.2xlarge
  with other hyperparameters:
    run-pipeline --local -n pipelines.abalone.pipeline -kwargs "{'hyperparameters': {'max_depth': 7}}"
"""


def parser() -> argparse.ArgumentParser:
    made = Parser(
        "run-pipeline",
        description="Create or update a pipeline, start it, and follow it to its end.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = made.add_argument
    add("-n", "--module-name", help="module that holds get_pipeline, e.g. pipelines.abalone.pipeline")
    add("-kwargs", "--kwargs", metavar="DICT", help="arguments of get_pipeline, as a Python dict")
    add("-role-arn", "--role-arn", metavar="ARN", help="role of the pipeline; with --local optional")
    add("-description", "--description", help="description of the pipeline")
    add("-tags", "--tags", metavar="LIST", help="tags, as a Python list of {'Key': ..., 'Value': ...}")
    add("--parameter", action="append", default=[], metavar="NAME=VALUE", help="a pipeline parameter; repeatable")
    add("--checks", choices=("auto", *FLAVOURS), default="auto", help=CHECKS_HELP)
    add("--probe", action="store_true", help="with --checks auto: try whether the account may create a monitor")
    add("--no-wait", action="store_true", help="start the execution and return")
    add("--attach", metavar="ARN", help="follow an execution that has been started before, instead of starting one")
    add(local.FLAG, action="store_true", help="run on this machine, without an AWS account")
    add("--region", help="AWS region; by default that of the environment")
    add("--bucket", help="bucket for everything; by default sagemaker-REGION-ACCOUNT")
    add("--debug", action="store_true", help="show tracebacks and the SDK's own messages")
    return made


def main(argv: Sequence[str] | None = None) -> int:
    """The exit code: 0 if the execution succeeded, 1 if not, 2 for wrong usage, 130 for Ctrl-C."""
    words = sys.argv[1:] if argv is None else list(argv)
    arguments = parser().parse_args(words)
    missing = _find_missing(arguments)
    if missing:
        print(f"run-pipeline: {missing}", file=sys.stderr) if words else parser().print_help()
        return 2
    if not arguments.attach:
        announce()
    if arguments.local:
        return local.hand_over("run-pipeline", words)
    interrupts.remember()
    try:
        if arguments.attach:
            return watch_or_leave(attach(arguments), arguments.attach)
        return watch_or_leave(prepare(arguments), wait=not arguments.no_wait)
    except KeyboardInterrupt:
        return INTERRUPTED
    except Exception as error:
        if arguments.debug:
            raise
        usage = _is_usage(error)
        print(f"run-pipeline: {_text(error)}{'' if usage else ' (--debug shows where)'}", file=sys.stderr)
        return 2 if usage else 1


def _find_missing(arguments: argparse.Namespace) -> str:
    """Names the required argument that is missing; empty if none is."""
    if arguments.attach:
        known = EXECUTION.fullmatch(arguments.attach)
        return "" if known else f"--attach: {not_an_execution(arguments.attach)}"
    if arguments.module_name is None:
        return "-n MODULE is missing, the module with get_pipeline: -n pipelines.abalone.pipeline (--help shows all)"
    if not (arguments.role_arn or arguments.local or local.is_local()):
        return (
            "--role-arn is missing, the role that SageMaker takes on for the pipeline; "
            "or add --local to run on this machine (--help shows all)"
        )
    return ""


def announce() -> None:
    """Says at once what takes a few seconds. The process that another has started for ``--local`` is silent."""
    if local.COMMAND_VARIABLE not in os.environ:
        print("Loading the SageMaker SDK ...", flush=True)


def attach(arguments: argparse.Namespace) -> PipelineRun:
    """An execution that was started before, as far as it is needed to follow it."""
    from pipelines.reports import names
    from pipelines.session import AwsClients, find_region

    clients = AwsClients(find_region(arguments.region or arguments.attach.split(":")[3]))
    text = clients.sagemaker.describe_pipeline_definition_for_execution(PipelineExecutionArn=arguments.attach)
    definition: Definition = json.loads(text["PipelineDefinition"])
    name = arguments.attach.split("/")[1]
    print(f"Execution {arguments.attach}", flush=True)
    return PipelineRun(clients, name, definition, {}, names.of_module(arguments.module_name))


@dataclass(frozen=True)
class PipelineRun:
    """An upserted pipeline and what its execution shall be started with."""

    clients: AwsClients
    pipeline: str
    definition: Definition
    parameters: Mapping[str, str]
    columns: Sequence[str] = ()  # of what its checks read, where they are known
    commit: SourceCommit | None = None  # that the build runs for


@dataclass(frozen=True)
class Published:
    """A pipeline that AWS has now, and what was chosen for each of its checks."""

    clients: AwsClients
    pipeline: str
    definition: Definition
    choices: list[Choice]

    def run(self, parameters: Mapping[str, str]) -> PipelineRun:
        """What to start with these parameters. Says for each check what it will do."""
        from pipelines import switches

        defaults = switches.defaults(self.choices)
        for_this_run = switches.with_supplied(self.choices, self.definition, parameters)
        for choice in for_this_run:
            print(f"  {switches.explain(choice, parameters)}")
        changed = {name: str(value) for name, value in switches.defaults(for_this_run).items()
                   if value != defaults[name]}  # fmt: skip
        return PipelineRun(self.clients, self.pipeline, self.definition, {**changed, **parameters})


def prepare(arguments: argparse.Namespace) -> PipelineRun:
    """Everything before the start. Arguments are checked in the order of what a check costs."""
    from pipelines import loader, parameters, tags
    from pipelines.reports import names
    from pipelines.session import AwsClients

    kwargs = loader.literal(arguments.kwargs, dict, "--kwargs")
    own_tags = tags.check_tags(loader.literal(arguments.tags, list, "--tags"))
    built = loader.define(arguments.module_name, kwargs, arguments)
    if built.checks:
        print(built.checks)
    values = parameters.parse(arguments.parameter, built.definition["Parameters"])
    clients = AwsClients(built.region)
    commit = find_commit(os.environ)
    if commit:
        print(f"Commit {commit.describe()}")
        built = replace(built, definition=with_commit(built.definition, commit))
        own_tags = [*commit.tags(), *own_tags]
    all_tags = tags.with_project(clients.sagemaker, own_tags, kwargs.get("sagemaker_project_arn"))
    run = publish(clients, built, arguments.description, all_tags).run(values)
    return replace(run, columns=names.of_module(arguments.module_name), commit=commit)


def publish(
    clients: AwsClients, built: Built, description: str | None = None, tags: Sequence[dict[str, str]] = ()
) -> Published:
    """Uploads the data, chooses the switches from what the registry holds, and upserts the pipeline with them."""
    from pipelines import switches
    from pipelines.definition import with_defaults
    from pipelines.upsert import upsert

    provide_data(clients, built.definition)
    choices = switches.choose(built.definition, clients.sagemaker)
    definition = with_defaults(built.definition, switches.defaults(choices))
    arn = upsert(clients.sagemaker, built.name, definition, built.role, description, tags)
    print(f"Pipeline {arn}")
    return Published(clients, built.name, definition, choices)


def provide_data(clients: AwsClients, definition: Definition) -> None:
    """Uploads the data sets of this project that the pipeline reads by default."""
    from pipelines import data

    for parameter in definition["Parameters"]:
        default = str(parameter.get("DefaultValue") or "")
        uploaded = data.upload(clients.s3, default)
        if uploaded is not None:
            print(f"Data {default} ({'uploaded' if uploaded else 'already there'})")


def start(run: PipelineRun) -> str:
    """Starts an execution; its ARN."""
    pairs = [{"Name": name, "Value": value} for name, value in run.parameters.items()]
    started: Any = run.clients.sagemaker.start_pipeline_execution(
        PipelineName=run.pipeline,
        PipelineParameters=pairs,  # type: ignore[arg-type]
        ClientRequestToken=str(uuid.uuid4()),
        **(run.commit.execution() if run.commit else {}),  # type: ignore[arg-type]
    )
    return str(started["PipelineExecutionArn"])


def watch_or_leave(run: PipelineRun, arn: str = "", *, wait: bool = True) -> int:
    """Starts an execution unless one is named, and watches it; Ctrl-C leaves it running, and says so."""
    try:
        if not arn:
            arn = start(run)
            print(f"Execution {arn}", flush=True)
        return watch(run, arn) if wait else 0
    except KeyboardInterrupt:
        print(_goes_on(arn) if arn else _may_go_on(run.pipeline), file=sys.stderr)
        return INTERRUPTED


def watch(run: PipelineRun, arn: str) -> int:
    """Follows an execution to its end and prints its summary; the exit code."""
    from rich.console import Console

    from pipelines import progress
    from pipelines.logs import Notes
    from pipelines.reports.writer import Reports
    from pipelines.summary import Summary

    console = Console()
    live = progress.LiveTable(console, run.definition) if console.is_terminal else None
    display: progress.Display = live or progress.Lines(console)
    notes = Notes(run.clients.logs, run.pipeline, arn)
    seen = progress.Progress()
    with Reports(run.clients, arn, run.columns) as reports:
        reports.expect(run.definition)
        try:
            for seen in progress.follow(run.clients.sagemaker, arn, notes):
                display.show(seen)
                reports.see(seen.steps)
                interrupts.check()
        finally:
            if live:
                live.close()
        print()
        for line in Summary(run.clients, arn, run.definition, seen, reports.finish(seen.steps)).lines():
            print(line)
    return 0 if seen.status == "Succeeded" else 1


def _goes_on(arn: str) -> str:
    steps = f"aws sagemaker list-pipeline-execution-steps --pipeline-execution-arn {arn}"
    stop = f"aws sagemaker stop-pipeline-execution --pipeline-execution-arn {arn}"
    again = local.next_command(f"run-pipeline --attach {arn}")
    return (
        f"\nThe execution continues without this command. To follow it again:\n  {again}\n"
        f"To look at its steps:\n  {local.next_command(steps)}\nTo stop it:\n  {local.next_command(stop)}"
    )


def _may_go_on(pipeline: str) -> str:
    executions = f"aws sagemaker list-pipeline-executions --pipeline-name {pipeline} --max-results 1"
    return f"\nAn execution may have been started. To look:\n  {local.next_command(executions)}"


def _text(error: Exception) -> str:
    from pipelines.refusals import describe
    from pipelines.upsert import remedy

    if isinstance(error, SyntaxError):
        return f"{error.filename}, line {error.lineno}: {error.msg}"
    place = "" if _is_usage(error) else where(error)
    text = f"{describe(error)}{f' ({place})' if place else ''}"
    return "\n".join(filter(None, [text, remedy(error)]))


def _is_usage(error: Exception) -> bool:
    from pipelines.loader import LoadError
    from pipelines.parameters import ParameterError

    return isinstance(error, LoadError | ParameterError)


if __name__ == "__main__":
    sys.exit(main())
