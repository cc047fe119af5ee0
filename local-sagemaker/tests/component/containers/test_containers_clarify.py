"""The Clarify image: jobs in processes, with every dataset format, a model behind HTTP, the report, and the gate."""

import csv
import html
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from jsonschema import validate

from local_sagemaker.errors import ServiceError
from local_sagemaker.images import find
from local_sagemaker.images.clarify import Clarify
from tests import monitor_schemas as schemas
from tests.analyzer_jobs import Ended, JobFolder, model_server, rows_of
from tests.component.containers.clarify_data import BEFORE, BIAS, FRAME, REPORT

URI = "205585389593.dkr.ecr.us-east-1.amazonaws.com/sagemaker-clarify-processing:1.0"
DONE = "Completed: SageMaker XAI Analyzer ran successfully"


@pytest.fixture
def jobs(tmp_path: Path) -> JobFolder:
    return JobFolder(tmp_path / "ml")


def linear(content_type: str, body: bytes) -> bytes:
    """A model: 2a - b/50 + f."""
    rows = rows_of(body)
    return "\n".join(repr(float(v)) for v in 2 * rows[:, 0] - rows[:, 1] / 50 + rows[:, 2]).encode()


def table(kind: str) -> tuple[dict[str, str | bytes], dict[str, Any]]:
    """The dataset in a format, and what its configuration needs."""
    names = ["a", "b", "f", "y"]
    lines = [{"features": row[1:], "label": row[0]} for row in FRAME.astype(object).to_numpy().tolist()]
    parquet = io.BytesIO()
    FRAME.to_parquet(parquet)
    return {
        "csv": ({"a.csv": FRAME.to_csv(index=False)}, {"dataset_type": "text/csv", "label": "y"}),
        "csv with headers": (
            {"a.csv": FRAME.to_csv(index=False, header=False)},
            {"dataset_type": "text/csv", "label": "y", "headers": list(FRAME.columns)},
        ),
        "parquet": ({"a.parquet": parquet.getvalue()}, {"dataset_type": "application/x-parquet", "label": "y"}),
        "json lines": (
            {"a.jsonl": "".join(f"{json.dumps(line)}\n" for line in lines)},
            {"dataset_type": "application/jsonlines", "features": "features", "label": "label", "headers": names},
        ),
        "json": (
            {"a.json": json.dumps({"instances": lines})},
            {
                "dataset_type": "application/json",
                "features": "instances[*].features",
                "label": "instances[*].label",
                "headers": names,
            },
        ),
    }[kind]


def metrics(ended: Ended, stage: str, facet: str = "f") -> dict[str, Any]:
    found = ended.json("analysis.json")[f"{stage}_training_bias_metrics"]["facets"][facet][0]["metrics"]
    return {metric["name"]: metric["value"] for metric in found}


def test_the_image_says_which_model_it_needs(tmp_path: Path) -> None:
    image, uri = find(URI, "process")
    assert isinstance(image, Clarify)
    assert image.process(uri, None, None).entry == "local_sagemaker.containers.analyzers.clarify_job:main"
    for refused in (lambda: image.process(uri, None, ["x"]), lambda: image.train(uri), lambda: image.serve(uri, {})):
        with pytest.raises(ServiceError):
            refused()
    file = tmp_path / "processing/input/config/analysis_config.json"
    file.parent.mkdir(parents=True)
    assert image.model_needed(tmp_path) is None
    predictor = {"predictor": {"model_name": "m"}}
    for config, name in (
        ({"methods": {"shap": {}}, **predictor}, "m"),
        ({"methods": {"post_training_bias": {}}, **predictor}, "m"),
        ({"methods": {"post_training_bias": {}}, "predicted_label": 1, **predictor}, None),
        ({"methods": {"pre_training_bias": {}}, **predictor}, None),
        ({"methods": {"shap": {}}}, None),
        ([], None),
    ):
        file.write_text(json.dumps(config))
        assert (image.model_needed(tmp_path) or {}).get("model_name") == name


@pytest.mark.parametrize("kind", ["csv", "csv with headers", "parquet", "json lines", "json"])
def test_data_bias_is_the_same_in_every_format(jobs: JobFolder, kind: str) -> None:
    data, config = table(kind)
    ended = jobs.clarify({**config, **BIAS, "methods": BEFORE}, data)
    assert (ended.code, ended.message) == (0, DONE)
    assert ended.files() == ["analysis.json"]
    found = ended.json("analysis.json")
    validate(found, schemas.ANALYSIS)
    d, y = FRAME["f"] == 0, FRAME["y"] == 1
    assert metrics(ended, "pre")["DPL"] == pytest.approx(y[~d].mean() - y[d].mean())
    section = found["pre_training_bias_metrics"]
    assert (section["label"], section["label_value_or_threshold"]) == ("y", "1")
    assert '\n    "version": "1.0"' in (ended.output / "analysis.json").read_text()


