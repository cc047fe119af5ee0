"""Every contract that the code refers to is a numbered section of docs/contracts/."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
CONTRACTS = ROOT / "docs" / "contracts"
PAGES = {page.stem for page in CONTRACTS.glob("*.md")} - {"README"}
REFERENCE = re.compile(rf"\bcontracts:?\s+({'|'.join(sorted(PAGES))})((?:(?:,\s*|-|\s+and\s+|\s+)\d+(?:\.\d+)?)+)")
HEADING = re.compile(r"^#+ (\d+(?:\.\d+)?)\.? ", re.MULTILINE)


def headings(page):
    return set(HEADING.findall((CONTRACTS / f"{page}.md").read_text("utf-8")))


def references():
    for package in ("local-sagemaker/local_sagemaker", "pipelines", "delivery"):
        for path in sorted((ROOT / package).rglob("*.py")):
            for page, numbers in REFERENCE.findall(path.read_text("utf-8")):
                for number in re.findall(r"\d+(?:\.\d+)?", numbers):
                    yield path.relative_to(ROOT), page, number


def test_each_reference_has_its_heading():
    found = list(references())
    missing = [f"{path}: {page} {number}" for path, page, number in found if number not in headings(page)]
    assert len(found) > 40
    assert not missing


def test_no_reference_is_to_a_document_that_is_not_here():
    outside = [
        str(path.relative_to(ROOT))
        for package in ("local-sagemaker/local_sagemaker", "pipelines", "delivery")
        for path in sorted((ROOT / package).rglob("*.py"))
        if re.search(r"\bmlops-template\b|\bshared/|\bspecs: |\btruth/", path.read_text("utf-8"))
    ]
    assert not outside


def test_headings_are_numbered_once():
    for page in PAGES:
        found = HEADING.findall((CONTRACTS / f"{page}.md").read_text("utf-8"))
        assert len(found) == len(set(found)), page
