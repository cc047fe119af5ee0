"""The handler that the model server has for a user's module, with the defaults of the container."""

from __future__ import annotations

from typing import Any

from _local_programs import load
from sagemaker_inference.default_handler_service import DefaultHandlerService
from sagemaker_inference.default_inference_handler import DefaultInferenceHandler
from sagemaker_inference.transformer import Transformer

from sagemaker_xgboost_container import serving

_codec = load("toolkit.xgboost_content").XGBoostCodec()


class HandlerService(DefaultHandlerService):  # type: ignore[misc]
    """Serves one model by the functions of the user's module."""

    class DefaultXGBoostUserModuleInferenceHandler(DefaultInferenceHandler):  # type: ignore[misc]
        """What is done where the module has no function of its own."""

        def default_model_fn(self, model_dir: str) -> Any:
            return serving.default_model_fn(model_dir)

        def default_input_fn(self, input_data: Any, content_type: str) -> Any:
            return serving.default_input_fn(input_data, content_type)

        def default_predict_fn(self, input_data: Any, model: Any) -> Any:
            return serving.default_predict_fn(input_data, model)

        def default_output_fn(self, prediction: Any, accept: str) -> Any:
            return _codec.encode(prediction, accept)

    def __init__(self) -> None:
        super().__init__(
            transformer=Transformer(default_inference_handler=self.DefaultXGBoostUserModuleInferenceHandler())
        )
