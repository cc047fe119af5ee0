"""Makes abalone data that has drifted, to see the checks refuse it: ``python -m pipelines.abalone.drifted_data``.

Three things that happen to real data, each of which can be turned off: the shells are heavier (a new diver, or a
scale in another unit), a column has gaps, and a sex occurs that nobody has seen before. The labels stay as they are.
"""

from __future__ import annotations

import argparse
import csv
import io
import random
import sys
from collections.abc import Sequence
from pathlib import Path

from pipelines.data import COLUMNS, abalone_csv

EXAMPLES = """examples:
  all three, as a file:
    python -m pipelines.abalone.drifted_data --output drifted.csv
  heavier shells only, as an object in the local service:
    local-sagemaker exec -- python -m pipelines.abalone.drifted_data --missing 0 --unknown 0 \\
        --output s3://sagemaker-us-east-1-123456789012/drifted/heavier.csv
docs/how-to/see-the-drift-gate.md shows what the checks say to it.
"""


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(
        "python -m pipelines.abalone.drifted_data",
        description="Make abalone data that has drifted from the published data set.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = made.add_argument
    add("--output", required=True, metavar="PATH", help="a file, or s3://bucket/key")
    add("--heavier", type=float, default=1.5, metavar="FACTOR", help="shell_weight times this; default 1.5, 1 is off")
    add("--missing", type=share, default=0.4, metavar="SHARE", help="of rows without --column; default 0.4, 0 is off")
    add("--column", choices=COLUMNS[1:-1], default="height", help="the column with gaps; default height")
    add("--unknown", type=share, default=0.1, metavar="SHARE", help="of rows of the sex U; default 0.1, 0 is off")
    add("--seed", type=int, default=0, help="which rows it hits")
    return made


def main(argv: Sequence[str] | None = None) -> int:
    arguments = parser().parse_args(argv)
    table = make_drifted(arguments.heavier, arguments.missing, arguments.column, arguments.unknown, arguments.seed)
    write(arguments.output, table)
    print(f"{arguments.output}: {table.count(chr(10))} rows")
    return 0


def share(text: str) -> float:
    """:raises ValueError: outside of 0 to 1."""
    fraction = float(text)
    if not 0 <= fraction <= 1:
        raise ValueError(text)
    return fraction


def make_drifted(heavier: float, missing: float, column: str, unknown: float, seed: int = 0) -> str:
    """The table as CSV without a header, in the columns of ``pipelines.data.COLUMNS``."""
    choose = random.Random(seed)
    shell, gap = COLUMNS.index("shell_weight"), COLUMNS.index(column)
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    for row in csv.reader(abalone_csv().decode("utf-8").splitlines()):
        row[shell] = f"{float(row[shell]) * heavier:g}"
        if choose.random() < missing:
            row[gap] = ""
        if choose.random() < unknown:
            row[0] = "U"
        writer.writerow(row)
    return text.getvalue()


def write(location: str, text: str) -> None:
    """To a file, or to S3 with the environment's credentials."""
    if not location.startswith("s3://"):
        Path(location).write_text(text, encoding="utf-8")
        return
    import boto3

    bucket, _, key = location.removeprefix("s3://").partition("/")
    boto3.client("s3").put_object(Bucket=bucket, Key=key, Body=text.encode(), ContentType="text/csv")


if __name__ == "__main__":
    sys.exit(main())
