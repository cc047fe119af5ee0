"""Scripts run in the forked process behave as under an interpreter of their own; so do commands."""

from __future__ import annotations

import contextlib
import signal
import socket
import zipfile
from pathlib import Path

import pytest

from tests.support import until


@pytest.mark.parametrize(
    ("text", "code", "output"),
    [
        ("pass", 0, ""),
        ("import sys; sys.exit(3)", 3, ""),
        ("import sys; sys.exit()", 0, ""),
        ("import sys; sys.exit('bad input')", 1, "bad input\n"),
        ("import sys; sys.exit(300)", 44, ""),
        ("import os; os._exit(9)", 9, ""),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", -9, ""),
        ("import os, signal; os.kill(os.getpid(), signal.SIGTERM)", -15, ""),
        ("import atexit; atexit.register(print, 'at exit'); print('before')", 0, "before\nat exit\n"),
        ("import threading\nthreading.Timer(0.05, print, ['thread']).start()\nprint('main')", 0, "main\nthread\n"),
        ("import sys; print(sys.argv[1:], __name__, __file__[-9:])", 0, "['a', 'b'] __main__ script.py\n"),
        ("import sys; sys.stdout.write('no newline')", 0, "no newline"),
        ("print('\\u00e4\\u20ac')", 0, "\u00e4\u20ac\n"),
        ("import sys; print(sys.stdin.read() == '')", 0, "True\n"),
        ("def f(): return g()\ndef g(): return 5\nprint(f())", 0, "5\n"),
        ("import multiprocessing as m\ndef f(x): return x + 1\n"
         "if __name__ == '__main__':\n    print(m.get_context('fork').Pool(2).map(f, [1, 2]))", 0, "[2, 3]\n"),
    ],
)  # fmt: skip
def test_exit_codes_and_output_are_an_interpreter_s(best, text, code, output):
    ran = best.script(text, "a", "b")
    assert (ran.code, ran.output) == (code, output)


def test_an_uncaught_exception_prints_a_traceback_of_the_script_alone(best):
    ran = best.script("def work():\n    raise ValueError('no')\nwork()\n")
    assert ran.code == 1
    assert ran.output == (
        "Traceback (most recent call last):\n"
        '  File "/opt/ml/code/script.py", line 3, in <module>\n    work()\n'
        "  File \"/opt/ml/code/script.py\", line 2, in work\n    raise ValueError('no')\n"
        "ValueError: no\n"
    )


def test_a_syntax_error_is_shown_as_python_shows_it(best):
    ran = best.script("x = = 1\n")
    assert ran.code == 1
    assert ran.output.startswith('  File "/opt/ml/code/script.py", line 1\n')
    assert ran.output.rstrip().endswith("SyntaxError: invalid syntax")


def test_modules_beside_the_script_are_imported_even_under_a_loaded_name(best):
    root = best.root()
    (root / "ml" / "code" / "json.py").write_text("name = 'mine'")
    (root / "ml" / "code" / "own.py").write_text("from json import name")
    (root / "ml" / "code" / "script.py").write_text("import own; print(own.name)")
    assert best.run("python3", "/opt/ml/code/script.py", root=root).output == "mine\n"


def test_python_c_and_python_m(best):
    assert best.run("python3", "-c", "import sys; print(sys.argv)", "x").output == "['-c', 'x']\n"
    assert best.run("python", "-u", "-c", "raise SystemExit(4)").code == 4
    assert "usage" in best.run("python3", "-m", "tarfile", "--help").output


def test_startup_variables_get_an_interpreter_of_their_own(best):
    ran = best.script("import sys; print(sys.flags.optimize)", environment={"PYTHONOPTIMIZE": "2"})
    assert ran.output == "2\n"
    hashes = {best.script("print(hash('a'))", environment={"PYTHONHASHSEED": "7"}).output for _ in range(2)}
    assert len(hashes) == 1


def test_site_customization_on_the_python_path_is_loaded(best):
    text = "import beside; print(customized, beside.name)"
    for argv in (("python3", "-c", text), ("/bin/bash", "-c", f'python3 -c "{text}"')):
        root = best.root()
        site = root / "ml" / "site"
        site.mkdir()
        (site / "sitecustomize.py").write_text("import builtins; builtins.customized = 'yes'")
        (site / "beside.py").write_text("name = 'beside'")
        assert best.run(*argv, root=root, environment={"PYTHONPATH": "/opt/ml/site"}).output == "yes beside\n"


def test_random_numbers_differ_between_processes(best):
    text = "import random, uuid, numpy; print(random.random(), numpy.random.rand(), uuid.uuid4())"
    first, second = (best.script(text).output.split() for _ in range(2))
    assert not set(first) & set(second)


def test_the_environment_is_replaced(best, monkeypatch):
    monkeypatch.setenv("LEAKED", "1")
    ran = best.script("import os; print('LEAKED' in os.environ, os.environ['GIVEN'])", environment={"GIVEN": "x"})
    assert ran.output == "False x\n"


