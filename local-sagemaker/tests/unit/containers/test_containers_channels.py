"""Channels of the built-in algorithm and what their content types mean."""

from __future__ import annotations

from typing import Any

import pytest

from local_sagemaker.containers.failure import UserError
from local_sagemaker.containers.xgboost.channels import content_format, validate


def channel(content_type: str | None = "text/csv", mode: str = "File", distribution: str = "FullyReplicated") -> Any:
    found = {"TrainingInputMode": mode, "S3DistributionType": distribution, "RecordWrapperType": "None"}
    return {**found, "ContentType": content_type} if content_type else found


@pytest.mark.parametrize(
    "channels",
    [
        {"train": channel()},
        {"train": channel(None)},
        {"train": channel("csv"), "validation": channel("csv")},
        {"train": channel("application/x-parquet", "Pipe", "ShardedByS3Key")},
        {"train": channel("libsvm"), "code": channel("text/python")},
    ],
)
def test_supported(channels: dict[str, Any]) -> None:
    validate(channels)


@pytest.mark.parametrize(
    ("channels", "text"),
    [
        ({}, "Missing required channel: train"),
        ({"train": channel(), "test": channel()}, "Extraneous channel found: test"),
        ({"train": channel("text/csv; label_size=1")}, "Channel configuration for 'train' channel is not supported: "),
        ({"train": channel("TEXT/CSV")}, "Channel configuration for 'train' channel is not supported: "),
        ({"train": channel(mode="FastFile")}, "Channel configuration for 'train' channel is not supported: "),
        ({"train": channel("libsvm", "Pipe")}, "Channel configuration for 'train' channel is not supported: "),
        ({"train": channel(), "code": channel()}, "Channel configuration for 'code' channel is not supported: "),
    ],
)
def test_unsupported(channels: dict[str, Any], text: str) -> None:
    with pytest.raises(UserError) as error:
        validate(channels)
    assert str(error.value).startswith(text)


@pytest.mark.parametrize(
    ("content_type", "found"),
    [
        (None, "libsvm"),
        ("text/csv", "csv"),
        ("TEXT/CSV; charset=utf-8", "csv"),
        ("text/csv; label_size=1", "csv"),
        ("text/x-libsvm", "libsvm"),
        ("application/x-parquet", "parquet"),
        ("application/x-recordio-protobuf", "recordio-protobuf"),
    ],
)
def test_content_formats(content_type: str | None, found: str) -> None:
    assert content_format(content_type) == found


@pytest.mark.parametrize(
    ("content_type", "text"),
    [
        ("text/csv; label_size=2", "text/csv; label_size=2 is not an accepted csv ContentType. Optional parameter "
         "label_size must be equal to 1"),
        ("application/json", "application/json is not an accepted ContentType: csv, libsvm, parquet, "
         "recordio-protobuf, text/csv, text/libsvm, text/x-libsvm, application/x-parquet, "
         "application/x-recordio-protobuf."),
    ],
)  # fmt: skip
def test_refused_content_types(content_type: str, text: str) -> None:
    with pytest.raises(UserError) as error:
        content_format(content_type)
    assert str(error.value) == text
