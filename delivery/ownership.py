"""The tags on everything that is made here. Clean-up finds by them what it may delete, and nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

MADE_BY = "delivery:made-by"
NAME = "delivery:name"
REGISTRY = "model-registry"
LOCAL_MODEL = "local-model"
MULTI_MODEL = "multi-model"  # the pipeline of pipelines/multi_model
MAKERS = (REGISTRY, LOCAL_MODEL, MULTI_MODEL)
Tags = list[dict[str, str]]


def tags(maker: str, name: str) -> Tags:
    """As SageMaker, S3 and IAM take them."""
    return [{"Key": MADE_BY, "Value": maker}, {"Key": NAME, "Value": name}]


def make_mapping(maker: str, name: str) -> dict[str, str]:
    """As Lambda, API Gateway and model packages take them."""
    return {MADE_BY: maker, NAME: name}


def as_mapping(listed: Sequence[Mapping[str, str]]) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in listed}