def test_no_descriptor_leaks_but_those_that_are_passed(best):
    listener = socket.create_server(("127.0.0.1", 0))
    text = "import os, socket\nprint(sorted(os.listdir('/proc/self/fd'), key=int)[:3])\n"
    text += "s = socket.socket(fileno=int(os.environ['SOCKET'])); print(s.getsockname()[1])"
    with listener:
        ran = best.script(text, listen={"SOCKET": listener.fileno()})
        assert ran.output == f"['0', '1', '2']\n{listener.getsockname()[1]}\n"
    shown = best.run("python3", "-c", "import os; print(len(os.listdir('/proc/self/fd')))", environment={"OMP_X": "1"})
    assert int(shown.output) == 4  # 0, 1, 2 and the folder that is being listed


def test_commands_run_with_the_job_s_python_first_on_path(best):
    ran = best.run("/bin/bash", "-c", "python3 -c 'import sys; print(sys.prefix)'; command -v pip python pip3; exit 6")
    assert ran.code == 6
    prefix, *found = ran.output.split()
    python = "/miniconda3" if best.processes.isolation.namespaces else str(ran.root / "env")
    assert prefix == python
    assert found == [f"{python}/bin/{name}" for name in ("pip", "python", "pip3")]


@pytest.mark.parametrize(
    ("argv", "code", "text"),
    [
        (("no-such-command",), 127, "executable file not found"),
        (("/opt/ml/code",), 126, "permission denied"),
        (("/no/such/file", "x"), 127, "not found"),
    ],
)
def test_commands_that_cannot_run(best, argv, code, text):
    ran = best.run(*argv)
    assert ran.code == code
    assert text in ran.output


def test_an_entry_is_called_with_its_arguments(best):
    ran = best.run("batch", "word", entry="shlex:join")
    assert ran.code == 0  # a result that is not a number is a success
    assert best.run("batch", entry="no_such_module:main").code == 1
    assert best.run("x", "a", "b", entry="builtins:len").code == 2


def test_a_package_installed_by_the_job_stays_in_the_job(best, tmp_path):
    project = tmp_path / "own-package"
    project.mkdir()
    (project / "pyproject.toml").write_text('[project]\nname = "own-package"\nversion = "1.0"\n')
    (project / "own_module.py").write_text("answer = 42")
    root = best.root()
    copied = root / "ml" / "code" / "own-package"
    project.rename(copied)
    command = "pip install -q --no-index --no-build-isolation /opt/ml/code/own-package && python3 /opt/ml/code/use.py"
    (root / "ml" / "code" / "use.py").write_text("import own_module; print(own_module.__file__, own_module.answer)")
    ran = best.run("/bin/bash", "-c", command, root=root)
    file, answer = ran.output.split()[-2:]
    assert (ran.code, answer) == (0, "42"), ran.output
    assert file.endswith("site-packages/own_module.py")
    assert list((root / "env").rglob("own_module.py"))
    assert best.script("import own_module").code == 1


def test_group_signals_reach_children_and_leftovers_end_with_the_leader(best):
    process, root = best.start("/bin/bash", "-c", "sleep 300 & echo started; wait")
    log = root / "log"
    until(lambda: log.exists() and "started" in log.read_text(), "the command runs")
    process.signal(signal.SIGTERM)
    assert process.wait(20) == -signal.SIGTERM
    process.signal(signal.SIGTERM)  # no error after the end

    seconds = "300.0625"  # by which the orphan is known: its pid is one of its namespace
    ran = best.script(f"import subprocess; subprocess.Popen(['sleep', '{seconds}'], start_new_session=True)")
    assert ran.code == 0
    until(lambda: not sleeping(seconds), "the orphan in a session of its own has ended", 20)


def sleeping(seconds: str) -> list[str]:
    """The processes of the machine that sleep for exactly so long."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if (process / "cmdline").read_bytes() == f"sleep\0{seconds}\0".encode():
                found.append(process.name)
    return found


def test_wait_times_out(best):
    process, _ = best.start("sleep", "300")
    assert process.wait(0.01) is None
    process.signal(signal.SIGKILL)
    assert process.wait(20) == -signal.SIGKILL


@pytest.mark.parametrize(
    ("name", "beside", "first"), [("tool.pyz", "other.py", "json"), ("shadow.pyz", "json.py", "mine")]
)
def test_an_archive_with_a_main_module_runs_as_a_script_does(best, name, beside, first):
    """Also where a module in it has the name of one that is already loaded."""
    root = best.root()
    main = "import json, sys\nfrom own.part import NAME\nprint(json.__dict__.get('name', 'json'), NAME, sys.argv[1:])\n"
    with zipfile.ZipFile(root / "ml" / "code" / name, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("__main__.py", f"{main}print(__name__, __file__)\nsys.exit(3)\n")
        archive.writestr("own/__init__.py", "")
        archive.writestr("own/part.py", "NAME = 'part'")
        archive.writestr(beside, "name = 'mine'")
    ran = best.run("python3", f"/opt/ml/code/{name}", "a", root=root)
    assert ran.output == f"{first} part ['a']\n__main__ /opt/ml/code/{name}/__main__.py\n"
    assert ran.code == 3


def test_compiled_code_runs(best):
    root = best.root()
    source = root / "ml" / "code" / "own.py"
    source.write_text("print('compiled')")
    best.run("python3", "-m", "py_compile", "/opt/ml/code/own.py", root=root)
    (compiled,) = (root / "ml" / "code" / "__pycache__").glob("*.pyc")
    assert best.run("python3", f"/opt/ml/code/__pycache__/{compiled.name}", root=root).output == "compiled\n"
