"""The kinds of monitors, by the ``analysis_type`` of a job: one file a kind, and one line here."""

from __future__ import annotations

from local_sagemaker.containers.analyzers.monitors.data_quality import DataQuality
from local_sagemaker.containers.analyzers.monitors.model_bias import ModelBias
from local_sagemaker.containers.analyzers.monitors.model_explainability import ModelExplainability
from local_sagemaker.containers.analyzers.monitors.model_quality import ModelQuality
from local_sagemaker.containers.analyzers.monitors.monitor import ClarifyMonitor, QualityMonitor

_DEFAULT = DataQuality()
MONITORS: tuple[QualityMonitor, ...] = (
    _DEFAULT,
    ModelQuality(),
)
"""Those of Model Monitor's image: a job runs one of them."""
CLARIFY_MONITORS: tuple[ClarifyMonitor, ...] = (
    ModelBias(),
    ModelExplainability(),
)
"""Those of Clarify's image, whose configuration says what a job analyses: both, where it has methods of both."""


def find(analysis_type: str | None) -> QualityMonitor:
    """The monitor of a job of Model Monitor's image; data quality where it names none that is known."""
    return next((monitor for monitor in MONITORS if monitor.analysis_type == analysis_type), _DEFAULT)
