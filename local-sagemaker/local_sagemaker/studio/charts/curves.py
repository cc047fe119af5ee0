"""Metric curves from the lines of a training log. Pure.

XGBoost writes one line a round, ``[12] train-rmse:1.59 validation-rmse:2.28``; scripts often write ``name: value`` or
``name=value`` with an epoch. What has at least two points is a curve.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from local_sagemaker.studio.charts.line import Series

_ROUND = re.compile(r"^\[(\d{1,9})\]\s")
_VALUE = re.compile(r"([A-Za-z][\w./@-]{0,60})\s?[:=]\s?(-?\d{1,12}(?:\.\d{1,18})?(?:[eE][-+]?\d{1,3})?)(?=[\s,;]|$)")
_EPOCH = re.compile(r"\b(?:epoch|step|iteration|round)\s?[:= ]\s?(\d{1,9})", re.I)
_COUNTERS = ("epoch", "step", "iteration", "round")
_MOST = 20


def curves(lines: Iterable[str]) -> list[Series]:
    """The curves by metric, over rounds."""
    by_name: dict[str, dict[float, float]] = {}
    for line in lines:
        if len(line) > 2_000:
            continue
        match = _ROUND.match(line) or _EPOCH.search(line)
        if match is None:
            continue
        for name, value in _VALUE.findall(line[match.end() :] if line.startswith("[") else line):
            if name.lower() not in _COUNTERS and (name in by_name or len(by_name) < _MOST):
                by_name.setdefault(name, {})[float(match[1])] = float(value)
    return [Series(name, tuple(sorted(points.items()))) for name, points in by_name.items() if len(points) > 1]
