"""The reports of a model version: which files its metrics, bias and attributions are in, and what they say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from local_sagemaker.studio.page import Visit
from local_sagemaker.studio.pages.objects import report_or_none
from local_sagemaker.studio.pages.reports import Report, files_below
from local_sagemaker.studio.views.check_reports import (
    AttributionRow,
    BiasRow,
    FeatureRow,
    MetricRow,
    attribution_rows,
    bias_rows,
    feature_rows,
    metric_rows,
    read_metrics,
)


@dataclass(frozen=True)
class VersionReports:
    """What the tabs of a version show; empty lists where no report is registered."""

    metrics: list[MetricRow] = field(default_factory=list)
    features: list[FeatureRow] = field(default_factory=list)
    items: int | None = None
    bias: list[BiasRow] = field(default_factory=list)
    attributions: list[AttributionRow] = field(default_factory=list)
    files: list[Report] = field(default_factory=list)


def uri(package: Mapping[str, Any], *path: str) -> str:
    """The S3Uri below ModelMetrics or DriftCheckBaselines, "" where there is none."""
    value: Any = package
    for name in path:
        value = (value or {}).get(name)
    return str((value or {}).get("S3Uri", ""))


def quality_of(visit: Visit, package: Mapping[str, Any]) -> dict[str, float]:
    """The model-quality metrics of a version."""
    document = report_or_none(visit, uri(package, "ModelMetrics", "ModelQuality", "Statistics"))
    return {name: value for name, (value, _) in read_metrics(document).items() if value is not None}


def load_reports(
    visit: Visit, package: Mapping[str, Any], production: Mapping[str, Any] | None, tab: str
) -> VersionReports:
    """What a tab shows. The baseline is the version's own DriftCheckBaselines, as its checks compared with them."""

    def own(*path: str) -> Any:
        return report_or_none(visit, uri(package, "ModelMetrics", *path))

    def baseline(*path: str) -> Any:
        return report_or_none(visit, uri(package, "DriftCheckBaselines", *path))

    if tab == "quality":
        now = report_or_none(visit, uri(production or {}, "ModelMetrics", "ModelQuality", "Statistics"))
        rows = metric_rows(
            own("ModelQuality", "Statistics"), baseline("ModelQuality", "Constraints"),
            baseline("ModelQuality", "Statistics"), now,
        )  # fmt: skip
        return VersionReports(metrics=rows, files=_files(visit, package, "ModelQuality", "Statistics"))
    if tab == "data":
        statistics = own("ModelDataQuality", "Statistics") or {}
        rows_of = feature_rows(statistics, baseline("ModelDataQuality", "Statistics"))
        items = (statistics.get("dataset") or {}).get("item_count")
        return VersionReports(
            features=rows_of, items=items, files=_files(visit, package, "ModelDataQuality", "Statistics")
        )
    if tab == "bias":
        before, after = own("Bias", "PreTrainingReport"), own("Bias", "PostTrainingReport") or own("Bias", "Report")
        old = baseline("Bias", "PreTrainingConstraints"), baseline("Bias", "PostTrainingConstraints")
        return VersionReports(
            bias=bias_rows(before, after, *old), files=_files(visit, package, "Bias", "PostTrainingReport")
        )
    if tab == "explainability":
        rows_by = attribution_rows(own("Explainability", "Report"), baseline("Explainability", "Constraints"))
        return VersionReports(attributions=rows_by, files=_files(visit, package, "Explainability", "Report"))
    return VersionReports()


def _files(visit: Visit, package: Mapping[str, Any], *path: str) -> list[Report]:
    """The files beside a report."""
    place = uri(package, "ModelMetrics", *path)
    return files_below(visit, place.rpartition("/")[0]) if place else []


def badge_of(package: Mapping[str, Any], name: str) -> str:
    """Whether a kind of report is registered, by its member of ModelMetrics."""
    return "Completed" if (package.get("ModelMetrics") or {}).get(name) else "Missing"
