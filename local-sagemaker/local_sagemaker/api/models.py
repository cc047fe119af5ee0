"""AWS's own description of its services: botocore's models, loaded on first use and kept.

botocore is imported inside the functions, since loading it costs more than the rest of the server's start.
"""

from __future__ import annotations

import threading
from functools import lru_cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from botocore.model import OperationModel, ServiceModel

MODELS_BY_SIGNING_NAME = {
    "sagemaker": (
        "sagemaker", "sagemaker-runtime", "sagemaker-metrics", "sagemaker-featurestore-runtime",
        "sagemaker-a2i-runtime", "sagemaker-edge", "sagemaker-geospatial",
    ),
    "s3": ("s3",),
    "logs": ("logs",),
    "lambda": ("lambda",),
    "apigateway": ("apigateway",),
    "application-autoscaling": ("application-autoscaling",),
    "cloudformation": ("cloudformation",),
    "events": ("events",),
    "codecommit": ("codecommit",),
    "codeconnections": ("codeconnections",),
    "codestar-connections": ("codestar-connections",),
    "codebuild": ("codebuild",),
    "codepipeline": ("codepipeline",),
    "scheduler": ("scheduler",),
}  # fmt: skip
"""The services that are spoken to in dicts, by the service name in the signature's scope; moto serves all others."""

_lock = threading.Lock()
_models: dict[str, ServiceModel] = {}


def model(service: str) -> ServiceModel:
    """The newest model of a service, by botocore's name for it (``sagemaker-runtime``)."""
    service_model = _models.get(service)
    if service_model is None:
        with _lock:
            service_model = _models.get(service) or _load(service)
            _models[service] = service_model
    return service_model


@lru_cache(maxsize=2048)
def operation(service: str, name: str) -> OperationModel:
    """One operation. Raises botocore's OperationNotFoundError."""
    return model(service).operation_model(name)


def warm() -> None:
    """Loads what nearly every client needs, so that no request waits for it; meant for a background thread."""
    for service in ("s3", "sagemaker"):
        for name in model(service).operation_names[:1]:
            operation(service, name)


def _load(service: str) -> ServiceModel:
    from botocore.loaders import Loader
    from botocore.model import ServiceModel

    loader = Loader(extra_search_paths=[Loader.BUILTIN_DATA_PATH], include_default_search_paths=False)
    description = loader.load_service_model(service, "service-2")
    _drop_documentation(description)
    return ServiceModel(description, service_name=service)


def _drop_documentation(description: dict[str, Any]) -> None:
    """Texts for people are two thirds of a model's memory."""
    for operation_description in description["operations"].values():
        operation_description.pop("documentation", None)
    for shape in description["shapes"].values():
        shape.pop("documentation", None)
        for member in (*shape.get("members", {}).values(), *(shape[k] for k in ("member", "value") if k in shape)):
            member.pop("documentation", None)
