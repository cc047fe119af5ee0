"""Both flavours of the checks on the same data: they compute the same, decide alike and read each other's baselines
(DEL-43, 45).
"""

from __future__ import annotations

import contextlib
import io
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from unittest import mock

import pytest

from pipelines import run_pipeline, session
from pipelines.abalone.drifted_data import make_drifted
from pipelines.abalone.parameters import Parameters
from pipelines.checks.preflight import decide
from pipelines.reports.checks import ReportedCheck, find
from pipelines.reports.portable import PortableResults
from tests.support import Service, finished, read_json, start, steps_of

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]  # six executions of the pipeline

ROLE = "arn:aws:iam::123456789012:role/LocalSageMakerRole"
GROUP = "BothFlavours"
FLAVOURS = ("managed", "portable")
CHECKS = ("DataQualityCheckStep", "DataBiasCheckStep", "ModelQualityCheckStep", "ModelBiasCheckStep",
          "ModelExplainabilityCheckStep")  # fmt: skip
COMPARING = {
    name: "false"
    for name in (parameter.name for parameter in Parameters("s3://b/k").in_order())
    if name.startswith(("Skip", "RegisterNew"))
}
TIMES = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+Z")


@dataclass(frozen=True)
class Ran:
    """One execution per flavour, of the same data."""

    service: Service
    executions: Mapping[str, str]

    def checks(self, flavour: str) -> dict[str, ReportedCheck]:
        clients = _Clients(self.service.client("sagemaker"), self.service.client("s3"))
        steps = steps_of(clients.sagemaker, self.executions[flavour])
        return {check.step: check for check in find(PortableResults(clients).add_metadata(steps))}  # type: ignore[arg-type]

    def status(self, flavour: str) -> str:
        sagemaker = self.service.client("sagemaker")
        described = sagemaker.describe_pipeline_execution(PipelineExecutionArn=self.executions[flavour])
        return str(described["PipelineExecutionStatus"])

    def violations(self, flavour: str) -> dict[str, list[Any]]:
        s3 = self.service.client("s3")
        checks = self.checks(flavour)
        return {
            name: read_json(s3, check.violations)["violations"] for name, check in checks.items() if check.violations
        }


@dataclass(frozen=True)
class _Clients:
    sagemaker: Any
    s3: Any


def run_both(service: Service, **parameters: str) -> Ran:
    """Both pipelines at the same time, to their ends."""
    sagemaker = service.client("sagemaker")
    started = {name: start(sagemaker, f"Checks-{name}", **COMPARING, **parameters) for name in FLAVOURS}
    for execution in started.values():
        finished(sagemaker, execution)
    return Ran(service, started)


def put(service: Service, name: str, heavier: float, missing: float) -> str:
    """Drifted data in S3; its URI."""
    key = f"drifted/{name}.csv"
    service.client("s3").put_object(
        Bucket="both-flavours", Key=key, Body=make_drifted(heavier, missing, "height", 0).encode()
    )
    return f"s3://both-flavours/{key}"


def approve(ran: Ran, flavour: str) -> None:
    """Of the first versions, only the one that this flavour's execution registered."""
    sagemaker = ran.service.client("sagemaker")
    for name in FLAVOURS:
        status = "Approved" if name == flavour else "Rejected"
        sagemaker.update_model_package(ModelPackageArn=registered(ran, name), ModelApprovalStatus=status)


def registered(ran: Ran, flavour: str) -> str:
    steps = steps_of(ran.service.client("sagemaker"), ran.executions[flavour])
    return str(steps["RegisterAbaloneModel"]["Metadata"]["RegisterModel"]["Arn"])


@pytest.fixture(scope="module")
def first(service: Service, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ran]:
    """The two pipelines, made by `run-pipeline`, and their first executions; no version is approved."""
    service.client("s3").create_bucket(Bucket="both-flavours")
    executions = {}
    session.boto_session.cache_clear(), session.pipeline_session.cache_clear()
    with mock.patch.dict(os.environ, service.environment()):
        for flavour in FLAVOURS:
            kwargs = {"default_bucket": "both-flavours", "pipeline_name": f"Checks-{flavour}",
                      "model_package_group_name": GROUP, "base_job_prefix": flavour}  # fmt: skip
            words = ["-n", "pipelines.abalone.pipeline", "--role-arn", ROLE, "--kwargs", str(kwargs), "--no-wait"]
            printed = io.StringIO()
            with contextlib.redirect_stdout(printed):
                assert run_pipeline.main([*words, "--checks", flavour]) == 0
            assert f"Checks: {flavour}, " in printed.getvalue()
            (executions[flavour],) = re.findall(r"^Execution (\S+)$", printed.getvalue(), re.MULTILINE)
    session.boto_session.cache_clear(), session.pipeline_session.cache_clear()
    for execution in executions.values():
        finished(service.client("sagemaker"), execution)
    yield Ran(service, executions)


@pytest.fixture(scope="module")
def gaps(first: Ran) -> Ran:
    """Against the baseline of the managed flavour: data that only a check of the model refuses."""
    approve(first, "managed")
    return run_both(first.service, InputDataUrl=put(first.service, "gaps", 1, 0.1))


