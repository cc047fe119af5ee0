"""The handler that the model server has for a user's module, with the defaults of the container."""

from _local_handlers import handler_service
from _local_programs import load

from sagemaker_xgboost_container import serving

HandlerService = handler_service(serving, load("xgboost.script_content").XGBoostCodec())
