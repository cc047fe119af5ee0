"""Build specifications: what is read of them, and what is refused by name."""

from __future__ import annotations

import pytest

from local_sagemaker.codebuild.buildspec import BuildspecError, OnFailure, parse

SPEC = """
version: 0.2
env:
  shell: bash
  variables: {VERSION: 3.10, FLAG: true}
phases:
  install: {runtime-versions: {python: 3.10}}
  build:
    run-as: root
    on-failure: RETRY-2-timed out.*
    commands: ["true"]
artifacts:
  files: ["**/*"]
  secondary-artifacts:
    more: {files: [a.txt], base-directory: out, discard-paths: yes}
cache: {paths: [/root/.cache]}
"""


def test_a_specification_is_read_with_its_texts_as_they_stand() -> None:
    spec = parse(SPEC)
    assert spec.variables == {"VERSION": "3.10", "FLAG": "true"}
    install, _, build, _ = spec.phases
    assert install.runtimes == {"python": "3.10"}
    assert build.on_failure == OnFailure("RETRY", 2, "timed out.*")
    assert [artifact.identifier for artifact in spec.artifacts] == ["", "more"]
    assert spec.artifacts[1].discard_paths
    assert spec.ignored == ("cache",)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("phases: {}", "Missing version"),
        ("version: 0.1\nphases: {build: {commands: [x]}}", "Unsupported build spec version 0.1"),
        ("version: 0.2", "At least one phase"),
        (
            "version: 0.2\nphases: {deploy: {commands: [x]}}",
            "Invalid buildspec phase name: deploy. Expecting: build,install,",
        ),
        ("version: 0.2\nrun-as: me\nphases: {build: {commands: [x]}}", "run-as me is not executed"),
        ("version: 0.2\nphases: {build: {run-as: me, commands: [x]}}", "phases/build/run-as me is not executed"),
        ("version: 0.2\nenv: {shell: powershell.exe}\nphases: {build: {commands: [x]}}", "env/shell is powershell.exe"),
        ("version: 0.2\nphases: {build: {commands: [{a: b}]}}", "Expected Commands[0] to be of string type"),
        ("version: 0.2\nphases: {build: {on-failure: MAYBE}}", "ABORT, CONTINUE or RETRY is expected"),
        ("version: [", "not well-formed"),
    ],
)
def test_what_is_not_executed_is_refused_by_name(text: str, expected: str) -> None:
    with pytest.raises(BuildspecError) as raised:
        parse(text)
    assert expected in str(raised.value)


def test_members_that_codebuild_does_not_have_are_named_and_passed_over() -> None:
    """Public specifications have some: with an underscore where a hyphen belongs, or under an earlier name."""
    text = """version: 0.2
env: {variables: {A: b}, region: x}
phases:
  install: {runtime_versions: {python: 3.8}, commands: [x]}
  build:
artifacts:
  files: a
  exclude: [b]
  secondary-artifacts: {more: {files: [c], kind: d}}
reports: {unit: {files: [e], truncate: yes}}
artifact: {}
"""
    assert sorted(parse(text).unknown) == [
        "artifact", "artifacts/exclude", "artifacts/secondary-artifacts/more/kind", "env/region",
        "phases/install/runtime_versions", "reports/unit/truncate",
    ]  # fmt: skip
    assert parse("version: 0.2\nphases: {build: {commands: [x]}}").unknown == ()
