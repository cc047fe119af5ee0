"""The how-tos for those who extend the service: what a page says is done to a copy of it, and the page's tests pass."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.docs.blocks import Block, blocks, write_files
from tests.support import ROOT

pytestmark = pytest.mark.slow

PAGES = ("add-a-step-type", "add-an-operation", "add-a-resource", "add-an-aws-service", "add-an-image", "add-a-monitor")
STUDIO = "add-a-page"
"""One file, one template, one line; the copy's own tests of the pages pass, too."""
SOURCES = {"local_sagemaker": ROOT / "local-sagemaker", "model_checks": ROOT / "model-checks"}


def edit(folder: Path, block: Block) -> None:
    """Makes the change of a diff block: its lines without a sign, and those with a minus, must be there, once."""
    path = folder / block.file
    lines = block.text.splitlines(keepends=True)
    before = "".join(line[1:] for line in lines if not line.startswith("+"))
    after = "".join(line[1:] for line in lines if not line.startswith("-"))
    text = path.read_text("utf-8")
    assert text.count(before) == 1, f"{block.file} does not have, once:\n{before}"
    path.write_text(text.replace(before, after), "utf-8")


def follow(page: str, folder: Path) -> list[Path]:
    """Does what a page says to a copy of the packages; the tests that it writes."""
    for block in blocks(page):
        if block.language == "diff":
            edit(folder, block)
    write_files(page, folder, "html")
    written = write_files(page, folder, "python")
    return [path.relative_to(folder) for path in written if path.name.startswith("test_")]


def run(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Runs Python on the copy."""
    environment = {**os.environ, "PYTHONPATH": str(folder), "AWS_DEFAULT_REGION": "us-east-1"}
    return subprocess.run(
        [sys.executable, *words], cwd=folder, env=environment, text=True, capture_output=True, timeout=840, check=False
    )


@dataclass(frozen=True)
class Followed:
    """A copy in which all pages were followed: the tests by page, their outcomes, and what the copy registers."""

    tests: dict[str, list[Path]]
    outcome: str
    reference: str


@pytest.fixture(scope="module")
def followed(tmp_path_factory: pytest.TempPathFactory) -> Followed:
    """One copy for all pages, since what they add is independent, and one run of all their tests."""
    folder = tmp_path_factory.mktemp("followed")
    for package, source in SOURCES.items():
        shutil.copytree(source / package, folder / package)  # with compiled modules, which stay valid
    tests = {page: follow(f"how-to/{page}.md", folder) for page in (*PAGES, STUDIO)}
    own = ROOT / "local-sagemaker" / "tests" / "unit" / "studio" / "test_studio_registry.py"
    tests[STUDIO].append(Path("tests") / own.name)
    shutil.copy(own, folder / "tests")
    files = [str(path) for paths in tests.values() for path in paths]
    done = run(folder, "-m", "pytest", "-rA", "--tb=short", "-p", "no:cacheprovider", *files)
    reference = run(folder, "-m", "local_sagemaker.cli.reference").stdout
    return Followed(tests, done.stdout + done.stderr, reference)


@pytest.mark.timeout(900)
@pytest.mark.parametrize("name", [*PAGES, STUDIO])
def test_a_page_followed_to_the_letter(name: str, followed: Followed) -> None:
    assert followed.tests[name]
    for file in followed.tests[name]:
        assert f"PASSED {file}::" in followed.outcome, followed.outcome
        assert not re.search(rf"^(FAILED|ERROR) {file}", followed.outcome, re.MULTILINE), followed.outcome


@pytest.mark.timeout(900)
@pytest.mark.parametrize("name", PAGES)
def test_what_is_added_is_in_the_reference_of_the_copy(name: str, followed: Followed) -> None:
    (expected,) = [block.text for block in blocks(f"how-to/{name}.md") if block.language == "markdown"]
    assert expected in followed.reference
    assert expected not in (ROOT / "docs" / "reference" / "operations.md").read_text("utf-8")


def test_every_page_for_extensions_is_tested() -> None:
    assert {path.stem for path in (ROOT / "docs" / "how-to").glob("add-*.md")} == {*PAGES, STUDIO}
