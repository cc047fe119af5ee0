"""The agent of a build by itself."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest

from local_sagemaker.codebuild.agent import BuildAgent


@pytest.mark.timeout(60)
def test_a_python_that_can_not_be_selected_fails_install(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    broken = tmp_path / "python3"
    broken.write_text("#!/bin/sh\necho no module named venv\nexit 3\n")
    broken.chmod(0o755)
    phases = [{"name": name, "commands": [f"echo in-{name}"], "finally": [], "on_failure": "", "refusal": None}
              for name in ("INSTALL", "BUILD")]  # fmt: skip
    plan: dict[str, Any] = {
        "shell": ["/bin/sh"], "source": str(tmp_path), "phases": phases, "notes": [], "python": str(broken),
        "exported": [], "masked": [], "artifacts": [], "reports": [],
    }  # fmt: skip
    said = io.StringIO()
    BuildAgent(plan, tmp_path, said).run()
    messages = [json.loads(line) for line in said.getvalue().splitlines()]
    (install,) = [message for message in messages if "phase" in message]
    assert (install["phase"], install["status"]) == ("INSTALL", "FAILED")
    (context,) = install["contexts"]
    text = f"The Python {broken} could not be made the build's: exit status 3"
    assert context == {"statusCode": "CLIENT_ERROR", "message": text}
    assert "in-BUILD" not in capfd.readouterr().out
