"""Turns the raw abalone table into three splits that XGBoost can read. Runs alone, as the script of a processing job.

Reads one object or a prefix of several (CSV without a header), checks every cell, fills gaps, scales the numbers,
turns the sex into indicators, shuffles with a seed, and writes train.csv, validation.csv and test.csv with the label
first. Bad data ends the job with a message that names file, column and first bad row.

The scale and the order of the indicators are fixed, and not fitted to the data of the run: the drift checks compare
what this script writes, and a scale that follows the data hides that all shells have become heavier.

Runs in the scikit-learn 1.4-2 image as well as with current libraries: Python 3.9 grammar.
"""

from __future__ import annotations

import argparse
import csv
import io
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder

LABEL = "rings"
CATEGORY = "sex"
CATEGORIES = ["F", "I", "M"]
SCALES = {  # mean and standard deviation of the published data set, which its scaled columns have as 0 and 1
    "length": (0.5239920995930094, 0.12007853620602839),
    "diameter": (0.40788125448886764, 0.09922798609936374),
    "height": (0.13951639932966242, 0.04182204947769995),
    "whole_weight": (0.8287421594445774, 0.4903303136137728),
    "shucked_weight": (0.35936748862820206, 0.22193637778166947),
    "viscera_weight": (0.1805936078525257, 0.10960112830473714),
    "shell_weight": (0.23883085946851804, 0.13918600552884794),
}
NUMBERS = list(SCALES)
COLUMNS = [CATEGORY, *NUMBERS, LABEL]
SPLITS = {"train": 0.7, "validation": 0.85, "test": 1.0}


class BadTable(Exception):
    """The input data is missing or wrong. The text says where."""


def main(argv: list[str] | None = None) -> int:
    arguments = parse(argv)
    try:
        table = read(fetch(arguments.input_data))
        splits = split(transform(table), arguments.seed)
    except BadTable as error:
        print(f"preprocess: {error}", file=sys.stderr)
        explain(arguments.message, str(error))
        return 1
    for name, rows in splits.items():
        folder = Path(arguments.output) / name
        folder.mkdir(parents=True, exist_ok=True)
        pd.DataFrame(rows).to_csv(folder / f"{name}.csv", header=False, index=False)
        print(f"preprocess: {len(rows)} rows in {name}.csv")
    return 0


def parse(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--input-data", required=True, help="s3://bucket/key, s3://bucket/prefix or a local path")
    parser.add_argument("--output", default="/opt/ml/processing", help="folder that gets one folder per split")
    parser.add_argument("--message", default="/opt/ml/output/message", help="file whose text the job shows at its end")
    parser.add_argument("--seed", type=int, default=0, help="of the shuffle")
    return parser.parse_args(argv)


def fetch(location: str) -> Iterator[tuple[str, bytes]]:
    """Name and content of every file at ``location``, in the order of their names."""
    if location.startswith("s3://"):
        bucket, _, key = location[len("s3://") :].partition("/")
        return fetch_objects(bucket, key)
    return fetch_files(Path(location))


def fetch_objects(bucket: str, key: str) -> Iterator[tuple[str, bytes]]:
    import boto3
    from botocore.exceptions import ClientError

    s3 = boto3.client("s3")
    try:
        pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=key)
        keys = [item["Key"] for page in pages for item in page.get("Contents", [])]
    except ClientError as error:
        raise BadTable(f"cannot list s3://{bucket}/{key}: {error.response['Error'].get('Message', error)}") from error
    names = [key] if key in keys else [name for name in visible(keys) if name.startswith(key.rstrip("/") + "/")]
    if not names:
        raise BadTable(f"there is no object at s3://{bucket}/{key}")
    for name in names:
        yield f"s3://{bucket}/{name}", s3.get_object(Bucket=bucket, Key=name)["Body"].read()


def fetch_files(path: Path) -> Iterator[tuple[str, bytes]]:
    files = [path] if path.is_file() else [item for item in sorted(path.rglob("*")) if item.is_file()]
    names = visible(str(file) for file in files)
    if not names:
        raise BadTable(f"there is no file at {path}")
    for name in names:
        yield name, Path(name).read_bytes()


def visible(names: Iterable[str]) -> list[str]:
    """Without folder markers and without files that tools hide, such as _SUCCESS."""
    return [name for name in sorted(names) if name.rpartition("/")[2][:1] not in ("", ".", "_")]


