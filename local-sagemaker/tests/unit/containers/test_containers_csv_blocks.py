"""CSV in blocks: records stay whole, quotes and odd bytes are read as Spark reads them, order is kept."""

import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model_checks.datasets import csv_blocks


def read(folder: Path, files: dict[str, bytes], header: bool = False) -> list[list[str | None]]:
    paths = []
    for name, content in files.items():
        (folder / name).write_bytes(content)
        paths.append(folder / name)
    first = csv_blocks.first_record(paths[0])
    names = csv_blocks.header_names(first) if header else csv_blocks.headerless_names(len(first))
    blocks = csv_blocks.work_on(paths, names, header, lambda table, *_: [a.to_pylist() for a in table.values()])
    return [list(row) for block in blocks for row in zip(*block, strict=True)]


@pytest.mark.parametrize(
    ("content", "rows"),
    [
        (b"1,a\n2,b\n", [["1", "a"], ["2", "b"]]),
        (b"1,a\n2,b", [["1", "a"], ["2", "b"]]),
        (b"1,a\r\n2,b\r\n", [["1", "a"], ["2", "b"]]),
        (b"1,\n,b\n", [["1", None], [None, "b"]]),
        (b'1,"x, y"\n2,"line\nbreak"\n3,"a ""quote"""\n', [["1", "x, y"], ["2", "line\nbreak"], ["3", 'a "quote"']]),
        (b"1,a\n2\n3,c,more\n", [["1", "a"], ["2", None], ["3", "c"]]),
        ("1,ä\n".encode() + b"2,\xff\n", [["1", "ä"], ["2", "\ufffd"]]),
        (b"NA,null\nNaN,2020-01-01\n", [["NA", "null"], ["NaN", "2020-01-01"]]),
        (b"\n1,a\n\n2,b\n", [["1", "a"], ["2", "b"]]),
    ],
)
def test_records(tmp_path: Path, content: bytes, rows: list[list[str | None]]) -> None:
    assert read(tmp_path, {"a.csv": content}) == rows


def test_every_file_has_a_header_and_they_come_in_order(tmp_path: Path) -> None:
    files = {"a.csv": b'x,"y\nz"\n1,2\n', "b.csv": b'x,"y\nz"\n3,4\n', "c.csv": b'x,"y\nz"\n'}
    assert read(tmp_path, files, header=True) == [["1", "2"], ["3", "4"]]


def test_names_of_a_header() -> None:
    assert csv_blocks.header_names(["\ufeffa", "b c", "a", "", "d"]) == ["a0", "b c", "a2", "_c3", "d"]
    assert csv_blocks.headerless_names(2) == ["_c0", "_c1"]


fields = st.text(alphabet='ab1,"\n', max_size=4)


@given(st.lists(st.lists(fields, min_size=2, max_size=2), min_size=1, max_size=20), st.integers(1, 40))
def test_blocks_never_cut_a_record(rows: list[list[str]], size: int) -> None:
    quoted = [["" if not f else '"' + f.replace('"', '""') + '"' for f in row] for row in rows]
    content = "".join(",".join(row) + "\n" for row in quoted).encode()
    blocks = list(csv_blocks.records(io.BytesIO(content), size))
    assert b"".join(blocks) == content
    assert all(block.count(b'"') % 2 == 0 for block in blocks)


def test_many_blocks_keep_the_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csv_blocks, "BLOCK", 100)
    content = "".join(f"{i},{i * i}\n" for i in range(5000)).encode()
    (tmp_path / "a.csv").write_bytes(content)
    before = []

    def work(table: object, rows: int, seen: int) -> list[str]:
        before.append(seen)
        return table["_c0"].to_pylist()  # type: ignore[index]

    blocks = csv_blocks.work_on([tmp_path / "a.csv"], ["_c0", "_c1"], False, work)
    assert [int(v) for block in blocks for v in block] == list(range(5000))
    assert before[0] == 0
    assert abs(max(before) - 5000) < 2000


def test_only_the_wanted_columns_are_parsed() -> None:
    assert list(csv_blocks.parse(b"1,2,3\n", ["a", "b", "c"], ["c"])) == ["c"]
    assert list(csv_blocks.parse(b"1,2\n", ["a", "b", "c"], ["c"])) == ["c"]
