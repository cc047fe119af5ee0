"""The pages of checks share the web pages' colours, are readable in the dark, name their baseline, have an index."""

from __future__ import annotations

import os
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pipelines.reports import plots
from pipelines.reports.checks import Files, ReportedCheck
from pipelines.reports.evidence import Evidence, origin_of
from pipelines.reports.index import write_index
from pipelines.reports.page import DARK, LIGHT, STYLE, page
from pipelines.reports.verdicts import Verdict, Written, verdict

CSS = Path(__file__).parents[2] / "local-sagemaker" / "local_sagemaker" / "studio" / "static" / "app.css"
BASELINE = Files("s3://b/old/statistics.json", "s3://b/old/constraints.json")
CHECK = ReportedCheck(
    "Data <check>", "DATA_QUALITY", "Succeeded", "", False, False, Files("s3://b/now/s.json", "s3://b/now/c.json"),
    BASELINE, None, None, None, group="abalone",
)  # fmt: skip
ORIGIN = "that of version 3 of abalone, registered 2026-11-20 10:00 UTC"


def test_the_colours_are_those_of_the_web_pages() -> None:
    blocks = [dict(re.findall(r"--([\w-]+): (#\w+);", text)) for text in CSS.read_text("utf-8").split("{")]
    themes = [block for block in blocks if "ink" in block]
    assert themes
    for block in themes:
        assert block in (LIGHT, DARK)


def test_every_colour_of_the_style_is_a_token() -> None:
    rules = re.sub(r":root[^{]*\{[^}]*\}", "", STYLE)
    assert not re.findall(r"#[0-9a-fA-F]{3,8}\b", rules)
    assert "prefers-color-scheme: dark" in STYLE


def test_plots_take_their_colours_from_the_page() -> None:
    drawn = plots.figure([plots.Plot("a", "x", "y", plots.bars(["f"], [1.0], [2.0]), bad=True)]).markup
    assert not {*re.findall(r"#[0-9a-fA-F]{6}\b", drawn)} - {"#000000"}, "black text has its colour by CSS"
    assert {"var(--idle)", "var(--run)", "var(--bad)", "var(--control)"} <= {*re.findall(r"var\(--[\w-]+\)", drawn)}


def test_the_baseline_is_named_with_its_date() -> None:
    evidence = Evidence(CHECK, baseline=BASELINE, baseline_constraints={"a": 1}, origin=ORIGIN)
    text = page(evidence, verdict(evidence), [], "arn:aws:x", None)
    assert ORIGIN in text
    assert 'content="width=device-width, initial-scale=1"' in text


class Registry:
    """The responses of a registry whose third version has the baseline, and of a bucket."""

    def list_model_packages(self, **request: Any) -> dict[str, Any]:
        assert (request["ModelPackageGroupName"], request["ModelApprovalStatus"]) == ("abalone", "Approved")
        return {"ModelPackageSummaryList": [{"ModelPackageArn": "4"}, {"ModelPackageArn": "3"}]}

    def describe_model_package(self, ModelPackageName: str) -> dict[str, Any]:
        files = {"ModelDataQuality": {"Constraints": {"S3Uri": BASELINE.constraints}}}
        return {
            "ModelPackageVersion": int(ModelPackageName), "CreationTime": datetime(2026, 11, 20, 10, tzinfo=UTC),
            "DriftCheckBaselines": files if ModelPackageName == "3" else {},
        }  # fmt: skip

    def head_object(self, Bucket: str, Key: str) -> dict[str, Any]:
        assert (Bucket, Key) == ("b", "old/constraints.json")
        return {"LastModified": datetime(2026, 11, 19, 9, tzinfo=UTC)}

    s3 = sagemaker = property(lambda self: self)


def test_the_baseline_is_that_of_a_version_or_of_a_day() -> None:
    clients: Any = Registry()
    assert origin_of(clients, CHECK, BASELINE) == ORIGIN
    other = ReportedCheck(*(getattr(CHECK, name) for name in CHECK.__dataclass_fields__ if name != "group"))
    assert origin_of(clients, other, BASELINE) == "a file of 2026-11-19 09:00 UTC"


def test_pages_have_an_index(tmp_path: Path) -> None:
    evidence = Evidence(CHECK)
    for number, name in enumerate(("first", "second")):
        folder = tmp_path / name
        folder.mkdir()
        made = folder / "Data <check>.html"
        made.write_text("x", encoding="utf-8")
        index = write_index(folder, f"arn:{name}", [Written(CHECK, verdict(evidence), made, origin=ORIGIN)])
        os.utime(index, (number, number))
    text = (tmp_path / "first" / "index.html").read_text("utf-8")
    assert "Data &lt;check&gt;" in text
    assert "Data <check>" not in text
    assert ORIGIN in text
    write_index(tmp_path / "second", "arn:second", [])
    links = re.findall(r'<a href="(\w+)/index.html"', (tmp_path / "index.html").read_text("utf-8"))
    assert links == ["second", "first"]


def test_the_index_leads_to_each_check_and_says_what_is_violated(tmp_path: Path) -> None:
    """Clarify's own report is no check: the page of its check leads to it."""
    folder = tmp_path / "one"
    folder.mkdir()
    for name in ("Data <check>.html", "Data <check>-clarify.html"):
        (folder / name).write_text("x", encoding="utf-8")
    good, bad = (Verdict(is_good, "in words", []) for is_good in (True, False))
    for made, words in ((bad, "1 violated"), (good, "none violated")):
        write_index(folder, "arn:one", [Written(CHECK, made, folder / "Data <check>.html", origin=ORIGIN)])
        text = (tmp_path / "index.html").read_text("utf-8")
        assert words in text
        assert re.findall(r'href="one/(Data[^"]+)"', text) == ["Data%20%3Ccheck%3E.html"]
