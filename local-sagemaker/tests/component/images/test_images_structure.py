"""Every file of every check on four data sets: it has the documented structure, and independent formulas agree.

The abalone data; a binary problem with text and missing values; a multiclass one; a wide one with 200 columns.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from jsonschema import validate
from sklearn import metrics as sk

from tests import monitor_schemas as schemas
from tests.analyzer_jobs import JobFolder, model_server, rows_of
from tests.support import shared_file

HEADER = {"csv": {"header": True}}
RANDOM = np.random.default_rng(17)


def abalone() -> pd.DataFrame:
    names = ["sex", "length", "diameter", "height", "whole", "shucked", "viscera", "shell", "rings"]
    frame = pd.read_csv(shared_file("data/abalone.csv"), header=None, names=names)
    frame["p"] = frame["rings"].mean() + (frame["shell"] - frame["shell"].mean()) * 15
    frame["rings"] = frame["rings"].astype(float)  # as the pipeline writes it; whole numbers would be categories
    return frame.rename(columns={"rings": "y"})


def binary() -> pd.DataFrame:
    size = 900
    frame = pd.DataFrame({"y": RANDOM.integers(0, 2, size), "age": RANDOM.normal(40, 12, size).round(1)})
    frame["job"] = RANDOM.choice(["clerk", "nurse, head", 'the "boss"', None], size)
    frame["note"] = [f"note {position}" for position in range(size)]
    frame["score"] = (1 / (1 + np.exp(-(frame["y"] - 0.5) * 2 - RANDOM.normal(size=size)))).round(4)
    frame.loc[RANDOM.random(size) < 0.2, "age"] = np.nan
    frame["p"] = (frame["score"] > 0.5).astype(int)
    return frame


def multiclass() -> pd.DataFrame:
    size = 400
    frame = pd.DataFrame({"y": RANDOM.choice(list("abc"), size, p=[0.5, 0.3, 0.2]), "x": RANDOM.exponential(size=size)})
    return frame.assign(p=np.where(RANDOM.random(size) < 0.7, frame["y"], "a"))


def wide() -> pd.DataFrame:
    frame = pd.DataFrame(RANDOM.normal(size=(150, 198)).round(5), columns=[f"f{i}" for i in range(198)])
    return frame.assign(y=(frame["f0"] > 0).astype(int), p=(frame["f0"] + 0.3 * frame["f1"] > 0).astype(int))


TABLES = {"abalone": abalone, "binary": binary, "multiclass": multiclass, "wide": wide}
PROBLEMS = {
    "abalone": ("Regression", schemas.REGRESSION),
    "binary": ("BinaryClassification", schemas.BINARY),
    "multiclass": ("MulticlassClassification", schemas.MULTICLASS),
    "wide": ("BinaryClassification", schemas.BINARY),
}
BIASES: dict[str, dict[str, Any]] = {
    "abalone": {"label_values_or_threshold": [11], "facet": [{"name_or_index": "sex", "value_or_threshold": ["I"]}]},
    "binary": {"label_values_or_threshold": [1], "facet": [{"name_or_index": "age", "value_or_threshold": [40]}]},
    "multiclass": {"label_values_or_threshold": ["a"], "facet": [{"name_or_index": "x", "value_or_threshold": [1]}]},
    "wide": {"label_values_or_threshold": [1], "facet": [{"name_or_index": "f1", "value_or_threshold": [0]}]},
}


@pytest.fixture
def jobs(tmp_path: Path) -> JobFolder:
    return JobFolder(tmp_path / "ml")


def csv_of(frame: pd.DataFrame) -> dict[str, str | bytes]:
    return {"data.csv": frame.to_csv(index=False)}


@pytest.mark.parametrize("name", TABLES)
def test_data_quality(jobs: JobFolder, name: str) -> None:
    frame = TABLES[name]()
    first = jobs.monitor(csv_of(frame), HEADER)
    statistics = first.json("statistics.json")
    validate(statistics, schemas.STATISTICS)
    validate(first.json("constraints.json"), schemas.CONSTRAINTS)
    assert first.files() == ["constraints.json", "statistics.json"]
    for feature in statistics["features"]:
        check_feature(feature, frame[feature["name"]])
    drifted = frame.assign(**{frame.columns[1]: ["drifted"] * len(frame)}).drop(columns="p")
    violated = jobs.monitor(csv_of(drifted), HEADER, **jobs.keep_baseline(first))
    violations = violated.json("constraint_violations.json")
    validate(violations, schemas.DATA_VIOLATIONS)
    named = {violation["feature_name"] for violation in violations["violations"]}
    assert named == {frame.columns[1], "Missing columns"}


def check_feature(feature: dict[str, Any], column: pd.Series) -> None:
    known = column.dropna()
    block = feature.get("numerical_statistics") or feature["string_statistics"]
    assert block["common"] == {"num_present": len(known), "num_missing": len(column) - len(known)}
    if "string_statistics" in feature:
        assert block["distinct_count"] == known.nunique()
        return
    assert [block["mean"], block["sum"], block["std_dev"]] == pytest.approx(
        [known.mean(), known.sum(), np.sqrt(((known - known.mean()) ** 2).mean())], rel=1e-9, abs=1e-12
    )
    assert block["approximate_num_distinct_values"] == known.nunique()
    edges = np.linspace(known.min(), known.max(), 11)
    counts = [bucket["count"] for bucket in block["distribution"]["kll"]["buckets"]]
    below = np.array([(known < edge).sum() for edge in edges[1:-1]])
    # KLL with k = 2048: the error of a rank is below 0.1 % for one query, 0.2 % allows for all nine
    assert np.abs(np.cumsum(counts)[:-1] - below).max() <= max(1, 0.002 * len(known))
    assert sum(counts) == len(known)


@pytest.mark.parametrize("name", TABLES)
def test_model_quality(jobs: JobFolder, name: str) -> None:
    frame, (problem, schema) = TABLES[name](), PROBLEMS[name]
    environment = {"analysis_type": "MODEL_QUALITY", "problem_type": problem}
    environment |= {"inference_attribute": "p", "ground_truth_attribute": "y"}
    environment |= {"probability_attribute": "score"} if "score" in frame else {}
    ended = jobs.monitor(csv_of(frame), HEADER, **environment)
    validate(ended.json("statistics.json"), schema)
    validate(ended.json("constraints.json"), schemas.QUALITY_CONSTRAINTS)
    (section,) = [value for key, value in ended.json("statistics.json").items() if key.endswith("_metrics")]
    values = {key: metric["value"] for key, metric in section.items() if "value" in metric}
    expected = by_scikit_learn(frame, problem)
    assert {key: values[key] for key in expected} == pytest.approx(expected, rel=1e-9)
    worse = frame.assign(p=frame["p"] + 1 if problem == "Regression" else RANDOM.permutation(frame["p"]))
    baseline = {"baseline_constraints": jobs.keep_baseline(ended)["baseline_constraints"]}
    violated = jobs.monitor(csv_of(worse), HEADER, **environment, **baseline)
    validate(violated.json("constraint_violations.json"), schemas.QUALITY_VIOLATIONS)


def by_scikit_learn(frame: pd.DataFrame, problem: str) -> dict[str, float]:
    y, p = frame["y"], frame["p"]
    if problem == "Regression":
        return {
            "mae": sk.mean_absolute_error(y, p),
            "mse": sk.mean_squared_error(y, p),
            "rmse": sk.root_mean_squared_error(y, p),
            "r2": sk.r2_score(y, p),
        }
    if problem == "MulticlassClassification":
        found = {"accuracy": sk.accuracy_score(y, p)}
        for metric, score in (("precision", sk.precision_score), ("recall", sk.recall_score), ("f1", sk.f1_score)):
            found[f"weighted_{metric}"] = score(y, p, average="weighted")
        return found
    found = {"recall": sk.recall_score(y, p), "precision": sk.precision_score(y, p), "f1": sk.f1_score(y, p)}
    found |= {"f0_5": sk.fbeta_score(y, p, beta=0.5), "true_negative_rate": sk.recall_score(y, p, pos_label=0)}
    return found | ({"auc": sk.roc_auc_score(y, frame["score"])} if "score" in frame else {})


@pytest.mark.parametrize("name", TABLES)
def test_bias(jobs: JobFolder, name: str) -> None:
    frame = TABLES[name]()
    config = {"dataset_type": "text/csv", "label": "y", "predicted_label": "p", **BIASES[name]}
    config["methods"] = {kind: {"methods": "all"} for kind in ("pre_training_bias", "post_training_bias")}
    config["methods"]["report"] = {"name": "report"}
    ended = jobs.clarify(config, csv_of(frame))
    assert ended.code == 0, ended.message
    analysis = ended.json("analysis.json")
    validate(analysis, schemas.ANALYSIS)
    assert {"analysis.json", "report.html", "report.ipynb", "report.pdf"} == set(ended.files())
    d, y, p = marked(frame, BIASES[name])
    values = {}
    for stage in ("pre_training_bias_metrics", "post_training_bias_metrics"):
        (entries,) = analysis[stage]["facets"].values()
        values |= {metric["name"]: metric["value"] for metric in entries[0]["metrics"]}
    expected = {
        "CI": ((~d).sum() - d.sum()) / len(d),
        "DPL": y[~d].mean() - y[d].mean(),
        "DPPL": p[~d].mean() - p[d].mean(),
        "DI": p[d].mean() / p[~d].mean(),
        "AD": (y == p)[~d].mean() - (y == p)[d].mean(),
        "RD": p[y & ~d].mean() - p[y & d].mean(),
    }
    assert {key: values[key] for key in expected} == pytest.approx(expected, abs=1e-12)
    stricter = re.sub(
        r'("name": "DPL",\s*"description": "[^"]*",\s*"value": )[^\s,]+', r"\g<1>0.0", analysis_text(ended)
    )
    jobs.write("processing/input/baseline/analysis.json", stricter)
    violated = jobs.clarify(config, csv_of(frame), baseline_constraints="/opt/ml/processing/input/baseline")
    violations = violated.json("constraint_violations.json")
    validate(violations, schemas.CLARIFY_VIOLATIONS)
    assert [violation["metric_name"] for violation in violations["violations"]] == ["DPL"]


def analysis_text(ended: Any) -> str:
    return str((ended.output / "analysis.json").read_text())


def marked(frame: pd.DataFrame, settings: dict[str, Any]) -> Any:
    """Which rows are of the facet, have a positive label and a positive prediction."""
    (facet,) = settings["facet"]
    (value,), (positive,) = facet["value_or_threshold"], settings["label_values_or_threshold"]
    column = frame[facet["name_or_index"]]
    of_facet = column == value if isinstance(value, str) else column > value
    if isinstance(positive, str) or positive == 1:
        return of_facet, frame["y"] == positive, frame["p"] == positive
    return of_facet, frame["y"] > positive, frame["p"] > positive


@pytest.mark.parametrize("name", ["abalone", "wide"])
def test_explainability(jobs: JobFolder, name: str) -> None:
    frame = TABLES[name]().drop(columns="p").head(60)
    frame = frame.assign(sex=(frame["sex"] == "M").astype(int)) if name == "abalone" else frame
    weights = np.linspace(1, 2, len(frame.columns) - 1)

    def linear(_: str, body: bytes) -> bytes:
        return "".join(f"{score!r}\n" for score in (rows_of(body) @ weights).tolist()).encode()

    shap = {"seed": 3, "save_local_shap_values": True, "num_samples": 500}
    config = {"dataset_type": "text/csv", "label": "y", "methods": {"shap": shap, "report": {"name": "report"}}}
    with model_server(linear) as (address, _):
        ended = jobs.clarify(config, csv_of(frame), LOCAL_SAGEMAKER_MODEL_SERVER=address)
    assert ended.code == 0, ended.message
    analysis = ended.json("analysis.json")
    validate(analysis, schemas.ANALYSIS)
    found = analysis["explanations"]["kernel_shap"]["label0"]
    local = pd.read_csv(ended.output / "explanations_shap" / "out.csv")
    features = frame.drop(columns="y")
    assert list(local.columns) == [f"{column}_label0" for column in features.columns]
    prediction = features.to_numpy(dtype=float) @ weights
    assert local.sum(axis=1).to_numpy() == pytest.approx(prediction - found["expected_value"], abs=1e-8)
    exact = (features - features.mean()) * weights
    assert local.to_numpy() == pytest.approx(exact.to_numpy(), abs=1e-6)
    means = dict(zip(features.columns, np.abs(local).mean(axis=0), strict=True))
    assert found["global_shap_values"] == pytest.approx(means)
