"""The numbers in an execution's property files: kept with its record, so that executions are listed by them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any, Final

from local_sagemaker.engine.definition import Definition
from local_sagemaker.engine.expressions import ExpressionError
from local_sagemaker.engine.scope import Results
from local_sagemaker.records.status import StepStatus

METRICS: Final = "_metrics"
"""The member of the execution's record: pairs of ``Name`` and ``Value`` as texts, like its parameters."""
_MOST = 40
_DEEPEST = 6


def metric_pairs(
    definition: Definition, records: Mapping[str, Mapping[str, Any]], results: Results
) -> list[dict[str, str]]:
    """The metrics of the steps that succeeded, in the order of the definition; of two of one name the first."""
    metrics: dict[str, float] = {}
    for name, step in definition.steps.items():
        if records.get(name, {}).get("StepStatus") != StepStatus.SUCCEEDED:
            continue
        for declared in step.property_files:
            try:
                document = results.file(name, declared)
            except ExpressionError:
                continue  # no expression reads it, so nothing fails by it
            for path, value in numbers_in(document):
                metrics.setdefault(path, value)
    return [{"Name": name, "Value": repr(value)} for name, value in list(metrics.items())[:_MOST]]


def numbers_in(document: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, float]]:
    """Dotted names and finite numbers of a document; ``a.value`` is named ``a``, as in SageMaker's metrics files."""
    if isinstance(document, Mapping):
        for name, value in document.items():
            if len(path) < _DEEPEST:
                yield from numbers_in(value, (*path, str(name)))
    elif isinstance(document, (int, float)) and not isinstance(document, bool) and math.isfinite(document) and path:
        shown = path[:-1] if path[-1] == "value" and len(path) > 1 else path
        yield ".".join(shown), document
