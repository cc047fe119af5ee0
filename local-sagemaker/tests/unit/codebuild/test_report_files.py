"""Files of reports: what is counted in them."""

from __future__ import annotations

import pytest

from local_sagemaker.codebuild.report_files import COVERAGE, TEST, ReportError, rows_of, summary_of

JUNIT = b"""<testsuites><testsuite name="s">
<testcase classname="a.B" name="works" time="0.5"/>
<testcase classname="a.B" name="fails" time="1"><failure message="no">trace</failure></testcase>
<testcase classname="a.B" name="breaks"><error>oh</error></testcase>
<testcase classname="a.B" name="waits"><skipped/></testcase>
</testsuite></testsuites>"""
COBERTURA = b"""<coverage><packages><package><classes>
<class filename="a.py"><lines><line number="1" hits="1"/><line number="2" hits="0"/>
<line number="3" hits="2" branch="true" condition-coverage="50% (1/2)"/></lines></class>
</classes></package></packages></coverage>"""


def test_junit() -> None:
    rows = rows_of("JUNITXML", "r.xml", JUNIT)
    assert [(row["name"], row["status"], row["message"]) for row in rows] == [
        ("works", "SUCCEEDED", ""), ("fails", "FAILED", "no"), ("breaks", "ERROR", "oh"), ("waits", "SKIPPED", ""),
    ]  # fmt: skip
    summary = summary_of(TEST, rows)["testSummary"]
    assert (summary["total"], summary["durationInNanoSeconds"]) == (4, 1_500_000_000)
    assert summary["statusCounts"] == {"ERROR": 1, "FAILED": 1, "SKIPPED": 1, "SUCCEEDED": 1, "UNKNOWN": 0}


def test_cobertura() -> None:
    rows = rows_of("COBERTURAXML", "c.xml", COBERTURA)
    expected = {
        "lineCoveragePercentage": 66.67, "linesCovered": 2, "linesMissed": 1, "branchCoveragePercentage": 50.0,
        "branchesCovered": 1, "branchesMissed": 1,
    }  # fmt: skip
    assert rows == [{"filePath": "a.py", **expected}]
    assert summary_of(COVERAGE, rows)["codeCoverageSummary"] == expected


ENTITIES = """<!DOCTYPE a [<!ENTITY x "y">]><testsuite name="s"><testcase name="&x;"/></testsuite>"""
PARAMETER = """<!DOCTYPE a [<!ENTITY % x SYSTEM "file:///etc/hostname"> %x;]><testsuite/>"""


@pytest.mark.parametrize("time", ["inf", "-inf", "nan", "1e300", "1e999", "9" * 400, "long", ""])
def test_a_time_that_is_no_duration_counts_as_none(time: str) -> None:
    data = f'<testsuite name="s"><testcase name="a" time="{time}"/><testcase name="b" time="1"/></testsuite>'
    rows = rows_of("JUNITXML", "r.xml", data.encode())
    assert [row["durationInNanoSeconds"] for row in rows] == [0, 1_000_000_000]


@pytest.mark.parametrize("counts", ["1/" + "9" * 5000, "x/2", "1", "\u0661/\u0662", "-1/2"])
def test_branches_that_are_no_numbers_count_as_none(counts: str) -> None:
    line = f'<line number="1" hits="inf" condition-coverage="50% ({counts})"/>'
    (row,) = rows_of("COBERTURAXML", "c.xml", f'<coverage><class filename="a">'
                     f'<lines>{line}</lines></class></coverage>'.encode())  # fmt: skip
    assert (row["branchesCovered"], row["branchesMissed"], row["linesCovered"]) == (0, 0, 1)


@pytest.mark.parametrize("text", [ENTITIES, PARAMETER])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-16-be", "utf-16-le"])
def test_entities_are_refused_in_any_encoding(text: str, encoding: str) -> None:
    head = f'<?xml version="1.0" encoding="{encoding.upper()[:6].rstrip("-")}"?>'
    with pytest.raises(ReportError, match="entities are not read"):
        rows_of("JUNITXML", "r.xml", (head + text).encode(encoding))


@pytest.mark.parametrize("data", [b"<a", b"<other/>", b'<?xml version="1.0" encoding="none"?><testsuite/>'])
def test_what_is_no_report_is_refused(data: bytes) -> None:
    with pytest.raises(ReportError):
        rows_of("JUNITXML", "r.xml", data)
    with pytest.raises(ReportError):
        rows_of("COBERTURAXML", "r.xml", data)
