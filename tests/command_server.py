"""Runs the project's commands and modules for tests, each in a process of its own that has the SDK loaded already.

Importing the SDK takes longer than most commands do; here it is imported once, before a child is forked per command.
Reads requests from the standard input, one JSON line each: ``words``, ``environment``, ``folder``, and the files that
are the child's ``streams``. Writes the child's process id, then its exit code. Ends with its standard input.
"""

from __future__ import annotations

import gc
import json
import os
import runpy
import sys
import warnings
from collections.abc import Callable
from importlib.metadata import entry_points
from typing import Any, NoReturn

PACKAGES = ("pipelines", "delivery")
CLIENTS = ("sagemaker", "s3", "logs", "iam", "sts", "sagemaker-runtime", "cloudwatch")
"""Whose descriptions are read before, as reading SageMaker's alone takes a second."""


def load() -> None:
    """Imports what the commands would, and reads the descriptions of services. No request is sent."""
    from pipelines import loader, session

    with loader.quick_and_quiet(False):
        import pipelines.abalone.pipeline
        import pipelines.progress
        import pipelines.reports.writer
        import pipelines.summary  # noqa: F401
    boto = session.boto_session(os.environ["AWS_DEFAULT_REGION"])
    for name in CLIENTS:
        make: Any = boto.client
        make(name)
    gc.collect()
    gc.freeze()


def commands() -> dict[str, Callable[[], Any]]:
    """The console scripts of the project."""
    found = entry_points(group="console_scripts")
    return {item.name: item.load() for item in found if item.value.split(".")[0] in PACKAGES}


def become(request: dict[str, Any], before: dict[str, str]) -> None:
    """Makes the forked child what a new process of the command would be."""
    from pipelines import session

    environment = request["environment"]
    for number, (file, flags) in enumerate(zip(request["streams"], STREAM_FLAGS, strict=True)):
        opened = os.open(file, flags, 0o600)
        os.dup2(opened, number)
        os.close(opened)
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(request["folder"])
    sys.argv = request["words"]
    added = environment.get("PYTHONPATH", "").split(os.pathsep)
    sys.path[1:1] = [folder for folder in added if folder and folder not in sys.path]
    if _aws(environment) != _aws(before):
        session.boto_session.cache_clear()


STREAM_FLAGS = (os.O_RDONLY, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)


def _aws(environment: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in environment.items() if name.startswith("AWS_")}


def run_module(words: list[str]) -> NoReturn:
    """What ``python -m`` does with a module and its arguments."""
    sys.argv = words
    warnings.simplefilter("ignore", RuntimeWarning)  # runpy's, where the module is loaded as another's part as well
    runpy.run_module(words[0], run_name="__main__", alter_sys=True)
    sys.exit()


def say(number: int) -> None:
    """Writes a line for the tests' process."""
    sys.stdout.write(f"{number}\n")
    sys.stdout.flush()


def main() -> None:
    load()
    known, before = commands(), dict(os.environ)
    for line in sys.stdin:
        request = json.loads(line)
        child = os.fork()
        if child == 0:
            become(request, before)
            if request["words"][0] == "-m":
                run_module(request["words"][1:])
            sys.exit(known[request["words"][0]]())
        say(child)
        _, status = os.waitpid(child, 0)
        say(os.waitstatus_to_exitcode(status))


if __name__ == "__main__":
    main()
