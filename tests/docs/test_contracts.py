"""Every contract that the code refers to is a numbered section of docs/contracts/."""

import re
from collections.abc import Iterator
from pathlib import Path

from tests.support import ROOT

CONTRACTS = ROOT / "docs" / "contracts"
PAGES = {page.stem for page in CONTRACTS.glob("*.md")} - {"README"}
REFERENCE = re.compile(r"\bcontracts:?\s+([a-z][a-z-]*)((?:(?:,\s*|-|\s+and\s+|\s+to\s+|\s+)\d+(?:\.\d+)?)+)")
HEADING = re.compile(r"^#+ (\d+(?:\.\d+)?)\.? ", re.MULTILINE)
SHIPPED = ("local-sagemaker/local_sagemaker", "model-checks/model_checks", "pipelines", "delivery")
CODE = (*SHIPPED, "local-sagemaker/tests", "tests")
ELSEWHERE = re.compile(r"\bmlops-template\b|\bshared/|\bspecs: |\btruth/|\b(?:DEL|ST)-\d")
"""Names of documents, or of items in them, that are in no file of the repository."""


def texts(packages: tuple[str, ...]) -> Iterator[tuple[Path, str]]:
    for package in packages:
        for path in sorted((ROOT / package).rglob("*.py")):
            yield path.relative_to(ROOT), path.read_text("utf-8")


def headings(page: str) -> set[str]:
    file = CONTRACTS / f"{page}.md"
    return set(HEADING.findall(file.read_text("utf-8"))) if file.exists() else set()


def references() -> Iterator[tuple[Path, str, str]]:
    for path, text in texts(CODE):
        for page, numbers in REFERENCE.findall(text):
            for number in re.findall(r"\d+(?:\.\d+)?", numbers):
                yield path, page, number


def test_each_reference_has_its_heading_and_each_page_is_referred_to() -> None:
    found = list(references())
    missing = [f"{path}: {page} {number}" for path, page, number in found if number not in headings(page)]
    assert not missing
    assert {page for _, page, _ in found} == PAGES


def test_no_reference_is_to_a_document_that_is_not_here() -> None:
    outside = [f"{path}: {match[0]}" for path, text in texts(SHIPPED) for match in ELSEWHERE.finditer(text)]
    assert not outside


def test_headings_are_numbered_once() -> None:
    for page in PAGES:
        found = HEADING.findall((CONTRACTS / f"{page}.md").read_text("utf-8"))
        assert len(found) == len(set(found)), page


def test_the_origin_of_a_fact_is_one_of_the_letters_of_the_index() -> None:
    letters = set(re.findall(r"\*\*([A-Z])\*\*", (CONTRACTS / "README.md").read_text("utf-8")))
    used = {
        letter
        for page in PAGES
        for tag in re.findall(r"\(([A-Z](?:, [A-Z])*)[);]", (CONTRACTS / f"{page}.md").read_text("utf-8"))
        for letter in tag.split(", ")
    }
    assert used == letters


def test_the_index_lists_every_page() -> None:
    listed = re.findall(r"^\| \[([a-z-]+)\]\(\1\.md\) \|", (CONTRACTS / "README.md").read_text("utf-8"), re.MULTILINE)
    assert set(listed) == PAGES and len(listed) == len(PAGES)
