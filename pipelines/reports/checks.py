"""The check steps of an execution, from ListPipelineExecutionSteps: what each compared, with what, and how it ended."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

METADATA = ("QualityCheck", "ClarifyCheck")
TITLES: Mapping[str, str] = {
    "DATA_QUALITY": "Data quality",
    "DATA_BIAS": "Data bias",
    "MODEL_QUALITY": "Model quality",
    "MODEL_BIAS": "Model bias",
    "MODEL_EXPLAINABILITY": "Model explainability",
}
MODEL_MONITOR = ("DATA_QUALITY", "MODEL_QUALITY")


@dataclass(frozen=True)
class Files:
    """The S3 URIs of one baseline. Clarify has no statistics: its ``analysis.json`` is the constraints."""

    statistics: str | None
    constraints: str | None


NO_FILES = Files(None, None)


@dataclass(frozen=True)
class ReportedCheck:
    """A check step that has ended. ``kind`` is its CheckType."""

    step: str
    kind: str
    status: str
    reason: str
    skipped: bool  # it computed, and compared nothing
    registers: bool  # what it computed becomes the baseline
    calculated: Files
    used: Files
    violations: str | None  # the S3 URI of constraint_violations.json
    job: str | None
    cached_from: str | None
    compared: Files = NO_FILES  # where the step says so; managed ones leave it to their jobs
    group: str = ""  # the model package group whose approved version has the baseline

    @property
    def ended(self) -> bool:
        """Whether its job came to an end and left files."""
        return self.calculated.constraints is not None

    @property
    def folder(self) -> str:
        """The S3 folder of its files."""
        return f"{(self.calculated.constraints or '').rpartition('/')[0]}/"

    @property
    def clarify_report(self) -> str | None:
        """The S3 URI of the container's own report. Model Monitor's container writes none."""
        return f"{self.folder}report.html" if self.ended and self.kind not in MODEL_MONITOR else None


def find(steps: Mapping[str, Mapping[str, Any]]) -> list[ReportedCheck]:
    """The check steps among an execution's steps, in the order of these. Those still running are left out."""
    return [_check(name, step) for name, step in steps.items() if step["StepStatus"] in ENDED and _metadata(step)]


ENDED = ("Succeeded", "Failed", "Stopped")


def _metadata(step: Mapping[str, Any]) -> Mapping[str, Any] | None:
    metadata = step.get("Metadata", {})
    return next((metadata[name] for name in METADATA if name in metadata), None)


def _check(name: str, step: Mapping[str, Any]) -> ReportedCheck:
    metadata = _metadata(step) or {}
    source = step.get("CacheHitResult", {}).get("SourcePipelineExecutionArn")
    return ReportedCheck(
        step=name,
        kind=metadata.get("CheckType", ""),
        status=step["StepStatus"],
        reason=step.get("FailureReason", ""),
        skipped=bool(metadata.get("SkipCheck")),
        registers=bool(metadata.get("RegisterNewBaseline")),
        calculated=_files(metadata, "CalculatedBaseline"),
        used=_files(metadata, "BaselineUsedForDriftCheck"),
        compared=_files(metadata, "Compared"),
        group=metadata.get("ModelPackageGroupName") or "",
        violations=metadata.get("ViolationReport") or None,
        job=metadata.get("CheckJobArn"),
        cached_from=source.rpartition("/")[2] if source else None,
    )


def _files(metadata: Mapping[str, Any], prefix: str) -> Files:
    return Files(metadata.get(f"{prefix}Statistics") or None, metadata.get(f"{prefix}Constraints") or None)
