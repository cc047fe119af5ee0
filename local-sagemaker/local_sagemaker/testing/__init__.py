"""For tests of SageMaker code: a local service with its clients, small pipelines, and waits for their ends.

pytest finds the fixtures `local_sagemaker` and `make_local_sagemaker` by itself (`local_sagemaker.pytest_plugin`).
"""

from local_sagemaker.testing.functions import create_function, zip_modules
from local_sagemaker.testing.pipelines import (
    ROLE,
    SCIKIT_LEARN,
    XGBOOST,
    create_pipeline,
    list_steps,
    script_step,
    start_execution,
    wait_for_execution,
)
from local_sagemaker.testing.polling import wait_until
from local_sagemaker.testing.service import COMMANDS, LocalSageMaker, read_json, temporary_service

__all__ = [
    "COMMANDS", "ROLE", "SCIKIT_LEARN", "XGBOOST", "LocalSageMaker", "create_function", "create_pipeline", "list_steps",
    "read_json", "script_step", "start_execution", "temporary_service", "wait_for_execution", "wait_until",
    "zip_modules",
]  # fmt: skip
