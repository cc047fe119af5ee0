"""Columns of plain numbers are parsed as numbers, and nothing about a dataset's profile depends on that."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from model_checks.analysis.profile import DatasetProfile, Work, profile_dataset
from model_checks.datasets import csv_blocks
from model_checks.datasets.csv_numbers import Numbers, is_plain

WHOLE = ["1", "-3", "007", "12345678901234567890123", "", "+4", " 5", "- 6", "0"]
DECIMAL = ["1.5", "-0.25", "2.0", "1e3", "1.5E-2", "", "3", "1e999"]
ODD = [
    "1.",
    ".5",
    "5 ",
    "\t5",
    "0x1F",
    "nan",
    "inf",
    "-Infinity",
    "true",
    "x",
    '"7"',
    '" 8"',
    '"9."',
    "1.2.3",
    "1e",
    "--1",
]


def profile(path: Path, names: list[str], numbers: Numbers | None) -> DatasetProfile:
    def blocks(work: Work, text: frozenset[str] | None = None) -> Iterator[DatasetProfile]:
        columns = None if text is None else [name for name in names if name in text]
        yield from csv_blocks.work_on([path], names, False, work, columns, numbers if text is None else None)

    return profile_dataset(blocks)


def summary(found: DatasetProfile) -> Any:
    return {
        name: (
            column.types.infer(),
            column.types.present,
            column.types.missing,
            column.distinct.estimate(),
            column.texts.estimate(),
            column.categories if column.types.infer() == "String" else None,
            (round(column.moments.total, 6), column.moments.low) if column.types.infer() != "String" else None,
        )
        for name, column in found.columns.items()
    }


columns = st.sampled_from([WHOLE, DECIMAL, WHOLE + DECIMAL, WHOLE + ODD, DECIMAL + ODD, ["a b", "St. X", "0x", "y"]])


@st.composite
def tables(draw: st.DrawFn) -> list[list[str]]:
    kinds = draw(st.lists(columns, min_size=1, max_size=6))
    clean = draw(st.integers(0, 12))
    rows = draw(st.integers(1, 24))
    drawn = [[draw(st.sampled_from(kind[:3] if row < clean else kind)) for row in range(rows)] for kind in kinds]
    return [list(row) for row in zip(*drawn, strict=True)]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=75, deadline=None)
@given(tables())
def test_the_profile_is_that_of_the_texts(tmp_path: Path, table: list[list[str]]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(csv_blocks, "BLOCK", 60)
        patch.setattr(csv_blocks, "HEAD", 40)
        path = tmp_path / "a.csv"
        path.write_text("".join(",".join(row) + "\n" for row in [*table, ["1"] * len(table[0])]))
        names = [f"_c{position}" for position in range(len(table[0]))]
        plain, exact = Numbers(), Numbers(frozenset(names))
        texts, numbers, counted = (profile(path, names, how) for how in (None, plain, exact))
        assert summary(numbers) == summary(texts) == summary(counted)
        for name in names:
            assert counted.columns[name].types == texts.columns[name].types


@pytest.mark.parametrize("value", ["1.", ".5", "-.5", " 5", "5\t", '" 5"', "0x1F", "-0X1f", "1.e5"])
def test_what_a_parser_takes_for_a_number_and_a_type_does_not_is_noticed(value: str) -> None:
    assert is_plain(b"1.5,2,a word,3\n")
    assert not is_plain(f"1.5,{value},3\n".encode())
    assert not is_plain(f"{value},1.5\n".encode())
    assert not is_plain(f"1.5,{value}".encode())


def test_numbers_are_really_read_as_numbers() -> None:
    numbers = Numbers(frozenset({"d"}))
    table = csv_blocks.parse(b'1,1.5,"x",2.5\n2,2.5,"y y",3.5\n', ["a", "b", "c", "d"], None, numbers)
    assert [array.type for array in table.values()] == [pa.int64(), pa.float64(), pa.string(), pa.string()]
    later = csv_blocks.parse(b"1.5,1,z,2\n", ["a", "b", "c", "d"], None, numbers)
    assert later["a"].type == pa.string()
    assert numbers.types == {"a": pa.float64(), "b": pa.float64()}
