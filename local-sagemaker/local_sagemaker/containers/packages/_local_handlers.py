"""The handlers of the stand-ins' model servers, as classes made from a container's defaults."""

from __future__ import annotations

from typing import Any

from sagemaker_inference.default_handler_service import DefaultHandlerService
from sagemaker_inference.default_inference_handler import DefaultInferenceHandler
from sagemaker_inference.transformer import Transformer


class DefaultUserModuleHandler(DefaultInferenceHandler):  # type: ignore[misc]
    """What is done where a user's module has no function of its own: by the container's functions and its codec."""

    def __init__(self, serving: Any, codec: Any) -> None:
        self._serving, self._codec = serving, codec

    def default_model_fn(self, model_dir: str) -> Any:
        return self._serving.default_model_fn(model_dir)

    def default_input_fn(self, input_data: Any, content_type: str) -> Any:
        return self._codec.decode(input_data, content_type)

    def default_predict_fn(self, input_data: Any, model: Any) -> Any:
        return self._codec.predict(input_data, model)

    def default_output_fn(self, prediction: Any, accept: str) -> Any:
        return self._codec.encode(prediction, accept)


def handler_service(serving: Any, codec: Any) -> type:
    """The class ``HandlerService`` of a container: serves one model by the functions of the user's module."""

    def begin(service: Any) -> None:
        handler = DefaultUserModuleHandler(serving, codec)
        DefaultHandlerService.__init__(service, transformer=Transformer(default_inference_handler=handler))

    return type("HandlerService", (DefaultHandlerService,), {"__init__": begin})
