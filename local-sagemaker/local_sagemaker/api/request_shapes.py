"""The request and response shapes of SageMaker's operations."""

from __future__ import annotations

from functools import cache
from typing import Any

from local_sagemaker.api import models

Shape = Any
"""botocore's Shape. Which attributes it has depends on its `type_name`, which types can't say."""


@cache
def request_shape(operation: str) -> Shape:
    """The input shape of an operation, e.g. ``CreateTrainingJob``."""
    return models.operation("sagemaker", operation).input_shape


@cache
def response_shape(operation: str) -> Shape:
    """The output shape of an operation, e.g. ``DescribeTrainingJob``."""
    return models.operation("sagemaker", operation).output_shape


@cache
def shape_by_name(name: str) -> Shape:
    """A shape by its own name, e.g. ``SearchRecord``."""
    return models.model("sagemaker").shape_for(name)
