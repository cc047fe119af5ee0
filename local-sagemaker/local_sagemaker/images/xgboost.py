"""The XGBoost image: the built-in algorithm, XGBoost as a framework (script mode), and Python scripts.

The work is in `containers.xgboost`. Each tag runs on the library that its image holds; what else differs is its
`Behaviour` (contracts: containers 3.1).
"""
# ruff: noqa: ARG002 - the methods have the parameters of the contract, used or not

from __future__ import annotations

import re
from types import MappingProxyType

from local_sagemaker.images.image import ImageUri
from local_sagemaker.images.script_image import ScriptImage
from local_sagemaker.xgboost_names import KNOWN_METRICS, TAG

NUMBER = r"([-+]?[0-9]*\.?[0-9]+(?:[eE][-+]?[0-9]+)?)"


class XGBoost(ScriptImage):
    """Repositories ``sagemaker-xgboost`` and, of the first years, ``xgboost``."""

    repositories: tuple[str, ...] = ("sagemaker-xgboost", "xgboost")
    verbs = MappingProxyType(
        {
            "train": "local_sagemaker.containers.xgboost.train:main",
            "serve": "local_sagemaker.containers.xgboost.serve:main",
        }
    )
    package = "sagemaker_xgboost_container"

    def environment(self, uri: ImageUri) -> dict[str, str]:
        """Also the tag, which the programs follow."""
        return {**super().environment(uri), TAG: uri.tag}

    def default_metrics(self, uri: ImageUri) -> list[dict[str, str]]:
        """A train and a validation metric for each one known to the algorithm, by the regex that AWS uses."""
        return [
            {"Name": f"{channel}:{name}", "Regex": rf".*\[[0-9]+\].*#011{channel}-{re.escape(name)}:{NUMBER}.*"}
            for name in KNOWN_METRICS
            for channel in ("train", "validation")
        ]
