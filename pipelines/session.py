"""The AWS session that everything here shares, and what it says about the caller: region, bucket, role.

One boto3 session per region, one SDK session per bucket. The SDK's configuration file is never used: with one
present, the SDK validates it on every look-up, which makes building a definition several times slower.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from functools import cache, cached_property
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import boto3
    from mypy_boto3_logs.client import CloudWatchLogsClient
    from mypy_boto3_s3.client import S3Client
    from mypy_boto3_sagemaker.client import SageMakerClient
    from sagemaker.core.workflow.pipeline_context import PipelineSession


@cache
def boto_session(region: str) -> boto3.Session:
    """One boto3 session for the region: service models that one client has loaded serve the next."""
    import boto3

    return boto3.Session(region_name=region)


@dataclass(frozen=True)
class AwsClients:
    """The clients that following an execution takes, each made once and only if it is needed."""

    region: str

    @cached_property
    def sagemaker(self) -> SageMakerClient:
        return boto_session(self.region).client("sagemaker")

    @cached_property
    def s3(self) -> S3Client:
        return boto_session(self.region).client("s3")

    @cached_property
    def logs(self) -> CloudWatchLogsClient:
        return boto_session(self.region).client("logs")


@cache
def pipeline_session(region: str, default_bucket: str | None = None) -> PipelineSession:
    """The SDK's session that records requests as step arguments instead of sending them."""
    from sagemaker.core.workflow.pipeline_context import PipelineSession

    return PipelineSession(boto_session=boto_session(region), default_bucket=default_bucket)


def find_region(name: str | None = None) -> str:
    """The region to work in. It also becomes the process's default, as the SDK makes clients while it is imported.

    :raises NoRegionError: if neither an argument, the environment nor the AWS configuration names one.
    """
    import boto3
    from botocore.exceptions import NoRegionError

    region = name or os.environ.get("AWS_REGION") or boto3.Session().region_name
    if not region:
        raise NoRegionError()
    os.environ["AWS_DEFAULT_REGION"] = os.environ["AWS_REGION"] = region
    return region


def find_suffix(region: str) -> str:
    """What the names of the region's endpoints end with: ``amazonaws.com``, in China ``amazonaws.com.cn``."""
    from botocore.loaders import create_loader

    partitions = create_loader().load_data("partitions")["partitions"]
    suffixes = (item["outputs"]["dnsSuffix"] for item in partitions if re.fullmatch(item["regionRegex"], region))
    return str(next(suffixes, "amazonaws.com"))


@cache
def private_folder() -> TemporaryDirectory[str]:
    """A folder for what the SDK writes on this machine, removed when the process ends.

    The SDK's own is /tmp/sagemaker/model-builder, which belongs to the user who ran it first on this machine.
    """
    return TemporaryDirectory(prefix="pipelines-")


def find_bucket(region: str) -> str:
    """The default bucket's name as the SDK would choose it, without its probes."""
    account, _ = _caller(region)
    return f"sagemaker-{region}-{account}"


def find_role(region: str) -> str:
    """The ARN of the role that the caller has assumed.

    :raises ValueError: if the caller is a user and not a role.
    """
    _, arn = _caller(region)
    kind, _, rest = arn.rpartition(":")[2].partition("/")
    if kind != "assumed-role":
        raise ValueError(f"{arn} is not a role: name one that SageMaker may assume with --role-arn")
    role = boto_session(region).client("iam").get_role(RoleName=rest.split("/")[0])
    return str(role["Role"]["Arn"])


@cache
def _caller(region: str) -> tuple[str, str]:
    identity = boto_session(region).client("sts").get_caller_identity()
    return identity["Account"], identity["Arn"]
