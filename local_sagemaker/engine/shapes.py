"""The request and response shapes of SageMaker's operations, from botocore's service model (loaded on first use, kept).

botocore is imported inside the function, since loading it costs more than the rest of the service's start.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

Shape = Any
"""botocore's Shape. Which attributes it has depends on its `type_name`, which types can't say."""


_source: list[Callable[[str], Any]] = []


def load_with(source: Callable[[str], Any]) -> None:
    """Takes service models from whoever has them loaded already: the model is 15 MB, once is enough."""
    _source[:] = [source]


@cache
def _model() -> Any:
    if _source:
        return _source[0]("sagemaker")
    from botocore.loaders import create_loader
    from botocore.model import ServiceModel

    return ServiceModel(create_loader().load_service_model("sagemaker", "service-2"), "sagemaker")


@cache
def request_shape(operation: str) -> Shape:
    """The input shape of an operation, e.g. ``CreateTrainingJob``."""
    return _model().operation_model(operation).input_shape


@cache
def response_shape(operation: str) -> Shape:
    """The output shape of an operation, e.g. ``DescribeTrainingJob``."""
    return _model().operation_model(operation).output_shape


@cache
def named_shape(name: str) -> Shape:
    """A shape by its own name, e.g. ``SearchRecord``."""
    return _model().shape_for(name)