def test_indexes_without_headers_name_columns_by_position(jobs: JobFolder) -> None:
    config = {
        "dataset_type": "text/csv",
        "label": 0,
        "methods": BEFORE,
        **BIAS,
        "facet": [{"name_or_index": 3, "value_or_threshold": [0]}],
    }
    ended = jobs.clarify(config, {"a.csv": FRAME.to_csv(index=False, header=False)})
    section = ended.json("analysis.json")["pre_training_bias_metrics"]
    assert section["label"] == "column_0"
    assert list(section["facets"]) == ["column_3"]


def test_model_bias_cuts_scores_of_a_binary_label_at_the_threshold(jobs: JobFolder) -> None:
    methods = {"post_training_bias": {"methods": "all"}}
    config = {"dataset_type": "text/csv", "label": "y", **BIAS, "methods": methods, "probability_threshold": 0.7}
    with model_server(linear) as (address, seen):
        ended = jobs.clarify(config, {"a.csv": FRAME.to_csv(index=False)}, LOCAL_SAGEMAKER_MODEL_SERVER=address)
    assert ended.code == 0, ended.message
    assert [kind for kind, _ in seen] == ["text/csv"]
    assert rows_of(seen[0][1]) == pytest.approx(FRAME[["a", "b", "f"]].to_numpy())
    assert seen[0][1].split(b"\n")[0].split(b",")[1] == str(FRAME["b"][0]).encode()
    d = FRAME["f"] == 0
    predicted = 2 * FRAME["a"] - FRAME["b"] / 50 + FRAME["f"] > 0.7
    assert metrics(ended, "post")["DPPL"] == pytest.approx(predicted[~d].mean() - predicted[d].mean())


def test_predicted_labels_of_the_dataset_need_no_model(jobs: JobFolder) -> None:
    frame = FRAME.assign(p=1 - FRAME["y"])
    methods = {"post_training_bias": {"methods": ["AD", "RD"]}}
    config = {"dataset_type": "text/csv", "label": "y", "predicted_label": "p", **BIAS, "methods": methods}
    ended = jobs.clarify(config, {"a.csv": frame.to_csv(index=False)})
    assert metrics(ended, "post") == {"AD": 0.0, "RD": 0.0}


SHAP = {"dataset_type": "text/csv", "label": "y"}


def test_explanations_of_a_linear_model(jobs: JobFolder) -> None:
    config = {**SHAP, "methods": {"shap": {"save_local_shap_values": True, "seed": 1}, "pdp": {"grid_resolution": 4}}}
    with model_server(linear) as (address, _):
        ended = jobs.clarify(config, {"a.csv": FRAME.to_csv(index=False)}, LOCAL_SAGEMAKER_MODEL_SERVER=address)
    assert ended.code == 0, ended.message
    found = ended.json("analysis.json")
    validate(found, schemas.ANALYSIS)
    assert ended.files() == ["analysis.json", "explanations_shap/baseline.csv", "explanations_shap/out.csv"]
    local = pd.read_csv(ended.output / "explanations_shap/out.csv")
    assert list(local.columns) == ["a_label0", "b_label0", "f_label0"]
    features = FRAME[["a", "b", "f"]]
    exact = (features - features.mean()) * [2, -1 / 50, 1]
    assert local.to_numpy() == pytest.approx(exact.to_numpy(), abs=1e-9)
    baseline = pd.read_csv(ended.output / "explanations_shap/baseline.csv")
    assert baseline.to_numpy()[0] == pytest.approx(features.mean().to_numpy())
    label = found["explanations"]["kernel_shap"]["label0"]
    assert list(label["global_shap_values"]) == ["a", "b", "f"]
    assert label["global_shap_values"]["a"] == pytest.approx(exact["a"].abs().mean())
    assert {entry["feature_name"] for entry in found["explanations"]["pdp"]} == {"a", "b", "f"}


@pytest.mark.parametrize(
    ("baseline", "rows"),
    [([[0.0, 1, 0]], 1), ([[0.0, 1, 0], [1.0, 2, 1]], 2), ([["x"]], "has 1 values for 3 features"), ([], "no rows")],
)
def test_given_baselines(jobs: JobFolder, baseline: Any, rows: Any) -> None:
    config = {**SHAP, "methods": {"shap": {"baseline": baseline, "num_samples": 6}}}
    with model_server(linear) as (address, _):
        ended = jobs.clarify(config, {"a.csv": FRAME.to_csv(index=False)}, LOCAL_SAGEMAKER_MODEL_SERVER=address)
    if isinstance(rows, str):
        assert ended.code == 255
        assert rows in ended.message
    else:
        assert len(pd.read_csv(ended.output / "explanations_shap/baseline.csv")) == rows
        expected = np.mean([2 * a - b / 50 + f for a, b, f in baseline])
        assert ended.json("analysis.json")["explanations"]["kernel_shap"]["label0"]["expected_value"] == pytest.approx(
            expected
        )


