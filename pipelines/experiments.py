"""Builds of other branches: ``python -m pipelines.experiments BASE`` in ``codebuild-buildspec.yml``.

The main branch's build runs the pipeline BASE and registers into the group BASE. A build of any other branch does the
same under a name of its own, so that its versions never come before those who approve for production, and its
executions do not mix with the others. With the branch go its pipeline, versions and group: they are known by a tag,
since anything may have such a name.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import re
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mypy_boto3_sagemaker.client import SageMakerClient

TAG = "delivery:experiment-of"
"""Of pipelines and groups of branches; its value is the base. Rights to delete them ask for it."""
LONGEST = 63  # characters of a model package group's name
SHORTEST_WAIT, LONGEST_WAIT = 0.1, 5.0  # seconds between two looks
LIMIT = 900.0  # seconds until executions that are stopped have ended: a job of SageMaker gets two minutes to end
REMINDER = 30.0  # seconds between two lines about what is waited for
_DIGITS = 6  # of the hash by which branches differ whose names do not
_MISSING = ("ResourceNotFound", "ValidationException")


class StillRunningError(Exception):
    """Executions that were stopped do not end; the text names them."""


def find_name(base: str, branch: str, main: str) -> str:
    """Of the pipeline and its group: the base for the main branch and for builds without a branch."""
    if branch in ("", main):
        return base
    digest = hashlib.sha256(branch.encode()).hexdigest()[:_DIGITS]
    readable = re.sub(r"[^A-Za-z0-9]+", "-", branch).strip("-")
    room = LONGEST - len(base) - _DIGITS - 2
    return "-".join(filter(None, (base, readable[: max(room, 0)].strip("-"), digest)))


def is_experiment(sagemaker: SageMakerClient, arn: str, base: str) -> bool:
    """Whether a pipeline or a group is that of a branch of the project with this base, by its tags."""
    pages = sagemaker.get_paginator("list_tags").paginate(ResourceArn=arn)
    return {"Key": TAG, "Value": base} in [tag for page in pages for tag in page["Tags"]]


def begin(sagemaker: SageMakerClient, name: str, base: str) -> None:
    """Makes the model group of a branch, so that it has the tag: registration makes groups without any."""
    if _describe(sagemaker.describe_model_package_group, ModelPackageGroupName=name) is None:
        sagemaker.create_model_package_group(ModelPackageGroupName=name, Tags=[{"Key": TAG, "Value": base}])


def find_running(sagemaker: SageMakerClient, pipeline: str) -> list[str]:
    """The ARNs of the executions that have not ended: SageMaker deletes no pipeline that has any."""
    pages = sagemaker.get_paginator("list_pipeline_executions").paginate(PipelineName=pipeline)
    return [
        item["PipelineExecutionArn"]
        for page in pages
        for item in page["PipelineExecutionSummaries"]
        if item["PipelineExecutionStatus"] in ("Executing", "Stopping")
    ]


def stop_executions(
    sagemaker: SageMakerClient, pipeline: str, say: Callable[[str], None] = print, limit: float = LIMIT
) -> None:
    """Stops what a pipeline runs, also what starts in the meantime, and waits for its end.

    :param limit: seconds.
    :raises StillRunningError: after that time.
    """
    begun = reminded = time.monotonic()
    stopped: set[str] = set()
    while running := find_running(sagemaker, pipeline):
        for arn in [arn for arn in running if arn not in stopped]:
            say(f"stop the execution {arn}")
            stop(sagemaker, arn)
            stopped.add(arn)
        now, names = time.monotonic(), ", ".join(running)
        if now - begun > limit:
            raise StillRunningError(
                f"{names} does not end: a callback step ends only when its token is sent "
                "(aws sagemaker send-pipeline-execution-step-failure); then once more"
            )
        if now - reminded > REMINDER:
            reminded = now
            say(f"waits for the end of {names}")
        time.sleep(min(LONGEST_WAIT, max(SHORTEST_WAIT, (now - begun) / 20)))


def stop(sagemaker: Any, arn: str) -> None:
    """Stops an execution; one that has ended in the meantime, or is about to, stays as it is."""
    from botocore.exceptions import ClientError

    try:
        sagemaker.stop_pipeline_execution(PipelineExecutionArn=arn)
    except ClientError as error:
        if error.response["Error"]["Code"] not in (*_MISSING, "ConflictException"):
            raise


def remove(sagemaker: SageMakerClient, name: str, base: str) -> Iterator[str]:
    """Deletes an experiment's pipeline, versions and group; a line for each that there was or that is none of it.

    Files below its name in the bucket stay until the project's data are deleted.
    """
    client: Any = sagemaker
    pipeline = _describe(client.describe_pipeline, PipelineName=name)
    if pipeline is not None:
        if is_experiment(client, pipeline["PipelineArn"], base):
            stop_executions(sagemaker, name, say=lambda line: print(line, flush=True))
            client.delete_pipeline(PipelineName=name)
            yield f"removed: pipeline {name}"
        else:
            yield f"stays: the pipeline {name} has no tag {TAG}={base}"
    group = _describe(client.describe_model_package_group, ModelPackageGroupName=name)
    if group is None:
        return
    if not is_experiment(client, group["ModelPackageGroupArn"], base):
        yield f"stays: the model group {name} has no tag {TAG}={base}"
        return
    pages = list(client.get_paginator("list_model_packages").paginate(ModelPackageGroupName=name))
    for arn in [item["ModelPackageArn"] for page in pages for item in page["ModelPackageSummaryList"]]:
        client.delete_model_package(ModelPackageName=arn)
        yield f"removed: version {arn}"
    client.delete_model_package_group(ModelPackageGroupName=name)
    yield f"removed: model group {name}"


def _describe(call: Callable[..., Any], **request: str) -> Mapping[str, Any] | None:
    """None for what does not exist."""
    from botocore.exceptions import ClientError

    try:
        return dict(call(**request))
    except ClientError as error:
        text = error.response["Error"]["Message"]
        if error.response["Error"]["Code"] in _MISSING and re.search("does not exist|not found", text):
            return None
        raise


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m pipelines.experiments", description=(__doc__ or "").split("\n")[0])
    add = parser.add_argument
    add("base", help="the name of the main branch's pipeline and group")
    add("--branch", default=os.environ.get("SOURCE_BRANCH", ""), help="by default that of the build")
    add("--main", default=os.environ.get("MAIN_BRANCH", "main"), help="the branch whose versions are deployed")
    add("--begin", action="store_true", help="make the branch's model group, and print the tag of its pipeline")
    add("--remove", action="store_true", help="delete what the branch's builds have made, instead of naming it")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """The exit code: 0; 1 for removing what is no experiment, or what does not end."""
    arguments = _parser().parse_args(argv)
    base, name = arguments.base, find_name(arguments.base, arguments.branch, arguments.main)
    if name == base and (arguments.remove or os.environ.get("EXPERIMENTS_ONLY") == "yes"):
        print(f"experiments: {arguments.branch or 'no branch'} is no branch of experiments", file=sys.stderr)
        return 1 if arguments.remove else 0
    if not arguments.begin and not arguments.remove:
        print(name)
        return 0
    if arguments.begin and name == base:
        return 0  # the main branch's has no tag
    import boto3  # takes ten times as long as all above

    sagemaker = boto3.client("sagemaker")
    if arguments.begin:
        begin(sagemaker, name, base)
        print(f", {{'Key': '{TAG}', 'Value': '{base}'}}")
        return 0
    try:
        lines = list(remove(sagemaker, name, base))
    except StillRunningError as error:
        print(f"experiments: {error}", file=sys.stderr)
        return 1
    print("\n".join(lines) or f"nothing is left of {name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
