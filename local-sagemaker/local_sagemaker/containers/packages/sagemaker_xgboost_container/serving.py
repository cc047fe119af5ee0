"""What the model server does where a script has no function of its own."""

from __future__ import annotations

from typing import Any

from _local_programs import load, serving_defaults

from sagemaker_xgboost_container import encoder

_codec = load("xgboost.script_content").XGBoostCodec()
default_model_fn, default_output_fn = serving_defaults(_codec)


def default_input_fn(input_data: str | bytes, content_type: str) -> Any:
    """A body as a DMatrix."""
    return encoder.decode(input_data, content_type)


def default_predict_fn(input_data: Any, model: Any) -> Any:
    """The booster's predictions, without a check of the names of features."""
    return _codec.predict(input_data, model)
