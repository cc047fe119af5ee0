"""``make bench``: the benchmarks of `NAMES`, or those named on the command line.

``many_models`` runs by its name only: it takes some minutes and 13 GB of disk.
"""

from __future__ import annotations

import importlib
import sys

NAMES = (
    "service", "executions", "look_up", "growth", "s3", "monitors", "endpoints", "endpoints_load", "studio", "delivery",
)  # fmt: skip


def main() -> int:
    """Runs them; exit code 1 when a target is missed."""
    wanted = sys.argv[1:] or list(NAMES)
    results = [importlib.import_module(f"benchmarks.{name}").main() for name in wanted]
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
