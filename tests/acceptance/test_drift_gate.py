"""The drift gate, seen from outside: run, approve, run again, and run on data that has drifted."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from pipelines.reports.text import number
from tests.commands import run_command
from tests.project.pages import ReadPage, read
from tests.support import ROLE, Service, read_json, steps_of

pytestmark = pytest.mark.timeout(900)
CHECKS = ("DataQualityCheckStep", "DataBiasCheckStep", "ModelQualityCheckStep", "ModelBiasCheckStep",
          "ModelExplainabilityCheckStep")  # fmt: skip
NAME = "DriftGate"
MODULE = "pipelines.abalone.pipeline"
ROOT = Path(__file__).resolve().parent.parent.parent


@dataclass(frozen=True)
class Ran:
    """One run of ``run-pipeline``: its exit code, what it printed, and the pages that it wrote."""

    service: Service
    code: int
    printed: str
    folder: Path

    @property
    def execution(self) -> str:
        found = re.search(r"^Execution (\S+)$", self.printed, re.MULTILINE)
        assert found, self.printed
        return found[1]

    @property
    def checks(self) -> dict[str, dict[str, Any]]:
        """The checks' metadata by step."""
        steps = steps_of(self.service.client("sagemaker"), self.execution)
        return {name: next(iter(steps[name]["Metadata"].values())) for name in CHECKS if name in steps}

    def file(self, step: str, field: str) -> Any:
        return read_json(self.service.client("s3"), self.checks[step][field])

    def page(self, step: str) -> ReadPage:
        path = self.folder / "reports" / self.execution.rpartition("/")[2] / f"{step}.html"
        assert f"reports/{path.parent.name}/{path.name}" in self.printed
        return read(path)

    def verdict(self, step: str) -> str:
        """What the terminal says of a check."""
        found = re.search(rf"^Checks:\n(?:.*\n)*?  {step} +(.*)$", self.printed, re.MULTILINE)
        assert found, self.printed
        return found[1]


def run(service: Service, folder: Path, *words: str) -> Ran:
    names = str({"pipeline_name": NAME, "model_package_group_name": NAME, "base_job_prefix": NAME})
    done = run_command(service, "run-pipeline", "-n", MODULE, "--role-arn", ROLE, "--kwargs", names, *words, cwd=folder,
                       check=False)  # fmt: skip
    return Ran(service, done.returncode, done.stdout + done.stderr, folder)


def drifted(service: Service, key: str, *words: str) -> str:
    """The example script's data in S3; the parameter that names it."""
    sagemaker = service.client("sagemaker")
    definition = json.loads(sagemaker.describe_pipeline(PipelineName=NAME)["PipelineDefinition"])
    default = next(item["DefaultValue"] for item in definition["Parameters"] if item["Name"] == "InputDataUrl")
    url = f"s3://{default.split('/')[2]}/drifted/{key}.csv"
    service.run(sys.executable, "-m", "pipelines.abalone.drifted_data", "--output", url, *words, cwd=ROOT)
    return f"InputDataUrl={url}"


def versions(service: Service) -> list[int]:
    listed = service.client("sagemaker").list_model_packages(ModelPackageGroupName=NAME)["ModelPackageSummaryList"]
    return sorted(item["ModelPackageVersion"] for item in listed)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("drift-gate")


@pytest.fixture(scope="module")
def first(service: Service, folder: Path) -> Ran:
    """Nothing to compare with yet."""
    ran = run(service, folder)
    assert ran.code == 0, ran.printed
    return ran


@pytest.fixture(scope="module")
def second(first: Ran) -> Ran:
    """The same data, after version 1 is approved."""
    sagemaker = first.service.client("sagemaker")
    (package,) = sagemaker.list_model_packages(ModelPackageGroupName=NAME)["ModelPackageSummaryList"]
    sagemaker.update_model_package(ModelPackageArn=package["ModelPackageArn"], ModelApprovalStatus="Approved")
    return run(first.service, first.folder)


@pytest.fixture(scope="module")
def third(second: Ran) -> Iterator[Ran]:
    """Heavier shells, gaps in a column, a new category."""
    yield run(second.service, second.folder, "--parameter", drifted(second.service, "all"))


