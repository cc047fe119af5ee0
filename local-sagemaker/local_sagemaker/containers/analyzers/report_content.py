"""What the readable Clarify report says: headings, texts, tables and charts, from the analysis and nothing else.

`report` renders the same list as notebook, HTML and PDF. Every number shown is one of analysis.json, or counted here
from the dataset and said so.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from local_sagemaker.containers.analyzers.report_words import MEANINGS, STAGES
from model_checks.analysis.bias_counts import Counted
from model_checks.analysis.bias_metrics import divide
from model_checks.analysis.explainability import Explanation
from model_checks.arrays import Counts

Analysis = Mapping[str, Any]

_RANKED = 15  # features in a chart; the table has them all
_POINTS = 400  # local values drawn per feature


@dataclass(frozen=True)
class Heading:
    text: str
    level: int = 2


@dataclass(frozen=True)
class Text:
    text: str


@dataclass(frozen=True)
class CodeBlock:
    text: str


@dataclass(frozen=True)
class ReportTable:
    headers: Sequence[str]
    rows: Sequence[Sequence[str]]


@dataclass(frozen=True)
class Chart:
    """A chart: `draw` gets matplotlib axes; the caption says what it shows."""

    caption: str
    draw: Callable[[Any], None]
    height: float = 3.0  # inches, at a width of 7


Part = Heading | Text | CodeBlock | ReportTable | Chart


@dataclass(frozen=True)
class ReportEvidence:
    """What a report is made from."""

    name: str
    title: str
    config: Mapping[str, Any]
    analysis: Analysis
    violations: Sequence[Mapping[str, str]]
    rows: int
    features: Sequence[str]
    counted: Counted | None = None
    explanation: Explanation | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)


def format_number(value: Any) -> str:
    """A number in full: reading it back gives the one in analysis.json."""
    if value is None:
        return "none"
    return repr(value) if isinstance(value, float) else str(value)


def parts(evidence: ReportEvidence) -> Iterator[Part]:
    """The report from top to bottom."""
    yield Heading(evidence.title, 1)
    yield Text(f"{evidence.rows} rows, {len(evidence.features)} features.")
    if evidence.violations:
        yield from _violations(evidence.violations)
    counted = evidence.counted
    if counted is not None:
        yield from _label(counted)
    for stage, words in STAGES.items():
        if stage in evidence.analysis and counted is not None:
            yield from _stage(evidence.analysis[stage], words, counted, predicted=stage.startswith("post"))
    explanations = evidence.analysis.get("explanations", {})
    if "kernel_shap" in explanations:
        yield from _shap(explanations["kernel_shap"], evidence)
    if "pdp" in explanations:
        yield from _pdp(explanations["pdp"])
    yield Heading("Analysis configuration")
    yield CodeBlock(json.dumps(evidence.config, indent=2))


def _violations(violations: Sequence[Mapping[str, str]]) -> Iterator[Part]:
    yield Heading("Violations of the baseline")
    rows = [
        (
            item.get("facet", item.get("label", "")),
            item.get("facet_value", ""),
            item["metric_name"],
            item["description"],
        )
        for item in violations
    ]
    yield ReportTable(("Facet or label", "Value", "Metric", "What happened"), rows)


def _label(counted: Counted) -> Iterator[Part]:
    yield Heading("Label")
    yield Text(
        f"Label {counted.label_name}; an outcome is positive for {counted.label_text}: "
        f"{counted.positive} of {counted.rows} rows are (counted from the dataset)."
    )
    if counted.histogram is not None:
        counts, edges = counted.histogram.counts, counted.histogram.edges

        def draw(axes: Any) -> None:
            axes.bar(edges[:-1], counts, np.diff(edges), align="edge", color="#7a9cc6", edgecolor="white")
            axes.set_xlabel(f"label {counted.label_name}")
            axes.set_ylabel("rows")

        yield Chart(f"Distribution of the label {counted.label_name}: rows per range of values.", draw, 2.2)


def _stage(section: Mapping[str, Any], words: str, counted: Counted, predicted: bool) -> Iterator[Part]:
    title, explanation = words.split(": ", 1)
    yield Heading(title)
    yield Text(explanation)
    known = not (predicted and counted.predicted_error)
    listed = {name: iter(entries) for name, entries in section["facets"].items()}
    for counts in counted.facets:
        for group, entry in zip(counts.entries, listed.get(counts.facet.name, ()), strict=False):
            yield Heading(f"Facet {counts.facet.name}: {entry['value_or_threshold']}", 3)
            if group.inside is not None and known:
                table = counts.inside(group).sum(axis=3)
                yield from _groups(f"{counts.facet.name} {entry['value_or_threshold']}", table, predicted)
                if predicted:
                    yield from _performance(table)
            yield ReportTable(
                ("Metric", "Name", "Value", "What it means"),
                [
                    (
                        m["name"],
                        m["description"],
                        m.get("error") or format_number(m["value"]),
                        MEANINGS.get(m["name"], ""),
                    )
                    for m in entry["metrics"]
                ],
            )


def _groups(name: str, table: Counts, predicted: bool) -> Iterator[Part]:
    """`table` has the rows by being in the facet, label and prediction."""
    what = "predicted positive" if predicted else "positive"
    hits = table[:, :, 1].sum(axis=1) if predicted else table[:, 1].sum(axis=1)
    sides = ((name, 1), ("the rest", 0))
    counts = [(int(table[side].sum()), int(hits[side])) for _, side in sides]
    yield ReportTable(
        ("Group", "Rows", f"Rows {what}", f"Share {what}"),
        [
            (side, str(size), str(hits), f"{divide(hits, size):.4f}")
            for (side, _), (size, hits) in zip(sides, counts, strict=True)
        ],
    )

    def draw(axes: Any) -> None:
        names = [side for side, _ in sides]
        hits, sizes = [hit for _, hit in counts], [size for size, _ in counts]
        axes.barh(names, hits, color="#c46d5e", label=what)
        axes.barh(names, [s - h for s, h in zip(sizes, hits, strict=True)], left=hits, color="#c9d6e8", label="other")
        axes.set_xlabel("rows")
        axes.legend(loc="best", fontsize=8)

    yield Chart(f"Rows of {name} and of the rest, by outcome.", draw, 1.6)


def _performance(table: Counts) -> Iterator[Part]:
    rows = []
    for name, some in (("all rows", table.sum(axis=0)), ("the facet", table[1]), ("the rest", table[0])):
        (right, alarms), (missed, hits) = some.tolist()
        size = right + alarms + missed + hits
        figures = (
            divide(size - alarms - missed, size),
            divide(hits, hits + alarms),
            divide(hits, hits + missed),
            divide(2 * hits, 2 * hits + alarms + missed),
        )
        counted = (str(n) for n in (hits, alarms, missed, right))
        rows.append((name, *(f"{figure:.4f}" for figure in figures), *counted))
    yield Text("Performance of the model (counted from the dataset):")
    headers = ("Rows", "Accuracy", "Precision", "Recall", "F1", "True pos.", "False pos.", "False neg.", "True neg.")
    yield ReportTable(headers, rows)


def _shap(labels: Mapping[str, Any], evidence: ReportEvidence) -> Iterator[Part]:
    yield Heading("Which features the predictions rest on")
    settings = evidence.config["methods"]["shap"]
    yield Text(
        "Kernel SHAP values: how much a feature moved a prediction away from the expected one, that of the baseline. "
        f"Over all rows they are aggregated by {settings.get('agg_method', 'mean_abs')}"
        f"{', in log-odds' if settings.get('use_logit') else ''}. For each row the values add up to its prediction "
        "minus the expected value."
    )
    for position, (label, entry) in enumerate(labels.items()):
        values: Mapping[str, float] = entry["global_shap_values"]
        ranked = sorted(values, key=lambda name: -abs(values[name]))
        yield Heading(f"{label}: expected value {format_number(entry['expected_value'])}", 3)
        yield Chart(
            f"Features ranked by their global SHAP value for {label}: a longer bar moves predictions more.",
            _rank(ranked[:_RANKED], values),
            1.0 + 0.25 * min(len(ranked), _RANKED),
        )
        if evidence.explanation is not None:
            yield Chart(
                f"Local SHAP values for {label}, a dot per row: right of 0 the feature raised the prediction.",
                _swarm(ranked[:_RANKED], evidence, position),
                1.0 + 0.25 * min(len(ranked), _RANKED),
            )
        rows = [(str(rank), name, format_number(values[name])) for rank, name in enumerate(ranked, 1)]
        yield ReportTable(("Rank", "Feature", "Global SHAP value"), rows)


def _rank(names: Sequence[str], values: Mapping[str, float]) -> Callable[[Any], None]:
    def draw(axes: Any) -> None:
        axes.barh(list(reversed(names)), [values[name] for name in reversed(names)], color="#7a9cc6")
        axes.set_xlabel("global SHAP value")

    return draw


def _swarm(names: Sequence[str], evidence: ReportEvidence, label: int) -> Callable[[Any], None]:
    def draw(axes: Any) -> None:
        assert evidence.explanation is not None
        local = evidence.explanation.values[:, :, label]
        rows = np.linspace(0, len(local) - 1, min(_POINTS, len(local))).astype(int)
        columns = list(evidence.features)
        jitter = np.random.default_rng(0).uniform(-0.3, 0.3, len(rows))
        for place, name in enumerate(reversed(names)):
            axes.plot(
                local[rows, columns.index(name)], place + jitter, ".", markersize=2, color="#c46d5e", rasterized=True
            )
        axes.axvline(0, color="#888888", linewidth=0.8)
        axes.set_yticks(range(len(names)), list(reversed(names)))
        axes.set_xlabel("local SHAP value")

    return draw


def _pdp(entries: Sequence[Mapping[str, Any]]) -> Iterator[Part]:
    yield Heading("How the mean prediction depends on a feature")
    for entry in entries:
        yield Heading(entry["feature_name"], 3)
        if "error" in entry:
            yield Text(entry["error"])
            continue
        yield Chart(
            f"Mean prediction (line) and share of rows (bars) by {entry['feature_name']}, other features as they are.",
            _dependence(entry),
            2.4,
        )
        headers = (entry["feature_name"], "Share of rows", *entry["label_headers"])
        columns = [entry["feature_values"], entry["data_distribution"], *entry["model_predictions"]]
        yield ReportTable(headers, [[format_number(value) for value in row] for row in zip(*columns, strict=True)])


def _dependence(entry: Mapping[str, Any]) -> Callable[[Any], None]:
    def draw(axes: Any) -> None:
        values = entry["feature_values"]
        places = values if entry["data_type"] == "numerical" else list(range(len(values)))
        shares = axes.twinx()
        axes.set_zorder(shares.get_zorder() + 1)
        axes.patch.set_visible(False)
        width = (places[1] - places[0]) * 0.9 if len(places) > 1 else 0.9
        shares.bar(places, entry["data_distribution"], width, color="#c9d6e8", alpha=0.6)
        shares.set_ylabel("share of rows")
        for label, predictions in zip(entry["label_headers"], entry["model_predictions"], strict=True):
            axes.plot(places, predictions, marker="o", markersize=3, label=label)
        if entry["data_type"] != "numerical":
            axes.set_xticks(places, [str(value) for value in values], rotation=30, ha="right")
        axes.set_xlabel(entry["feature_name"])
        axes.set_ylabel("mean prediction")
        axes.legend(loc="best", fontsize=8)

    return draw
