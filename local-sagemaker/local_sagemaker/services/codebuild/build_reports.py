"""What a build reports: files that the agent collected, read and put into their groups."""

from __future__ import annotations

from pathlib import Path

from local_sagemaker.codebuild.buildspec import ReportSpec
from local_sagemaker.codebuild.report_files import TYPES, ReportError, ReportRow
from local_sagemaker.errors import ServiceError
from local_sagemaker.records.store import Body
from local_sagemaker.services.codebuild.agent_output import AgentMessage, AgentOutput
from local_sagemaker.services.codebuild.reports import ReportStore
from local_sagemaker.workers.pool import CallFailed, CallTimedOut, Workers

MOST_ROWS = 10_000
"""Test cases, or covered files, of a report."""
LARGEST = 64 << 20
"""Bytes of a report's files together."""
_READERS = Workers("local_sagemaker.codebuild.report_files")
_SECONDS = 60.0
"""For the reading of them."""


class BuildReports:
    """The reports of one build, as its specification has them."""

    def __init__(self, build: Body, store: ReportStore, output: AgentOutput) -> None:
        """`output` has the archives."""
        self._build, self._store, self._output = build, store, output
        self._made: list[str] = []
        self._seen: set[int] = set()
        self._failures: list[str] = []

    def take_in(self, number: int, spec: ReportSpec, message: AgentMessage) -> None:
        """Makes a report of an archive of files, or notes why there is none; once for each report (by `number`)."""
        if number in self._seen:
            return
        self._seen.add(number)
        group = spec.name if spec.name.startswith("arn:") else f"{self._build['projectName']}-{spec.name}"
        try:
            if message["failure"]:
                raise ReportError(message["failure"])
            body = self._store.group(group)
            if body is None and group.startswith("arn:"):
                raise ReportError("the report group does not exist")
            body = body or self._store.ensure(group, TYPES[spec.form])
            if body["type"] != TYPES[spec.form]:
                raise ReportError(f"the report group is of type {body['type']}")
            rows = read_archive(self._output.take("report", number), spec.form)
            self._made.append(self._store.add(body, self._build["arn"], rows)["arn"])
        except (ReportError, ServiceError, OSError) as error:
            self._failures.append(f"{spec.name}: [{error}]")

    @property
    def arns(self) -> list[str]:
        """The reports that were made."""
        return self._made

    @property
    def failure(self) -> str:
        """The message of UPLOAD_ARTIFACTS when a report could not be made."""
        return f"Error in UPLOAD_ARTIFACTS phase: [{', '.join(self._failures)}]" if self._failures else ""


def read_archive(archive: Path, form: str) -> list[ReportRow]:
    """The results of a report's files, which a process of its own inflates and parses. Raises `ReportError`."""
    try:
        rows: list[ReportRow] = _READERS.call(
            "rows_of_archive", str(archive), form, LARGEST, MOST_ROWS, seconds=_SECONDS
        )
    except CallTimedOut as error:
        raise ReportError(f"its files take longer than {_SECONDS:g} s to read") from error
    except CallFailed as error:
        memory = not error.kind or error.kind == "MemoryError"
        raise ReportError("its files need too much memory" if memory else str(error) or error.kind) from error
    return rows
