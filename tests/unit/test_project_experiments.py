"""Names of what branches of experiments make."""

from __future__ import annotations

import pytest

from pipelines.experiments import LONGEST, find_name, main

BASE = "abalone-p-1"


def test_the_main_branch_and_a_build_without_a_branch_have_the_project_s_own_name() -> None:
    assert find_name(BASE, "main", "main") == find_name(BASE, "", "main") == BASE
    assert find_name(BASE, "main", "trunk") != BASE


@pytest.mark.parametrize("branch", ["experiment/deeper-trees", "experiment/ä ö", "x" * 200, "a--b", "-"])
@pytest.mark.parametrize("base", [BASE, f"{'n' * 32}-{'i' * 20}"])
def test_a_branch_has_a_name_that_sagemaker_takes_and_that_is_found_again(base: str, branch: str) -> None:
    import re

    name = find_name(base, branch, "main")
    assert re.fullmatch(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}", name) and len(name) <= LONGEST
    assert name.startswith(f"{base}-")
    assert find_name(base, f"{branch}.", "main") != name


@pytest.mark.parametrize("branch", ["main", ""])
def test_where_only_experiments_are_built_the_main_branch_has_no_name(
    branch: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EXPERIMENTS_ONLY", "yes")
    assert main([BASE, "--branch", branch]) == 0
    said = capsys.readouterr()
    assert said.out == "" and "is no branch of experiments" in said.err
    assert main([BASE, "--branch", "experiment/x"]) == 0
    assert capsys.readouterr().out.startswith(f"{BASE}-experiment-x-")


def test_the_command_names_and_removes_only_experiments(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOURCE_BRANCH", "experiment/deeper")
    assert main([BASE]) == 0
    assert capsys.readouterr().out.startswith(f"{BASE}-experiment-deeper-")
    assert main([BASE, "--branch", "main", "--remove"]) == 1
    assert "main is no branch of experiments" in capsys.readouterr().err
