"""The XGBoost image: the built-in algorithm, XGBoost as a framework (script mode), and Python scripts.

Light: the server imports it. The work is in `containers.xgboost`, which runs in the processes of jobs and endpoints.
Each tag runs on the library that its image holds; what else differs is its `Behaviour` (contracts: containers 3.1).
"""
# ruff: noqa: ARG002 - the methods have the parameters of the contract, used or not

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

from local_sagemaker.images import command
from local_sagemaker.images.image import ImageUri, Program
from local_sagemaker.xgboost_names import KNOWN_METRICS, TAG

VERBS = {
    "train": "local_sagemaker.containers.xgboost.train:main",
    "serve": "local_sagemaker.containers.xgboost.serve:main",
}
NUMBER = r"([-+]?[0-9]*\.?[0-9]+(?:[eE][-+]?[0-9]+)?)"


class XGBoost:
    """Repositories ``sagemaker-xgboost`` and, of the first years, ``xgboost``."""

    repositories: tuple[str, ...] = ("sagemaker-xgboost", "xgboost")

    def train(self, uri: ImageUri) -> Program:
        """The algorithm, or the user's script where hyperparameter ``sagemaker_program`` names one."""
        return self._program(uri, ("train",))

    def process(self, uri: ImageUri, entrypoint: list[str] | None, arguments: list[str] | None) -> Program:
        """The image has no ENTRYPOINT of its own; its CMD is a shell."""
        return self._program(uri, command.resolve(entrypoint, arguments))

    def serve(self, uri: ImageUri, environment: Mapping[str, str]) -> Program:
        """The model server: the algorithm's, or the user's script where ``SAGEMAKER_PROGRAM`` names one."""
        return replace(self._program(uri, ("serve",)), accepts_socket=True)

    def default_metrics(self, uri: ImageUri) -> list[dict[str, str]]:
        """A train and a validation metric for each one known to the algorithm, by the regex that AWS uses."""
        return [
            {"Name": f"{channel}:{name}", "Regex": rf".*\[[0-9]+\].*#011{channel}-{re.escape(name)}:{NUMBER}.*"}
            for name in KNOWN_METRICS
            for channel in ("train", "validation")
        ]

    def _program(self, uri: ImageUri, argv: tuple[str, ...]) -> Program:
        environment = {
            "PYTHONUNBUFFERED": "TRUE",
            "SAGEMAKER_TRAINING_MODULE": "sagemaker_xgboost_container.training:main",
            "SAGEMAKER_SERVING_MODULE": "sagemaker_xgboost_container.serving:main",
            TAG: uri.tag,
        }
        return command.program(uri, argv, VERBS, environment)
