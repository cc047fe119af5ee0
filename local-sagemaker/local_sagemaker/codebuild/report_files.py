"""The results that a build reports: test cases of JUnit's XML, coverage of Cobertura's."""

from __future__ import annotations

import re
import zipfile
from typing import Any
from xml.etree import ElementTree
from xml.parsers import expat

ReportRow = dict[str, Any]
TEST, COVERAGE = "TEST", "CODE_COVERAGE"
TYPES = {"JUNITXML": TEST, "COBERTURAXML": COVERAGE}
"""The type of report by its file format."""
FAILURES = ("FAILED", "ERROR")
_COUNT = re.compile(r"[0-9]{1,9}")
_OUTCOMES = {"failure": "FAILED", "error": "ERROR", "skipped": "SKIPPED"}
LONGEST_MESSAGE = 5000
LONGEST_SECONDS = 900_000.0
"""Of a test case; a build takes at most 36 hours. All cases of a report together stay a 64-bit count of nanoseconds."""


class ReportError(ValueError):
    """A file is not of its format; the message says which and why."""


def rows_of_archive(archive: str, form: str, largest: int, most_rows: int) -> list[ReportRow]:
    """The results of all files of a zip, of at most so many bytes. `ReportError`, or what `zipfile` raises."""
    rows: list[ReportRow] = []
    with zipfile.ZipFile(archive) as files:
        for entry in files.infolist():
            with files.open(entry) as file:
                data = file.read(largest + 1)  # which inflates no more than that, whatever the headers say
            largest -= len(data)
            if largest < 0:
                raise ReportError("the files have too many bytes")
            rows += rows_of(form, entry.filename, data)
            if len(rows) > most_rows:
                raise ReportError(f"there are more than {most_rows} results")
    return rows


def rows_of(form: str, name: str, data: bytes) -> list[ReportRow]:
    """The test cases or covered files of one file, without what the report adds. Raises `ReportError`."""
    try:
        _refuse_entities(name, data)
        root = ElementTree.fromstring(data)
    except ReportError:
        raise
    except (ElementTree.ParseError, expat.ExpatError, ValueError, LookupError) as error:
        raise ReportError(f"{name} is not well-formed: {error}") from error
    return _cases(root, name) if form == "JUNITXML" else _coverages(root)


def _refuse_entities(name: str, data: bytes) -> None:
    """Refuses a file that declares any, in whatever encoding, before one could be used."""

    def refuse(*declared: Any) -> None:
        raise ReportError(f"{name}: entities are not read ({declared[0]})")

    parser = expat.ParserCreate()
    parser.EntityDeclHandler = refuse
    parser.Parse(data, True)


def _cases(root: ElementTree.Element, name: str) -> list[ReportRow]:
    if root.tag not in ("testsuites", "testsuite"):
        raise ReportError(f"{name} is no JUnit XML: its root is {root.tag}")
    return [_case(suite, case, name) for suite in root.iter("testsuite") for case in suite if case.tag == "testcase"]


def _case(suite: ElementTree.Element, case: ElementTree.Element, name: str) -> ReportRow:
    outcome = next((part for part in case if part.tag in _OUTCOMES), None)
    message = "" if outcome is None else (outcome.get("message") or outcome.text or "").strip()
    return {
        "testRawDataPath": name, "prefix": case.get("classname", ""), "name": case.get("name", ""),
        "testSuiteName": suite.get("name", ""),
        "status": "SUCCEEDED" if outcome is None else _OUTCOMES[outcome.tag],
        "durationInNanoSeconds": int(1e9 * _seconds(case.get("time"))), "message": message[:LONGEST_MESSAGE],
    }  # fmt: skip


def _seconds(text: str | None) -> float:
    """A duration; 0 for what is none, or longer than any."""
    number = _number(text)
    return number if abs(number) <= LONGEST_SECONDS else 0.0  # false for nan, too


def _number(text: str | None) -> float:
    try:
        return float((text or "0").replace(",", ""))
    except ValueError:
        return 0.0


def _coverages(root: ElementTree.Element) -> list[ReportRow]:
    if root.tag != "coverage":
        raise ReportError(f"the file is no Cobertura XML: its root is {root.tag}")
    lines: dict[str, dict[str, tuple[bool, int, int]]] = {}
    for part in root.iter("class"):
        hits = lines.setdefault(part.get("filename", ""), {})
        for line in part.findall("lines/line"):
            taken, all_of_them = _branches(line.get("condition-coverage", ""))
            hits[line.get("number", "")] = (_number(line.get("hits")) > 0, taken, all_of_them)
    return [{"filePath": file, **summary(list(hits.values()))} for file, hits in sorted(lines.items())]


def _branches(text: str) -> tuple[int, int]:
    """Taken and all branches of ``50% (1/2)``."""
    inside = text.partition("(")[2].partition(")")[0].split("/")
    return (int(inside[0]), int(inside[1])) if len(inside) == 2 and all(map(_COUNT.fullmatch, inside)) else (0, 0)


def summary(lines: list[tuple[bool, int, int]]) -> ReportRow:
    """Counts and percentages of lines: whether each is covered, its branches that were taken, and all of them."""
    covered, taken = sum(line[0] for line in lines), sum(line[1] for line in lines)
    return coverage_row(covered, len(lines) - covered, taken, sum(line[2] for line in lines) - taken)


def coverage_row(covered: int, missed: int, taken: int, untaken: int) -> ReportRow:
    """The members of coverage in responses."""
    return {
        "lineCoveragePercentage": _share(covered, missed), "linesCovered": covered, "linesMissed": missed,
        "branchCoveragePercentage": _share(taken, untaken), "branchesCovered": taken, "branchesMissed": untaken,
    }  # fmt: skip


def _share(covered: int, missed: int) -> float:
    return round(100 * covered / (covered + missed), 2) if covered + missed else 0.0


def summary_of(kind: str, rows: list[ReportRow]) -> ReportRow:
    """The summary of all rows, as reports show it by their type."""
    if kind == COVERAGE:
        names = ("linesCovered", "linesMissed", "branchesCovered", "branchesMissed")
        return {"codeCoverageSummary": coverage_row(*(sum(row[name] for row in rows) for name in names))}
    statuses = ("ERROR", "FAILED", "SKIPPED", "SUCCEEDED", "UNKNOWN")
    return {"testSummary": {
        "total": len(rows), "statusCounts": {one: sum(row["status"] == one for row in rows) for one in statuses},
        "durationInNanoSeconds": sum(row["durationInNanoSeconds"] for row in rows),
    }}  # fmt: skip
