"""Builds of other branches: ``python -m pipelines.experiments BASE`` in ``codebuild-buildspec.yml``.

The main branch's build runs the pipeline BASE and registers into the group BASE. A build of any other branch does the
same under a name of its own, so that its versions never come before those who approve for production, and its
executions do not mix with the others. With the branch go its pipeline, versions and group.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from mypy_boto3_sagemaker.client import SageMakerClient

LONGEST = 63  # characters of a model package group's name
_DIGITS = 6  # of the hash by which branches differ whose names do not
_MISSING = ("ResourceNotFound", "ValidationException")


def find_name(base: str, branch: str, main: str) -> str:
    """Of the pipeline and its group: the base for the main branch and for builds without a branch."""
    if branch in ("", main):
        return base
    digest = hashlib.sha256(branch.encode()).hexdigest()[:_DIGITS]
    readable = re.sub(r"[^A-Za-z0-9]+", "-", branch).strip("-")
    room = LONGEST - len(base) - _DIGITS - 2
    return "-".join(filter(None, (base, readable[: max(room, 0)].strip("-"), digest)))


def is_experiment(name: str, base: str) -> bool:
    """Whether a pipeline or group is that of a branch of the project with this base."""
    return re.fullmatch(rf"{re.escape(base)}-(.+-)?[0-9a-f]{{{_DIGITS}}}", name) is not None


def remove(sagemaker: SageMakerClient, name: str) -> Iterator[str]:
    """Deletes an experiment's pipeline, versions and group; a line for each that there was.

    Files below its name in the bucket stay until the project's data are deleted.
    """
    client: Any = sagemaker
    if _done(client.delete_pipeline, PipelineName=name):
        yield f"pipeline {name}"
    try:
        pages = list(client.get_paginator("list_model_packages").paginate(ModelPackageGroupName=name))
    except ClientError as error:
        if error.response["Error"]["Code"] not in _MISSING:
            raise
        pages = []
    for arn in [item["ModelPackageArn"] for page in pages for item in page["ModelPackageSummaryList"]]:
        if _done(client.delete_model_package, ModelPackageName=arn):
            yield f"version {arn}"
    if _done(client.delete_model_package_group, ModelPackageGroupName=name):
        yield f"model group {name}"


def _done(call: Callable[..., Any], **request: str) -> bool:
    """False for what does not exist."""
    try:
        call(**request)
    except ClientError as error:
        text = error.response["Error"]["Message"]
        if error.response["Error"]["Code"] in _MISSING and re.search("does not exist|not found", text):
            return False
        raise
    return True


def main(argv: Sequence[str] | None = None) -> int:
    """The exit code: 0; 1 for removing what is no experiment."""
    parser = argparse.ArgumentParser("python -m pipelines.experiments", description=(__doc__ or "").split("\n")[0])
    add = parser.add_argument
    add("base", help="the name of the main branch's pipeline and group")
    add("--branch", default=os.environ.get("SOURCE_BRANCH", ""), help="by default that of the build")
    add("--main", default=os.environ.get("MAIN_BRANCH", "main"), help="the branch whose versions are deployed")
    add("--remove", action="store_true", help="delete what the branch's builds have made, instead of naming it")
    arguments = parser.parse_args(argv)
    name = find_name(arguments.base, arguments.branch, arguments.main)
    if not arguments.remove:
        print(name)
        return 0
    if name == arguments.base:
        print(f"experiments: {arguments.branch or 'no branch'} is no branch of experiments", file=sys.stderr)
        return 1
    import boto3

    lines = list(remove(boto3.client("sagemaker"), name))
    print("\n".join(f"removed: {line}" for line in lines) or f"nothing is left of {name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
