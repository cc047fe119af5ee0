"""The scikit-learn image: Python scripts in processing jobs, and script mode for training and serving.

Light: the server imports it. The work is in `containers.toolkit`, which runs in the processes of jobs and endpoints.
"""
# ruff: noqa: ARG002 - the methods have the parameters of the contract, used or not

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from local_sagemaker.images import command
from local_sagemaker.images.image import ImageUri, Program

VERBS = {
    "train": "local_sagemaker.containers.toolkit.train:sklearn",
    "serve": "local_sagemaker.containers.toolkit.serve:sklearn",
}


class ScikitLearn:
    """Repository ``sagemaker-scikit-learn``."""

    repositories: tuple[str, ...] = ("sagemaker-scikit-learn",)

    def train(self, uri: ImageUri) -> Program:
        """Runs the script of hyperparameter ``sagemaker_program``; there is no default algorithm."""
        return self._program(uri, ("train",))

    def process(self, uri: ImageUri, entrypoint: list[str] | None, arguments: list[str] | None) -> Program:
        """The image has no ENTRYPOINT of its own; its CMD is a shell."""
        return self._program(uri, command.resolve(entrypoint, arguments))

    def serve(self, uri: ImageUri, environment: Mapping[str, str]) -> Program:
        """The model server around the user's ``model_fn``."""
        return replace(self._program(uri, ("serve",)), accepts_socket=True)

    def default_metrics(self, uri: ImageUri) -> list[dict[str, str]]:
        """None: metric definitions are the user's."""
        return []

    def _program(self, uri: ImageUri, argv: tuple[str, ...]) -> Program:
        environment = {
            "PYTHONUNBUFFERED": "TRUE",
            "SAGEMAKER_TRAINING_MODULE": "sagemaker_sklearn_container.training:main",
            "SAGEMAKER_SERVING_MODULE": "sagemaker_sklearn_container.serving:main",
        }
        return command.program(uri, argv, VERBS, environment)
