"""What images of frameworks have in common: a shell for processing jobs, a training toolkit, a model server.

Light: the server imports it. The work is in `containers`, which runs in the processes of jobs and endpoints.
"""
# ruff: noqa: ARG002 - the methods have the parameters of the contract, used or not

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from local_sagemaker.images import command
from local_sagemaker.images.image import ImageUri, Program


class ScriptImage:
    """An image that trains, serves, and runs any Python script."""

    verbs: Mapping[str, str]
    """``train`` and ``serve``: where their programs are, "package.module:function"."""
    package: str
    """The container's own Python package, which the toolkits call."""

    def train(self, uri: ImageUri) -> Program:
        """The script of hyperparameter ``sagemaker_program``; without one the image's algorithm, where it has one."""
        return self._program(uri, ("train",))

    def process(self, uri: ImageUri, entrypoint: list[str] | None, arguments: list[str] | None) -> Program:
        """The image has no ENTRYPOINT of its own; its CMD is a shell."""
        return self._program(uri, command.resolve(entrypoint, arguments))

    def serve(self, uri: ImageUri, environment: Mapping[str, str]) -> Program:
        """The model server around the user's ``model_fn``; without a script that of the image's algorithm."""
        return replace(self._program(uri, ("serve",)), accepts_socket=True)

    def environment(self, uri: ImageUri) -> dict[str, str]:
        """The variables that the image sets."""
        return {
            "PYTHONUNBUFFERED": "TRUE",
            "SAGEMAKER_TRAINING_MODULE": f"{self.package}.training:main",
            "SAGEMAKER_SERVING_MODULE": f"{self.package}.serving:main",
        }

    def _program(self, uri: ImageUri, argv: tuple[str, ...]) -> Program:
        return command.program(uri, argv, self.verbs, self.environment(uri))
