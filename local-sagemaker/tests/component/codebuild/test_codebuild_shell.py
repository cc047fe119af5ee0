"""The shell of a build: what a command sets stays, also where the command ends the shell."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from local_sagemaker.codebuild.shell import Shell


@pytest.mark.timeout(60)
@pytest.mark.parametrize("command", ["exit 3", "( exit 3 )", "exit 3 & wait $!", "sleep 60 & exit 3"])
def test_a_command_that_ends_the_shell_ends_itself(tmp_path: Path, command: str) -> None:
    output = os.open(os.devnull, os.O_WRONLY)
    shell = Shell(["/bin/sh"], tmp_path, tmp_path, output)
    assert shell.run("export WORD=kept; cd /") == 0
    assert shell.run(command) == 3
    assert shell.run('[ "$WORD" = kept ] && [ "$PWD" = / ]') == 0
    shell.close()
    os.close(output)


@pytest.mark.timeout(60)
def test_a_mistake_in_the_language_is_a_failed_command(tmp_path: Path) -> None:
    output = os.open(os.devnull, os.O_WRONLY)
    shell = Shell(["/bin/sh"], tmp_path, tmp_path, output)
    assert shell.run("for") != 0
    assert shell.run("true") == 0
    shell.close()
    os.close(output)
