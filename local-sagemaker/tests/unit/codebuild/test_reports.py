"""Report groups and reports: made once whoever comes first, removed when they are too old."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from local_sagemaker.arns import Arns
from local_sagemaker.codebuild.report_files import TEST, rows_of
from local_sagemaker.errors import ServiceError
from local_sagemaker.records import Records
from local_sagemaker.services.codebuild import reports
from local_sagemaker.services.codebuild.reports import KEPT_SECONDS, ROWS, ReportStore

CASES = rows_of("JUNITXML", "r.xml", b'<testsuite name="s"><testcase name="one"/><testcase name="two"/></testsuite>')


@pytest.fixture(name="store")
def _store(tmp_path: Path) -> Iterator[ReportStore]:
    records = Records(tmp_path / "records.db")
    yield ReportStore(records, Arns("us-east-1", "123456789012"))
    records.close()


def test_a_group_that_another_build_has_made_meanwhile_is_taken(store: ReportStore) -> None:
    made = store.insert("p-tests", TEST)
    assert store.ensure("p-tests", TEST) == made
    assert store.ensure("p-others", TEST)["name"] == "p-others"
    with pytest.raises(ServiceError, match="already exists"):
        store.insert("p-tests", TEST)


def test_reports_end_with_their_rows_when_they_are_too_old(store: ReportStore, monkeypatch: pytest.MonkeyPatch) -> None:
    operations, group = reports.TestReports(store=store), store.insert("p-tests", TEST)
    report = store.add(group, "arn:build", CASES)
    assert [case["name"] for case in operations.test_cases({"reportArn": report["arn"]})["testCases"]] == ["one", "two"]
    assert all("_rows" not in body for body in store.reports())
    moment = report["expired"]
    monkeypatch.setattr(reports, "now", lambda: moment)
    later: dict[str, Any] = operations.batch({"reportArns": [report["arn"]]})
    assert (later["reports"], later["reportsNotFound"]) == ([], [report["arn"]])
    with pytest.raises(ServiceError, match="Report does not exist"):
        operations.test_cases({"reportArn": report["arn"]})
    monkeypatch.setattr(reports, "now", lambda: moment + KEPT_SECONDS / 2)
    assert store.records.has_any(ROWS)
    fresh = store.add(group, "arn:build", CASES[:1])
    assert [body["arn"] for body in store.reports()] == [fresh["arn"]]
    assert len(store.records.list(ROWS)) == 1
    with pytest.raises(ServiceError, match="deleteReports"):
        operations.delete({"arn": group["arn"]})
    operations.delete({"arn": group["arn"], "deleteReports": True})
    assert not store.records.has_any(ROWS)
