"""What the model server does where a script has no function of its own."""

from __future__ import annotations

from typing import Any

from _local_programs import load, serving_defaults

_codec = load("toolkit.content").NumpyCodec()
default_model_fn, default_output_fn = serving_defaults(_codec)


def default_input_fn(input_data: str | bytes, content_type: str) -> Any:
    """A body as an array of numbers."""
    return _codec.decode(input_data, content_type)


def default_predict_fn(input_data: Any, model: Any) -> Any:
    """``model.predict``."""
    return model.predict(input_data)
