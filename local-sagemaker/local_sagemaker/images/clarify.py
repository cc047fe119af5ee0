"""The Clarify image: bias and explainability, and violations of an earlier analysis.

The analysis runs next to a server of the model that it queries, when its configuration names one.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from local_sagemaker.clarify_inputs import complete, environment_of, folder_of
from local_sagemaker.images.image import Program
from local_sagemaker.images.processing_only import ProcessingOnly

_ASKS_THE_MODEL = ("post_training_bias", "shap", "pdp")


class Clarify(ProcessingOnly):
    """Repository ``sagemaker-clarify-processing``."""

    repositories = ("sagemaker-clarify-processing",)
    program = Program(
        ("clarify-processing",), "local_sagemaker.containers.analyzers.clarify_job:main", client_errors=True
    )
    configured_by = "the file analysis_config.json"

    def model_needed(self, ml: Path) -> Mapping[str, Any] | None:
        """The ``predictor`` whose model the analysis will ask, by the configuration in the job's own /opt/ml.

        None when it queries none.

        A configuration that can't be read needs no model: the job itself says what is wrong with it.
        """
        try:
            config = json.loads((folder_of("analysis_config", ml) / "analysis_config.json").read_text("utf-8"))
        except (OSError, ValueError):
            return None
        config = complete(config, environment_of(ml))
        if not isinstance(config, dict) or not isinstance(config.get("predictor"), dict):
            return None
        methods = config.get("methods")
        requested = isinstance(methods, dict) and any(name in methods for name in _ASKS_THE_MODEL)
        only_bias = isinstance(methods, dict) and "shap" not in methods and "pdp" not in methods
        has_predictions = "predicted_label" in config or "predicted_label_dataset_uri" in config
        predictor: dict[str, Any] = config["predictor"]
        return predictor if predictor.get("model_name") and requested and not (only_bias and has_predictions) else None
