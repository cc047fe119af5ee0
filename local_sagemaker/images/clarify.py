"""The Clarify image: bias and explainability, and violations of an earlier analysis.

Light: the server imports it. The analysis runs in the job's process (`analyzers.clarify_job`), next to a server of the
model that it asks, when its configuration names one.
"""
# ruff: noqa: ARG002 - the methods have the parameters of the contract, used or not

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from local_sagemaker.errors import ValidationError
from local_sagemaker.images.image import ImageUri, Program

CONFIG = Path("processing", "input", "config", "analysis_config.json")  # below /opt/ml

_ENTRY = "local_sagemaker.images.analyzers.clarify_job:main"
_ASKS_THE_MODEL = ("post_training_bias", "shap", "pdp")


class Clarify:
    """Repository ``sagemaker-clarify-processing``."""

    repositories: tuple[str, ...] = ("sagemaker-clarify-processing",)

    def process(self, uri: ImageUri, entrypoint: list[str] | None, arguments: list[str] | None) -> Program:
        """The analyzer; the container supports neither an entrypoint nor arguments."""
        if entrypoint or arguments:
            raise ValidationError(
                "The image sagemaker-clarify-processing takes no ContainerEntrypoint and no ContainerArguments: "
                "it is configured by the file analysis_config.json."
            )
        return Program(("clarify-processing",), _ENTRY, client_errors=True)

    def model_needed(self, ml: Path) -> Mapping[str, Any] | None:
        """The ``predictor`` whose model the analysis will ask, by the configuration in the job's own /opt/ml.

        None when it asks none.

        A configuration that can't be read needs no model: the job itself says what is wrong with it.
        """
        try:
            config = json.loads((ml / CONFIG).read_text("utf-8"))
        except (OSError, ValueError):
            return None
        if not isinstance(config, dict) or not isinstance(config.get("predictor"), dict):
            return None
        methods = config.get("methods")
        asked = isinstance(methods, dict) and any(name in methods for name in _ASKS_THE_MODEL)
        only_bias = isinstance(methods, dict) and "shap" not in methods and "pdp" not in methods
        given = "predicted_label" in config or "predicted_label_dataset_uri" in config
        predictor: dict[str, Any] = config["predictor"]
        return predictor if predictor.get("model_name") and asked and not (only_bias and given) else None

    def train(self, uri: ImageUri) -> Program:
        """Refused: the image only processes."""
        raise ValidationError(f"The image '{uri.uri}' can only be used in processing jobs.")

    def serve(self, uri: ImageUri, environment: Mapping[str, str]) -> Program:
        """Refused: the image only processes."""
        raise ValidationError(f"The image '{uri.uri}' can only be used in processing jobs.")

    def default_metrics(self, uri: ImageUri) -> list[dict[str, str]]:
        """None: it does not train."""
        return []
