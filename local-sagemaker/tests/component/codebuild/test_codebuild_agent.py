"""The agent of a build by itself."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from local_sagemaker.codebuild.agent import BuildAgent


def run(folder: Path, python: str, command: str) -> list[dict[str, Any]]:
    """Runs a build of two phases with a selected Python; what its agent reports."""
    phases = [{"name": name, "commands": [command.format(name=name)], "finally": [], "on_failure": "", "refusal": None}
              for name in ("INSTALL", "BUILD")]  # fmt: skip
    plan: dict[str, Any] = {
        "shell": ["/bin/sh"], "source": str(folder), "phases": phases, "notes": [], "python": python,
        "exported": [], "masked": [], "artifacts": [], "reports": [],
    }  # fmt: skip
    said = io.StringIO()
    BuildAgent(plan, folder, said).run()
    return [json.loads(line) for line in said.getvalue().splitlines()]


@pytest.mark.timeout(60)
def test_a_python_that_can_not_be_selected_fails_install(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    broken = tmp_path / "python3"
    broken.write_text("#!/bin/sh\necho no module named venv\nexit 3\n")
    broken.chmod(0o755)
    messages = run(tmp_path, str(broken), "echo in-{name}")
    (install,) = [message for message in messages if "phase" in message]
    assert (install["phase"], install["status"]) == ("INSTALL", "FAILED")
    (context,) = install["contexts"]
    text = f"The Python {broken} could not be made the build's: exit status 3"
    assert context == {"statusCode": "CLIENT_ERROR", "message": text}
    assert "in-BUILD" not in capfd.readouterr().out


@pytest.mark.timeout(120)
def test_a_selected_python_has_the_packages_of_the_image(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    messages = run(
        tmp_path, sys._base_executable, "python -c 'import boto3, yaml, setuptools, wheel, sys; print(sys.prefix)'"
    )
    assert [message["status"] for message in messages if "phase" in message] == ["SUCCEEDED", "SUCCEEDED"]
    written = capfd.readouterr().out
    assert f"{tmp_path}/python" in written
    assert "Without boto3" not in written


def test_a_build_goes_on_where_they_can_not_be_had(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    messages = run(tmp_path, sys._base_executable, "echo in-{name}")
    assert [message["status"] for message in messages if "phase" in message] == ["SUCCEEDED", "SUCCEEDED"]
    assert "Without boto3, PyYAML, setuptools, wheel, which the image has" in capfd.readouterr().out
