"""docs/how-to/test-your-pipelines.md, followed: the project on the page passes its own tests with the plugin."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.docs.blocks import blocks, write_files
from tests.support import COMMANDS

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

PAGE = "how-to/test-your-pipelines.md"


def test_the_project_of_the_page_tests_its_pipeline(tmp_path: Path) -> None:
    write_files(PAGE, tmp_path)
    command = blocks(PAGE)[-1]
    assert command.language == "sh"
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    environment["PATH"] = f"{COMMANDS}:{environment['PATH']}"
    done = subprocess.run(
        ["sh", "-c", command.text],
        cwd=tmp_path,
        env=environment,
        text=True,
        capture_output=True,
        timeout=840,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "2 passed" in done.stdout
