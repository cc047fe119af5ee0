"""Runs a program inside the process that was forked for it, as a fresh interpreter or `exec` would.

An `entry` is called; ``python script.py`` runs here as ``__main__``, which saves an interpreter's start and imports;
everything else is executed. All three end the process.
"""

from __future__ import annotations

import atexit
import builtins
import importlib
import importlib.machinery
import io
import os
import re
import shutil
import signal
import sys
import sysconfig
import threading
import types
import zipfile
import zipimport
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from local_sagemaker import fresh_interpreter
from local_sagemaker import image_programs as programs
from local_sagemaker.processes import environment

_PYTHON = re.compile(r"python(3(\.\d+)?)?")

Finish = Callable[[int], None]


@dataclass(frozen=True)
class Main:
    """What ``python script.py ...`` or ``python -c code ...`` runs as ``__main__``; `argv` is its sys.argv."""

    argv: list[str]
    script: Path | None = None
    archive: bool = False

    @property
    def folder(self) -> str:
        """The first entry of sys.path: of an archive with a ``__main__.py`` it is the archive."""
        if self.archive:
            return str(self.script)
        return os.path.realpath(self.script.parent) if self.script else ""

    def code(self, command: str) -> types.CodeType:
        """The compiled program; `command` is the text after ``-c``."""
        if self.archive:
            return zipimport.zipimporter(str(self.script)).get_code("__main__")
        if self.script:
            return compile(self.script.read_bytes(), str(self.script), "exec", dont_inherit=True)
        return compile(command, "<string>", "exec", dont_inherit=True)


def main_of(argv: list[str]) -> tuple[Main, str] | None:
    """The program of a plain python command line that this process can stand in for, and the text after ``-c``."""
    if not _PYTHON.fullmatch(Path(argv[0]).name):
        return None
    rest = argv[1:]
    while rest and rest[0] == "-u":
        rest = rest[1:]
    command = ""
    if len(rest) > 1 and rest[0] == "-c":
        command = rest[1]
        main = Main(["-c", *rest[2:]])
    elif rest and not rest[0].startswith("-") and Path(rest[0]).is_file():
        script = Path(rest[0]).absolute()
        main = Main(rest, script, zipfile.is_zipfile(script))
        if not main.archive and b"\0" in fresh_interpreter.head(script):
            return None  # compiled
    else:
        return None
    if _installs(main, command) or fresh_interpreter.shadows(main.folder or os.getcwd()):  # noqa: PTH109 - a plain text
        return None
    return main, command


def _installs(main: Main, command: str) -> bool:
    if main.script is None:
        return fresh_interpreter.speaks_of_pip(command.encode("utf-8", "surrogateescape"))
    return fresh_interpreter.installs(main.script.parent, main.script)


def become(folder: Path, *, keep_project: bool) -> None:
    """Gives this process the job's interpreter, that of the environment `folder`: prefix, executable and sys.path."""
    python, prefix = folder / "bin" / "python3", str(folder)
    sys.executable, sys.prefix, sys.exec_prefix = str(python), prefix, prefix
    sysconfig.get_config_vars().update(base=prefix, platbase=prefix, prefix=prefix, exec_prefix=prefix)
    image = environment.image_packages()
    ours = {*environment.own_folders(), *([] if keep_project else [str(Path(programs.FOLDER).parent)])}
    path = [entry for entry in sys.path if entry and (entry not in ours or entry in image)]
    first = next((index for index, entry in enumerate(path) if entry in image), len(path))
    extra = [entry for entry in os.environ.get("PYTHONPATH", "").split(os.pathsep) if entry]
    sys.path[:] = [*extra, *path[:first], str(environment.packages(folder)), *path[first:]]
    if keep_project:
        sys.path += environment.own_folders()
        if "LOCAL_SAGEMAKER_DEBUGGER" in os.environ:
            importlib.import_module("local_sagemaker_debugger")  # of the hook, which other programs load at their start
    else:
        programs.forget(programs.SERVING)
        if any(Path(entry, "sitecustomize.py").is_file() for entry in extra):
            sys.modules.pop("sitecustomize", None)
            importlib.import_module("sitecustomize")  # as an interpreter with this PYTHONPATH does at its start
    if "multiprocessing.spawn" in sys.modules:
        sys.modules["multiprocessing.spawn"].set_executable(sys.executable)
    if "tempfile" in sys.modules:
        sys.modules["tempfile"].tempdir = None  # type: ignore[attr-defined]


def refresh() -> None:
    """What a fork must not share with its parent: random numbers and what the import system knows of folders."""
    importlib.invalidate_caches()
    if "numpy" in sys.modules:
        sys.modules["numpy"].random.seed()  # `random` and `uuid` see to it themselves after a fork


