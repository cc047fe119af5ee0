"""The how-tos for those who extend the service: what a page says is done to a copy of it, and the page's tests pass."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.blocks import Block, blocks, write_files
from tests.support import ROOT

pytestmark = pytest.mark.slow

PAGES = ("add-a-step-type", "add-an-operation", "add-a-resource", "add-an-aws-service", "add-an-image", "add-a-monitor")
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
    for package, source in SOURCES.items():
        shutil.copytree(source / package, folder / package, ignore=shutil.ignore_patterns("__pycache__"))
    for block in blocks(page):
        if block.language == "diff":
            edit(folder, block)
    write_files(page, folder, "html")
    written = write_files(page, folder, "python")
    return [path for path in written if path.name.startswith("test_")]


def run(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Runs Python on the copy."""
    environment = {**os.environ, "PYTHONPATH": str(folder), "AWS_DEFAULT_REGION": "us-east-1"}
    return subprocess.run(
        [sys.executable, *words], cwd=folder, env=environment, text=True, capture_output=True, timeout=280, check=False
    )


@pytest.mark.parametrize("name", PAGES)
def test_a_page_followed_to_the_letter(name: str, tmp_path: Path) -> None:
    page = f"how-to/{name}.md"
    tests = follow(page, tmp_path)
    assert tests
    done = run(tmp_path, "-m", "pytest", "-q", "-p", "no:cacheprovider", *map(str, tests))
    assert done.returncode == 0, done.stdout + done.stderr
    reference = run(tmp_path, "-m", "local_sagemaker.cli.reference").stdout
    (expected,) = [block.text for block in blocks(page) if block.language == "markdown"]
    assert expected in reference
    assert expected not in (ROOT / "docs" / "reference" / "operations.md").read_text("utf-8")


def test_a_page_of_studio_is_added(tmp_path: Path) -> None:
    """One file, one template, one line (studio, ST-34); the copy's own tests of the pages pass, too."""
    tests = follow("how-to/add-a-page.md", tmp_path)
    own = tmp_path / "tests" / "test_studio_registry.py"
    shutil.copy(ROOT / "local-sagemaker" / "tests" / "unit" / "studio" / "test_studio_registry.py", own)
    done = run(tmp_path, "-m", "pytest", "-q", "-p", "no:cacheprovider", *map(str, tests), str(own))
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_page_for_extensions_is_tested() -> None:
    assert {path.stem for path in (ROOT / "docs" / "how-to").glob("add-*.md")} == {*PAGES, "add-a-page"}