def test_the_first_run_registers_baselines(first: Ran) -> None:
    assert {first.verdict(step) for step in CHECKS} == {"baseline registered"}
    statistics = first.file("DataQualityCheckStep", "CalculatedBaselineStatistics")
    page = first.page("DataQualityCheckStep")
    assert page.numbers["_c7/mean/current"] == statistics["features"][7]["numerical_statistics"]["mean"]
    assert "_c7/mean/baseline" not in page.numbers
    assert "There was no baseline" in page.text


def test_the_page_of_a_check_is_shown_inside_on_a_phone_in_the_dark(second: Ran) -> None:
    """Among the web pages of the service, in the theme chosen there; it names its baseline with version and day."""
    playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed: make install")
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if program is None:
        pytest.skip("there is no chromium on this machine: apt-get install chromium")
    command = ("local-sagemaker", "--home", str(second.service.home), "studio", "--no-open")
    link = second.service.run(*command).stdout.strip()
    origin, execution = link.partition("/_studio")[0], second.execution.rpartition("/")[2]
    with playwright.sync_playwright() as running:
        options = ["--no-sandbox"] if os.geteuid() == 0 else []
        browser = running.chromium.launch(executable_path=program, args=options)
        context = browser.new_context(viewport={"width": 360, "height": 780})
        page = context.new_page()
        page.goto(link)
        page.wait_for_url(f"{origin}/_studio/")
        context.add_cookies([{"name": "theme", "value": "dark", "url": f"{origin}/_studio/"}])
        query = "step=ModelQualityCheckStep&tab=report"
        page.goto(f"{origin}/_studio/pipelines/{NAME}/executions/{execution}?{query}")
        inside = page.frame_locator("iframe.frame")
        inside.locator("h1", has_text="Model quality: ModelQualityCheckStep").wait_for(timeout=60_000)
        seen = inside.locator("body").evaluate(
            "body => [getComputedStyle(body).backgroundColor, document.documentElement.scrollWidth <= innerWidth]"
        )
        banner = inside.locator(".banner").inner_text()
        browser.close()
    assert seen == ["rgb(15, 20, 27)", True], "dark, and not wider than its frame"
    assert re.search(rf"version 1 of {NAME}, registered \d{{4}}-\d\d-\d\d", banner), banner


def test_an_unchanged_second_run_passes_all_five_checks(second: Ran) -> None:
    assert second.code == 0, second.printed
    steps = steps_of(second.service.client("sagemaker"), second.execution)
    assert {step["StepStatus"] for step in steps.values()} == {"Succeeded"}
    assert {second.verdict(step) for step in CHECKS} == {"passed"}
    assert set(second.checks) == set(CHECKS)
    for metadata in second.checks.values():
        assert (metadata["SkipCheck"], metadata["RegisterNewBaseline"]) == (False, False)
        assert not metadata.get("ViolationReport")
    assert versions(second.service)[-1] >= 2


def test_drifted_data_fails_and_registers_nothing(second: Ran, third: Ran) -> None:
    assert second.code == 0
    assert third.code == 1
    described = third.service.client("sagemaker").describe_pipeline_execution(PipelineExecutionArn=third.execution)
    assert described["PipelineExecutionStatus"] == "Failed"
    steps = steps_of(third.service.client("sagemaker"), third.execution)
    assert steps["DataQualityCheckStep"]["StepStatus"] == "Failed"
    assert "TrainAbaloneModel" not in steps and "RegisterAbaloneModel" not in steps
    assert versions(third.service) == [1, 2]
    assert "Nothing was registered: " in third.printed


def test_the_terminal_names_feature_constraint_and_amount(third: Ran) -> None:
    found = third.file("DataQualityCheckStep", "ViolationReport")["violations"]
    assert {(item["feature_name"], item["constraint_check_type"]) for item in found} == {
        ("_c7", "baseline_drift_check"), ("_c3", "baseline_drift_check"), ("Extra columns", "extra_column_check"),
    }  # fmt: skip
    assert third.verdict("DataQualityCheckStep") == f"FAILED: {len(found)} violations"
    words = {"_c7": "shell_weight (_c7)", "_c3": "height (_c3)"}
    for item in found:
        if item["constraint_check_type"] == "baseline_drift_check":
            distance, threshold = re.findall(r"\d\.\d+", item["description"])
            by = number(float(distance) - float(threshold))
            name = words.get(item["feature_name"], item["feature_name"])
            expected = f"{name} violates baseline_drift_check: distance {number(float(distance))}, {by} over the"
            assert expected in third.printed
    assert "Extra columns violates extra_column_check: 12 columns where the baseline has 11; new: _c11" in third.printed
    (bias,) = (item for item in third.file("DataBiasCheckStep", "ViolationReport")["violations"])
    assert f"{bias['metric_name']} for sex=F (column_8) in (0.5, 1.0] violates bias_drift_check" in third.printed
    assert third.checks["DataQualityCheckStep"]["ViolationReport"].rpartition("/")[0] in third.printed


