"""The step types. Adding one is a file and a line here."""

from __future__ import annotations

from local_sagemaker.engine.steps.callback import CALLBACK
from local_sagemaker.engine.steps.clarify_check import CLARIFY_CHECK
from local_sagemaker.engine.steps.condition import CONDITION
from local_sagemaker.engine.steps.create import ENDPOINT_CONFIG, MODEL
from local_sagemaker.engine.steps.endpoint import ENDPOINT
from local_sagemaker.engine.steps.fail import FAIL
from local_sagemaker.engine.steps.job import PROCESSING, TRAINING, TRANSFORM
from local_sagemaker.engine.steps.lambda_ import LAMBDA
from local_sagemaker.engine.steps.quality_check import QUALITY_CHECK
from local_sagemaker.engine.steps.register_model import REGISTER_MODEL
from local_sagemaker.engine.steps.step_type import StepType
from local_sagemaker.engine.steps.tuning import TUNING

__all__ = ["STEP_TYPES", "StepType", "step_type"]

STEP_TYPES: tuple[StepType, ...] = (
    PROCESSING,
    TRAINING,
    TRANSFORM,
    TUNING,
    MODEL,
    REGISTER_MODEL,
    CONDITION,
    FAIL,
    QUALITY_CHECK,
    CLARIFY_CHECK,
    LAMBDA,
    CALLBACK,
    ENDPOINT_CONFIG,
    ENDPOINT,
)


def step_type(name: str) -> StepType | None:
    """The step type of a definition's ``Type``, None when it is not supported."""
    return _BY_NAME.get(name)


_BY_NAME = {item.type: item for item in STEP_TYPES}
