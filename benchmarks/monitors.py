"""Monitors beside what the field uses: a data-quality baseline, Kernel SHAP, and how time grows with the rows.

Each contender runs in a process of its own, in turn; what counts is the time after its imports, and the peak of its
resident memory. Polars and DuckDB come with the extra ``bench``. ``python -m benchmarks.monitors rows_times_ten`` runs
one part.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.measure import ABALONE, report_limit

ROWS, RUNS = 10_000_000, 3
MEMORY = 600  # MB
GROWTH = 1.25  # of the resident memory when there are ten times as many rows
_JOB = "benchmarks.monitor_contenders"


def contender(*words: str) -> dict[str, Any]:
    """Runs one contender; its ``seconds``, its ``memory`` in MB, and what else it tells."""
    command = [sys.executable, "-W", "ignore", "-m", _JOB, *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, "TQDM_DISABLE": "1"})
    if done.returncode:
        raise SystemExit(f"{' '.join(words)} failed:\n{done.stderr[-3000:]}")
    return dict(json.loads(done.stdout.splitlines()[-1]))


def medians(names: tuple[str, ...], *words: str, runs: int = RUNS) -> dict[str, dict[str, float]]:
    """Each contender's median time and largest memory over runs that take turns."""
    by_name: dict[str, list[dict[str, Any]]] = {name: [] for name in names}
    for _ in range(runs):
        for name in names:
            by_name[name].append(contender(name, *words))
    return {
        name: {
            "seconds": statistics.median(one["seconds"] for one in all_of_it),
            "cpu": statistics.median(one["cpu"] for one in all_of_it),
            "memory": max(one["memory"] for one in all_of_it),
        }
        for name, all_of_it in by_name.items()
    }


def data_quality(folder: Path) -> bool:
    """Ten million rows of eleven columns, and one million."""
    big, small = str(folder / "big.csv"), str(folder / "small.csv")
    contender("table", big, str(ROWS))
    contender("table", small, str(ROWS // 10))
    names = ("data-quality", "polars", "duckdb")
    results = medians(names, big)
    for name, one in results.items():
        print(f"  {name:20} {one['seconds']:8.2f} s  {one['cpu']:8.2f} s CPU  {one['memory']:6.0f} MB")
    ours, best = results["data-quality"], min(results[name]["seconds"] for name in names[1:])
    few = medians(("data-quality",), small)["data-quality"]["seconds"]
    met = [
        report_limit("data quality: baseline / the faster of Polars and DuckDB", ours["seconds"] / best, 1.0),
        report_limit("data quality: resident memory in MB", ours["memory"], MEMORY),
        report_limit("data quality: time of 10 million rows / of 1 million", ours["seconds"] / few, 11.0),
    ]
    Path(big).unlink()
    return all(met)


def rows_times_ten(folder: Path) -> bool:
    """Model quality and bias over one million rows and over ten, in turn."""
    files = {rows: str(folder / f"labels-{rows}.csv") for rows in (ROWS // 10, ROWS)}
    for rows, file in files.items():
        contender("labels", file, str(rows))
    met = []
    for name in ("model-quality", "regression-quality", "bias"):
        results: dict[int, list[dict[str, Any]]] = {rows: [] for rows in files}
        for _ in range(RUNS):
            for rows, file in files.items():
                results[rows].append(contender(name, file))
        for rows, all_of_it in results.items():
            seconds, cpu = (statistics.median(one[what] for one in all_of_it) for what in ("seconds", "cpu"))
            memory = max(one["memory"] for one in all_of_it)
            print(f"  {name:20} {rows:>10} rows {seconds:8.2f} s  {cpu:8.2f} s CPU  {memory:6.0f} MB", flush=True)
        few, many = results.values()
        # one run's time against that of the run beside it: other work on the machine slows both
        ratio = statistics.median(b["seconds"] / a["seconds"] for a, b in zip(few, many, strict=True))
        grown = max(one["memory"] for one in many) / max(one["memory"] for one in few)
        met += [
            report_limit(f"{name}: time of 10 million rows / of 1 million", ratio, 11.0),
            report_limit(f"{name}: resident memory in MB", max(one["memory"] for one in many), MEMORY),
            report_limit(f"{name}: memory of 10 million rows / of 1 million", grown, GROWTH),
        ]
    for file in files.values():
        Path(file).unlink()
    return all(met)


def explainability() -> bool:
    """The whole abalone training set, with the same number of samples and the same model."""
    met = []
    for samples in ("100", "500"):
        ours, floor = contender("kernel-shap", str(ABALONE), samples), contender("shap", str(ABALONE), samples)
        for name, one in (("ours", ours), ("KernelExplainer", floor)):
            print(
                f"  {name:20} {one['seconds']:8.2f} s  {one['cpu']:8.2f} s CPU  error {one['error']:.5f}  "
                f"({samples} samples)"
            )
        met.append(
            report_limit(
                f"explainability: ours / KernelExplainer, {samples} samples", ours["seconds"] / floor["seconds"], 0.02
            )
        )
        met.append(report_limit("explainability: error / KernelExplainer's", ours["error"] / floor["error"], 1.0))
    return all(met)


def main(*names: str) -> bool:
    """Prints the figures of all parts, or of some; says whether all targets are met."""
    with tempfile.TemporaryDirectory(prefix="bench-monitors-") as folder:
        parts = {
            "explainability": explainability,
            "data_quality": lambda: data_quality(Path(folder)),
            "rows_times_ten": lambda: rows_times_ten(Path(folder)),
        }
        results = [parts[name]() for name in names or parts]
    return all(results)


if __name__ == "__main__":
    sys.exit(0 if main(*sys.argv[1:]) else 1)
