"""What AWS's Model Monitor and Clarify containers wrote, reproduced: the cases of the reference data."""

import csv
import gzip
import io
import json
import random
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from jsonschema import validate

from model_checks.analysis import bias, spark_json
from tests import monitor_schemas as schemas
from tests.analyzer_jobs import Ended, JobFolder, model_server
from tests.support import shared_file

pytestmark = pytest.mark.truth

CSV_HEADER = {"csv": {"header": True, "output_columns_position": "START"}}
NO_VIOLATIONS = "Completed: Job completed successfully with no violations."


def truth(name: str) -> Path:
    return shared_file(f"truth/{name}")


@pytest.fixture
def jobs(tmp_path: Path) -> JobFolder:
    return JobFolder(tmp_path / "ml")


# -- data quality

ESTIMATES = {"distinct_count", "approximate_num_distinct_values"}


def compare(ours: Any, right: Any, where: str = "") -> None:
    """Structure and order exactly, numbers at 1e-9; what is sketched is compared elsewhere."""
    assert type(ours) is type(right), where
    if isinstance(right, dict):
        assert list(ours) == list(right), where
        for name, value in right.items():
            if name in ESTIMATES:
                assert ours[name] == pytest.approx(value, rel=0.12), where  # two estimates, each within 6 %
            elif name != "data" and (name != "count" or "/kll" not in where):
                compare(ours[name], value, f"{where}/{name}")
    elif isinstance(right, list):
        assert len(ours) == len(right), where
        for position, pair in enumerate(zip(ours, right, strict=True)):
            compare(*pair, f"{where}[{position}]")
    elif isinstance(right, float):
        assert ours == pytest.approx(right, rel=1e-9), where
    else:
        assert ours == right, where


@pytest.fixture(scope="module")
def housing(tmp_path_factory: pytest.TempPathFactory) -> tuple[Ended, pd.DataFrame]:
    content = gzip.decompress(truth("dq-housing-full/input.csv.gz").read_bytes())
    ended = JobFolder(tmp_path_factory.mktemp("housing") / "ml").monitor({"train.csv": content}, CSV_HEADER)
    return ended, pd.read_csv(io.BytesIO(content), dtype=str, keep_default_na=False)


def test_housing_statistics_and_constraints(housing: tuple[Ended, pd.DataFrame]) -> None:
    ended, _ = housing
    assert ended.message == NO_VIOLATIONS
    for name in ("statistics.json", "constraints.json"):
        compare(ended.json(name), json.loads(truth(f"dq-housing-full/{name}").read_text()))
    validate(ended.json("statistics.json"), schemas.STATISTICS)
    validate(ended.json("constraints.json"), schemas.CONSTRAINTS)


def test_housing_sketches_and_distinct_counts(housing: tuple[Ended, pd.DataFrame]) -> None:
    ended, frame = housing
    for feature in ended.json("statistics.json")["features"]:
        column = frame[feature["name"]]
        block = feature.get("numerical_statistics") or feature["string_statistics"]
        distinct = block.get("approximate_num_distinct_values", block.get("distinct_count"))
        numbers = column.astype(float) if "numerical_statistics" in feature else column
        assert distinct == pytest.approx(numbers.nunique(), rel=0.06)
        if "numerical_statistics" in feature:
            kll = block["distribution"]["kll"]
            exact = np.histogram(numbers, 10, (block["min"], block["max"]))[0]
            counts = [bucket["count"] for bucket in kll["buckets"]]
            assert sum(counts) == len(column)
            assert np.abs(np.array(counts) - exact).max() <= 0.005 * len(column)
            values = np.concatenate([level for level in kll["sketch"]["data"] if level])
            weights = np.concatenate([[2.0**h] * len(level) for h, level in enumerate(kll["sketch"]["data"])])
            for position, bucket in enumerate(kll["buckets"]):
                inside = (values >= bucket["lower_bound"]) & (values < bucket["upper_bound"])
                inside = values >= bucket["lower_bound"] if position == 9 else inside
                assert weights[inside].sum() == bucket["count"]


def test_the_style_of_the_printer_is_sparks_byte_by_byte(housing: tuple[Ended, pd.DataFrame]) -> None:
    for name in ("statistics.json", "constraints.json"):
        text = truth(f"dq-housing-full/{name}").read_text()
        assert spark_json.dumps(json.loads(text)) == text
        ours = (housing[0].output / name).read_text()
        assert spark_json.dumps(json.loads(ours)) == ours


