"""The request shapes of SageMaker's operations, from botocore's service model (loaded on first use, kept)."""

from __future__ import annotations

from functools import cache

from botocore.loaders import create_loader
from botocore.model import ServiceModel, Shape, StructureShape


@cache
def _model() -> ServiceModel:
    return ServiceModel(create_loader().load_service_model("sagemaker", "service-2"), "sagemaker")


@cache
def request_shape(operation: str) -> StructureShape:
    """The input shape of an operation, e.g. ``CreateTrainingJob``."""
    shape: Shape | None = _model().operation_model(operation).input_shape
    if not isinstance(shape, StructureShape):
        raise TypeError(f"{operation} takes no request")
    return shape
