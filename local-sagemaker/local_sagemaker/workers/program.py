"""The program of a worker: functions of one module, called by lines of JSON on stdin, their results lines on stdout.

It is run by its path, with nothing but the standard library (``python -I -S program.py PROJECT MODULE BYTES``).
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import signal
import sys
from typing import Any


def main() -> None:
    """Serves calls until stdin ends.

    Each has time limits that the kernel keeps: SIGALRM and SIGPROF end this process even in the middle of a C function,
    and even when the service no longer exists.
    """
    project, module, size = sys.argv[1:]
    sys.path.insert(0, project)
    functions = importlib.import_module(module)
    responses = os.fdopen(os.dup(1), "w", encoding="ascii")
    os.dup2(2, 1)
    _limit_memory(int(size))
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C ends the service, which closes stdin
    for line in sys.stdin.buffer:
        call = json.loads(line)
        signal.setitimer(signal.ITIMER_REAL, call["seconds"])
        signal.setitimer(signal.ITIMER_PROF, call["processor"])
        response = _respond(functions, call)
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.setitimer(signal.ITIMER_REAL, 0)
        responses.write(response + "\n")
        responses.flush()


def _respond(functions: Any, call: dict[str, Any]) -> str:
    try:
        return json.dumps({"value": getattr(functions, call["function"])(*call["arguments"])})
    except Exception as error:  # whatever it is, it is the caller's to judge
        return json.dumps({"error": type(error).__name__, "text": str(error), "errno": getattr(error, "errno", None)})


def _limit_memory(size: int) -> None:
    import resource

    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_AS, (size, size))


if __name__ == "__main__":
    main()