@pytest.mark.parametrize("change", ["rows shuffled", "columns renamed", "a tenth dropped"])
def test_perturbed_housing_against_independent_formulas(jobs: JobFolder, change: str) -> None:
    frame = pd.read_csv(io.BytesIO(gzip.decompress(truth("dq-housing-full/input.csv.gz").read_bytes())), dtype=str)
    if change == "columns renamed":
        frame.columns = [f"the {name}" for name in frame.columns]
    frame = frame.sample(frac=0.9 if change == "a tenth dropped" else 1, random_state=3)
    statistics = jobs.monitor({"a.csv": frame.to_csv(index=False)}, CSV_HEADER).json("statistics.json")
    assert statistics["dataset"]["item_count"] == len(frame)
    for feature in statistics["features"]:
        block = feature.get("numerical_statistics")
        if block:
            values = frame[feature["name"]].astype(float).to_numpy()
            expected = {"mean": values.mean(), "std_dev": values.std(), "sum": values.sum()}
            assert {name: block[name] for name in expected} == pytest.approx(expected, rel=1e-9)
            assert (block["min"], block["max"]) == (values.min(), values.max())


def test_constraints_of_a_headerless_csv_have_the_recorded_structure(jobs: JobFolder) -> None:
    ended = jobs.monitor({"a.csv": "-1.5,2.25\n0.5,-3.5\n"}, {"csv": {"header": False}})
    compare(ended.json("constraints.json"), json.loads(truth("dq-noheader-constraints/constraints.json").read_text()))


def test_a_capture_file_is_a_dataset(jobs: JobFolder) -> None:
    text = truth("capture-json-hcp/capture.jsonl").read_text()
    ended = jobs.monitor({"33-45-123-uuid.jsonl": text}, {"sagemakerCaptureJson": {}})
    assert ended.message == NO_VIOLATIONS
    statistics = ended.json("statistics.json")
    validate(statistics, schemas.STATISTICS)
    records = [
        row
        for line in text.splitlines()
        for row in json.loads(json.loads(line)["captureData"]["endpointInput"]["data"])
    ]
    assert statistics["dataset"]["item_count"] == len(records)
    names = [feature["name"] for feature in statistics["features"]]
    assert names[:2] == ["predictions", "scores"]
    age = next(feature for feature in statistics["features"] if feature["name"] == "Age")
    assert age["numerical_statistics"]["mean"] == pytest.approx(np.mean([row["Age"] for row in records]))


# -- model quality


def binary(jobs: JobFolder, content: str, **more: str) -> Ended:
    return jobs.monitor(
        {"baseline.csv": content},
        CSV_HEADER,
        analysis_type="MODEL_QUALITY",
        problem_type="BinaryClassification",
        inference_attribute="prediction",
        probability_attribute="probability",
        ground_truth_attribute="label",
        **more,
    )


def printed(name: str) -> list[list[str]]:
    """The lines of a printed pandas table: its index and the rest."""
    return [line.split(maxsplit=1) for line in truth(name).read_text().splitlines()[1:] if line.strip()]


def test_binary_quality_of_one_class(jobs: JobFolder) -> None:
    ended = binary(jobs, truth("mq-binary-pdm/input.csv").read_text())
    metrics = ended.json("statistics.json")["binary_classification_metrics"]
    validate(ended.json("statistics.json"), schemas.BINARY)
    flat: dict[str, Any] = {}
    for name, metric in metrics.items():
        for key, value in metric.items():
            flat |= (
                {f"{name}.{key}.{inner}": v for inner, v in value.items()}
                if isinstance(value, dict)
                else {f"{name}.{key}": value}
            )
    lines = printed("mq-binary-pdm/statistics_metrics_cell33.txt")
    assert len(lines) == len(flat)
    for (shown, text), (name, value) in zip(lines, flat.items(), strict=True):
        assert name.startswith(shown.removesuffix("..."))
        if "curve" in name:  # printed up to its first 47 characters
            first = [float(point) for point in text.strip("[").split(",")[:-1]]
            assert len(first) >= 2
            assert value[: len(first)] == pytest.approx(first, abs=1e-12)
        elif text == "None":
            assert value is None
        elif name.endswith("standard_deviation"):
            assert value == pytest.approx(float(text), abs=0.004)
        else:
            assert value == pytest.approx(float(text), abs=5e-7)


