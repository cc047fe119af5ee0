"""``delivery``: create a project, render its repositories, and delete it again."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from delivery import command_line
from delivery.command_line import CommandContext
from delivery.cost_command import add_cost
from delivery.errors import DeliveryError
from delivery.project.github import TOKENS, explain_names, find_identity
from delivery.project.names import Project
from pipelines import session
from pipelines.local import is_local

TEMPLATE = Path(__file__).with_name("project-template.yml")
PROVIDERS = ("connection", "codecommit", "github-actions")
EXAMPLES = """examples (each on this machine with --local):
  delivery preflight abalone p-demo --source codecommit
  delivery create abalone p-demo --source codecommit
  delivery seed --output seed
  delivery deploy abalone p-demo --version 2
  delivery delete abalone p-demo --yes --with-data
  delivery cost
"""
MONITORS_HELP = (
    "schedules of Model Monitor, which is closed to new customers, or scheduled pipelines; auto, the default: what the "
    "account has used"
)
EXPERIMENTS_HELP = "branches of model code below it, such as experiment/, run the pipeline under names of their own"
REPOSITORY_HELP = (
    "owner/name of the repository, for a connection or GitHub; with ids, owner@1/name@2, for GitHub's new ones"
)
TIMEOUT_HELP = "for how long a manual approval is waited for; by default a week"
VARIABLES = {
    "BUILD_ROLE_ARN": "GitHubBuildRoleArn", "DEPLOY_ROLE_ARN": "GitHubDeployRoleArn",
    "EXECUTION_ROLE_ARN": "ExecutionRoleArn", "CLOUDFORMATION_ROLE_ARN": "CloudformationRoleArn",
    "MONITOR_ROLE_ARN": "MonitorRoleArn", "EVENTS_ROLE_ARN": "EventsRoleArn", "ARTIFACT_BUCKET": "ArtifactBucketName",
}  # fmt: skip
"""What workflows of GitHub read as variables of the repository, and the outputs of the project's stack."""
SETTINGS = {
    "MONITOR_IMAGE_URI": "MonitorImageUri", "CLARIFY_IMAGE_URI": "ClarifyImageUri", "CHECK_IMAGE_URI": "CheckImageUri",
    "MONITORS_FLAVOUR": "MonitorsFlavour", "EXPERIMENT_BRANCHES": "ExperimentBranches",
}  # fmt: skip
"""The same for parameters of the stack."""
BRANCH_OF_CONNECTION = (
    "The pipelines' first executions read the branch main of {} at once, and fail where it does not exist: push what "
    "delivery seed writes to it before; no connection shows what a repository holds, so that this is not looked at here"
)
NEXT = {
    "codecommit": "its repositories hold their first commit, and the pipelines run; next, clone them",
    "connection": "its pipelines read the branch main; what delivery seed writes belongs there",
    "github-actions": "next, push the repository's contents: delivery seed --github-actions",
}
"""What follows the creation, by the provider of the code."""


def parser() -> argparse.ArgumentParser:
    """The commands with their flags."""
    made = command_line.parser("delivery", "From a commit to monitored production: the project around it.", EXAMPLES)
    commands = made.add_subparsers(title="commands", metavar="COMMAND")

    def add(name: str, command: command_line.Command, text: str, names: bool = True) -> argparse.ArgumentParser:
        nested = commands.add_parser(name, help=text, description=f"{text[0].upper()}{text[1:]}.")
        command_line.add_common(nested)
        nested.set_defaults(command=command)
        if names:
            nested.add_argument("name", help="of the project, at most 32 characters")
            nested.add_argument("id", help="of the project, at most 20 characters")
        return nested

    for nested in (
        add("preflight", preflight, "say everything that stands in the way of a project; nothing is created"),
        add("create", create, "create a project, after its preflight"),
    ):
        nested.add_argument("--source", choices=PROVIDERS, default="connection", help="where the code is")
        nested.add_argument("--connection-arn", default="", help="CodeConnections connection, for --source connection")
        nested.add_argument("--repository", default="", help=REPOSITORY_HELP)
        nested.add_argument("--permissions-boundary", default="", metavar="ARN", help="of every role of the project")
        nested.add_argument("--on-rejection", choices=("ignore", "redeploy-previous"), default="ignore")
        nested.add_argument("--experiments", type=branches, default="", metavar="PREFIX", help=EXPERIMENTS_HELP)
        nested.add_argument("--approval-timeout", type=minutes, default=10080, metavar="MINUTES", help=TIMEOUT_HELP)
        nested.add_argument("--monitors", choices=("auto", "native", "portable"), default="auto", help=MONITORS_HELP)
        nested.add_argument("--probe", action="store_true", help="try whether the account may create a monitor")
    nested = add("seed", seed, "render the contents of the three repositories", names=False)
    nested.add_argument("--output", type=Path, default=Path("seed"), help="folder that gets one folder per repository")
    nested.add_argument("--github-actions", action="store_true", help="with workflows instead of CodePipeline")
    nested = add("deploy", deploy, "deploy a version once more, such as one before the latest; it goes by staging")
    nested.add_argument("--version", default="latest", metavar="N", help="number of an approved version, or latest")
    nested = add("delete", delete, "delete a project, monitors and endpoints first")
    nested.add_argument("--yes", action="store_true", help="really; without it the plan is printed")
    nested.add_argument("--with-data", action="store_true", help="also the model group and the bucket")
    add_cost(partial(add, names=False))
    return made


