"""What a process wrote outside of its own folders, for the next one in the same root, and not beyond it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from local_sagemaker.images.image import Program

FIRST = """
import contextlib, os, shutil
open("/new.txt", "w").write("new")
os.makedirs("/made-here/deep"); open("/made-here/deep/file", "w").write("deep")
os.symlink("new.txt", "/link")
os.makedirs("/usr/local/share/own"); open("/usr/local/share/own/file", "w").write("own")
os.remove("/etc/debian_version") if os.path.exists("/etc/debian_version") else None
with contextlib.suppress(OSError):
    os.rename("/opt", "/moved")
    os.symlink("{outside}", "/opt")
with contextlib.suppress(OSError):
    os.symlink("{outside}", "/usr/local/share/outside")
os.mkdir("/made-here/outside"); open("/made-here/outside/x", "w").write("x")
"""
SECOND = """
import os
assert open("/new.txt").read() == "new"
assert open("/made-here/deep/file").read() == "deep"
assert os.readlink("/link") == "new.txt"
assert open("/usr/local/share/own/file").read() == "own"
assert not os.path.exists("/etc/debian_version")
assert os.path.isdir("/opt/ml") and not os.path.islink("/opt")
os.remove("/new.txt"); shutil = __import__("shutil"); shutil.rmtree("/made-here")
os.remove("/usr/local/share/own/file")
"""
THIRD = """
import os
assert not os.path.exists("/new.txt") and not os.path.exists("/made-here"), os.listdir("/")
assert os.path.isdir("/usr/local/share/own") and not os.listdir("/usr/local/share/own")
"""


def run(program_run: Any, code: str, *, keep: bool) -> int | None:
    program_run.write("input/code/s.py", code)
    return program_run.run(Program(("python3", "/opt/ml/input/code/s.py")), keep_changes=keep)  # type: ignore[no-any-return]


@pytest.fixture
def with_namespaces(program_run: Any) -> None:
    code = "import os; raise SystemExit(os.environ.get('LOCAL_SAGEMAKER_ML') is not None)"
    if run(program_run, code, keep=False) != 0:
        pytest.skip("no namespaces here: what a job writes elsewhere is in its own folder anyway")


@pytest.mark.usefixtures("with_namespaces")
def test_the_next_process_finds_what_the_one_before_wrote(program_run: Any, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "canary").write_text("untouched")
    assert run(program_run, FIRST.replace("{outside}", str(outside)), keep=False) == 0, program_run.log
    assert run(program_run, SECOND, keep=True) == 0, program_run.log
    assert run(program_run, THIRD, keep=True) == 0, program_run.log
    assert [(file.name, file.read_text()) for file in outside.iterdir()] == [("canary", "untouched")]
    assert not [name for name in ("earlier", "earlier-over") if (program_run.root / name).exists()]


@pytest.mark.usefixtures("with_namespaces")
def test_what_a_stop_left_of_removing_earlier_changes_is_in_nobodys_way(program_run: Any) -> None:
    assert run(program_run, "open('/new.txt', 'w').write('new')", keep=False) == 0, program_run.log
    left = program_run.root / "earlier-over" / "root"
    left.mkdir(parents=True)
    (left / "old.txt").write_text("old")
    assert run(program_run, "assert open('/new.txt').read() == 'new'", keep=True) == 0, program_run.log
    assert not (program_run.root / "earlier-over").exists()


@pytest.mark.usefixtures("with_namespaces")
def test_without_the_wish_it_begins_anew(program_run: Any) -> None:
    assert run(program_run, "open('/new.txt', 'w')", keep=False) == 0, program_run.log
    assert run(program_run, "import os; raise SystemExit(os.path.exists('/new.txt'))", keep=False) == 0


@pytest.mark.usefixtures("with_namespaces")
def test_what_all_roots_share_is_made_once_and_no_process_changes_it(program_run: Any) -> None:
    """Folders such as /srv are one process's own as soon as it changes them."""
    first = (
        "import os, shutil; os.rmdir('/srv'); os.remove('/var/lock'); os.mkdir('/mnt/own'); os.chmod('/home', 0o700)"
    )
    gone = "import os; assert [os.path.lexists(name) for name in ('/srv', '/var/lock', '/mnt/own')] == %s"
    mode = "; assert os.stat('/home').st_mode & 0o777 == 0o%s"
    assert run(program_run, first, keep=False) == 0, program_run.log
    layers = program_run.root / "layers"
    if any(layers.glob("changes/*/work/work")):  # the kernel takes such views of folders here
        assert {entry.name for entry in (layers / "root").iterdir()} <= {"srv", "var", "mnt", "home", "opt"}
    assert run(program_run, (gone + mode) % ("[False, False, True]", "700"), keep=True) == 0, program_run.log
    assert run(program_run, (gone + mode) % ("[True, True, False]", "755"), keep=False) == 0, program_run.log