def test_heavier_shells_alone_are_found(second: Ran) -> None:
    """A scale that preprocessing fitted to each run's own data would hide them."""
    words = drifted(second.service, "heavier", "--missing", "0", "--unknown", "0")
    ran = run(second.service, second.folder, "--parameter", words)
    assert ran.code == 1
    found = ran.file("DataQualityCheckStep", "ViolationReport")["violations"]
    assert [(item["feature_name"], item["constraint_check_type"]) for item in found] == [
        ("_c7", "baseline_drift_check")
    ]
    assert ran.verdict("DataBiasCheckStep") == "passed"


def test_a_few_gaps_pass_the_data_checks_and_fail_a_model_check(second: Ran) -> None:
    """Training runs, the model is checked, and the model bias has grown: the page and the terminal say it."""
    words = drifted(second.service, "gaps", "--heavier", "1", "--unknown", "0", "--missing", "0.1")
    before = versions(second.service)
    ran = run(second.service, second.folder, "--parameter", words)
    assert ran.code == 1
    steps = steps_of(ran.service.client("sagemaker"), ran.execution)
    for step in ("PreprocessAbaloneData", "TrainAbaloneModel"):  # other data under another key are no cache hit
        assert steps[step]["StepStatus"] == "Succeeded" and "CacheHitResult" not in steps[step]
    assert (ran.verdict("DataQualityCheckStep"), ran.verdict("DataBiasCheckStep")) == ("passed", "passed")
    found = ran.file("ModelBiasCheckStep", "ViolationReport")["violations"]
    assert ran.verdict("ModelBiasCheckStep") == f"FAILED: {len(found)} violation{'s' if len(found) > 1 else ''}"
    page = ran.page("ModelBiasCheckStep")
    for item in found:
        now, then = (page.numbers[f"post_training_bias_metrics/{item['facet']}/{item['facet_value']}/"
                                  f"{item['metric_name']}/{side}"] for side in ("current", "baseline"))  # fmt: skip
        assert item["description"] == f"Metric value {now} doesn't meet the baseline constraint requirement {then}"
        assert f"{number(now)}, further from 0 than the baseline's {number(then)}" in ran.printed
    assert versions(second.service) == before


def test_data_quality_numbers_equal_the_files(third: Ran) -> None:
    now = third.file("DataQualityCheckStep", "CalculatedBaselineStatistics")["features"]
    before = third.file("DataQualityCheckStep", "BaselineUsedForDriftCheckStatistics")["features"]
    page = third.page("DataQualityCheckStep")
    for side, features in (("current", now), ("baseline", before)):
        for feature in features:
            for field in ("mean", "std_dev", "min", "max", "completeness", "approximate_num_distinct_values"):
                shown = page.numbers[f"{feature['name']}/{field}/{side}"]
                assert shown == feature["numerical_statistics"][field], (feature["name"], field, side)
    for item in third.file("DataQualityCheckStep", "ViolationReport")["violations"]:
        assert item["description"] in page.text
        if item["constraint_check_type"] == "baseline_drift_check":
            distance, threshold = map(float, re.findall(r"\d\.\d+", item["description"]))
            assert page.numbers[f"{item['feature_name']}/distance"] == pytest.approx(distance, abs=1e-9)
            assert page.numbers[f"{item['feature_name']}/threshold"] == threshold
    shares = page.plotted["distributions"]["_c7"]
    assert sum(shares["current"]) == pytest.approx(1) and sum(shares["baseline"]) == pytest.approx(1)
    assert page.plots == 1


