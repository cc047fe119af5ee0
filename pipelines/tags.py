"""Tags of a pipeline: those of the command line, and those of the SageMaker project it belongs to."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from pipelines.loader import LoadError

if TYPE_CHECKING:
    from mypy_boto3_sagemaker.client import SageMakerClient


def check_tags(tags: Sequence[Any]) -> list[dict[str, str]]:
    """:raises LoadError: if an entry is not a Key and a Value."""
    for tag in tags:
        if not isinstance(tag, Mapping) or set(tag) != {"Key", "Value"}:
            raise LoadError(f"--tags: a list of {{'Key': ..., 'Value': ...}} is expected, and not {tag}")
    return [dict(tag) for tag in tags]


def with_project(
    sagemaker: SageMakerClient, tags: Sequence[Mapping[str, str]], project_arn: str | None
) -> list[dict[str, str]]:
    """These tags and the project's. A project that cannot be read is reported and left out, as in the template."""
    merged: dict[str, str] = {}
    if project_arn:
        try:
            for page in sagemaker.get_paginator("list_tags").paginate(ResourceArn=project_arn):
                merged.update({tag["Key"]: tag["Value"] for tag in page["Tags"]})
        except (BotoCoreError, ClientError) as error:
            print(f"Tags of the project {project_arn} are left out: {error}", file=sys.stderr)
    merged.update({tag["Key"]: tag["Value"] for tag in tags})
    return [{"Key": key, "Value": value} for key, value in merged.items()]
