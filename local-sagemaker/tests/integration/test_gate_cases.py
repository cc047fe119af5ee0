"""The gate: eight rows of the truth table for five checks, each an execution against registered packages.

Then what violations do, with FailOnViolation on and off, and which baseline is the previous one.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any

import pytest
from jsonschema import validate

from tests import monitor_schemas as schemas
from tests.integration.gate import BASELINES, CHECKS, METRICS, Gate, kinds
from tests.support import Service, read_json

ROWS = {  # skip, register, previous baseline available -> the baseline handed on (None: the step fails)
    (False, False, True): "previous",
    (False, False, False): None,
    (False, True, True): "new",
    (False, True, False): None,
    (True, False, True): "previous",
    (True, False, False): None,
    (True, True, True): "new",
    (True, True, False): "new",
}
CASES = [(check_type, *row) for check_type in CHECKS for row in ROWS]
TITLES = {"QualityCheck": "Quality", "ClarifyCheck": "Clarify"}
VIOLATED = {  # what names the one constraint that `bad` changes
    "DATA_QUALITY": ("feature_name", "a"),
    "MODEL_QUALITY": ("metric_name", "mse"),
    "DATA_BIAS": ("metric_name", "DPL"),
    "MODEL_BIAS": ("metric_name", "DPPL"),
    "MODEL_EXPLAINABILITY": ("metric_name", "shap"),
}


@pytest.fixture(scope="module")
def gate(service: Service) -> Gate:
    made = Gate(service, f"gate-{uuid.uuid4().hex[:6]}")
    made.prepare()
    good, bad = made.baselines, made.bad
    made.version("gate-approved", bad, "Approved")
    made.version("gate-approved", good, "Approved")  # the latest approved one counts
    made.version("gate-approved", bad, "PendingManualApproval")
    made.version("gate-approved", bad, "Rejected")
    made.version("gate-unapproved", good, "PendingManualApproval")
    made.version("gate-strict", bad, "Approved")
    return made


@dataclass
class Cases:
    """Executions that were started together, by case; each is waited for when it is asked for."""

    gate: Gate
    started: dict[Any, str]

    def steps(self, case: Any) -> dict[str, dict[str, Any]]:
        return self.gate.ended(self.started[case])


def name(*case: Any) -> str:
    return "-".join(str(part) for part in case)


@pytest.fixture(scope="module")
def table(gate: Gate) -> Cases:
    started = {}
    for check_type, skip, register, available in CASES:
        # half of the missing ones are a group without an approved version, the others no group at all
        group = "gate-approved" if available else ("gate-unapproved" if register else "")
        run = name(skip, register, available)
        started[check_type, skip, register, available] = gate.start(
            check_type, skip=skip, register=register, group=group, run=run
        )
    return Cases(gate, started)


@pytest.mark.parametrize(("check_type", "skip", "register", "available"), CASES)
def test_row_of_the_table(
    gate: Gate, table: Cases, check_type: str, skip: bool, register: bool, available: bool
) -> None:
    used = ROWS[skip, register, available]
    steps = table.steps((check_type, skip, register, available))
    step, package = steps["Check"], gate.registered(steps)
    if used is None:
        assert step["StepStatus"] == "Failed" and package is None
        assert "previous baseline" in step["FailureReason"] and check_type in step["FailureReason"]
        return
    assert step["StepStatus"] == "Succeeded", step
    details = step["Metadata"][CHECKS[check_type]]
    assert (details["SkipCheck"], details["RegisterNewBaseline"]) == (skip, register)
    assert "ViolationReport" not in details and "processing-job/" in details["CheckJobArn"]
    out = f"s3://{gate.bucket}/out/{check_type}/{name(skip, register, available)}"
    files = {"Statistics": "statistics.json", "Constraints": "constraints.json"}
    files = files if len(kinds(check_type)) == 2 else {"Constraints": "analysis.json"}
    new = {kind: f"{out}/{file}" for kind, file in files.items()}
    expected = new if used == "new" else gate.baselines[check_type]
    for kind in kinds(check_type):
        assert details[f"CalculatedBaseline{kind}"] == new[kind]
        assert details[f"BaselineUsedForDriftCheck{kind}"] == expected[kind]
        assert read_json(gate.s3, new[kind])
    assert package is not None
    family, members = BASELINES[check_type]
    for kind, member in zip(kinds(check_type), members, strict=True):
        report = METRICS.get(member, "Report" if family == "Explainability" else member)
        assert package["ModelMetrics"][family][report]["S3Uri"] == new[kind]
        assert package["DriftCheckBaselines"][family][member]["S3Uri"] == expected[kind]


@pytest.fixture(scope="module")
def violating(gate: Gate) -> Cases:
    started: dict[Any, str] = {}
    for check_type in CHECKS:
        bad, good = gate.bad[check_type], gate.baselines[check_type]
        for case, options in {
            "registered": {"group": "gate-strict"},
            "registered, new handed on": {"group": "gate-strict", "register": True},
            "not failing": {"group": "gate-strict", "fail": False},
            "supplied": {"group": "gate-approved", "supplied": bad},
            "supplied, no group": {"supplied": bad, "fail": False, "register": True},
            "supplied wins": {"group": "gate-strict", "supplied": good},
            "skipped": {"group": "gate-strict", "skip": True},
        }.items():
            started[check_type, case] = gate.start(check_type, run=case.replace(", ", "-").replace(" ", "-"), **options)  # type: ignore[arg-type]
    return Cases(gate, started)


@pytest.mark.parametrize("check_type", CHECKS)
@pytest.mark.parametrize("case", ["registered", "registered, new handed on", "supplied"])
def test_a_violation_fails_the_step_and_names_the_report(
    gate: Gate, violating: Cases, check_type: str, case: str
) -> None:
    steps = violating.steps((check_type, case))
    step, kind = steps["Check"], CHECKS[check_type]
    assert step["StepStatus"] == "Failed" and gate.registered(steps) is None
    report = step["Metadata"][kind]["ViolationReport"]
    assert report.endswith("/constraint_violations.json")
    assert step["FailureReason"] == f"ClientError: {TITLES[kind]} check failed. See violation report: {report}"
    check_report(gate, check_type, report)
    job = gate.sagemaker.describe_processing_job(ProcessingJobName=step["Metadata"][kind]["CheckJobArn"].split("/")[1])
    assert job["ProcessingJobStatus"] == "Completed"
    assert job["ExitMessage"].startswith("CompletedWithViolations: ")


def check_report(gate: Gate, check_type: str, report: str) -> None:
    found = read_json(gate.s3, report)
    schema = {"DATA_QUALITY": schemas.DATA_VIOLATIONS, "MODEL_QUALITY": schemas.QUALITY_VIOLATIONS}
    validate(found, schema.get(check_type, schemas.CLARIFY_VIOLATIONS))
    member, value = VIOLATED[check_type]
    assert [violation[member] for violation in found["violations"]] == [value]


@pytest.mark.parametrize("check_type", CHECKS)
@pytest.mark.parametrize("case", ["not failing", "supplied, no group"])
def test_without_fail_on_violation_the_step_succeeds_with_a_report(
    gate: Gate, violating: Cases, check_type: str, case: str
) -> None:
    steps = violating.steps((check_type, case))
    step = steps["Check"]
    assert step["StepStatus"] == "Succeeded" and "FailureReason" not in step
    details = step["Metadata"][CHECKS[check_type]]
    check_report(gate, check_type, details["ViolationReport"])
    used = details["BaselineUsedForDriftCheckConstraints"]
    register = case == "supplied, no group"
    assert used == (details["CalculatedBaselineConstraints"] if register else gate.bad[check_type]["Constraints"])
    assert gate.registered(steps) is not None


@pytest.mark.parametrize("check_type", CHECKS)
@pytest.mark.parametrize("case", ["supplied wins", "skipped"])
def test_what_is_not_compared_with_the_strict_baseline_passes(
    gate: Gate, violating: Cases, check_type: str, case: str
) -> None:
    step = violating.steps((check_type, case))["Check"]
    assert step["StepStatus"] == "Succeeded"
    details = step["Metadata"][CHECKS[check_type]]
    assert "ViolationReport" not in details
    previous = gate.baselines if case == "supplied wins" else gate.bad
    assert details["BaselineUsedForDriftCheckConstraints"] == previous[check_type]["Constraints"]