def test_model_and_clarify_numbers_equal_the_files(second: Ran) -> None:
    page = second.page("ModelQualityCheckStep")
    for side, field in (("current", "Calculated"), ("baseline", "BaselineUsedForDriftCheck")):
        field += "Statistics" if side == "baseline" else "BaselineStatistics"
        metrics = second.file("ModelQualityCheckStep", field)["regression_metrics"]
        for name, item in metrics.items():
            assert page.numbers[f"{name}/value/{side}"] == item["value"]
            assert page.numbers[f"{name}/standard_deviation/{side}"] == item["standard_deviation"]
    page = second.page("ModelExplainabilityCheckStep")
    analysis = second.file("ModelExplainabilityCheckStep", "CalculatedBaselineConstraints")
    values = analysis["explanations"]["kernel_shap"]["label0"]["global_shap_values"]
    assert {name: page.numbers[f"label0/{name}/current"] for name in values} == values
    shown = page.plotted["attributions/label0"]["current"]
    assert shown == sorted(values.values(), reverse=True)
    page = second.page("DataBiasCheckStep")
    stage = second.file("DataBiasCheckStep", "CalculatedBaselineConstraints")["pre_training_bias_metrics"]
    (group,) = stage["facets"]["column_8"]
    for item in group["metrics"]:
        key = f"pre_training_bias_metrics/column_8/{group['value_or_threshold']}/{item['name']}/current"
        assert page.numbers.get(key) == item["value"]


def test_clarifys_own_report_is_beside_the_page_and_linked(second: Ran) -> None:
    reports = second.folder / "reports" / second.execution.rpartition("/")[2]
    s3 = second.service.client("s3")
    for step in ("DataBiasCheckStep", "ModelBiasCheckStep", "ModelExplainabilityCheckStep"):
        (link,) = second.page(step).links
        bucket, _, key = second.checks[step]["CalculatedBaselineConstraints"].removeprefix("s3://").partition("/")
        written = s3.get_object(Bucket=bucket, Key=key.replace("analysis.json", "report.html"))["Body"].read()
        assert (reports / link).read_bytes() == written


def test_check_report_tells_the_same_afterwards(third: Ran, tmp_path: Path) -> None:
    browser = tmp_path / "browser"
    browser.write_text(f'#!/bin/sh\necho "$1" >> {tmp_path}/opened\n')
    browser.chmod(0o755)
    environment = {**os.environ, "LOCAL_SAGEMAKER_HOME": str(third.service.home), "PYTHONPATH": str(ROOT),
                   "BROWSER": f"{browser} %s"}  # fmt: skip
    command = [sys.executable, "-m", "pipelines.check_report", "--local", third.execution, "-n", MODULE]
    done = subprocess.run([*command, "--open", "--output", "pages"], env=environment, cwd=tmp_path, capture_output=True,
                          text=True, check=False, timeout=120)  # fmt: skip
    assert done.returncode == 1, done.stdout + done.stderr
    assert "shell_weight (_c7) violates baseline_drift_check" in done.stdout
    name = third.execution.rpartition("/")[2]
    again = tmp_path / "pages" / name / "DataQualityCheckStep.html"
    assert again.as_uri() in (tmp_path / "opened").read_text().splitlines()
    assert read(again).numbers == third.page("DataQualityCheckStep").numbers


def test_check_report_takes_the_newest_execution_and_refuses_what_is_not_there(third: Ran, tmp_path: Path) -> None:

    def ask(*words: str) -> subprocess.CompletedProcess[str]:
        return run_command(third.service, "check-report", *words, cwd=tmp_path, check=False)

    newest = third.service.client("sagemaker").list_pipeline_executions(PipelineName=NAME)
    assert newest["PipelineExecutionSummaries"][0]["PipelineExecutionArn"] in ask(NAME).stdout
    absent = ask("NoSuchPipeline")
    assert absent.returncode == 2 and "NoSuchPipeline" in absent.stderr and "Traceback" not in absent.stderr
    assert "newest" in ask("--help").stdout


def test_the_pages_render_in_a_browser(third: Ran, tmp_path: Path) -> None:
    """A real browser lays out all that the page says; its plot has a size."""
    chromium = shutil.which("chromium")
    if not chromium:
        pytest.skip("chromium is not installed")
    path = third.folder / "reports" / third.execution.rpartition("/")[2] / "DataQualityCheckStep.html"
    picture = tmp_path / "page.png"
    subprocess.run([chromium, "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path}/profile",
                    "--window-size=1300,1800", f"--screenshot={picture}", path.as_uri()],
                   capture_output=True, check=True, timeout=120)  # fmt: skip
    assert picture.stat().st_size > 50_000  # an empty page is a few kilobytes
