"""``train`` in script mode: the user's script with its environment, arguments, requirements and failure file.

A Python script runs in a fork of this process, which has its libraries loaded already; where that could show
(`fresh_interpreter`), for instance since requirements were installed, which may replace what is loaded, it gets an
interpreter of its own. Either way this process outlives it, and says how it ended.

The scikit-learn images have sagemaker-training, which runs a script beside a setup.py as a module; those of XGBoost
have sagemaker-containers, which runs all of them as modules, and whose reason of a failure is the command alone.
"""

from __future__ import annotations

import builtins
import importlib.machinery
import logging
import multiprocessing.process
import os
import signal
import subprocess
import sys
import traceback
import types
from collections.abc import Sequence
from pathlib import Path

from local_sagemaker import fresh_interpreter, image_programs
from local_sagemaker.containers.failure import ScriptError, exit_code_of
from local_sagemaker.containers.paths import IMAGE_PYTHON, ml
from local_sagemaker.containers.program_log import configure
from local_sagemaker.containers.toolkit import source
from local_sagemaker.containers.toolkit.environment import TrainingEnvironment

log = logging.getLogger("sagemaker-training-toolkit")


def sklearn(_arguments: list[str] | None = None) -> int:
    """The scikit-learn image's ``train``."""
    configure()
    return run("sagemaker_sklearn_container.training:main")


def run(framework_module: str) -> int:
    """Runs the script that the hyperparameters name; returns the exit code."""
    return exit_code_of(lambda: _train(framework_module), "Framework Error")


def _train(framework_module: str) -> None:
    environment = TrainingEnvironment.from_files(framework_module)
    if not environment.script:
        raise ValueError("No training script: hyperparameter sagemaker_program is missing.")
    folder = ml() / "code"
    source.fetch(environment.source, folder)
    for name in ("model", "output/data", "output/intermediate"):
        (ml() / name).mkdir(parents=True, exist_ok=True)
    fresh = source.install(folder)
    os.environ.update(environment.variables())
    os.chdir(folder)
    arguments = environment.arguments()
    as_module = _has_containers() or (folder / "setup.py").is_file()
    if not environment.script.endswith(".py") and not as_module:
        script = f"./{environment.script}"
        Path(script).chmod(0o755)
        command = ["/bin/sh", "-c", " ".join([script, *arguments])]
        # Without `exec` there may be a second shell, which SIGTERM would end before the script.
        _outcome(_wait_for([*command[:-1], f"exec {command[-1]}"]), "", command)
        return
    shown = [IMAGE_PYTHON, *_entry(environment.script, as_module), *arguments]
    log.info("Invoking script with the following command:\n\n%s\n", " ".join(shown))
    sys.stdout.flush()
    if as_module and ("/" in shown[2] or not (folder / f"{shown[2].replace('.', '/')}.py").is_file()):
        message = f"{IMAGE_PYTHON}: {_no_module(shown[2])}"
        sys.stderr.write(f"{message}\n")
        _outcome(1, message, shown)
    if fresh or fresh_interpreter.script_requires_it(folder / environment.script, folder):
        _run_anew(shown)
        return
    pid = 0 if "debugpy" in sys.modules else _fork()  # a debugger follows this process only
    if pid:
        _report_end(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), shown)
        return
    code, message = here(shown[1:])
    _outcome(code, message, shown)


def _has_containers() -> bool:
    """Whether the image has sagemaker-containers."""
    return os.environ["SM_FRAMEWORK_MODULE"].startswith("sagemaker_xgboost_container")


def _no_module(name: str) -> str:
    """Python's words for a module that ``-m`` does not find (for a path seen: sagemaker-python-sdk issue 966)."""
    package, dot, _ = name.partition(".")
    if "/" in name or not dot:
        return f"No module named {name}"
    return f"Error while finding module specification for {name!r} (ModuleNotFoundError: No module named {package!r})"


def _entry(script: str, as_module: bool) -> list[str]:
    return ["-m", script.removesuffix(".py")] if as_module else [script]


def _fork() -> int:
    """Forks this process for the script: the child's number here, 0 in the child.

    Signals that end a job reach both; they are for the script to handle.
    """
    held = {signal.SIGTERM, signal.SIGINT}
    signal.pthread_sigmask(signal.SIG_BLOCK, held)
    pid = os.fork()
    if pid:
        for number in held:
            signal.signal(number, lambda *_: None)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, held)
    return pid


