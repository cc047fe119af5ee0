"""The readable report of the Clarify image: it shows every number of the analysis, in all three renderings."""

import html
import json
import re
from pathlib import Path
from typing import Any

import pytest

from local_sagemaker.containers.analyzers.report_content import ReportTable
from tests.analyzer_jobs import Ended, JobFolder, model_server, rows_of
from tests.component.containers.clarify_data import BEFORE, BIAS, FRAME, REPORT


@pytest.fixture
def jobs(tmp_path: Path) -> JobFolder:
    return JobFolder(tmp_path / "ml")


def linear(content_type: str, body: bytes) -> bytes:
    """A model: 2a - b/50 + f."""
    rows = rows_of(body)
    return "\n".join(repr(float(v)) for v in 2 * rows[:, 0] - rows[:, 1] / 50 + rows[:, 2]).encode()


def metrics(ended: Ended, stage: str) -> dict[str, Any]:
    found = ended.json("analysis.json")[f"{stage}_training_bias_metrics"]["facets"]["f"][0]["metrics"]
    return {metric["name"]: metric["value"] for metric in found}


def text_of(page: str) -> str:
    return html.unescape(re.sub(r"<[^>]+>", " ", page))


def test_the_report_shows_every_number_of_the_analysis(jobs: JobFolder) -> None:
    methods = {
        **BEFORE,
        "post_training_bias": {"methods": "all"},
        "shap": {"seed": 3},
        "pdp": {"grid_resolution": 3},
        **REPORT,
    }
    config = {"dataset_type": "text/csv", "label": "y", **BIAS, "methods": methods}
    with model_server(linear) as (address, _):
        ended = jobs.clarify(config, {"a.csv": FRAME.to_csv(index=False)}, LOCAL_SAGEMAKER_MODEL_SERVER=address)
    assert ended.code == 0, ended.message
    assert {"report.html", "report.ipynb", "report.pdf"} <= set(ended.files())
    page = (ended.output / "report.html").read_text("utf-8")
    words = text_of(page)
    assert "<h1>Fair &lt;enough&gt;?</h1>" in page
    for stage in ("pre", "post"):
        for name, value in metrics(ended, stage).items():
            assert (repr(value) if isinstance(value, float) else name) in words
    label = ended.json("analysis.json")["explanations"]["kernel_shap"]["label0"]
    ranked = sorted(label["global_shap_values"], key=lambda name: -label["global_shap_values"][name])
    positions = [words.index(repr(label["global_shap_values"][name])) for name in ranked]
    assert positions == sorted(positions)
    assert page.count("<svg") == page.count("<figcaption>") >= 7
    assert not re.findall(r"(?:src|href)=\"http", page)
    notebook = json.loads((ended.output / "report.ipynb").read_text("utf-8"))
    assert notebook["nbformat"] == 4
    outputs = [output["data"] for cell in notebook["cells"] for output in cell.get("outputs", [])]
    assert sum("image/svg+xml" in data for data in outputs) == page.count("<svg")
    assert repr(label["expected_value"]) in json.dumps(notebook)
    pdf = (ended.output / "report.pdf").read_bytes()
    assert pdf.startswith(b"%PDF")
    assert pdf.count(b"/Type /Page\n") + pdf.count(b"/Type /Page ") > 7


def test_a_report_of_names_outside_ascii(jobs: JobFolder) -> None:
    frame = FRAME.rename(columns={"f": "größe $x^2$", "a": "長さ"})
    config = {"dataset_type": "text/csv", "label": "y", **BIAS, "methods": {**BEFORE, **REPORT}}
    config["facet"] = [{"name_or_index": "größe $x^2$", "value_or_threshold": [0]}]
    ended = jobs.clarify(config, {"a.csv": frame.to_csv(index=False)})
    assert ended.code == 0, ended.message
    assert "größe $x^2$" in (ended.output / "report.html").read_text("utf-8")


def test_tables_fit_the_pages_of_the_pdf() -> None:
    from local_sagemaker.containers.analyzers import report  # matplotlib takes most of a second in every worker

    long = "a text that goes on for quite a while, and then some more of it"
    table = ReportTable(
        ("Metric", "Name", "Value", "What it means"), [("CDDL", long, "0.048479128699123485", long * 3)] * 3
    )
    lines = report._table_lines(table)
    assert max(map(len, lines)) <= report._COLUMNS
    assert all(word in " ".join(lines) for word in ("0.048479128699123485", "CDDL", "quite"))
