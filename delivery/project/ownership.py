"""Whose a resource is: names of the project's resources can be another's, too, since some have only the id in them and
`a-b` with `c` reads as `a` with `b-c`. What the template makes says its project by tags.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from botocore.exceptions import ClientError

from delivery.clients import is_absent
from delivery.project.names import STACKS, Project

Client = Callable[[str], Any]
NAME_TAG, ID_TAG = "sagemaker:project-name", "sagemaker:project-id"


def find_foreign(client: Client, project: Project, account: str) -> Iterator[str]:
    """Why a project is not to be deleted: what has its names, and is another's or nobody's. One line each."""
    stack = describe_stack(client("cloudformation"), project.stack)
    if stack is not None:
        yield from _compare(f"the stack {project.stack}", {**read_pairs(stack), **read_parameters(stack)}, project)
    tags = read_bucket_tags(client("s3"), project.bucket(account))
    if tags is not None:
        yield from _compare(f"the bucket {project.bucket(account)}", tags, project)
    # The names that follow have name and id in them: without tags they are taken as the project's.
    for suffix in STACKS:
        stack = describe_stack(client("cloudformation"), f"{project.prefix}-{suffix}")
        if stack is not None and NAME_TAG in (tags := read_pairs(stack)):
            yield from _compare(f"the stack {project.prefix}-{suffix}", tags, project)
    tags = read_group_tags(client("sagemaker"), project.group)
    if tags is not None and NAME_TAG in tags:
        yield from _compare(f"the model group {project.group}", tags, project)


def _compare(what: str, tags: Mapping[str, str], project: Project) -> Iterator[str]:
    name, number = tags.get(NAME_TAG, ""), tags.get(ID_TAG, project.id)
    if not name:
        yield f"{what} has no tag {NAME_TAG}: it may be another project's; tag it, or delete it by hand"
    elif (name, number) != (project.name, project.id):
        yield f"{what} is of the project {name} {number}, and not of {project.name} {project.id}"


def describe_stack(cloudformation: Any, name: str) -> Mapping[str, Any] | None:
    """A stack; None if it does not exist."""
    try:
        (stack,) = cloudformation.describe_stacks(StackName=name)["Stacks"]
    except ClientError as error:
        if is_absent(error):
            return None
        raise
    return dict(stack)


def read_pairs(stack: Mapping[str, Any]) -> dict[str, str]:
    """The tags of a stack that is described, or of anything else that has them as a list."""
    return {tag["Key"]: tag["Value"] for tag in stack.get("Tags", [])}


def read_parameters(stack: Mapping[str, Any]) -> dict[str, str]:
    """Name and id among the parameters of a project's stack, as the tags that say the same."""
    parameters = {item["ParameterKey"]: item.get("ParameterValue", "") for item in stack.get("Parameters", [])}
    named = {NAME_TAG: parameters.get("SageMakerProjectName", ""), ID_TAG: parameters.get("SageMakerProjectId", "")}
    return {key: value for key, value in named.items() if value}


def read_bucket_tags(s3: Any, name: str) -> dict[str, str] | None:
    """Of a bucket, empty if it has none; None if it does not exist."""
    try:
        return {tag["Key"]: tag["Value"] for tag in s3.get_bucket_tagging(Bucket=name)["TagSet"]}
    except ClientError as error:
        if error.response["Error"]["Code"] == "NoSuchTagSet":
            return {}
        if is_absent(error):
            return None
        raise


def read_group_tags(sagemaker: Any, name: str) -> dict[str, str] | None:
    """Of a model package group; None if it does not exist."""
    try:
        arn = sagemaker.describe_model_package_group(ModelPackageGroupName=name)["ModelPackageGroupArn"]
    except ClientError as error:
        if is_absent(error):
            return None
        raise
    return read_tags(sagemaker, arn)


def read_tags(sagemaker: Any, arn: str) -> dict[str, str]:
    """Of a resource of SageMaker."""
    pages = sagemaker.get_paginator("list_tags").paginate(ResourceArn=arn)
    return {tag["Key"]: tag["Value"] for page in pages for tag in page["Tags"]}