def minutes(text: str) -> int:
    """As CodePipeline takes it for approvals."""
    if not text.isdecimal() or not 5 <= int(text) <= 86400:
        raise argparse.ArgumentTypeError(f"5 to 86400 minutes are expected, not {text}")
    return int(text)


def branches(text: str) -> str:
    """What the names of branches begin with, with its slash, as the template takes it; empty for none."""
    if not re.fullmatch(r"([A-Za-z0-9_-]+/?)?", text):
        raise argparse.ArgumentTypeError(f"letters, digits, - and _ are expected before one slash, not {text}")
    return f"{text.rstrip('/')}/" if text else ""


def preflight(work: CommandContext) -> int:
    """Prints one line per problem. The exit code: 0, or 2 for problems."""
    return 2 if _choose_without_problems(work) is None else 0


def _choose_without_problems(work: CommandContext) -> tuple[str, str] | None:
    """The flavour of the monitors and why, after a preflight that is printed; None for problems."""
    from delivery.project.preflight import Preflight, ProjectRequest

    arguments = work.arguments
    project = Project(arguments.name, arguments.id)
    wish = ProjectRequest(project, arguments.source, arguments.connection_arn, arguments.permissions_boundary,
                arguments.repository, arguments.bucket or "")  # fmt: skip
    problems = list(Preflight(work.region).find_problems(wish))
    for problem in problems:
        print(problem, file=sys.stderr)
    if problems:
        return None
    monitors, reason = choose_monitors(work, project)
    print(f"Monitors: {monitors} ({reason})")
    if arguments.source == "connection":
        print(BRANCH_OF_CONNECTION.format(arguments.repository))
    if wish.provider == "github-actions" and (names := explain_names(wish.repository)):
        print(f"GitHub: {names}")
    print("nothing stands in the way")
    return monitors, reason


def create(work: CommandContext) -> int:
    """Creates the stack of the project and waits for it."""
    choice = _choose_without_problems(work)
    if choice is None:
        return 2
    project = Project(work.arguments.name, work.arguments.id)
    clients: Any = session.boto_session(work.region)
    cloudformation = clients.client("cloudformation")
    key = f"{project.uploads}{TEMPLATE.name}"
    work.clients.s3.put_object(Bucket=work.own_bucket, Key=key, Body=TEMPLATE.read_bytes())
    parameters = {**_parameters(work, project, *choice), **_upload_seeds(work, project)}
    tags = {"sagemaker:project-name": project.name, "sagemaker:project-id": project.id}
    cloudformation.create_stack(
        StackName=project.stack,
        TemplateURL=f"https://s3.{work.region}.{session.find_suffix(work.region)}/{work.own_bucket}/{key}",
        Capabilities=["CAPABILITY_NAMED_IAM"],
        Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()],
        Tags=[{"Key": key, "Value": value} for key, value in tags.items()],
    )
    _wait(cloudformation, project.stack)
    if work.arguments.source == "github-actions":
        print_variables(cloudformation, work.region, project, parameters)
    print(f"created: {project.stack}; {NEXT[work.arguments.source]}")
    return 0


def _upload_seeds(work: CommandContext, project: Project) -> dict[str, str]:
    """The parameters of the template that say where the first contents of CodeCommit's repositories are."""
    from delivery.project.seed import SOURCES, make_archive

    if work.arguments.source != "codecommit":
        return {}
    for repository in SOURCES:
        key = f"{project.uploads}{repository}.zip"
        work.clients.s3.put_object(Bucket=work.own_bucket, Key=key, Body=make_archive(repository))
    return {"SeedBucket": work.own_bucket, "SeedPrefix": project.uploads}


def print_variables(cloudformation: Any, region: str, project: Project, parameters: Mapping[str, str]) -> None:
    """Those of the repository's that the workflows read."""
    (stack,) = cloudformation.describe_stacks(StackName=project.stack)["Stacks"]
    outputs = {item["OutputKey"]: item["OutputValue"] for item in stack["Outputs"]}
    values = {"AWS_REGION": region, "SAGEMAKER_PROJECT_NAME": project.name, "SAGEMAKER_PROJECT_ID": project.id}
    values |= {name: outputs[output] for name, output in VARIABLES.items()}
    values |= {name: parameters[parameter] for name, parameter in SETTINGS.items()}
    print("Variables of the repository for the workflows (gh variable set NAME --body VALUE):")
    for name, value in values.items():
        if value:  # GitHub has no empty variables; one that does not exist is read as empty
            print(f"  {name}={value}")


