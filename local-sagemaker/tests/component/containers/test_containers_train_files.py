"""Which files of a channel the built-in algorithm reads, and as what."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from tests.component.containers.test_containers_train import prepare, train


def _matrix_of(run: Any) -> str:
    found = re.search(r"Train matrix has \d+ rows and \d+ columns", run.log)
    return found[0] if found else str(run.failure)


def _frame(**columns: Any) -> pd.DataFrame:
    return pd.DataFrame({"y": [1.0, 2.0, 3.0], "a": [4.0, 5.0, 6.0], "b": [7.0, 8.0, 9.0], **columns})


@pytest.mark.parametrize(
    ("frames", "found"),
    [
        ({"_SUCCESS": b"", "a.parquet": _frame()}, "3 rows and 2 columns"),
        ({"_common_metadata": b"none", "a.parquet": _frame()}, "3 rows and 2 columns"),
        ({"a.parquet": _frame(), "b.parquet": _frame().drop(columns="b")}, "6 rows and 2 columns"),
        ({"a.parquet": _frame(), "b.parquet": _frame()[["b", "a", "y"]]}, "6 rows and 2 columns"),
        ({"a.parquet": _frame(), "b.parquet": _frame(c=[1, 2, 3])}, "6 rows and 2 columns"),
        ({"deep/er/a.parquet": _frame(), "b.parquet": _frame()}, "6 rows and 2 columns"),
        ({"a.parquet": _frame(a=[1, None, 3])}, "3 rows and 2 columns"),
        ({"a.parquet": _frame(a=[True, False, True])}, "3 rows and 2 columns"),
        ({"a.parquet": _frame(a=pd.array([1, None, 3], dtype="Int64"))}, "Failed to load parquet data with exception:"),
        ({"a.parquet": _frame(a=pd.to_datetime(["2020-01-01"] * 3))}, "Failed to load parquet data with exception:"),
        ({"a.parquet": _frame(a=["x", "y", "z"])}, "Failed to load parquet data with exception:"),
        ({"a.parquet": _frame(), "readme.txt": b"no table"}, "Failed to load parquet data with exception:"),
    ],
)
def test_parquet_files_are_one_dataset(program_run: Any, tmp_path: Path, frames: dict[str, Any], found: str) -> None:
    prepare(program_run, {}, content_type="application/x-parquet", train="")
    (program_run.ml / "input/data/train/train.data").unlink()
    for name, frame in frames.items():
        if isinstance(frame, pd.DataFrame):
            frame.to_parquet(tmp_path / "table.parquet", index=False)
            frame = (tmp_path / "table.parquet").read_bytes()
        program_run.write(f"input/data/train/{name}", frame)
    train(program_run)
    assert found in _matrix_of(program_run)


@pytest.mark.parametrize(
    ("files", "found"),
    [
        ({"a.csv": b"1,2\n", "b.csv": b""}, "Could not determine delimiter on line :\nCould not determine delimiter"),
        ({"a.csv": b"1,2\n", "_SUCCESS": b""}, "1 rows and 1 columns"),
        ({"a.csv": b"1,2\n", ".part.crc": b"x"}, "Hidden file found in the data path! Remove that before training."),
        ({"a.csv": b"1,2\n", "x/y/z/w/.crc": b"x"}, "Hidden file found in the data path!"),
        ({"a.csv": b"1,2\n2,3\n", "x/y/z/deeper.csv": b"1,2\n"}, "2 rows and 1 columns"),
        ({"a.csv": b"1,2\n", "x/b.csv": b"1,2\n", "x/y/c.csv": b"1,2\n"}, "3 rows and 1 columns"),
        ({"a.csv": "1,é\n".encode("latin-1")}, "UnicodeDecodeError: 'utf-8' codec can't decode byte 0xe9"),
        ({"a.csv": b"y,x\n1,2\n"}, "2 rows and 1 columns"),
        ({"a.csv": b"1,\n2,3\n"}, "2 rows and 1 columns"),
        ({"a.csv": b"1;2\n2;3\n"}, "2 rows and 1 columns"),
    ],
)
def test_csv_files_as_the_container_takes_them(program_run: Any, files: dict[str, bytes], found: str) -> None:
    prepare(program_run, {}, train="")
    (program_run.ml / "input/data/train/train.data").unlink()
    for name, content in files.items():
        program_run.write(f"input/data/train/{name}", content)
    train(program_run)
    assert found in _matrix_of(program_run)
