"""Tables that name the tests which hold the right values of numbered cases."""

import re

from tests.support import ROOT

_ROW = re.compile(r"^\| ([A-Z]+-?\d[^|]*) \|[^|]*\| ([^|]*) \|$", re.MULTILINE)


def read_cases(page: str) -> tuple[set[str], list[str]]:
    """The cases of the rows ``| cases | about | tests |`` of ``docs/reference/<page>``, and the tests that are absent.

    Cases and tests are parted by commas. A test is ``path::function`` with its path below ``local-sagemaker/tests/``,
    or below ``tests/`` in a row whose tests begin with ``project: ``. A file of ``benchmarks/`` has no function.
    """
    absent, cases = [], set()
    for row in _ROW.findall((ROOT / "docs" / "reference" / page).read_text("utf-8")):
        cases |= set(row[0].split(", "))
        base = ROOT / ("tests" if row[1].startswith("project: ") else "local-sagemaker/tests")
        for name in row[1].removeprefix("project: ").split(", "):
            file, _, function = name.partition("::")
            path = (ROOT if name.startswith("benchmarks/") else base) / file
            if not path.is_file() or (function and f"def {function}(" not in path.read_text("utf-8")):
                absent.append(name)
            elif not function and path.parent != ROOT / "benchmarks":
                absent.append(f"{name} has no function")
    return cases, absent
