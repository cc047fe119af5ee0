"""Creates or updates a pipeline from one definition.

The SDK's ``Pipeline.upsert`` builds the definition a second time when the pipeline exists, and queries IAM up to
three times for the same role.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from pipelines.definition import Definition

if TYPE_CHECKING:
    from mypy_boto3_sagemaker.client import SageMakerClient

_NUMBER_AS_TEXT = re.compile(r"Cannot assign property reference \[Parameters\.([^]]+)\] to argument of type \[String\]")
EXISTS = ("already exist", "must be unique within an AWS account")


def upsert(
    sagemaker: SageMakerClient,
    name: str,
    definition: Definition,
    role_arn: str,
    description: str | None,
    tags: Sequence[dict[str, str]],
) -> str:
    """The pipeline's ARN. Tags are added to those that an existing pipeline has."""
    request: dict[str, Any] = {
        "PipelineName": name,
        "PipelineDefinition": json.dumps(definition),
        "RoleArn": role_arn,
    }
    if description:
        request["PipelineDescription"] = description
    with_tags = {"Tags": list(tags)} if tags else {}
    try:
        return sagemaker.create_pipeline(**{**request, **with_tags})["PipelineArn"]
    except ClientError as error:
        if not _exists(error):
            raise
    arn = sagemaker.update_pipeline(**request)["PipelineArn"]
    if tags:
        sagemaker.add_tags(ResourceArn=arn, Tags=list(tags))  # type: ignore[arg-type]
    return arn


def _exists(error: ClientError) -> bool:
    details = error.response["Error"]
    return details["Code"] in ("ValidationException", "ResourceInUse") and any(
        text in details["Message"] for text in EXISTS
    )


def remedy(error: Exception) -> str | None:
    """What to do about a mistake that the SDK brings about, None for others.

    SDK v3 writes a parameter among a ModelTrainer's hyperparameters as a bare reference, whatever its type is.
    """
    if isinstance(error, ImportError) and (error.name or "").partition(".")[0] == "sagemaker":
        return (
            f"This environment has version {version('sagemaker')} of the SageMaker Python SDK, "
            "whose modules are not those of version 2."
        )
    match = _NUMBER_AS_TEXT.search(str(error))
    if not match:
        return None
    return (
        f"The parameter {match[1]} is no string, and stands where only strings may: a hyperparameter, an argument of a "
        "container or an environment variable. Give the parameter's .to_string() there."
    )
