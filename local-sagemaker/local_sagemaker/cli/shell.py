"""``local-sagemaker shell``: a shell with the files, libraries and variables that the job of a step has."""

from __future__ import annotations

import argparse

from local_sagemaker.cli.debug import add_step_arguments, run_step
from local_sagemaker.config import Settings

EXAMPLES = """examples:
  local-sagemaker shell Evaluate                     for that step of the newest execution that has it
  local-sagemaker shell AbalonePipeline              for the step of it that failed

After a failure, all files are as the job left them, and what is changed stays for the next shell; 'local-sagemaker
failed-jobs' lists what is kept. Otherwise the job's inputs are loaded again, into a folder that is removed at the end.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Which step."""
    add_step_arguments(parser)
    parser.epilog = EXAMPLES


def run(options: argparse.Namespace, settings: Settings) -> int:
    """Opens it; the exit code is the shell's."""
    return run_step(options, settings, shell=True)
