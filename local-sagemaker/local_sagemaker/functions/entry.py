"""Where a function's process begins: in the folder of its code, with the way to the service, then the runtime.

The process is a fork with the usual libraries loaded. A function that brings modules of the same names, or variables
that only a starting interpreter reads, gets an interpreter of its own.
"""

from __future__ import annotations

import importlib
import os
import sys
from pathlib import Path

from local_sagemaker import image_programs as programs
from local_sagemaker.functions import runtime


def main(arguments: list[str]) -> int:
    """Runs the function in the folder `arguments` [0]; ``own`` as the second requests an own interpreter."""
    folder = Path(arguments[0])
    os.environ["LAMBDA_TASK_ROOT"] = str(folder)
    os.chdir(folder)
    if arguments[1:] == ["own"] or _brings_loaded_modules(folder):
        script = Path(runtime.__file__)
        os.execv(sys.executable, [sys.executable, str(script)])
    sys.modules.pop("sitecustomize", None)
    importlib.import_module("sitecustomize")  # the hook: an interpreter with this PYTHONPATH would have loaded it
    sys.path.insert(0, str(folder))
    programs.forget()
    return runtime.main()


def _brings_loaded_modules(folder: Path) -> bool:
    """Whether a module in the folder has the name of one that the fork has loaded."""
    with os.scandir(folder) as entries:
        return any(entry.name.partition(".")[0] in sys.modules for entry in entries)