def open_stdio() -> None:
    """Text streams on the descriptors 0 to 2, as an interpreter opens them under LANG=C.UTF-8."""

    def stream(descriptor: int, mode: str, errors: str) -> io.TextIOWrapper:
        raw = open(descriptor, mode, closefd=False)  # noqa: SIM115 - a descriptor, for the process's life
        return io.TextIOWrapper(raw, encoding="utf-8", errors=errors, line_buffering=mode == "wb")

    sys.stdin = sys.__stdin__ = stream(0, "rb", "surrogateescape")  # type: ignore[misc]
    sys.stdout = sys.__stdout__ = stream(1, "wb", "surrogateescape")  # type: ignore[misc]
    sys.stderr = sys.__stderr__ = stream(2, "wb", "backslashreplace")  # type: ignore[misc]


def run_entry(entry: str, argv: list[str], finish: Finish) -> None:
    """Calls ``package.module:function`` with the list of arguments; its result is the exit code."""
    sys.argv = list(argv)
    _make_main()  # the fork server's would be imported by processes that the program spawns

    _run(lambda: programs.call(entry, argv[1:]), finish)


def run_main(main: Main, command: str, finish: Finish) -> None:
    """Runs a script or the text after ``-c`` as ``__main__``."""
    sys.argv = list(main.argv)
    sys.path.insert(0, main.folder)
    module = _make_main()
    if main.archive:
        archive = zipimport.zipimporter(main.folder)
        module.__dict__.update(__file__=f"{main.folder}/__main__.py", __package__="", __loader__=archive)
    elif main.script:
        loader = importlib.machinery.SourceFileLoader("__main__", str(main.script))
        module.__dict__.update(__file__=str(main.script), __cached__=None, __loader__=loader)
    _run(lambda: exec(main.code(command), module.__dict__), finish)


def _make_main() -> types.ModuleType:
    """An empty ``__main__``, and the folder where the program starts for the processes that it spawns."""
    module = types.ModuleType("__main__")
    module.__dict__.update(__builtins__=builtins, __annotations__={})
    sys.modules["__main__"] = module
    if "multiprocessing.process" in sys.modules:
        setattr(sys.modules["multiprocessing.process"], "ORIGINAL_DIR", os.getcwd())  # noqa: B010, PTH109
    return module


def execute(argv: list[str], variables: dict[str, str]) -> int:
    """Replaces this process by the command, found on the given PATH; returns Docker's exit code when it can't."""
    for number in (signal.SIGPIPE, getattr(signal, "SIGXFSZ", signal.SIGPIPE)):
        signal.signal(number, signal.SIG_DFL)  # Python ignores these, and would pass that on
    file = shutil.which(argv[0], path=variables.get("PATH", ""))
    try:
        if file is None:
            there = "/" in argv[0] and Path(argv[0]).exists()
            problem = "permission denied" if there else "executable file not found in $PATH"
            os.write(2, f'exec: "{argv[0]}": {problem}\n'.encode())
            return 126 if there else 127
        os.execve(file, argv, variables)
    except OSError as error:
        os.write(2, f'exec: "{argv[0]}": {error.strerror}\n'.encode())
    return 126


def _run(action: Callable[[], object], finish: Finish) -> None:
    own = os.getpid()
    try:
        code = _status(action())
    except SystemExit as error:
        code = _status(error.code, print_text=True)
    except BaseException as error:  # what an interpreter does at its outermost level
        error.__traceback__ = _users_part(error.__traceback__)
        code = 1
        if isinstance(error, KeyboardInterrupt):
            code = 128 + signal.SIGINT
        sys.excepthook(type(error), error, error.__traceback__)
    code = _wind_up(code)
    if os.getpid() != own:  # a fork by the script that ran to the script's end
        os._exit(code)
    finish(code)


def _wind_up(code: int) -> int:
    """What an interpreter does at its end: threads joined, atexit functions run, streams flushed."""
    try:
        threading._shutdown()  # type: ignore[attr-defined]
        atexit._run_exitfuncs()
    except BaseException as error:  # an interpreter prints these and continues with its end
        sys.excepthook(type(error), error, error.__traceback__)
    for stream in (sys.stdout, sys.stderr, sys.__stdout__, sys.__stderr__):
        try:
            if stream is not None and not stream.closed:
                stream.flush()
        except (OSError, ValueError, AttributeError):
            code = code or 120
    return code


def _status(value: object, *, print_text: bool = False) -> int:
    if value is None:
        return 0
    if isinstance(value, int):
        return value & 0xFF
    if print_text:
        print(value, file=sys.stderr)  # noqa: T201 - as sys.exit("text") does
        return 1
    return 0


def _users_part(trace: types.TracebackType | None) -> types.TracebackType | None:
    """The traceback without the frames of this module (and of the import system that it calls)."""
    while trace:
        file = trace.tb_frame.f_code.co_filename
        if file != __file__ and "importlib" not in file:
            break
        trace = trace.tb_next
    return trace
