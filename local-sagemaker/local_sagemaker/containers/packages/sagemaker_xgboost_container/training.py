"""The entry of a training job, by the name that the image's variables have for it."""

from __future__ import annotations

from _local_programs import load


def main() -> None:
    """Runs the algorithm, or the script that the job's hyperparameters name."""
    raise SystemExit(load("xgboost.train").main())