def test_several_scores_named_by_label_headers(jobs: JobFolder) -> None:
    def two(content_type: str, body: bytes) -> bytes:
        return "".join(f"{a},{1 - a}\n" for a in rows_of(body)[:, 0]).encode()

    config = {
        **SHAP,
        "methods": {"shap": {"save_local_shap_values": True}},
        "predictor": {"label_headers": ["no", "yes"]},
    }
    with model_server(two) as (address, _):
        ended = jobs.clarify(config, {"a.csv": FRAME.to_csv(index=False)}, LOCAL_SAGEMAKER_MODEL_SERVER=address)
    assert list(ended.json("analysis.json")["explanations"]["kernel_shap"]) == ["no", "yes"]
    with (ended.output / "explanations_shap/out.csv").open() as lines:
        assert next(csv.reader(lines)) == ["a_no", "b_no", "f_no", "a_yes", "b_yes", "f_yes"]


@pytest.mark.parametrize("kind", ["application/jsonlines", "application/json"])
def test_models_that_speak_json(jobs: JobFolder, kind: str) -> None:
    def answer(content_type: str, body: bytes) -> bytes:
        assert content_type == kind
        if kind.endswith("lines"):
            rows = [json.loads(line)["x"] for line in body.splitlines()]
            return "".join(json.dumps({"score": row[0] * 2}) + "\n" for row in rows).encode()
        rows = [record["x"] for record in json.loads(body)["rows"]]
        return json.dumps({"predictions": [{"score": row[0] * 2} for row in rows]}).encode()

    predictor = {
        "content_type": kind,
        "accept_type": kind,
        "probability": "score",
        "content_template": '{"x":$features}',
    }
    if kind == "application/json":
        predictor |= {"probability": "predictions[*].score", "content_template": '{"rows":$records}'}
        predictor["record_template"] = '{"x":$features}'
    config = {**SHAP, "methods": {"shap": {"save_local_shap_values": True}}, "predictor": predictor}
    with model_server(answer) as (address, _):
        ended = jobs.clarify(config, {"a.csv": FRAME.to_csv(index=False)}, LOCAL_SAGEMAKER_MODEL_SERVER=address)
    assert ended.code == 0, ended.message
    local = pd.read_csv(ended.output / "explanations_shap/out.csv")
    assert local["a_label0"].to_numpy() == pytest.approx((FRAME["a"] - FRAME["a"].mean()).to_numpy() * 2)


def test_large_requests_are_split(jobs: JobFolder) -> None:
    frame = pd.DataFrame({"y": 0, "a": np.arange(40_000) / 7, "b": np.arange(40_000) / 3})
    config = {"dataset_type": "text/csv", "label": "y", "methods": {"shap": {"num_samples": 2}}}
    with model_server(lambda _, body: b"\n".join([b"1.5"] * body.count(b"\n"))) as (address, seen):
        ended = jobs.clarify(config, {"a.csv": frame.to_csv(index=False)}, LOCAL_SAGEMAKER_MODEL_SERVER=address)
    assert ended.code == 0, ended.message
    assert max(len(body) for _, body in seen) <= 5 << 20
    assert sum(body.count(b"\n") for _, body in seen) == 40_000 * 3 + 1


def test_answers_on_one_line_are_one_per_row(jobs: JobFolder) -> None:
    config = {**SHAP, "methods": {"shap": {"save_local_shap_values": True}}}
    with model_server(lambda kind, body: linear(kind, body).replace(b"\n", b",")) as (address, _):
        ended = jobs.clarify(config, {"a.csv": FRAME.to_csv(index=False)}, LOCAL_SAGEMAKER_MODEL_SERVER=address)
    assert list(ended.json("analysis.json")["explanations"]["kernel_shap"]) == ["label0"]


