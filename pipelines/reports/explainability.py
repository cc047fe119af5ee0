"""The sections of an explainability page: attributions by rank, where they ranked before, and how much has stayed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pipelines.reports.attributions import THRESHOLD, explanations, ndcg, ranks, read_expected
from pipelines.reports.evidence import Evidence
from pipelines.reports.names import Names
from pipelines.reports.page import Html, Section, data, join, paragraph, table
from pipelines.reports.plots import Plot, bars, figure, room_for

PLOTTED = 20  # features


def sections(evidence: Evidence) -> Iterator[Section]:
    earlier = explanations(evidence.baseline_constraints)
    violating = {str(item.get("label")) for item in evidence.violations}
    for label, now in explanations(evidence.constraints).items():
        before = earlier.get(label, {})
        ranked = sorted(now, key=lambda name: -now[name])
        body = join(
            _score(label, before, now, evidence),
            _plot(label, before, now, ranked[:PLOTTED], evidence.names, label in violating),
            _table(label, before, now, ranked, evidence),
        )
        shown = ranked[:PLOTTED]
        plotted = {
            "names": shown,
            "baseline": [before.get(name) for name in shown] if before else None,
            "current": [now[name] for name in shown],
        }
        yield Section(f"Attributions for {label}", body, {f"attributions/{label}": plotted})


def _score(label: str, before: Mapping[str, float], now: Mapping[str, float], evidence: Evidence) -> Html:
    expected = data(read_expected(evidence.constraints, label), label, "expected_value", "current").markup
    words = (
        "An attribution is the mean absolute SHAP value: how much the feature moves a prediction, up or down, on "
        "average over the rows, in units of the prediction. "
    )
    text = f"<p>{words}Without any feature the model predicts {expected}.</p>"
    if before:
        score = data(ndcg(before, now), label, "ndcg").markup
        text += (
            f"<p>How much of the baseline's ranking has stayed (nDCG): <b>{score}</b>. 1 is all of it; "
            f"below {THRESHOLD} the check reports a violation.</p>"
        )
    return Html(text)


def _plot(
    label: str, before: Mapping[str, float], now: Mapping[str, float], shown: list[str], names: Names, bad: bool
) -> Html:
    earlier = [before.get(name) for name in shown] if before else None
    short = [names.short(name) for name in shown]
    plot = Plot(
        f"Attributions for {label}", "mean |SHAP value|", "", bars(short, earlier, [now[name] for name in shown]), bad
    )
    return figure([plot] if shown else [], 1, 0.26 * len(shown), 6.0, room_for(short))


def _table(
    label: str, before: Mapping[str, float], now: Mapping[str, float], ranked: list[str], evidence: Evidence
) -> Html:
    old, new = ranks(before), ranks(now)
    rows = []
    for name in [*ranked, *(name for name in before if name not in now)]:
        cells: list[Any] = [
            new.get(name, "gone"),
            old.get(name, "new") if before else "",
            evidence.names.of(name),
            data(before.get(name), label, name, "baseline"),
            data(now.get(name), label, name, "current"),
        ]
        rows.append((False, cells))
    if before:
        return table(["Rank now", "Rank before", "Feature", "Before", "Now"], rows, numeric=(0, 1, 3, 4))
    return join(
        paragraph("There is no baseline to compare with."),
        table(["Rank", "", "Feature", "", "Value"], rows, numeric=(0, 3, 4)),
    )
