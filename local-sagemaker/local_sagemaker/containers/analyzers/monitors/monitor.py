"""The contract of a kind of monitor."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol

from model_checks.quality import QualityAnalysis
from model_checks.report import Report as Report


class QualityMonitor(Protocol):
    """A kind that Model Monitor's image runs, selected by the job's variable ``analysis_type``."""

    analysis_type: str

    def analyse(self, environment: Mapping[str, str]) -> QualityAnalysis:
        """Statistics, constraints and, with a baseline, violations, as the job's variables say (`job_inputs`).

        Raises AnalysisError with the job's FailureReason.
        """
        ...

    def metrics(self, statistics: Report, violations: Sequence[Mapping[str, str]]) -> Iterator[Report]:
        """What a schedule's execution sends to CloudWatch: MetricName with Value or StatisticValues."""
        ...


class ClarifyMonitor(Protocol):
    """A kind that Clarify's image analyses, where a job's configuration has its methods."""

    analysis_type: str

    def metrics(self, report: Report) -> Iterator[Report]:
        """What a schedule's execution sends to CloudWatch of an analysis.json; nothing where it lacks these methods."""
        ...
