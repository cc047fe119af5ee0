"""What runtime-versions selects of the machine, and what is said where it has none."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from local_sagemaker.codebuild.buildspec import parse
from local_sagemaker.images.libraries.interpreters import Interpreter
from local_sagemaker.services.codebuild import runtimes

IMAGE = "aws/codebuild/amazonlinux-x86_64-standard:5.0"
OTHER = "3.8" if sys.version_info[:2] != (3, 8) else "3.9"


@pytest.fixture(autouse=True)
def _one_other_python(monkeypatch: pytest.MonkeyPatch) -> None:
    place = Path("/opt/pythons/3")
    found = Interpreter(Path.home() / "bin" / "python3", f"{OTHER}.1", place / "bin" / "python3", place)
    monkeypatch.setattr(runtimes, "find_any", lambda minor, venv: found if minor == OTHER and venv else None)


def select(wanted: str, image: str = IMAGE) -> runtimes.Runtimes:
    return runtimes.select(
        parse(f"version: 0.2\nphases: {{install: {{runtime-versions: {{{wanted}}}}}, build: {{commands: [x]}}}}"), image
    )


@pytest.mark.parametrize("wanted", ["3.x", "latest", runtimes.OWN, "$VERSION"])
def test_the_service_s_own_python_needs_nothing(wanted: str) -> None:
    chosen = select(f"python: {wanted}")
    assert (chosen.refusal, chosen.python, chosen.readable) == (None, None, ())


def test_another_python_of_the_machine_is_made_the_build_s() -> None:
    chosen = select(f"python: {OTHER}")
    assert chosen.refusal is None and chosen.python is not None
    assert chosen.readable == (Path("/opt/pythons/3"),)
    assert chosen.notes == [f"Selecting 'python' runtime version '{OTHER}' ..."]


@pytest.mark.parametrize("wanted", ["2.7", "3.99", "old"])
def test_a_python_that_is_not_here_is_refused_with_the_choices(wanted: str) -> None:
    """DEL-25."""
    refusal = select(f"python: {wanted}").refusal
    assert refusal is not None and refusal[0] == "YAML_FILE_ERROR"
    assert f"'{wanted}'" in refusal[1] and refusal[1].endswith(
        ", ".join(sorted({OTHER, runtimes.OWN}, key=lambda minor: int(minor.partition(".")[2])))
    )


def test_images_of_others_select_nothing() -> None:
    chosen = select("python: 2.7", "my/image:1")
    assert chosen.refusal is None and "not supported by this build image" in chosen.notes[0]


def test_of_a_python_in_the_home_folder_only_its_own_folders_are_shown() -> None:
    home = Path.home().resolve()
    python = Interpreter(home / "bin/python3", f"{OTHER}.1", home / "bin/python3", home, (home / "lib/python3",))
    assert runtimes.Runtimes(None, [], python).readable == (home / "lib/python3", home / "bin")
    system = Interpreter(Path("/usr/bin/python3"), f"{OTHER}.1", Path("/usr/bin/python3"), Path("/usr"))
    assert runtimes.Runtimes(None, [], system).readable == ()
