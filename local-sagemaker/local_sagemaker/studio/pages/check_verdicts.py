"""What the check steps of an execution found."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from local_sagemaker.studio.page import Visit
from local_sagemaker.studio.pages.execution_data import steps_or_none
from local_sagemaker.studio.pages.objects import report_or_none
from local_sagemaker.studio.views.violation_texts import violations_in_words

_TABS = {
    "DATA_QUALITY": "data", "MODEL_QUALITY": "quality", "DATA_BIAS": "bias", "MODEL_BIAS": "bias",
    "MODEL_EXPLAINABILITY": "explainability",
}  # fmt: skip


@dataclass(frozen=True)
class CheckVerdict:
    """What a check found, in words; `tab` is that of a version's page that shows its report, `sentences` are all
    violations."""

    step: str
    tab: str
    words: str
    sentences: list[str]

    @property
    def is_violated(self) -> bool:
        """Whether the data or the model moved."""
        return bool(self.sentences)


def verdicts_of(visit: Visit, steps: Mapping[str, Mapping[str, Any]]) -> Iterator[CheckVerdict]:
    """The check steps among records of steps by name."""
    for name, step in steps.items():
        metadata = step.get("Metadata", {})
        details = metadata.get("QualityCheck") or metadata.get("ClarifyCheck")
        if details:
            words, sentences = _read(visit, details, step["StepStatus"])
            yield CheckVerdict(name, _TABS.get(details.get("CheckType", ""), ""), words, sentences)


def verdicts_of_execution(visit: Visit, arn: str) -> list[CheckVerdict]:
    """Those of an execution by its ARN; none of one that was deleted, or of something else."""
    if ":pipeline/" not in arn or "/execution/" not in arn:
        return []
    steps = steps_or_none(visit, arn, 500)
    return list(verdicts_of(visit, {step["StepName"]: step for step in steps}))


def _read(visit: Visit, details: Mapping[str, Any], status: str) -> tuple[str, list[str]]:
    if details.get("SkipCheck"):
        return "not compared" + (", made the baseline" if details.get("RegisterNewBaseline") else ""), []
    items = violations_in_words(report_or_none(visit, details.get("ViolationReport", "")) or {})
    if not items:
        return ("no violations" if status == "Succeeded" else status), []
    sentences = [item.sentence for item in items]
    return f"{len(items)} violation{'s' if len(items) > 1 else ''}: {sentences[0]}", sentences
