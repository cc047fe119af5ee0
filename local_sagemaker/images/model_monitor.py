"""The Model Monitor analyzer's image: data and model quality, baselines and violations.

Light: the server imports it. The analysis runs in the job's process (`analyzers.model_monitor_job`).
"""
# ruff: noqa: ARG002 - the methods have the parameters of the contract, used or not

from __future__ import annotations

from collections.abc import Mapping

from local_sagemaker.errors import ValidationError
from local_sagemaker.images.image import ImageUri, Program

_ENTRY = "local_sagemaker.images.analyzers.model_monitor_job:main"


class ModelMonitor:
    """Repository ``sagemaker-model-monitor-analyzer``."""

    repositories: tuple[str, ...] = ("sagemaker-model-monitor-analyzer",)

    def process(self, uri: ImageUri, entrypoint: list[str] | None, arguments: list[str] | None) -> Program:
        """The analyzer; it is configured by the environment, so a given command is an error."""
        if entrypoint or arguments:
            raise ValidationError(
                "The image sagemaker-model-monitor-analyzer takes no ContainerEntrypoint and no ContainerArguments: "
                "it is configured by Environment."
            )
        return Program(("model-monitor-analyzer",), _ENTRY)

    def train(self, uri: ImageUri) -> Program:
        """Refused: the image only processes."""
        raise ValidationError(f"The image '{uri.uri}' can only be used in processing jobs.")

    def serve(self, uri: ImageUri, environment: Mapping[str, str]) -> Program:
        """Refused: the image only processes."""
        raise ValidationError(f"The image '{uri.uri}' can only be used in processing jobs.")

    def default_metrics(self, uri: ImageUri) -> list[dict[str, str]]:
        """None: it does not train."""
        return []
