"""What the model server does where a script has no function of its own."""

from __future__ import annotations

from typing import Any, NoReturn

from _local_programs import load

_codec = load("toolkit.content").NumpyCodec()


def default_model_fn(model_dir: str) -> NoReturn:
    """There is none: a script brings its own."""
    raise NotImplementedError(
        "Please provide a model_fn implementation.\nSee documentation for model_fn at "
        "https://github.com/aws/sagemaker-python-sdk"
    )


def default_input_fn(input_data: str | bytes, content_type: str) -> Any:
    """A body as an array of numbers."""
    return _codec.decode(input_data, content_type)


def default_predict_fn(input_data: Any, model: Any) -> Any:
    """``model.predict``."""
    return model.predict(input_data)


def default_output_fn(prediction: Any, accept: str) -> Any:
    """A prediction as a response of the framework."""
    from sagemaker_containers.beta.framework import worker

    return worker.Response(_codec.encode(prediction, accept), accept, mimetype=accept)