def test_an_unchanged_analysis_passes_and_a_worse_one_is_a_violation(jobs: JobFolder) -> None:
    config = {"dataset_type": "text/csv", "label": "y", **BIAS, "methods": {**BEFORE, **REPORT}}
    first = jobs.clarify(config, {"a.csv": FRAME.to_csv(index=False)})
    baseline = {"baseline_constraints": "/opt/ml/processing/input/baseline/analysis.json"}
    jobs.write("processing/input/baseline/analysis.json", (first.output / "analysis.json").read_text())
    same = jobs.clarify(config, {"a.csv": FRAME.to_csv(index=False)}, **baseline)
    assert same.message == DONE
    assert "constraint_violations.json" not in same.files()
    worse = FRAME.assign(y=FRAME["f"])
    ended = jobs.clarify(config, {"a.csv": worse.to_csv(index=False)}, **baseline)
    found = ended.json("constraint_violations.json")
    validate(found, schemas.CLARIFY_VIOLATIONS)
    assert ended.code == 0
    count = len(found["violations"])
    assert ended.message == f"CompletedWithViolations: SageMaker XAI Analyzer ran successfully with {count} violations"
    page = html.unescape((ended.output / "report.html").read_text())
    assert found["violations"][0]["description"] in page


def test_attributions_that_changed_their_order_are_a_violation(jobs: JobFolder) -> None:
    config = {**SHAP, "methods": {"shap": {"seed": 1}}}
    data = {"a.csv": FRAME.to_csv(index=False)}
    with model_server(linear) as (address, _):
        first = jobs.clarify(config, data, LOCAL_SAGEMAKER_MODEL_SERVER=address)
    path = "processing/input/baseline/analysis.json"
    jobs.write(path, (first.output / "analysis.json").read_text())
    baseline = {"baseline_constraints": f"/opt/ml/{path}"}
    other = lambda _, body: b"\n".join(repr(float(v)).encode() for v in rows_of(body)[:, 1])  # noqa: E731
    with model_server(other) as (address, _):
        ended = jobs.clarify(config, data, LOCAL_SAGEMAKER_MODEL_SERVER=address, **baseline)
    (violation,) = ended.json("constraint_violations.json")["violations"]
    assert violation["constraint_check_type"] == "feature_attribution_drift_check"


CSV: dict[str, str | bytes] = {"a.csv": "1,2\n0,3\n"}


@pytest.mark.parametrize(
    ("config", "data", "message"),
    [
        ({"methods": {}}, CSV, "'dataset_type' is a required property"),
        ({"dataset_type": "text/csv", "methods": {"shep": {}}}, CSV, "shep"),
        ({"dataset_type": "text/plain", "methods": {}}, CSV, "dataset_type text/plain is not supported"),
        (
            {"dataset_type": "text/csv", "methods": {"shap": {"num_samples": "x"}}},
            CSV,
            "['methods']['shap']['num_samples']",
        ),
        ({"dataset_type": "text/csv", "methods": BEFORE}, CSV, "needs label and facet"),
        (
            {"dataset_type": "text/csv", "label": 9, "facet": [{"name_or_index": 0}], "methods": BEFORE},
            CSV,
            "no column 9",
        ),
        ({"dataset_type": "text/csv", "headers": ["a"], "methods": {}}, CSV, "headers has 1 names"),
        ({"dataset_type": "text/csv", "methods": {}}, {}, "no dataset"),
        ({"dataset_type": "text/csv", "methods": {}}, {"a.csv": ""}, "no rows"),
        ({"dataset_type": "application/jsonlines", "features": "x", "methods": {}}, {"a": "{"}, "not JSON at line 1"),
        ({"dataset_type": "text/csv", "label": 0, "methods": {"shap": {}}}, CSV, "needs a model"),
        (
            {"dataset_type": "text/csv", "label": 0, "facet": [{"name_or_index": 1}], "methods": BEFORE},
            CSV,
            "Positive label values or thresholds are empty",
        ),
    ],
)
def test_wrong_jobs_name_what_is_wrong(jobs: JobFolder, config: Any, data: Any, message: str) -> None:
    (jobs.ml / "processing/input/data").mkdir(parents=True)
    ended = jobs.clarify(config, data)
    assert ended.code == 255
    assert message in ended.message


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (lambda *_: b"1\n2\n3\n", "returned 3 records for 60 rows"),
        (lambda *_: b"\n".join([b"cat"] * 60), "not numeric"),
    ],
)
def test_wrong_answers_of_the_model(jobs: JobFolder, answer: Any, message: str) -> None:
    config = {**SHAP, "methods": {"shap": {}}}
    with model_server(answer) as (address, _):
        ended = jobs.clarify(config, {"a.csv": FRAME.to_csv(index=False)}, LOCAL_SAGEMAKER_MODEL_SERVER=address)
    assert ended.code == 255
    assert message in ended.message


def test_a_model_that_refuses(jobs: JobFolder) -> None:
    def refuse(*_: Any) -> bytes:
        raise ValueError("bad rows")

    with model_server(refuse) as (address, _):
        ended = jobs.clarify(
            {**SHAP, "methods": {"shap": {}}},
            {"a.csv": FRAME.to_csv(index=False)},
            LOCAL_SAGEMAKER_MODEL_SERVER=address,
        )
    assert "status 400: bad rows" in ended.message