def test_binary_constraints_and_the_texts_of_violations(jobs: JobFolder) -> None:
    first = binary(jobs, truth("mq-binary-pdm/input.csv").read_text())
    constraints = first.json("constraints.json")
    validate(constraints, schemas.QUALITY_CONSTRAINTS)
    expected = {name: rest.split() for name, rest in printed("mq-binary-pdm/constraints_cell36.txt")}
    found = constraints["binary_classification_constraints"]
    assert list(found) == list(expected)
    for name, (threshold, operator) in expected.items():
        assert found[name]["comparison_operator"] == operator
        limit = found[name]["threshold"]
        assert limit is None if threshold == "None" else limit == pytest.approx(float(threshold), abs=5e-7)
    # the recorded counts: 91 positives of 124, 17 of them found, 6 false alarms
    rows = ["1,1"] * 17 + ["0,1"] * 74 + ["1,0"] * 6 + ["0,0"] * 27
    content = "probability,prediction,label\n" + "".join(f"0.5,{row}\n" for row in rows)
    baseline = {"baseline_constraints": jobs.keep_baseline(first)["baseline_constraints"]}
    ended = binary(jobs, content, **baseline)
    ours = {v["metric_name"]: v for v in ended.json("constraint_violations.json")["violations"]}
    right = {
        row["metric_name"]: row
        for row in csv.DictReader(io.StringIO(truth("mq-binary-pdm/violations_cell66.csv").read_text()))
    }
    assert set(ours) == set(right)
    for name, violation in ours.items():
        assert violation["constraint_check_type"] == right[name]["constraint_check_type"]
        if name != "auc":  # its scores are not recorded
            assert violation["description"] == right[name]["description"]


def test_multiclass_structure(jobs: JobFolder) -> None:
    names = ["surprise", "happy", "optimistic", "anger", "neutral", "affectionate", "fear", "sad"]
    rows = [(name, names[(i + j) % 8]) for i, name in enumerate(names) for j in (0, 0, 1)]
    frame = pd.DataFrame(rows, columns=["true_label", "pred_label"])
    ended = jobs.monitor(
        {"a.csv": frame.to_csv(index=False)},
        CSV_HEADER,
        analysis_type="MODEL_QUALITY",
        problem_type="MulticlassClassification",
        inference_attribute="pred_label",
        ground_truth_attribute="true_label",
    )
    metrics = ended.json("statistics.json")["multiclass_classification_metrics"]
    leaves = [name for name in metrics["confusion_matrix"] for _ in names]
    leaves += [name for name, metric in metrics.items() if "value" in metric for _ in metric]
    assert len(leaves) == 88
    assert all(metric["standard_deviation"] is None for metric in metrics.values() if "value" in metric)
    rows_of_case = list(csv.reader(io.StringIO(truth("mq-multiclass-emotions/constraints.csv").read_text())))[1:]
    constraints = ended.json("constraints.json")["multiclass_classification_constraints"]
    assert [(n, c["comparison_operator"]) for n, c in constraints.items()] == [(n, o) for n, _, o in rows_of_case]


# -- Clarify

HEADERS = [
    *("Age", "Workclass", "fnlwgt", "Education", "Education-Num", "Marital Status", "Occupation", "Relationship"),
    *("Ethnic group", "Sex", "Capital Gain", "Capital Loss", "Hours per week", "Country", "Target"),
]


def scores(rows: Any) -> Any:
    model = json.loads(truth("clarify-adult-ll-bias/model.json").read_text())
    logits = np.asarray(rows, dtype=np.float32) @ np.array(model["weights"], dtype=np.float32) + model["bias"]
    return 1 / (1 + np.exp(-logits)), model["threshold"]


def adult(content_type: str, body: bytes) -> bytes:
    found, threshold = scores([record["features"] for record in json.loads(body)["instances"]])
    answers = [{"score": float(score), "predicted_label": int(score >= threshold)} for score in found]
    return json.dumps({"predictions": answers}).encode()


def test_bias_of_the_adult_model(jobs: JobFolder) -> None:
    config = {
        "dataset_type": "application/json",
        "features": "instances[*].features",
        "label": "instances[*].label",
        "headers": HEADERS,
        "label_values_or_threshold": [1],
        "facet": [{"name_or_index": "Sex", "value_or_threshold": [0]}],
        "group_variable": "Age",
        "methods": {
            "pre_training_bias": {"methods": "all"},
            "post_training_bias": {"methods": "all"},
            "report": {"name": "report"},
        },
        "predictor": {
            "model_name": "adult",
            "content_type": "application/json",
            "accept_type": "application/json",
            "content_template": '{"instances":$records}',
            "record_template": '{"features":$features}',
            "label": "predictions[*].predicted_label",
        },
    }
    data = truth("clarify-adult-ll-bias/validation-dataset.json").read_text()
    with model_server(adult) as (address, _):
        ended = jobs.clarify(config, {"validation.json": data}, LOCAL_SAGEMAKER_MODEL_SERVER=address)
    assert ended.message == "Completed: SageMaker XAI Analyzer ran successfully"
    same_bias(
        ended.json("analysis.json"), json.loads(truth("clarify-adult-ll-bias/analysis_baseline.json").read_text())
    )
    named = truth("clarify-adult-ll-bias/report_files_endpoint.txt").read_text()
    for name in ended.files():
        assert name in named


