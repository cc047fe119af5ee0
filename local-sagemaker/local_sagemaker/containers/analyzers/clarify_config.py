"""analysis_config.json: its schema, and the members that the analysis reads."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match

from model_checks.clarify.config import Config
from model_checks.errors import AnalysisError

_TEXT, _WHOLE, _NUMBER = {"type": "string"}, {"type": "integer"}, {"type": "number"}
_COLUMN = {"type": ["string", "integer"]}
_VALUES = {"type": "array", "items": {"type": ["integer", "number", "string"]}}
_NAMES = {"type": "array", "items": _TEXT}
_METHODS = {"anyOf": [_TEXT, _NAMES]}

DATASET_TYPES = (
    "text/csv",
    "application/jsonlines",
    "application/json",
    "application/sagemakercapturejson",
    "application/x-parquet",
)
AGGREGATIONS = ("mean_abs", "median", "mean_sq")


def _object(required: Sequence[str] = (), **properties: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(required),
        "additionalProperties": False,
    }


_SHAP = _object(
    baseline={"type": ["string", "array", "object"]},
    num_clusters={"type": "integer", "minimum": 1},
    use_logit={"type": "boolean"},
    num_samples={"type": "integer", "minimum": 1},
    agg_method=_TEXT,
    save_local_shap_values={"type": "boolean"},
    text_config={"type": "object"},
    image_config={"type": "object"},
    seed=_WHOLE,
    features_to_explain={"type": "array", "items": _COLUMN},
)
_PREDICTOR = _object(
    endpoint_name=_TEXT,
    endpoint_name_prefix={"type": "string", "pattern": "^[a-zA-Z0-9](-*[a-zA-Z0-9])"},
    model_name=_TEXT,
    target_model=_TEXT,
    instance_type=_TEXT,
    initial_instance_count=_WHOLE,
    accelerator_type=_TEXT,
    content_type=_TEXT,
    accept_type=_TEXT,
    label=_COLUMN,
    probability=_COLUMN,
    label_headers={"type": "array", "items": _COLUMN},
    content_template={"type": ["string", "object"]},
    record_template=_TEXT,
    custom_attributes=_TEXT,
    time_series_predictor_config={"type": "object"},
)
SCHEMA = _object(
    ["dataset_type", "methods"],
    version=_TEXT,
    dataset_type=_TEXT,
    dataset_uri=_TEXT,
    headers=_NAMES,
    label=_COLUMN,
    predicted_label=_COLUMN,
    features=_TEXT,
    label_values_or_threshold=_VALUES,
    probability_threshold=_NUMBER,
    segment_config={"type": "array"},
    facet={"type": "array", "items": _object(["name_or_index"], name_or_index=_COLUMN, value_or_threshold=_VALUES)},
    facet_dataset_uri=_TEXT,
    facet_headers=_NAMES,
    predicted_label_dataset_uri=_TEXT,
    predicted_label_headers=_NAMES,
    excluded_columns={"type": "array", "items": _COLUMN},
    joinsource_name_or_index=_COLUMN,
    group_variable=_COLUMN,
    time_series_data_config={"type": "object"},
    methods=_object(
        shap=_SHAP,
        pre_training_bias=_object(["methods"], methods=_METHODS),
        post_training_bias=_object(["methods"], methods=_METHODS),
        pdp=_object(
            ["grid_resolution"],
            grid_resolution={"type": "integer", "minimum": 1},
            features={"type": "array", "items": _COLUMN},
            top_k_features={"type": "integer", "minimum": 1},
        ),
        report=_object(["name"], name=_TEXT, title=_TEXT),
        asymmetric_shapley_value={"type": "object"},
    ),
    predictor=_PREDICTOR,
)
_TABULAR = "only tabular data can be explained"
REFUSED = {
    "methods.shap.text_config": _TABULAR,
    "methods.shap.image_config": _TABULAR,
    "methods.asymmetric_shapley_value": _TABULAR,
    "predictor.time_series_predictor_config": _TABULAR,
    "time_series_data_config": _TABULAR,
    "segment_config": "metrics are those of the whole dataset",
}
"""Members that are refused by their names, and why."""
_VALIDATOR = Draft202012Validator(SCHEMA)


def check_config(config: Any) -> Config:
    """The configuration, or an error that names the member that is wrong."""
    error = best_match(_VALIDATOR.iter_errors(config))
    if error is not None:
        where = "".join(f"[{part!r}]" for part in error.absolute_path) or "the document"
        raise AnalysisError(f"ClientError: analysis_config.json is invalid at {where}: {error.message}")
    kind = config["dataset_type"].lower()
    if kind not in DATASET_TYPES:
        raise AnalysisError(
            f"ClientError: dataset_type {config['dataset_type']} is not supported. "
            f"Supported: {', '.join(DATASET_TYPES)}."
        )
    _refuse(config)
    shap = config["methods"].get("shap") or {}
    if shap.get("agg_method", AGGREGATIONS[0]).lower() not in AGGREGATIONS:
        raise AnalysisError(
            f"ClientError: methods.shap.agg_method {shap['agg_method']} is unknown. Known: {', '.join(AGGREGATIONS)}."
        )
    needs_label = [name for name in ("pre_training_bias", "post_training_bias") if name in config["methods"]]
    missing = [name for name in ("label", "facet") if needs_label and name not in config]
    if missing and kind != "application/sagemakercapturejson":
        raise AnalysisError(f"ClientError: {needs_label[0]} needs {' and '.join(missing)} in analysis_config.json.")
    return config  # type: ignore[no-any-return]


def _refuse(config: Config) -> None:
    for path, reason in REFUSED.items():
        value_at: Any = config
        for name in path.split("."):
            value_at = (value_at or {}).get(name)
        if value_at is not None:
            raise AnalysisError(f"ClientError: {path} is not supported: {reason}.")
