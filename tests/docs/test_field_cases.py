"""Every test that the table of the field's cases names exists, and no case is left out."""

import re

from tests.support import ROOT

PAGE = ROOT / "docs" / "reference" / "field-cases.md"
CASES = {"J": 9, "D": 12, "T": 15, "A": 9, "H": 17, "U": 18}


def test_every_case_has_a_test_that_exists() -> None:
    missing, found = [], set()
    for row in re.findall(r"^\| ([A-Z]\d[^|]*) \|[^|]*\| ([^|]*) \|$", PAGE.read_text("utf-8"), re.MULTILINE):
        found |= set(row[0].split(", "))
        base = ROOT / ("tests" if row[1].startswith("project: ") else "local-sagemaker/tests")
        for name in row[1].removeprefix("project: ").split(", "):
            file, _, function = name.partition("::")
            if not (base / file).is_file() or f"def {function}(" not in (base / file).read_text("utf-8"):
                missing.append(name)
    assert not missing
    assert found == {f"{letter}{number}" for letter, last in CASES.items() for number in range(1, last + 1)}
