"""The outcome of a check in one phrase, and the lines that ``run-pipeline`` shows of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pipelines.reports import violations
from pipelines.reports.checks import ReportedCheck
from pipelines.reports.evidence import Evidence
from pipelines.reports.violations import Violation

SHOWN = 12  # violations on the terminal; the page has them all


@dataclass(frozen=True)
class Verdict:
    """``good`` is None where nothing was compared."""

    good: bool | None
    text: str
    violations: list[Violation]

    def lines(self, step: str) -> Iterator[str]:
        yield f"  {step:30} {self.text}"
        for violation in self.violations[:SHOWN]:
            yield f"    {violation.line()}"
        if len(self.violations) > SHOWN:
            yield f"    ... and {len(self.violations) - SHOWN} more, in the report"


@dataclass(frozen=True)
class Written:
    """A check's outcome and its page. ``path`` is None, and ``problem`` says why, if there is no page.

    ``origin`` says where the baseline comes from.
    """

    check: ReportedCheck
    verdict: Verdict
    path: Path | None
    problem: str = ""
    origin: str = ""

    @property
    def where(self) -> str:
        """The page's path, or why there is none."""
        return str(self.path) if self.path else f"no page could be written: {self.problem}"


def verdict(evidence: Evidence) -> Verdict:
    """What came of the check, from its status, its switches and its files."""
    check, rows = evidence.check, violations.read(evidence)
    good, text = _outcome(evidence, rows)
    if check.cached_from:
        text += f" (the cached result of execution {check.cached_from})"
    return Verdict(good, text, rows)


def _outcome(evidence: Evidence, rows: list[Violation]) -> tuple[bool | None, str]:
    check = evidence.check
    if rows:
        count = f"{len(rows)} violation{'s' if len(rows) > 1 else ''}"
        return False, f"FAILED: {count}" if check.status == "Failed" else f"{count}, which fail nothing here"
    if check.status != "Succeeded":
        return False, f"{check.status.upper()} without a comparison: {check.reason or 'no reason is given'}"
    if check.skipped:
        return None, "baseline registered" if check.registers else "nothing compared, the baseline stays"
    return True, f"passed{', new baseline registered' if check.registers else ''}"
