"""What a build leaves is read below its folder, without following a link, and only where it is a regular file."""

from __future__ import annotations

import json
import os
import zipfile
from pathlib import Path
from typing import Any

import pytest

from local_sagemaker.codebuild.artifact_files import archive_name
from local_sagemaker.codebuild.buildspec import parse
from local_sagemaker.services.codebuild import agent_output
from local_sagemaker.services.codebuild.agent_output import AGENTS, PROGRESS, AgentOutput

SPEC = parse("""
version: 0.2
env: {exported-variables: [WORD]}
phases: {build: {commands: [x]}}
artifacts: {files: [a]}
reports: {tests: {files: [r.xml]}}
""")
ENTRY = {"enter": "BUILD", "start": 1.0}
PHASE = {
    "phase": "BUILD",
    "start": 1.0,
    "end": 2.0,
    "status": "FAILED",
    "contexts": [{"statusCode": "", "message": ""}],
}


@pytest.fixture(name="root")
def _root(tmp_path: Path) -> Path:
    (tmp_path / "root" / AGENTS).mkdir(parents=True)
    return tmp_path / "root"


def say(root: Path, *messages: Any) -> None:
    with (root / PROGRESS).open("a", encoding="utf-8") as file:
        file.writelines(f"{json.dumps(message)}\n" for message in messages)


def test_messages_are_read_once_each_when_they_are_whole(root: Path) -> None:
    output = AgentOutput(root)
    assert list(output.messages(SPEC)) == []
    say(root, ENTRY, PHASE)
    with (root / PROGRESS).open("a", encoding="utf-8") as file:
        file.write('{"finished": ')
    assert list(output.messages(SPEC)) == [ENTRY, PHASE]
    with (root / PROGRESS).open("a", encoding="utf-8") as file:
        file.write('""}\n')
    assert list(output.messages(SPEC)) == [{"finished": ""}]
    assert list(output.messages(SPEC)) == []


@pytest.mark.parametrize("message", [
    1, [], {}, {"enter": "OTHER", "start": 1.0}, {"enter": "BUILD"}, {"enter": [], "start": 1.0},
    {"enter": "BUILD", "start": float("nan")}, {"enter": "BUILD", "start": 10**400}, PHASE | {"status": "FAULT"},
    PHASE | {"contexts": [1]}, PHASE | {"contexts": [{"statusCode": 1, "message": ""}]}, PHASE | {"phase": "OTHER"},
    {"exported": {"OTHER": "x"}}, {"exported": {"WORD": 1}}, {"exported": []}, {"exported": {"WORD": "\ud800"}},
    {"report": "other", "failure": ""}, {"report": "tests"}, {"artifact": "other", "name": ""}, {"artifact": ""},
    {"finished": None},
])  # fmt: skip
def test_what_the_agent_can_not_have_said_is_no_message(root: Path, message: Any) -> None:
    say(root, message, ENTRY)
    assert list(AgentOutput(root).messages(SPEC)) == [None, ENTRY]


def test_what_is_no_json_and_what_is_too_long_is_passed_over(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(agent_output, "LONGEST_LINE", 64)
    (root / PROGRESS).write_bytes(b"\xff\n" + b"x" * 200 + b"\n")
    say(root, ENTRY)
    found = list(AgentOutput(root).messages(SPEC))
    assert found[-1] == ENTRY and set(map(str, found[:-1])) == {"None"}


def _replace(root: Path, name: str, kind: str) -> None:
    """Puts a link to a file elsewhere, a pipe, or a folder that is a link to one elsewhere in a file's place."""
    outside = root.parent / "outside"
    outside.mkdir()
    with zipfile.ZipFile(outside / name, "w") as archive:
        archive.writestr("secret", "of the machine")
    place = root / AGENTS / name
    if kind == "link":
        place.symlink_to(outside / name)
    elif kind == "pipe":
        os.mkfifo(place)
    else:
        place.parent.rmdir()
        place.parent.symlink_to(outside)


@pytest.mark.timeout(20)
@pytest.mark.parametrize("kind", ["link", "pipe", "linked folder"])
def test_nothing_elsewhere_and_no_pipe_is_read(root: Path, kind: str) -> None:
    name = archive_name("report", 0)
    _replace(root, name, kind)
    output = AgentOutput(root)
    with pytest.raises(OSError):
        output.open("report", 0)
    with pytest.raises(OSError):
        output.take("report", 0)


@pytest.mark.timeout(20)
@pytest.mark.parametrize("kind", ["link", "pipe", "linked folder"])
def test_messages_from_elsewhere_and_of_a_pipe_are_none(root: Path, kind: str) -> None:
    _replace(root, Path(PROGRESS).name, kind)
    (root.parent / "outside" / Path(PROGRESS).name).write_text(json.dumps(ENTRY) + "\n")
    assert list(AgentOutput(root).messages(SPEC)) == []


def test_an_archive_is_taken_out_of_the_build_s_reach(root: Path) -> None:
    name = archive_name("artifact", 0)
    (root / AGENTS / name).write_bytes(b"data")
    with AgentOutput(root).open("artifact", 0) as file:
        assert file.read() == b"data"
    taken = AgentOutput(root).take("artifact", 0)
    assert taken.read_bytes() == b"data" and not (root / AGENTS / name).exists()
    assert not taken.is_relative_to(root / "ml")
