"""A check of an execution in a notebook: the verdict, the violations, and the plots of its report page."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from pipelines.display import drawing
from pipelines.reports.checks import TITLES
from pipelines.reports.evidence import Evidence
from pipelines.reports.verdicts import Verdict, verdict
from pipelines.reports.writer import SECTIONS

PAPER = "background:#fff;color:#1d2733;padding:2px 14px 10px;border-radius:6px;margin:6px 0;overflow-x:auto"


@dataclass(frozen=True)
class CheckView:
    """What one check read, computed and found. ``evidence`` has the contents of its files."""

    evidence: Evidence

    @cached_property
    def verdict(self) -> Verdict:
        """Whether the check found anything, and what."""
        return verdict(self.evidence)

    def __repr__(self) -> str:
        return "\n".join(self.verdict.lines(self.evidence.check.step))

    def _repr_html_(self) -> str:
        """On white, as the plots are made for paper."""
        check = self.evidence.check
        rows = [
            tuple(map(drawing.text, (item.subject, item.constraint, item.amount))) for item in self.verdict.violations
        ]
        table = drawing.table(("What", "Constraint", "By how much"), rows) if rows else ""
        made = SECTIONS.get(check.kind)
        sections = "".join(
            f"<h5>{drawing.text(section.title)}</h5>{section.body.markup}"
            for section in (made(self.evidence) if made and check.ended else ())
        )
        title = f"{TITLES.get(check.kind, check.kind)} ({check.step})"
        head = f"<h4>{drawing.text(title)}: {drawing.text(self.verdict.text)}</h4>"
        return f'<div style="{PAPER}">{head}{table}{sections}</div>'
