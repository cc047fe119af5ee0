"""Timing side by side: two things in turn, medians and the ratio pair by pair, since machines are shared and noisy."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PLAIN_SCRIPT = ROOT.parent / "shared" / "bench" / "plain_abalone.py"
ABALONE = ROOT.parent / "shared" / "data" / "abalone.csv"
BIN = Path(sys.executable).parent


@dataclass(frozen=True)
class Pairs:
    """Seconds of two things that were run in turn."""

    ours: list[float]
    floor: list[float]

    @property
    def ratio(self) -> float:
        """The median of the pairs' ratios."""
        return statistics.median(a / b for a, b in zip(self.ours, self.floor, strict=True))


def in_turn(ours: Callable[[], float], floor: Callable[[], float], runs: int = 5) -> Pairs:
    """Runs both alternately, after one uncounted run of each."""
    ours()
    floor()
    pairs = [(ours(), floor()) for _ in range(runs)]
    return Pairs([a for a, _ in pairs], [b for _, b in pairs])


def seconds(work: Callable[[], object]) -> float:
    """How long a call takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def command(*words: str, **environment: str) -> float:
    """How long a whole process takes; its output is kept from the terminal, its failure is not."""
    merged = {**os.environ, "PATH": f"{BIN}:{os.environ['PATH']}", **environment}
    start = time.perf_counter()
    done = subprocess.run(words, env=merged, capture_output=True, text=True, check=False)
    took = time.perf_counter() - start
    if done.returncode:
        raise SystemExit(f"{' '.join(words)} failed:\n{done.stdout}\n{done.stderr}")
    return took


def report(name: str, pairs: Pairs, target: float) -> bool:
    """Prints a line: medians, ratio, target; says whether the target is met."""
    met = pairs.ratio <= target
    print(
        f"{name:58} {statistics.median(pairs.ours):8.3f} s  floor {statistics.median(pairs.floor):7.3f} s  "
        f"ratio {pairs.ratio:6.2f}  (target {target:g}: {'met' if met else 'MISSED'})",
        flush=True,
    )
    return met


def report_limit(name: str, value: float, limit: float) -> bool:
    """Prints a line: a figure and the most that it may be; says whether it keeps to that."""
    met = value <= limit
    print(f"{name:70} {value:9.3f}  (at most {limit:g}: {'met' if met else 'MISSED'})", flush=True)
    return met
