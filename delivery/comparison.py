"""Versions side by side: their metrics as a table and as a plot."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from delivery.clients import Clients, split
from delivery.errors import DeliveryError
from delivery.versions import DeliveredVersion, describe
from pipelines.conditions import metrics as numbers

if TYPE_CHECKING:
    from rich.table import Table

SMALLER_IS_BETTER = ("mse", "rmse", "mae", "error", "loss", "deviance", "nloglik", "merror", "rmsle", "mape")
SHORT = {"PendingManualApproval": "pending"}
EDGE, COLUMN = 2, 13  # characters of a table's edge, and of a version's column: a date, padding and a rule
PLOTS = (".png", ".svg", ".pdf")


@dataclass(frozen=True)
class VersionMetrics:
    """A version and its metrics by name. Why there are none is in ``remark``."""

    version: DeliveredVersion
    metrics: Mapping[str, float] = field(default_factory=dict)
    remark: str = ""


def measure(clients: Clients, versions: Iterable[DeliveredVersion]) -> list[VersionMetrics]:
    """Reads the metrics that each version was registered with."""
    return [_measure(clients, version) for version in versions]


def _measure(clients: Clients, version: DeliveredVersion) -> VersionMetrics:
    quality = describe(clients, version).get("ModelMetrics", {}).get("ModelQuality", {})
    uri = quality.get("Statistics", {}).get("S3Uri")
    if not uri:
        return VersionMetrics(version, remark="registered without metrics")
    bucket, key = split(uri)
    try:
        report = json.loads(clients.s3.get_object(Bucket=bucket, Key=key)["Body"].read())
    except (BotoCoreError, ClientError, ValueError) as error:
        return VersionMetrics(version, remark=f"its metrics cannot be read: {error}")
    return VersionMetrics(version, flat(report))


def flat(report: Any) -> dict[str, float]:
    """A report's metrics by short name: ``{"regression_metrics": {"mse": {"value": 4.8, ...}}}`` is ``{"mse": 4.8}``.

    That form is Model Monitor's, SageMaker Studio's, and that of evaluation.json. Other numbers keep their path.
    """
    metrics: dict[str, float] = {}
    for path, value in numbers(report):
        section, _, name = path.partition(".")
        if section.endswith("_metrics") and name:
            if name.endswith(".standard_deviation"):
                continue
            metrics[name.removesuffix(".value")] = float(value)
        elif section not in ("version", "dataset"):
            metrics[path] = float(value)
    return metrics


def names(measured: Sequence[VersionMetrics]) -> list[str]:
    """All metrics that any of the versions has, in the order of their first appearance."""
    return list(dict.fromkeys(name for item in measured for name in item.metrics))


def best(measured: Sequence[VersionMetrics], metric: str) -> VersionMetrics | None:
    """The version that is best by a metric; None unless at least two can be compared."""
    having = [item for item in measured if math.isfinite(item.metrics.get(metric, math.nan))]
    if len(having) < 2:
        return None
    words = metric.replace("-", ":").replace("_", ":").split(":")
    choose = min if any(word.endswith(SMALLER_IS_BETTER) for word in words) else max
    return choose(having, key=lambda item: item.metrics[metric])


def tables(measured: Sequence[VersionMetrics], width: int) -> Iterator[Table]:
    """One column for each version, one row for each metric; the best value of a row is marked by an asterisk.

    Several tables where one is wider than ``width`` characters.
    """
    room = width - max(map(len, [*names(measured), "approval"])) - 2 * EDGE
    per_table = max(1, room // COLUMN)
    for start in range(0, len(measured), per_table):
        yield table(measured, measured[start : start + per_table])


def table(measured: Sequence[VersionMetrics], shown: Sequence[VersionMetrics] | None = None) -> Table:
    """The versions ``shown``, by default all, each with what is best among all."""
    from rich.table import Table

    shown = measured if shown is None else shown
    made = Table("Metric", title=measured[0].version.group, title_justify="left")
    for item in shown:
        made.add_column(str(item.version.number), justify="right", no_wrap=True)
    made.add_row("approval", *(SHORT.get(item.version.approval, item.version.approval) for item in shown))
    made.add_row("created", *(f"{item.version.created:%Y-%m-%d\n%H:%M}" for item in shown))
    for metric in names(measured):
        winner = best(measured, metric)
        made.add_row(metric, *(_cell(item, metric, item is winner) for item in shown))
    return made


def _cell(item: VersionMetrics, metric: str, wins: bool) -> str:
    value = item.metrics.get(metric)
    return "-" if value is None else f"{value:.6g}{' *' if wins else ''}"


def plot(measured: Sequence[VersionMetrics], file: Path) -> Path:
    """Draws one panel for each metric, one bar for each version.

    :raises DeliveryError: if no version has metrics, or the file is none of ``PLOTS``.
    """
    if file.suffix.lower() not in PLOTS:
        raise DeliveryError(f"--plot {file}: the name must end in {', '.join(PLOTS)}")
    metrics = names(measured)
    if not metrics:
        raise DeliveryError("there is nothing to plot: none of the versions has metrics")
    from matplotlib.figure import Figure

    ordered = sorted(measured, key=lambda item: item.version.number)
    columns = min(3, len(metrics))
    rows = math.ceil(len(metrics) / columns)
    figure = Figure(figsize=(4.2 * columns, 3.0 * rows), layout="constrained")
    figure.suptitle(ordered[0].version.group)
    panels = figure.subplots(rows, columns, squeeze=False).ravel()
    for panel, metric in zip(panels, metrics, strict=False):
        winner = best(measured, metric)
        heights = [item.metrics.get(metric, math.nan) for item in ordered]
        colours = ["tab:blue" if item is winner else "lightsteelblue" for item in ordered]
        bars = panel.bar([str(item.version.number) for item in ordered], heights, color=colours)
        panel.bar_label(bars, fmt="%.4g", fontsize=8)
        panel.set_title(metric)
        panel.set_xlabel("version")
        panel.margins(y=0.15)
    for panel in panels[len(metrics) :]:
        panel.set_visible(False)
    file.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(file)
    return file