def _run_anew(shown: Sequence[str]) -> None:
    """Runs a Python script in an interpreter that starts for it."""
    _report_end(_wait_for(image_programs.run_anew(f"{__name__}:again", list(shown[1:]), [])), shown)


def _report_end(code: int, shown: Sequence[str]) -> None:
    """The end of a script's own process, which has said itself how the script failed unless that was sudden."""
    if code < 0 and -code != signal.SIGTERM:  # which ends a job that is stopped
        name, meaning = _NAMES.get(-code, str(-code)), _MEANING.get(-code, "")
        sys.stderr.write(f"local-sagemaker: the script was ended by a signal, {name}{meaning}\n")
    if code and (ml() / "output" / "failure").exists():
        raise SystemExit(code if 0 < code < 256 else 1)
    _outcome(code, "", shown)


_NAMES = {number.value: number.name for number in signal.Signals}  # those of real-time signals have none
_MEANING: dict[int, str] = {
    signal.SIGKILL: ": perhaps for want of memory",
    signal.SIGSEGV: ": a fault in a library's native code",
}


def _wait_for(command: Sequence[str]) -> int:
    """Runs the script's own process; its exit code. SIGTERM, which reaches the script, too, is for that to handle."""
    signal.signal(signal.SIGTERM, lambda *_: None)  # an ignored one would be ignored by the script as well
    return subprocess.run(command, check=False).returncode


def again(arguments: list[str]) -> int:
    """Runs the script in its own interpreter: what follows ``python`` in its command. Returns the exit code."""
    configure()
    shown = [IMAGE_PYTHON, *arguments]
    return exit_code_of(lambda: _outcome(*here(arguments), shown), "Framework Error")


def here(command: Sequence[str]) -> tuple[int, str]:
    """Runs a Python script as ``__main__`` in this process: its exit code, and the last line of its traceback.

    `command` is what follows ``python``: the script's name, or ``-m`` and that of a module, then its arguments.
    """
    as_module = command[0] == "-m"
    script, arguments = (
        (str(Path(f"{command[1]}.py").absolute()), command[2:]) if as_module else (command[0], command[1:])
    )
    logging.root.handlers.clear()  # ours; with one there, the script's logging.basicConfig would do nothing
    logging.root.setLevel(logging.WARNING)
    file = str(Path(script).absolute())
    sys.argv = [script, *arguments]
    sys.path.insert(0, str(Path(file).resolve().parent))
    main = _main_module(file)
    image_programs.leave_the_image()
    try:
        exec(compile(Path(file).read_bytes(), file, "exec", dont_inherit=True), main.__dict__)
    except SystemExit as end:
        if end.code is None or isinstance(end.code, int):
            return end.code or 0, ""
        sys.stderr.write(f"{end.code}\n")
        return 1, str(end.code)
    except BaseException as error:
        frames = error.__traceback__
        while frames and frames.tb_frame.f_code.co_filename != file:  # ours say nothing to the user
            frames = frames.tb_next
        traceback.print_exception(type(error), error, frames or error.__traceback__)
        return 1, "".join(traceback.format_exception_only(type(error), error)).strip()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
    return 0, ""


def _main_module(file: str) -> types.ModuleType:
    """A new ``__main__`` of a script; processes that it spawns import the script from the current folder."""
    main = types.ModuleType("__main__")
    loader = importlib.machinery.SourceFileLoader("__main__", file)
    main.__dict__.update(__builtins__=builtins, __annotations__={}, __file__=file, __cached__=None, __loader__=loader)
    sys.modules["__main__"] = main
    setattr(multiprocessing.process, "ORIGINAL_DIR", os.getcwd())  # noqa: B010, PTH109
    return main


def _outcome(code: int, message: str, command: Sequence[str]) -> None:
    if code:
        reason = "" if _has_containers() else f'\nExitCode {code}\nErrorMessage "{message}"'
        raise ScriptError(
            f'ExecuteUserScriptError:{reason}\nCommand "{" ".join(command)}"', code if 0 < code < 256 else 1
        )
