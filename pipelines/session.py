"""The AWS session that everything here shares: one boto3 session per region, one SDK session per bucket.

The SDK's configuration file is never used: with one present, the SDK validates it on every look-up, which makes
building a definition several times slower. What would be in it is passed instead.
"""

from __future__ import annotations

import os
from functools import cache
from typing import TYPE_CHECKING

import boto3
from botocore.exceptions import NoRegionError

if TYPE_CHECKING:
    from sagemaker.core.workflow.pipeline_context import PipelineSession


@cache
def boto_session(region: str) -> boto3.Session:
    """One boto3 session for the region. Service models that one client has loaded serve the next."""
    return boto3.Session(region_name=region)


@cache
def pipeline_session(region: str, default_bucket: str | None = None) -> PipelineSession:
    """The SDK's session that records requests as step arguments instead of sending them."""
    from sagemaker.core.workflow.pipeline_context import PipelineSession

    return PipelineSession(boto_session=boto_session(region), default_bucket=default_bucket)


def find_region(given: str | None = None) -> str:
    """The region to work in, which also becomes the process's default: the SDK makes clients while it is imported.

    :raises NoRegionError: if neither an argument, the environment nor the AWS configuration names one.
    """
    region = given or os.environ.get("AWS_REGION") or boto3.Session().region_name
    if not region:
        raise NoRegionError()
    os.environ["AWS_DEFAULT_REGION"] = region
    return region


def find_bucket(region: str) -> str:
    """The default bucket's name as the SDK would choose it, ``sagemaker-<region>-<account>``, without its probes."""
    account = boto_session(region).client("sts").get_caller_identity()["Account"]
    return f"sagemaker-{region}-{account}"
