"""The scikit-learn image: Python scripts in processing jobs, and script mode for training and serving.

There is no default algorithm. The work is in `containers.toolkit`.
"""
# ruff: noqa: ARG002 - the methods have the parameters of the contract, used or not

from __future__ import annotations

from types import MappingProxyType

from local_sagemaker.images.image import ImageUri
from local_sagemaker.images.script_image import ScriptImage


class ScikitLearn(ScriptImage):
    """Repository ``sagemaker-scikit-learn``."""

    repositories: tuple[str, ...] = ("sagemaker-scikit-learn",)
    verbs = MappingProxyType(
        {
            "train": "local_sagemaker.containers.toolkit.train:sklearn",
            "serve": "local_sagemaker.containers.toolkit.serve:sklearn",
        }
    )
    package = "sagemaker_sklearn_container"

    def default_metrics(self, uri: ImageUri) -> list[dict[str, str]]:
        """None: metric definitions are the user's."""
        return []
