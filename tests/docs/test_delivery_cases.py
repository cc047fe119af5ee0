"""Every test that the table of the delivery's cases names exists, and no case is left out."""

from __future__ import annotations

import re
from pathlib import Path

from tests.support import ROOT

PAGE = ROOT / "docs" / "reference" / "delivery-cases.md"
CASES = {"DEL": 50, "X": 31, "K": 10, "W": 21, "F": 10}


def file_of(name: str) -> Path:
    base = "tests" if name.startswith("project:") else "local-sagemaker/tests"
    return ROOT / base / name.removeprefix("project:").partition("::")[0]


def test_every_case_has_a_test_that_exists() -> None:
    rows = re.findall(r"^\| ([A-Z]+\d+) \| ([^|]+) \| ([^|]+) \|$", PAGE.read_text("utf-8"), re.MULTILINE)
    named = [name for *_, tests in rows for name in tests.split(", ")]
    missing = [
        name for name in named if not file_of(name).is_file()
        or f"def {name.partition('::')[2]}(" not in file_of(name).read_text("utf-8")
    ]  # fmt: skip
    assert not missing
    cases = [case for case, *_ in rows]
    assert cases == [f"{letters}{number}" for letters, last in CASES.items() for number in range(1, last + 1)]
