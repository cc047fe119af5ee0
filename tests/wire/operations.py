"""Which operations the tests of the wire cover: all of every model that the service speaks itself."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from functools import cache
from typing import Any

import local_sagemaker.services
from local_sagemaker.wire import spec

SERVICES = ("sagemaker", "sagemaker-runtime", "s3", "logs", "lambda", "apigateway")
FOLDERS = {"lambda_": "lambda", "sagemaker_runtime": "sagemaker-runtime"}
"""Folders of `local_sagemaker/services/` that are not called as botocore calls the service."""


@cache
def implemented() -> tuple[str, ...]:
    """``service:Operation`` of every marked method of every class in `local_sagemaker.services`."""
    found = set()
    root = local_sagemaker.services
    for module in pkgutil.walk_packages(root.__path__, root.__name__ + "."):
        folder = module.name.removeprefix(root.__name__ + ".").split(".")[0]
        for _, member in inspect.getmembers(importlib.import_module(module.name), inspect.isclass):
            for _, method in inspect.getmembers(member, inspect.isfunction):
                for name in getattr(method, "__operations__", ()):
                    found.add(f"{FOLDERS.get(folder, folder)}:{name}")
    return tuple(sorted(found))


def in_models() -> list[str]:
    """All operations of the models, without those that stream events."""
    return [
        f"{service}:{name}"
        for service in SERVICES
        for name in spec.model(service).operation_names
        if not _streams_events(spec.operation(service, name))
    ]


def _streams_events(operation: Any) -> bool:
    return bool(operation.has_event_stream_input or operation.has_event_stream_output)
