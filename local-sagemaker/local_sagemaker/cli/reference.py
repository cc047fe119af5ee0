"""The page ``docs/reference/operations.md``, made of what is registered: operations, step types, images, monitors,
services of moto.

Every response of status 501 names the page, and a test compares it with this. Run ``make docs`` to write it anew.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from functools import cache

import local_sagemaker.services
from local_sagemaker.api import models
from local_sagemaker.api.operations import Resource, operations_of
from local_sagemaker.engine.steps import STEP_TYPES
from local_sagemaker.images import CUSTOM, RUNTIMES
from local_sagemaker.services.moto_services.moto_application import SERVICES
from local_sagemaker.services.s3.configurations import CONFIGURATIONS

FOLDERS = {
    "application_autoscaling": "application-autoscaling", "lambda_": "lambda", "sagemaker_runtime": "sagemaker-runtime",
    "codestar_connections": "codestar-connections", "sagemaker_metrics": "sagemaker-metrics",
}  # fmt: skip
"""Folders of `local_sagemaker/services/` that are not called as botocore calls the service."""
HEAD = """# What the local service supports

Made by `make docs` from what is registered in the code; a test compares. An operation that is not here is refused with
501 and its name, a step type that is not here is refused at CreatePipeline, an image at the job's creation.
"""


@cache
def list_operations() -> tuple[str, ...]:
    """``service:Operation`` of every marked method of every class in `local_sagemaker.services`, and of the classes
    that are made of the table of S3's configurations."""
    names = {
        f"s3:{name}" for row in CONFIGURATIONS for verb in ("get", "put", "delete") for name in row.operations(verb)
    }
    root = local_sagemaker.services
    for module in pkgutil.walk_packages(root.__path__, root.__name__ + "."):
        folder = module.name.removeprefix(root.__name__ + ".").split(".")[0]
        for _, member in inspect.getmembers(importlib.import_module(module.name), inspect.isclass):
            if issubclass(member, Resource):
                names |= {f"{FOLDERS.get(folder, folder)}:{name}" for name, _ in operations_of(member)}
    return tuple(sorted(names))


def render() -> str:
    """The page as Markdown."""
    services: dict[str, list[str]] = {}
    for name in list_operations():
        service, _, operation = name.partition(":")
        services.setdefault(service, []).append(operation)
    parts = [HEAD, "## Operations\n"]
    for service, operations in services.items():
        title = str(models.model(service).metadata["serviceFullName"])
        parts.append(f"### {title}\n\n" + "\n".join(f"- {name}" for name in operations) + "\n")
    parts.append(
        "### Neighbours\n\nServed by [moto](https://github.com/getmoto/moto), as far as moto supports them: "
        + ", ".join(sorted(SERVICES))
        + ".\n"
    )
    parts.append("## Step types\n\n" + "\n".join(f"- {kind.type}" for kind in STEP_TYPES) + "\n")
    images = [image for image in RUNTIMES if image is not CUSTOM]
    lines = [f"- {', '.join(f'`{name}`' for name in image.repositories)}: {_summary(image)}" for image in images]
    parts.append(
        "## Images\n\nBy repository, whatever the registry's account and region:\n\n"
        + "\n".join(lines)
        + "\n\nand [images of your own](../how-to/use-your-own-image.md).\n"
    )
    parts.append("## Monitors\n\nBy the `analysis_type` of a job:\n\n" + "\n".join(_monitors()) + "\n")
    return "\n".join(parts)


def _monitors() -> list[str]:
    from local_sagemaker.containers.analyzers.monitors import CLARIFY_MONITORS, MONITORS  # they load pandas

    kinds = [(monitor.analysis_type, _summary(monitor)) for monitor in MONITORS]
    kinds += [(monitor.analysis_type, _summary(monitor)) for monitor in CLARIFY_MONITORS]
    return [f"- `{analysis_type}`: {summary}" for analysis_type, summary in kinds]


def _summary(registered: object) -> str:
    """The first sentence of its module: what it does here."""
    text = inspect.getdoc(inspect.getmodule(type(registered))) or ""
    return " ".join(text.split("\n\n")[0].split(" (contracts")[0].split())


if __name__ == "__main__":
    print(render(), end="")