def _parameters(work: CommandContext, project: Project, monitors: str, reason: str) -> dict[str, str]:
    """Of the project's template; those that do not matter have its defaults."""
    from delivery.project.images import find_monitor_images

    arguments = work.arguments
    monitor, clarify, portable = find_monitor_images(work.region)
    parameters = {
        "SageMakerProjectName": project.name,
        "SageMakerProjectId": project.id,
        "SourceProvider": arguments.source,
        "PermissionsBoundaryArn": arguments.permissions_boundary,
        "OnRejection": arguments.on_rejection,
        "MonitorImageUri": monitor,
        "ClarifyImageUri": clarify,
        "CheckImageUri": portable,
        "MonitorsFlavour": monitors,
        "FlavourDecision": f"{monitors}, {datetime.now(UTC):%Y-%m-%d}: {reason}",
        "ApprovalTimeoutInMinutes": str(arguments.approval_timeout),
        "ExperimentBranches": arguments.experiments,
    }
    if arguments.source == "connection":
        parameters["ConnectionArn"] = arguments.connection_arn
        names = ("ModelBuildRepository", "ModelDeployRepository", "ModelMonitorRepository")
        parameters.update(dict.fromkeys(names, arguments.repository))
    if arguments.source == "github-actions":
        parameters["GitHubRepository"] = arguments.repository
        clients: Any = session.boto_session(work.region)
        parameters["GitHubIdentityArn"] = find_identity(clients.client("iam"))
    return parameters


def choose_monitors(work: CommandContext, project: Project) -> tuple[str, str]:
    """``native`` or ``portable``, and why: as given, or what the account has used; only --probe tries anything."""
    from delivery.project.preflight import Preflight

    requested: str = work.arguments.monitors
    if requested != "auto":
        return requested, "as given"
    if is_local():
        return "native", "the local service has both"
    decision = Preflight(work.region).flavour(project, probe_with=work.own_bucket if work.arguments.probe else "")
    if decision.flavour == "managed":
        return "native", decision.reason
    return "portable", f"{decision.reason}, --monitors native insists"


def _wait(cloudformation: Any, stack: str) -> None:
    from delivery.stages.deploy import find_failures, wait_for_stack

    status = wait_for_stack(cloudformation, stack)
    if status != "CREATE_COMPLETE":
        reasons = "; ".join(line.strip() for line in find_failures(cloudformation, stack))
        raise DeliveryError(f"the stack {stack} is {status}: {reasons}")


def seed(work: CommandContext) -> None:
    """Writes the folders."""
    from delivery.project.seed import SOURCES, render

    for repository in SOURCES:
        folder = work.arguments.output / repository
        files = render(repository, folder, work.arguments.github_actions)
        print(f"{folder}: {len(files)} files")


def deploy(work: CommandContext) -> None:
    """Starts the project's deployment with a version."""
    from delivery.versions import find

    project = _check_project(work)
    name, version = f"{project.prefix}-modeldeploy", work.arguments.version
    if version != "latest" and not version.isdecimal():
        raise DeliveryError(f"--version: a number or latest is expected, not {version}")
    clients: Any = session.boto_session(work.region)
    client = clients.client("codepipeline")
    try:
        client.get_pipeline(name=name)
        if version != "latest" and (wanted := find(work.clients, f"{project.group}/{version}")).approval != "Approved":
            raise DeliveryError(f"{wanted.name} is {wanted.approval}, and only approved versions are deployed: "
                                f"model-registry approve {wanted.name}")  # fmt: skip
        started = client.start_pipeline_execution(name=name, variables=[{"name": "MODEL_VERSION", "value": version}])
    except client.exceptions.PipelineNotFoundException as error:
        raise DeliveryError(f"there is no pipeline {name}: delivery create makes it, with CodePipeline") from error
    print(f"started: version {version} by execution {started['pipelineExecutionId']} of {name}")


def _check_project(work: CommandContext) -> Project:
    """The project of the two names.

    :raises DeliveryError: if none can have them.
    """
    project = Project(work.arguments.name, work.arguments.id)
    if problems := list(project.find_problems(account="0" * 12)):
        raise DeliveryError("; ".join(problems))
    return project


def delete(work: CommandContext) -> int:
    """Deletes it, or without --yes prints the plan."""
    from delivery.project.deletion import Planner, carry_out

    arguments = work.arguments
    planner = Planner(work.region, _check_project(work), work.bucket)
    plan = planner.plan(arguments.with_data)
    keeps_identity = planner.keeps_identity()
    for deletion in plan:
        print(deletion)
        if arguments.yes:
            carry_out(planner, deletion)
    if not plan:
        print("nothing is left of the project")
    elif not arguments.yes:
        print("nothing was deleted: add --yes")
    if not arguments.with_data:
        account = str(planner.client("sts").get_caller_identity()["Account"])
        for line in planner.remaining(account):
            print(line)
    if keeps_identity:
        print(f"the provider {TOKENS} of the account stays, which costs nothing: other projects may use it")
    return 0


def main(argv: Sequence[str] | None = None) -> int:
    """The exit code: 0, 1 if it cannot be done, 2 for problems and wrong usage, 130 for Ctrl-C."""
    return command_line.run("delivery", "delivery", parser(), argv)


if __name__ == "__main__":
    sys.exit(main())