def read(files: Iterable[tuple[str, bytes]]) -> pd.DataFrame:
    """One table of all files, every cell checked.

    :raises BadInput: with file, column and row of the first cell that is wrong.
    """
    return pd.concat([read_file(name, content) for name, content in files], ignore_index=True)


def read_file(name: str, content: bytes) -> pd.DataFrame:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadTable(f"{name} is not a text file in UTF-8: {error}") from error
    if not text.strip():
        raise BadTable(f"{name} is empty")
    try:
        table = pd.read_csv(io.StringIO(text), header=None, dtype=str, skipinitialspace=True)
    except pd.errors.ParserError as error:
        check_widths(name, text)
        raise BadTable(f"{name} is not CSV: {error}") from error
    if table.shape[1] != len(COLUMNS) or table.iloc[:, -1].isna().any():
        check_widths(name, text)
    table.columns = pd.Index(COLUMNS)
    for column in [*NUMBERS, LABEL]:
        table[column] = numbers(name, column, table[column])
    return table


def check_widths(name: str, text: str) -> None:
    """:raises BadInput: for the first row that has not the expected number of columns."""
    rows = (row for row in csv.reader(io.StringIO(text)) if row)
    for number, row in enumerate(rows, 1):
        if len(row) != len(COLUMNS):
            raise BadTable(
                f"{name}, row {number}: {len(row)} columns where {len(COLUMNS)} are expected ({', '.join(COLUMNS)})"
            )


def numbers(name: str, column: str, cells: pd.Series) -> pd.Series:
    values = pd.to_numeric(cells, errors="coerce").astype(float)
    wrong = (values.isna() & cells.notna()) | np.isinf(values)
    if column == LABEL:
        wrong |= cells.isna()  # a gap in a feature is filled, a gap in the label cannot be
    if wrong.any():
        row = int(np.argmax(wrong.to_numpy()))
        cell = cells.iloc[row]
        what = f"{cell!r} is not a number" if isinstance(cell, str) else "the label is missing"
        hint = "; the table must not have a header" if row == 0 and cell == column else ""
        raise BadTable(f"{name}, column {column}, row {row + 1}: {what}{hint}")
    return values


def transform(table: pd.DataFrame) -> np.ndarray:
    """Label, scaled numbers and one indicator per sex, as floats. A sex that is not among the known ones comes last."""
    number = make_pipeline(SimpleImputer(strategy="median", keep_empty_features=True), FunctionTransformer(scale))
    category = OneHotEncoder(categories=[categories(table[CATEGORY])], handle_unknown="ignore")
    columns = ColumnTransformer([("number", number, NUMBERS), ("category", category, [CATEGORY])], sparse_threshold=0)
    features = table.drop(columns=LABEL)
    features[CATEGORY] = features[CATEGORY].astype(object).where(features[CATEGORY].notna(), "missing")
    label = table[LABEL].to_numpy(dtype=float).reshape(-1, 1)
    return np.concatenate([label, columns.fit_transform(features)], axis=1)


def scale(numbers: np.ndarray) -> np.ndarray:
    """Every column on the fixed scale of its name."""
    means, deviations = np.array(list(SCALES.values())).T
    return (numbers - means) / deviations


def categories(cells: pd.Series) -> list[str]:
    """The known ones, whether they occur or not, and after them what else occurs: a column always means the same."""
    values = set(cells.astype(object).where(cells.notna(), "missing"))
    return [*CATEGORIES, *sorted(values.difference(CATEGORIES))]


def split(rows: np.ndarray, seed: int) -> dict[str, np.ndarray]:
    """Shuffled, 70 / 15 / 15. The same rows and the same seed give the same splits."""
    shuffled = np.random.default_rng(seed).permutation(rows)
    cuts = [int(share * len(rows)) for share in SPLITS.values()]
    parts = {name: shuffled[start:end] for name, start, end in zip(SPLITS, [0, *cuts], cuts)}
    for name, part in parts.items():
        if not len(part):
            raise BadTable(f"{len(rows)} rows are too few: nothing is left for {name}")
    return parts


def explain(path: str, text: str) -> None:
    """SageMaker shows the start of this file as the job's exit message."""
    file = Path(path)
    if file.parent.is_dir():
        file.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
