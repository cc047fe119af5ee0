"""The image that joins captured requests with their ground truth, for the monitors of model quality and model bias.

Light: the server imports it. The merge runs in the job's process (`analyzers.merge_job`).
"""
# ruff: noqa: ARG002 - the methods have the parameters of the contract, used or not

from __future__ import annotations

from collections.abc import Mapping

from local_sagemaker.errors import ValidationError
from local_sagemaker.images.image import ImageUri, Program

_ENTRY = "local_sagemaker.images.analyzers.merge_job:main"


class GroundTruthMerger:
    """Repository ``sagemaker-model-monitor-groundtruth-merger``."""

    repositories: tuple[str, ...] = ("sagemaker-model-monitor-groundtruth-merger",)

    def process(self, uri: ImageUri, entrypoint: list[str] | None, arguments: list[str] | None) -> Program:
        """The merger; it is configured by the environment, so a given command is an error."""
        if entrypoint or arguments:
            raise ValidationError(
                f"The image {self.repositories[0]} takes no ContainerEntrypoint and no ContainerArguments: "
                "it is configured by Environment."
            )
        return Program(("groundtruth-merger",), _ENTRY)

    def train(self, uri: ImageUri) -> Program:
        """Refused: the image only processes."""
        raise ValidationError(f"The image '{uri.uri}' can only be used in processing jobs.")

    def serve(self, uri: ImageUri, environment: Mapping[str, str]) -> Program:
        """Refused: the image only processes."""
        raise ValidationError(f"The image '{uri.uri}' can only be used in processing jobs.")

    def default_metrics(self, uri: ImageUri) -> list[dict[str, str]]:
        """None: it does not train."""
        return []
