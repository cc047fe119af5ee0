"""What a build reports: files that the agent collected, read and put into their groups."""

from __future__ import annotations

import zipfile
from typing import BinaryIO

from local_sagemaker.codebuild.buildspec import ReportSpec
from local_sagemaker.codebuild.report_files import TYPES, ReportError, Row, rows_of
from local_sagemaker.errors import ServiceError
from local_sagemaker.records.store import Body
from local_sagemaker.services.codebuild.agent_output import DAMAGED, AgentOutput, Message
from local_sagemaker.services.codebuild.reports import ReportStore

MOST_ROWS = 10_000
"""Test cases, or covered files, of a report."""
LARGEST = 64 << 20
"""Bytes of a report's files together."""


class BuildReports:
    """The reports of one build, as its specification has them."""

    def __init__(self, build: Body, store: ReportStore, output: AgentOutput) -> None:
        """`output` has the archives."""
        self._build, self._store, self._output = build, store, output
        self._made: list[str] = []
        self._seen: set[int] = set()
        self._failures: list[str] = []

    def take_in(self, number: int, spec: ReportSpec, message: Message) -> None:
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
            with self._output.open("report", number) as archive:
                rows = self._read(spec.form, archive)
            self._made.append(self._store.add(body, self._build["arn"], rows)["arn"])
        except (ReportError, ServiceError, OSError, *DAMAGED) as error:
            self._failures.append(f"{spec.name}: [{error}]")

    @staticmethod
    def _read(form: str, archive: BinaryIO) -> list[Row]:
        rows: list[Row] = []
        with zipfile.ZipFile(archive) as files:
            if sum(entry.file_size for entry in files.infolist()) > LARGEST:
                raise ReportError(f"the files have more than {LARGEST} bytes")
            for entry in files.infolist():
                rows += rows_of(form, entry.filename, files.read(entry))
        if len(rows) > MOST_ROWS:
            raise ReportError(f"there are more than {MOST_ROWS} results")
        return rows

    @property
    def arns(self) -> list[str]:
        """The reports that were made."""
        return self._made

    @property
    def failure(self) -> str:
        """The message of UPLOAD_ARTIFACTS when a report could not be made."""
        return f"Error in UPLOAD_ARTIFACTS phase: [{', '.join(self._failures)}]" if self._failures else ""
