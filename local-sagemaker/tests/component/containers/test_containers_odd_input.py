"""docs/reference/odd-input.md, tested from its own table: each row's data are run through its check."""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path
from typing import Any

import pytest
from jsonschema import validate

from tests import monitor_schemas as schemas
from tests.analyzer_jobs import Ended, JobFolder, model_server, rows_of
from tests.support import document

PAGE = document("reference/odd-input.md")
HEADER = {"csv": {"header": True}}
PREFIX = re.compile(r"\A(ClientError|Error): ")


def rows() -> list[tuple[str, ...]]:
    """Check, input, data, settings and outcome of each row."""
    cells = [re.split(r"(?<!\\) \| ", line.strip("| \n")) for line in PAGE.read_text("utf-8").splitlines()]
    table = [tuple(cell.strip() for cell in line) for line in cells if len(line) == 5]
    return [row for row in table if row[0] in CHECKS]


def code(cell: str) -> str:
    return cell.removeprefix("`").removesuffix("`").replace("\\|", "|")


def files(cell: str) -> dict[str, bytes]:
    """The files of a data cell, between "then": byte literals between "+", some of them several times."""
    return {f"{chr(ord('a') + position)}.csv": content(part) for position, part in enumerate(cell.split(" then "))}


def content(cell: str) -> bytes:
    found = b""
    for part in cell.split(" + "):
        times, _, literal = part.rpartition(" x ")
        found += ast.literal_eval(f"b'''{code(literal)}'''") * int(times or 1)
    return found


def number(value: Any) -> str:
    return "null" if value is None else str(round(value, 4)) if isinstance(value, float) else str(value)


def data_quality(jobs: JobFolder, data: dict[str, bytes], settings: dict[str, Any]) -> str:
    given: dict[str, str] = {}
    if "baseline" in settings:
        given = jobs.keep_baseline(jobs.monitor({"a.csv": settings["baseline"]}, HEADER))
    ended = jobs.monitor(data, settings.get("dataset_format", HEADER), **given)
    if ended.code:
        return failure(ended)
    statistics, constraints = ended.json("statistics.json"), ended.json("constraints.json")
    validate(statistics, schemas.STATISTICS)
    validate(constraints, schemas.CONSTRAINTS)
    shown = []
    for feature, constraint in zip(statistics["features"], constraints["features"], strict=True):
        block = feature.get("numerical_statistics") or feature.get("string_statistics")
        common = (block or {}).get("common") or {"num_present": 0, "num_missing": statistics["dataset"]["item_count"]}
        total = common["num_present"] + common["num_missing"]
        assert constraint["completeness"] == pytest.approx(common["num_present"] / total)
        shown.append(f"{feature['name']} {feature['inferred_type']} {common['num_present']} of {total}")
    if "constraint_violations.json" in ended.files():
        for violation in ended.json("constraint_violations.json")["violations"]:
            shown.append(f"{violation['constraint_check_type']} {violation['feature_name']}")
    return "; ".join(shown)


def model_quality(jobs: JobFolder, data: dict[str, bytes], settings: dict[str, Any]) -> str:
    given = {"analysis_type": "MODEL_QUALITY", "problem_type": "Regression"}
    given |= {"inference_attribute": "p", "ground_truth_attribute": "y"} | settings
    ended = jobs.monitor(data, HEADER, **given)
    if ended.code:
        return failure(ended)
    statistics = ended.json("statistics.json")
    (section,) = [name for name in statistics if name.endswith("_metrics")]
    known = {"regression": schemas.REGRESSION, "binary_classification": schemas.BINARY}
    validate(statistics, known.get(section.removesuffix("_metrics"), schemas.MULTICLASS))
    validate(ended.json("constraints.json"), schemas.QUALITY_CONSTRAINTS)
    shown = ("mse", "r2") if section.startswith("regression") else ("accuracy", "true_negative_rate")
    metrics = statistics[section]
    values = [f"{name} {number(metrics[name]['value'])}" for name in shown if name in metrics]
    return "; ".join([f"{statistics['dataset']['item_count']} rows", *values])


def clarify(jobs: JobFolder, data: dict[str, bytes], config: dict[str, Any]) -> Ended:
    def total(_: str, body: bytes) -> bytes:
        rows = rows_of(re.sub(rb"(?<![^,\n])(?=[,\n])", b"0", body))  # as trees do, it takes missing values
        return "".join(f"{sum(row)}\n" for row in rows).encode()

    with model_server(total) as (address, _):
        return jobs.clarify({"dataset_type": "text/csv", **config}, data, LOCAL_SAGEMAKER_MODEL_SERVER=address)


def bias(jobs: JobFolder, data: dict[str, bytes], settings: dict[str, Any]) -> str:
    facet = settings.pop("facet_values", [0])
    config = {
        "label": "y",
        "predicted_label": "p",
        "label_values_or_threshold": [1],
        "facet": [{"name_or_index": "f", **({"value_or_threshold": facet} if facet else {})}],
        "methods": {"pre_training_bias": {"methods": ["CI", "DPL"]}, "post_training_bias": {"methods": ["DPPL"]}},
    }
    ended = clarify(jobs, data, config | settings)
    if ended.code:
        return failure(ended)
    analysis = ended.json("analysis.json")
    validate(analysis, schemas.ANALYSIS)
    shown = []
    for stage in ("pre", "post"):
        for entry in analysis[f"{stage}_training_bias_metrics"]["facets"]["f"]:
            for metric in entry["metrics"]:
                error = f": {metric['error']}" if "error" in metric else ""
                shown.append(f"{entry['value_or_threshold']} {metric['name']} {number(metric['value'])}{error}")
    return "; ".join(shown)


def explainability(jobs: JobFolder, data: dict[str, bytes], settings: dict[str, Any]) -> str:
    ended = clarify(jobs, data, {"label": "y", "methods": {"shap": {"seed": 1}}} | settings)
    if ended.code:
        return failure(ended)
    analysis = ended.json("analysis.json")
    validate(analysis, schemas.ANALYSIS)
    found = analysis["explanations"]["kernel_shap"]["label0"]
    values = [f"{name} {number(value)}" for name, value in found["global_shap_values"].items()]
    return "; ".join([*values, f"expected {number(found['expected_value'])}"])


def failure(ended: Ended) -> str:
    assert ended.code == 255 and ended.files() == []
    assert (ended.ml / "output" / "failure").read_text() == ended.message
    return f"fails: {PREFIX.sub('', ended.message)}"


CHECKS = {
    "data quality": data_quality,
    "model quality": model_quality,
    "bias": bias,
    "explainability": explainability,
}


def test_the_table_has_rows_for_every_check() -> None:
    assert len(rows()) >= 40
    assert {row[0] for row in rows()} == set(CHECKS)


@pytest.mark.parametrize("row", rows(), ids=lambda row: f"{row[0]}: {row[1]}")
def test_row(tmp_path: Path, row: tuple[str, ...]) -> None:
    check, _, data, settings, outcome = row
    found = CHECKS[check](JobFolder(tmp_path / "ml"), files(data), json.loads(code(settings)) if settings else {})
    assert found == code(outcome)
