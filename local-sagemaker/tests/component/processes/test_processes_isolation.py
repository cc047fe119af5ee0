"""What a process sees of the machine: its own /opt/ml, /tmp, /etc/hosts, and nothing of its neighbours."""

from __future__ import annotations

from pathlib import Path

from local_sagemaker.processes import probe
from local_sagemaker.processes.isolation import MOUNT, REWRITE, USER
from local_sagemaker.processes.machine_view import outermost


def test_files_written_to_opt_ml_are_in_the_process_s_own_folder(world):
    ran = world.script(
        "import pathlib\n"
        "pathlib.Path('/opt/ml/model').mkdir()\n"
        "pathlib.Path('/opt/ml/model/m.txt').write_text(pathlib.Path('/opt/ml/code/script.py').read_text()[:6])\n"
    )
    assert ran.code == 0, ran.output
    assert (ran.root / "ml" / "model" / "m.txt").read_text() == "import"
    assert not Path("/opt/ml/model/m.txt").exists()


def test_commands_arguments_and_variables_may_name_opt_ml(world):
    ran = world.run(
        "/bin/bash", "-c", 'echo "$1" > $TARGET/out; pwd', "sh", "text",
        environment={"TARGET": "/opt/ml/code"}, working_directory="/opt/ml/code",
    )  # fmt: skip
    assert ran.code == 0, ran.output
    assert (ran.root / "ml" / "code" / "out").read_text() == "text\n"
    assert ran.output.strip().endswith("ml/code")


def test_temporary_files_are_private(world):
    first = world.script("import tempfile; print(tempfile.mkstemp(prefix='mine-')[1])")
    assert first.code == 0, first.output
    assert [path.name for path in (first.root / "tmp").glob("mine-*")] == [Path(first.output.strip()).name]
    second = world.script("import glob, tempfile; print(glob.glob(tempfile.gettempdir() + '/mine-*'))")
    assert second.output.strip() == "[]"


def test_own_host_names_resolve(world):
    ran = world.script(
        "import socket\n"
        "print(socket.gethostbyname('algo-2'), socket.getaddrinfo('algo-1', 80)[0][4][0])",
        hosts={"algo-1": "127.18.0.7", "algo-2": "127.18.0.8"},
    )  # fmt: skip
    assert ran.output.split() == ["127.18.0.8", "127.18.0.7"]


def test_late_imports_work(world):
    """The state folder of these tests is under /tmp, and so may be the packages."""
    assert world.script("import colorsys; print(colorsys.__name__)").output.strip() == "colorsys"


def test_sources_in_archives_are_rewritten_too(make_world, tmp_path):
    world = make_world("rewrite")
    root = world.root()
    source = tmp_path / "main.py"
    source.write_text("open('/opt/ml/code/seen', 'w').write('/data/opt/ml')")
    import tarfile

    with tarfile.open(root / "ml" / "code" / "sourcedir.tar.gz", "w:gz") as archive:
        archive.add(source, "main.py")
    ran = world.run("/bin/bash", "-c", "cd /opt/ml/code && tar xzf sourcedir.tar.gz && python3 main.py", root=root)
    assert ran.code == 0, ran.output
    assert (root / "ml" / "code" / "seen").read_text() == "/data/opt/ml"


def test_data_is_not_rewritten(make_world):
    world = make_world("rewrite")
    root = world.root()
    data = root / "ml" / "input" / "data" / "rows.csv"
    data.parent.mkdir(parents=True)
    data.write_text("/opt/ml,1\n")
    assert world.run("/bin/true", root=root).code == 0
    assert data.read_text() == "/opt/ml,1\n"


def test_probe_tells_the_way_that_is_used(best):
    found = probe(best.home)
    assert found.way in (MOUNT, USER, REWRITE)
    assert found.way == best.processes.isolation.way
    assert found.way != REWRITE or found.reason


def test_outermost_keeps_no_folder_inside_another():
    folders = [Path("/tmp/a/b"), Path("/tmp/a"), Path("/usr"), Path("/tmp/ab"), Path("/tmp/a")]
    assert outermost(folders) == [Path("/tmp/a"), Path("/tmp/ab"), Path("/usr")]
