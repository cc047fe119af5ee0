"""Writes the pages: one check at a time, beside the execution that is still running, or all at once afterwards.

matplotlib takes half a second to import. So ``Reports`` imports it in a thread while the first step runs, and makes
every page there as soon as its check has ended: when the execution ends, at most the last page is left to do.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from pipelines.checks.definition import check_steps
from pipelines.definition import Definition
from pipelines.local import is_local
from pipelines.reports import bias, data_quality, explainability, model_quality, names
from pipelines.reports.checks import ReportedCheck, find
from pipelines.reports.evidence import Evidence, gather, read_bytes
from pipelines.reports.index import write_index
from pipelines.reports.page import Section, page
from pipelines.reports.portable import PortableResults
from pipelines.reports.verdicts import Verdict, Written, verdict

if TYPE_CHECKING:
    from pipelines.session import AwsClients

FOLDER = Path("reports")
KEPT = "check-report.html"
SECTIONS: Mapping[str, Callable[[Evidence], Iterator[Section]]] = {
    "DATA_QUALITY": data_quality.sections,
    "DATA_BIAS": bias.sections,
    "MODEL_QUALITY": model_quality.sections,
    "MODEL_BIAS": bias.sections,
    "MODEL_EXPLAINABILITY": explainability.sections,
}


class Reports:
    """The pages of one execution, in ``folder``/<execution id>/<step>.html."""

    def __init__(self, clients: AwsClients, execution_arn: str, columns: Sequence[str] = (), folder: Path = FOLDER):
        self._clients, self._arn, self._columns = clients, execution_arn, columns
        _ = clients.s3, clients.sagemaker  # made here, since making clients is not safe in two threads
        self._folder = folder / execution_arn.rpartition("/")[2]
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="reports")
        self._portable = PortableResults(clients)
        self._pages: dict[str, Future[Written]] = {}

    def expect(self, definition: Definition) -> None:
        """Imports what plots take, beside the first step, if the definition has checks."""
        if check_steps(definition):
            self._pool.submit(importlib.import_module, "matplotlib.backends.backend_svg")

    def see(self, steps: Mapping[str, Mapping[str, Any]]) -> None:
        """Starts the pages of those checks that have ended since the last time."""
        for check in find(self._portable.add_metadata(steps)):
            if check.step not in self._pages:
                self._pages[check.step] = self._pool.submit(self._write, check)

    def finish(self, steps: Mapping[str, Mapping[str, Any]]) -> list[Written]:
        """All of them, in the order of the steps, when they are done."""
        self.see(steps)
        self._pool.shutdown()
        written = [self._pages[name].result() for name in steps if name in self._pages]
        if written:
            with suppress(OSError):  # pages need no index
                write_index(self._folder, self._arn, written)
        return written

    def __enter__(self) -> Reports:
        return self

    def __exit__(self, *_: object) -> None:
        """Starts no more pages; ``finish`` is what waits for all of them."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _write(self, check: ReportedCheck) -> Written:
        evidence = gather(self._clients, check, names.for_check(check.kind, self._columns))
        outcome = verdict(evidence)
        try:
            return Written(check, outcome, self._page(evidence, outcome), "", evidence.origin)
        except Exception as error:  # a page is an extra: whatever hinders it must not change how the command ends
            return Written(check, outcome, None, f"{type(error).__name__}: {error}")

    def _page(self, evidence: Evidence, outcome: Verdict) -> Path:
        check = evidence.check
        made = SECTIONS.get(check.kind)
        sections = list(made(evidence)) if made and check.ended else []
        self._folder.mkdir(parents=True, exist_ok=True)
        own = read_bytes(self._clients, check.clarify_report)
        beside = self._folder / f"{check.step}-clarify.html"
        if own:
            beside.write_bytes(own)
        path = self._folder / f"{check.step}.html"
        text = page(evidence, outcome, sections, self._arn, beside.name if own else None)
        path.write_text(text, encoding="utf-8")
        self._keep(check, text)
        return path

    def _keep(self, check: ReportedCheck, text: str) -> None:
        """Puts the page beside the files that it shows, where the local service's web pages find it. Not on AWS."""
        if not check.ended or not is_local():
            return
        bucket, _, key = f"{check.folder}{KEPT}".removeprefix("s3://").partition("/")
        with suppress(BotoCoreError, ClientError):  # a page is an extra
            self._clients.s3.put_object(Bucket=bucket, Key=key, Body=text.encode(), ContentType="text/html")
