"""The arguments of the job: short texts, since the API takes no longer ones than 256 characters."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from .baselines import BASELINES

JOB_CONFIG, MESSAGE = "config/processingjobconfig.json", "output/message"
CONFIG, DATASET, MODEL, OUTPUT = "input/config", "input/dataset", "input/model", "output"  # below processing/
CONFIG_FILE, REPORT = "analysis_config.json", "check.json"


@dataclass(frozen=True)
class Arguments:
    """What the check shall do. `statistics` and `constraints` are the S3 URIs of a supplied baseline, or empty."""

    check: str
    group: str
    skip: bool
    register: bool
    fail_on_violation: bool
    statistics: str
    constraints: str
    root: Path

    @property
    def compares(self) -> bool:
        """Whether the dataset is compared with a baseline."""
        return not self.skip

    @property
    def needs_baseline(self) -> bool:
        """Whether an earlier baseline has to exist: to compare with it, or to hand it on."""
        return not (self.skip and self.register)

    def processing(self, name: str) -> Path:
        """A folder of the job."""
        return self.root / "processing" / name


def parse(argv: Sequence[str]) -> Arguments:
    """Exits with 2 for arguments that are wrong."""
    parser = argparse.ArgumentParser("model_checks.pyz", description="Check a dataset or a model against a baseline.")
    add = parser.add_argument
    add("--check", required=True, choices=sorted(BASELINES), help="what is checked")
    add("--group", required=True, help="the model package group whose latest approved version has the baseline")
    add("--skip", type=switch, default=False, metavar="BOOLEAN", help="compute only, compare nothing")
    add(
        "--register", type=switch, default=False, metavar="BOOLEAN", help="what is computed is the baseline from now on"
    )
    add("--fail-on-violation", type=switch, default=True, metavar="BOOLEAN", help="whether violations fail the job")
    add("--supplied-statistics", default="", metavar="URI", help="a baseline instead of the group's")
    add("--supplied-constraints", default="", metavar="URI", help="the same; Clarify's is an analysis.json")
    add("--root", type=Path, default=Path("/opt/ml"), help="the folder that the platform gives to the job")
    options = parser.parse_args(argv)
    return Arguments(
        options.check,
        options.group,
        options.skip,
        options.register,
        options.fail_on_violation,
        options.supplied_statistics,
        options.supplied_constraints,
        options.root,
    )


def switch(text: str) -> bool:
    """A Boolean as a pipeline parameter's text.

    :raises ValueError: for any other text.
    """
    values = {"true": True, "1": True, "false": False, "0": False, "": False}
    if text.strip().lower() not in values:
        raise ValueError(text)
    return values[text.strip().lower()]