@pytest.fixture(scope="module")
def heavier(first: Ran, gaps: Ran) -> Ran:
    """Against the baseline of the portable flavour, which is the latest approved now."""
    approve(first, "portable")
    return run_both(first.service, InputDataUrl=put(first.service, "heavier", 1.5, 0))


def test_they_compute_the_same_files(first: Ran) -> None:
    assert [first.status(flavour) for flavour in FLAVOURS] == ["Succeeded", "Succeeded"]
    managed, portable = (first.checks(flavour) for flavour in FLAVOURS)
    assert set(managed) == set(portable) == set(CHECKS)
    s3 = first.service.client("s3")
    for name in CHECKS:
        for field in ("statistics", "constraints"):
            uris = [getattr(checks[name].calculated, field) for checks in (managed, portable)]
            if uris[0] is None:
                assert uris[1] is None
                continue
            assert_close(*(read_json(s3, uri) for uri in uris), f"{name} {field}")


def test_they_register_the_same_fields(first: Ran) -> None:
    sagemaker, s3 = first.service.client("sagemaker"), first.service.client("s3")
    described = [sagemaker.describe_model_package(ModelPackageName=registered(first, flavour)) for flavour in FLAVOURS]
    for field in ("ModelMetrics", "DriftCheckBaselines"):
        sources = [
            {(kind, name): source["S3Uri"] for kind, held in version[field].items() for name, source in held.items()}
            for version in described
        ]
        assert set(sources[0]) == set(sources[1]) and sources[0]
        for key, uri in sources[1].items():
            other = read_json(s3, sources[0][key])
            assert_close(_without_model(other), _without_model(read_json(s3, uri)), f"{field} {key}")


def test_on_drifted_data_both_find_the_same_violations_of_the_model(gaps: Ran) -> None:
    assert [gaps.status(flavour) for flavour in FLAVOURS] == ["Failed", "Failed"]
    managed, portable = (gaps.violations(flavour) for flavour in FLAVOURS)
    assert "ModelBiasCheckStep" in managed
    for flavour in FLAVOURS:  # the same data are clean for the checks of data
        statuses = {name: check.status for name, check in gaps.checks(flavour).items()}
        assert {statuses[name] for name in ("DataQualityCheckStep", "DataBiasCheckStep")} == {"Succeeded"}, flavour
    assert_close(managed, portable, "violations")
    used = [gaps.checks(flavour)["DataQualityCheckStep"].used for flavour in FLAVOURS]
    assert used[0] == used[1] and "/managed/" in (
        used[1].constraints or ""
    )  # a portable check reads a managed baseline


def test_a_managed_check_reads_a_portable_baseline_and_both_refuse_heavier_shells(heavier: Ran) -> None:
    managed, portable = (heavier.checks(flavour)["DataQualityCheckStep"] for flavour in FLAVOURS)
    assert "/portable/" in (managed.used.constraints or "") and managed.used == portable.used
    assert (managed.status, portable.status) == ("Failed", "Failed")
    job = heavier.service.client("sagemaker").describe_processing_job(
        ProcessingJobName=(portable.job or "").rpartition("/")[2]
    )
    assert job["ExitMessage"] == f"ClientError: Quality check failed. See violation report {portable.violations}"
    found = [heavier.violations(flavour) for flavour in FLAVOURS]
    assert [item["feature_name"] for item in found[0]["DataQualityCheckStep"]] == ["_c7"]
    assert found[0] == found[1]


def test_without_a_choice_the_account_s_use_of_managed_checks_decides(first: Ran, own_service: Service) -> None:
    used = decide(first.service.client("sagemaker"), "Checks-managed")
    assert (used.flavour == "managed" and "ran in execution" in used.reason) or "the account has" in used.reason
    unused = decide(own_service.client("sagemaker"), "Checks-managed")
    assert unused.flavour == "portable" and "--probe tries it" in unused.reason


def assert_close(one: Any, other: Any, where: str) -> None:
    """Equal, numbers within a thousandth: an endpoint's answers have fewer digits than the model's own."""
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        assert set(one) == set(other), where
        for name in one:
            assert_close(one[name], other[name], f"{where}.{name}")
    elif isinstance(one, list) and isinstance(other, list):
        assert len(one) == len(other), where
        for index, pair in enumerate(zip(one, other, strict=True)):
            assert_close(*pair, f"{where}[{index}]")
    elif isinstance(one, float) or isinstance(other, float):
        assert other == pytest.approx(one, rel=1e-3, abs=1e-3), where
    elif isinstance(one, str) and isinstance(other, str):
        assert TIMES.sub("", one) == TIMES.sub("", other), where
    else:
        assert one == other, where


def _without_model(content: Any) -> Any:
    """A configuration of a monitor: the portable one can't name the model, which a deployment does anyway."""
    if isinstance(content, Mapping) and "predictor" in content:
        return {**content, "predictor": {**content["predictor"], "model_name": ""}}
    return content
