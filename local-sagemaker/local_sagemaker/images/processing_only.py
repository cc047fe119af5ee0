"""Images that only process, and take neither an entrypoint nor arguments: those of Model Monitor and Clarify.

Light: the server imports them. Their work runs in the job's process.
"""
# ruff: noqa: ARG002 - the methods have the parameters of the contract, used or not

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from local_sagemaker.errors import ValidationError
from local_sagemaker.images.image import ImageUri, Program
from local_sagemaker.images.libraries import catalogue


class ProcessingOnly:
    """What these images have in common; each says its `repositories`, its `program` and what it is `configured_by`."""

    repositories: tuple[str, ...]
    program: Program
    configured_by = "Environment"

    def process(self, uri: ImageUri, entrypoint: list[str] | None, arguments: list[str] | None) -> Program:
        """The program. Raises ValidationError for a given command: the containers support none."""
        if entrypoint or arguments:
            raise ValidationError(
                f"The image {self.repositories[0]} takes no ContainerEntrypoint and no ContainerArguments: "
                f"it is configured by {self.configured_by}."
            )
        return replace(self.program, libraries=catalogue.find(uri.repository, uri.tag))

    def train(self, uri: ImageUri) -> Program:
        """Refused: the image only processes."""
        raise ValidationError(f"The image '{uri.uri}' can only be used in processing jobs.")

    def serve(self, uri: ImageUri, environment: Mapping[str, str]) -> Program:
        """Refused: the image only processes."""
        raise ValidationError(f"The image '{uri.uri}' can only be used in processing jobs.")

    def default_metrics(self, uri: ImageUri) -> list[dict[str, str]]:
        """None: it does not train."""
        return []
