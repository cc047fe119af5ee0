"""Partitions of regions, as botocore's table has them."""

from __future__ import annotations

import pytest

from local_sagemaker.arns import partition


@pytest.mark.parametrize(
    ("region", "name"),
    [
        ("eu-central-1", "aws"), ("cn-north-1", "aws-cn"), ("us-gov-west-1", "aws-us-gov"),
        ("us-iso-east-1", "aws-iso"),
        ("us-isob-east-1", "aws-iso-b"), ("eu-isoe-west-1", "aws-iso-e"), ("us-isof-south-1", "aws-iso-f"),
        ("eusc-de-east-1", "aws-eusc"),
    ],
)  # fmt: skip
def test_each_region_is_in_its_partition(region: str, name: str) -> None:
    assert partition(region) == name