def same_bias(ours: Any, right: Any) -> None:
    validate(ours, schemas.ANALYSIS)
    assert list(ours) == list(right)
    for stage in ("post_training_bias_metrics", "pre_training_bias_metrics"):
        assert {k: v for k, v in ours[stage].items() if k != "facets"} == {
            k: v for k, v in right[stage].items() if k != "facets"
        }
        (mine,), (theirs,) = ours[stage]["facets"]["Sex"], right[stage]["facets"]["Sex"]
        assert list(ours[stage]) == list(right[stage])
        assert mine["value_or_threshold"] == theirs["value_or_threshold"]
        for metric, expected in zip(mine["metrics"], theirs["metrics"], strict=True):
            assert list(metric) == list(expected)
            assert metric["description"] == expected["description"]
            assert metric["value"] == pytest.approx(expected["value"], abs=1e-12)


def test_bias_drift_of_the_adult_endpoint(jobs: JobFolder) -> None:
    """Twenty identical requests of 334 records, labelled at random, as the schedule's job saw them."""
    text = truth("clarify-adult-ll-bias/test-dataset.json").read_text()
    features = [record["features"] for record in json.loads(text)["instances"]]
    labels = []
    for position in range(len(features)):
        random.seed(position)
        labels.append({"label": int(random.random() < 0.7)})
    event = {
        "captureData": {
            "endpointInput": {"encoding": "JSON", "data": text},
            "endpointOutput": {"encoding": "JSON", "data": adult("", text.encode()).decode()},
        },
        "groundTruthData": {"encoding": "JSON", "data": json.dumps({"instances": labels})},
        "eventMetadata": {"eventId": "1"},
    }
    config = {
        "dataset_type": "application/sagemakercapturejson",
        "features": "instances[*].features",
        "label": "instances[*].label",
        "predicted_label": "predictions[*].predicted_label",
        "headers": HEADERS,
        "label_values_or_threshold": [1],
        "facet": [{"name_or_index": "Sex", "value_or_threshold": [0]}],
        "group_variable": "Age",
        "methods": {"pre_training_bias": {"methods": "all"}, "post_training_bias": {"methods": "all"}},
    }
    baseline = truth("clarify-adult-ll-bias/analysis_baseline.json").read_text()
    jobs.write("processing/input/baseline/analysis.json", baseline)
    ended = jobs.clarify(
        config,
        {"a.jsonl": f"{json.dumps(event)}\n" * 20},
        baseline_constraints="/opt/ml/processing/input/baseline/analysis.json",
    )
    assert ended.code == 0, ended.message
    right = json.loads(truth("clarify-adult-ll-bias/constraint_violations_endpoint.json").read_text())["violations"]
    after = {
        metric["name"]: metric
        for metric in ended.json("analysis.json")["post_training_bias_metrics"]["facets"]["Sex"][0]["metrics"]
    }
    found = ended.json("constraint_violations.json")
    validate(found, schemas.CLARIFY_VIOLATIONS)
    ours = {v["metric_name"]: v for v in found["violations"] if v["metric_name"] in after}
    assert [*ours] == [v["metric_name"] for v in right]
    for violation in right:
        mine = ours[violation["metric_name"]]
        assert {k: v for k, v in mine.items() if k != "description"} == {
            k: v for k, v in violation.items() if k != "description"
        }
        value = float(violation["description"].split()[2])
        assert float(after[violation["metric_name"]]["value"]) == pytest.approx(value, abs=1e-12)
        assert mine["description"].split(" doesn't ")[1] == violation["description"].split(" doesn't ")[1]


@pytest.mark.parametrize("change", ["rows shuffled", "a tenth dropped"])
def test_perturbed_adult_data_against_independent_formulas(change: str) -> None:
    records = json.loads(truth("clarify-adult-ll-bias/validation-dataset.json").read_text())["instances"]
    frame = pd.DataFrame([record["features"] for record in records], columns=HEADERS[:-1])
    frame["Target"] = [record["label"] for record in records]
    frame = frame.sample(frac=0.9 if change == "a tenth dropped" else 1, random_state=1).reset_index(drop=True)
    found, threshold = scores(frame[HEADERS[:-1]])
    predicted = pd.Series((found >= threshold).astype(int))
    data = bias.BiasData(
        frame[HEADERS[:-1]], "Target", frame["Target"], [1], [bias.Facet("Sex", [0])], predicted, frame["Age"]
    )
    (entry,) = bias.section(data, bias.POST_TRAINING)["facets"]["Sex"]
    values = {metric["name"]: metric["value"] for metric in entry["metrics"]}
    d, y, p = (frame["Sex"] == 0).to_numpy(), frame["Target"].to_numpy() == 1, predicted.to_numpy() == 1
    assert values["AD"] == pytest.approx((y == p)[~d].mean() - (y == p)[d].mean(), abs=1e-12)
    assert values["DI"] == pytest.approx(p[d].mean() / p[~d].mean(), abs=1e-12)
    assert values["RD"] == pytest.approx(p[y & ~d].mean() - p[y & d].mean(), abs=1e-12)
