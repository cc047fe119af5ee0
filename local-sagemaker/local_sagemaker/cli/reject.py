"""``local-sagemaker reject``: refuses a manual approval, with a comment."""

from __future__ import annotations

import argparse

from local_sagemaker.cli.approve import add_arguments, decide
from local_sagemaker.config import Settings

__all__ = ["add_arguments", "run"]


def run(options: argparse.Namespace, settings: Settings) -> int:
    """Rejects: the action, its stage and its execution fail."""
    return decide(options, settings, "Rejected")
