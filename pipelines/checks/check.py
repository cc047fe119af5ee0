"""A check of a pipeline under construction: its step, and what other steps take from it, whatever its flavour."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sagemaker.mlops.workflow.clarify_check_step import ClarifyCheckStep
from sagemaker.mlops.workflow.quality_check_step import QualityCheckStep
from sagemaker.mlops.workflow.steps import ProcessingStep


@dataclass(frozen=True)
class BaselineFiles:
    """Where a baseline's files will be: expressions. Bias and explainability have constraints only."""

    statistics: Any | None
    constraints: Any


@dataclass(frozen=True)
class Check:
    """`calculated` is what the check computes, `used` the baseline that holds after it."""

    step: QualityCheckStep | ClarifyCheckStep | ProcessingStep
    calculated: BaselineFiles
    used: BaselineFiles
    monitoring_config: Any | None = None  # bias and explainability: what monitors of a deployed model are given


def managed_check(step: QualityCheckStep | ClarifyCheckStep, monitoring_config: Any | None = None) -> Check:
    """A check by Model Monitor or Clarify."""
    properties = step.properties
    has_statistics = isinstance(step, QualityCheckStep)
    return Check(
        step,
        BaselineFiles(
            properties.CalculatedBaselineStatistics if has_statistics else None,
            properties.CalculatedBaselineConstraints,
        ),
        BaselineFiles(
            properties.BaselineUsedForDriftCheckStatistics if has_statistics else None,
            properties.BaselineUsedForDriftCheckConstraints,
        ),
        monitoring_config,
    )
