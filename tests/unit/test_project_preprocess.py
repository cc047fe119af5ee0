"""preprocess.py: the splits it writes, where it reads from, and how it refuses bad data."""

from __future__ import annotations

from pathlib import Path

import boto3
import numpy as np
import pandas as pd
import pytest
from moto import mock_aws

from pipelines.abalone import preprocess
from pipelines.data import abalone_csv as table

ROW = "M,0.455,0.365,0.095,0.514,0.2245,0.101,0.15,15"


def run(source: str, output: Path, *more: str) -> int:
    message = output / "message"
    output.mkdir(exist_ok=True)
    return preprocess.main(["--input-data", source, "--output", str(output), "--message", str(message), *more])


def splits(output: Path) -> dict[str, np.ndarray]:
    return {
        name: pd.read_csv(output / name / f"{name}.csv", header=None).to_numpy()
        for name in ("train", "validation", "test")
    }


@pytest.fixture
def abalone(tmp_path: Path) -> Path:
    file = tmp_path / "abalone.csv"
    file.write_bytes(table())
    return file


def test_three_splits_with_the_label_first_scaled_numbers_and_indicators(abalone: Path, tmp_path: Path) -> None:
    assert run(str(abalone), tmp_path / "out") == 0
    found = splits(tmp_path / "out")
    assert {name: rows.shape for name, rows in found.items()} == {
        "train": (2923, 11), "validation": (627, 11), "test": (627, 11),
    }  # fmt: skip
    rows = np.concatenate(list(found.values()))
    raw = pd.read_csv(abalone, header=None)
    assert sorted(rows[:, 0]) == sorted(raw[8])
    assert np.allclose(rows[:, 1:8].mean(axis=0), 0, atol=1e-9) and np.allclose(rows[:, 1:8].std(axis=0), 1)
    assert [int(total) for total in rows[:, 8:].sum(axis=0)] == [(raw[0] == sex).sum() for sex in "FIM"]


def test_the_shuffle_has_a_seed(abalone: Path, tmp_path: Path) -> None:
    for name, seed in (("a", "0"), ("b", "0"), ("c", "1")):
        run(str(abalone), tmp_path / name, "--seed", seed)
    a, b, c = (splits(tmp_path / name)["test"] for name in "abc")
    assert (a == b).all()
    assert not (a == c).all()


def test_gaps_are_filled(tmp_path: Path) -> None:
    file = tmp_path / "gaps.csv"
    file.write_text("\n".join([",".join(["", *ROW.split(",")[1:]]), ROW.replace("0.365", ""), *[ROW] * 20]))
    assert run(str(file), tmp_path / "out") == 0
    rows = np.concatenate(list(splits(tmp_path / "out").values()))
    assert np.isfinite(rows).all()
    assert rows.shape == (22, 12)  # the missing sex is a sex of its own, after the three known ones
    assert rows[:, 8:].sum(axis=0).tolist() == [0, 0, 21, 1]


def test_the_scale_does_not_follow_the_data(abalone: Path, tmp_path: Path) -> None:
    """Otherwise no drift check could see that all shells are heavier."""
    run(str(abalone), tmp_path / "before")
    heavier = pd.read_csv(abalone, header=None)
    heavier[7] *= 1.5
    heavier.to_csv(tmp_path / "heavier.csv", header=False, index=False)
    run(str(tmp_path / "heavier.csv"), tmp_path / "after")
    before, after = splits(tmp_path / "before")["train"], splits(tmp_path / "after")["train"]
    mean, deviation = preprocess.SCALES["shell_weight"]
    assert np.allclose(after[:, 7] * deviation + mean, 1.5 * (before[:, 7] * deviation + mean))
    assert (np.delete(after, 7, axis=1) == np.delete(before, 7, axis=1)).all()


def test_a_new_category_comes_after_the_known_ones(abalone: Path, tmp_path: Path) -> None:
    """Column 8 is what the bias checks look at: it must go on meaning F, even where there is no F."""
    file = tmp_path / "new.csv"
    file.write_bytes(abalone.read_bytes().replace(b"\nF,", b"\nA,"))
    run(str(file), tmp_path / "out")
    rows = np.concatenate(list(splits(tmp_path / "out").values()))
    raw = pd.read_csv(file, header=None)
    assert [int(total) for total in rows[:, 8:].sum(axis=0)] == [(raw[0] == sex).sum() for sex in "FIMA"]


def put(s3: object, **objects: str) -> None:
    for name, text in objects.items():
        s3.put_object(Bucket="raw", Key=name.replace("__", "/") + ".csv", Body=text.encode())  # type: ignore[attr-defined]


def test_one_object_or_a_prefix_of_several(tmp_path: Path) -> None:
    with mock_aws():
        s3 = boto3.client("s3")
        s3.create_bucket(Bucket="raw")
        put(s3, many__a=f"{ROW}\n" * 10, many__b=f"{ROW}\n" * 5, manyother=f"{ROW}\n" * 100)
        s3.put_object(Bucket="raw", Key="many/_SUCCESS", Body=b"")
        assert run("s3://raw/many/a.csv", tmp_path / "one") == 0
        assert run("s3://raw/many", tmp_path / "several") == 0
        assert run("s3://raw/many/", tmp_path / "slash") == 0
    assert sum(map(len, splits(tmp_path / "one").values())) == 10
    assert sum(map(len, splits(tmp_path / "several").values())) == 15
    assert sum(map(len, splits(tmp_path / "slash").values())) == 15


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("", "bad.csv is empty"),
        ("\n \n", "bad.csv is empty"),
        (f"{ROW}\nM,0.455,0.365\n", "bad.csv, row 2: 3 columns where 9 are expected"),
        (f"{ROW}\n{ROW},7\n", "bad.csv, row 2: 10 columns where 9 are expected"),
        ("1,2\n3,4\n", "bad.csv, row 1: 2 columns where 9 are expected"),
        (f"{ROW}\n{ROW.replace('0.365', 'long')}\n", "bad.csv, column diameter, row 2: 'long' is not a number"),
        (f"{ROW}\n{ROW.replace('0.365', 'inf')}\n", "bad.csv, column diameter, row 2: 'inf' is not a number"),
        (f"{ROW}\n{ROW[:-2]}\n", "bad.csv, column rings, row 2: the label is missing"),
        (f"{','.join(preprocess.COLUMNS)}\n{ROW}\n", "'length' is not a number; the table must not have a header"),
        (f"{ROW}\n", "1 rows are too few"),
    ],
)  # fmt: skip
def test_bad_data_is_refused_by_file_column_and_row(
    content: str, expected: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "bad.csv"
    file.write_text(content)
    assert run(str(file), tmp_path / "out") == 1
    assert expected in capsys.readouterr().err
    assert expected in (tmp_path / "out/message").read_text()
    assert not (tmp_path / "out/train").exists()


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("s3://no-such-bucket/data.csv", "no-such-bucket"),
        ("s3://raw/nothing/here.csv", "there is no object at s3://raw/nothing/here.csv"),
        ("/no/such/file.csv", "there is no file at /no/such/file.csv"),
    ],
)
def test_missing_data_is_named(source: str, expected: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with mock_aws():
        boto3.client("s3").create_bucket(Bucket="raw")
        assert run(source, tmp_path / "out") == 1
    assert expected in capsys.readouterr().err
