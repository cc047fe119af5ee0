"""Which of the machine's folders a job's root shows as one."""

from __future__ import annotations

from pathlib import Path

from local_sagemaker.processes.machine_view import outermost


def shown(*places: str) -> list[str]:
    return [str(place) for place in outermost(map(Path, places))]


def test_a_folder_shows_what_is_in_it() -> None:
    assert shown("/usr/lib/python3", "/usr", "/home/me/.venv", "/usr/bin") == ["/home/me/.venv", "/usr"]


def test_an_interpreter_below_a_private_folder_is_shown_although_that_folder_is_the_jobs_own() -> None:
    venv, inner = "/tmp/project/.venv", "/tmp/project/.venv/lib"
    assert shown(venv, "/tmp", inner) == ["/tmp", venv]
    assert shown("/opt", "/opt/ml/venv", "/opt/python") == ["/opt", "/opt/ml/venv"]
    assert shown("/tmp/project", venv) == ["/tmp/project"]
