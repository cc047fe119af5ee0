"""Log streams on real files: names, times, pages, tails, big files."""

from __future__ import annotations

import itertools
import os
import tracemalloc
from pathlib import Path

import pytest

from local_sagemaker.logs import Logs, lines, store
from local_sagemaker.logs.names import escape

SPARSE = 1 << 28
"""Bytes without a line's end, most of which no reader may touch."""

GROUP, STREAM = "/aws/sagemaker/TrainingJobs", "job/algo-1-1700000000"


@pytest.fixture
def logs(tmp_path: Path) -> Logs:
    return Logs(tmp_path / "logs")


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The time that marks are made at: set item 0."""
    moment = [1_000]
    monkeypatch.setattr(store, "_now", lambda: moment[0])
    return moment


def test_file_is_browsable_and_outside_nothing(logs: Logs, tmp_path: Path) -> None:
    file = logs.file(GROUP, STREAM)
    assert file == tmp_path / "logs/+aws+sagemaker+TrainingJobs/job+algo-1-1700000000.log"
    for name in ("..", "../../x", ".", "a" * 512, "x\0y", "%2E"):
        assert tmp_path / "logs" in logs.file(name, name).resolve().parents


def test_different_names_have_different_files() -> None:
    names = ["a/b", "a+b", "a%2Bb", "a%b", ".", "%2E", "a" * 300, "a" * 301, "a" * 300 + "/"]
    assert len({escape(name) for name in names}) == len(names)


def test_lines_have_the_time_of_the_first_mark_after_them(logs: Logs, clock: list[int]) -> None:
    file = logs.file(GROUP, STREAM)
    for moment, text in ((1_000, ""), (1_200, "a\nb\nhal"), (1_400, "f\nc\n"), (1_600, "d\n")):
        with file.open("a") as out:
            out.write(text)
        clock[0] = moment
        logs.mark(GROUP, STREAM)
    os.utime(file, ns=(0, 1_600_000_000))
    clock[0] = 10_000
    source = logs.source(GROUP, STREAM)
    events = source.forwards(0, source.end, 100).events
    assert [(event.time, event.text) for event in events] == [
        (1_200, "a"),
        (1_200, "b"),
        (1_400, "half"),
        (1_400, "c"),
        (1_600, "d"),
    ]
    for since, until, expected in [
        (1_200, 1_400, ["a", "b"]),
        (1_201, None, ["half", "c", "d"]),
        (None, 1_400, ["a", "b"]),
        (1_400, 1_401, ["half", "c"]),
        (1_500, 9_999, ["d"]),
        (2_000, None, []),
        (0, 1_000, []),
    ]:
        start, end = source.between(since, until)
        assert [event.text for event in source.forwards(start, end, 100).events] == expected, (since, until)


def test_a_line_still_being_written_is_held_back_until_it_ends_or_settles(logs: Logs) -> None:
    file = logs.file(GROUP, STREAM)
    file.write_text("one\ntw")
    source = logs.source(GROUP, STREAM)
    assert [event.text for event in source.forwards(0, source.end, 9).events] == ["one"]
    logs.mark(GROUP, STREAM, final=True)
    source = logs.source(GROUP, STREAM)
    assert [event.text for event in source.forwards(0, source.end, 9).events] == ["one", "tw"]


def test_an_unfinished_line_counts_once_nothing_more_came(logs: Logs) -> None:
    file = logs.file(GROUP, STREAM)
    file.write_text("prompt>")
    os.utime(file, (1, 1))
    source = logs.source(GROUP, STREAM)
    assert [event.text for event in source.forwards(0, source.end, 9).events] == ["prompt>"]


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (b"[0]\ttrain-rmse:1.5\n", "[0]#011train-rmse:1.5"),
        (b"10%\r20%\r100%\n", "100%"),
        (b"windows\r\n", "windows"),
        (b"10%\r20%\r\r\n", "20%"),
        (b"\x1b[31mred\x1b[0m\n", "#033[31mred#033[0m"),
        (b"caf\xc3\xa9 \xff\n", "café \ufffd"),
        (b"\n", ""),
    ],
)
def test_control_characters_are_shown_as_cloudwatch_does(raw: bytes, text: str) -> None:
    assert lines.to_text(raw) == text


def test_the_file_keeps_what_was_printed(logs: Logs) -> None:
    file = logs.file(GROUP, STREAM)
    file.write_bytes(b"a\tb\r\n")
    logs.mark(GROUP, STREAM, final=True)
    assert file.read_bytes() == b"a\tb\r\n"


def test_long_lines_are_cut_between_characters(tmp_path: Path) -> None:
    file = tmp_path / "x"
    text = "a" + "é€😀" * 100_000
    file.write_text(f"first\n{text}\nlast\n", "utf-8")
    found = list(lines.pieces(file, 0, file.stat().st_size))
    assert all(end - start <= lines.LONGEST for start, end, _ in found)
    assert [start for start, _, _ in found] == [0, *(end for _, end, _ in found[:-1])]
    assert "".join(raw.decode("utf-8") for _, _, raw in found) == file.read_text("utf-8")
    assert len(found) == 2 + -(-len(text.encode()) // lines.LONGEST)


@pytest.mark.parametrize("limit", [1, 3, 7, 1_000])
def test_pages_forwards_and_backwards_meet(logs: Logs, limit: int) -> None:
    expected = [f"line {number}" for number in range(20)] + ["x" * 600_000, "end"]
    logs.file(GROUP, STREAM).write_text("\n".join(expected) + "\n")
    logs.mark(GROUP, STREAM, final=True)
    source = logs.source(GROUP, STREAM)
    ahead, position = [], 0
    while (page := source.forwards(position, source.end, limit)).events:
        ahead += page.events
        position = page.end
    assert "\n".join(event.text for event in ahead).replace("x\nx", "xx") == "\n".join(expected)
    back, position = [], source.end
    while (page := source.backwards(0, position, limit)).events:
        back = page.events + back
        position = page.start
    assert back == ahead


def test_a_page_holds_a_mebibyte_at_most(logs: Logs) -> None:
    logs.file(GROUP, STREAM).write_text(("y" * 1_000 + "\n") * 3_000)
    source = logs.source(GROUP, STREAM)
    for page in (source.forwards(0, source.end, 10_000), source.backwards(0, source.end, 10_000)):
        assert 1_000_000 < sum(len(event.text) + 26 for event in page.events) <= 1_048_576


def test_a_large_stream_is_read_from_its_end_in_little_memory(logs: Logs) -> None:
    file = logs.file(GROUP, STREAM)
    with file.open("wb") as out:
        out.truncate(SPARSE)  # A sparse file: one endless line of NULs, the worst case for finding a line's start.
        out.seek(SPARSE)
        out.write(b"\n" + b"".join(b"line %d\n" % number for number in range(1_000)))
    os.utime(file, (1, 1))
    tracemalloc.start()
    source = logs.source(GROUP, STREAM)
    page = source.backwards(SPARSE, source.end, 500)
    assert [event.text for event in page.events][-1] == "line 999"
    assert logs.streams(GROUP)[0].size == file.stat().st_size
    assert tracemalloc.get_traced_memory()[1] < 16 * 1024 * 1024
    tracemalloc.stop()


def test_many_marks_are_searched_as_few(logs: Logs, clock: list[int]) -> None:
    file = logs.file(GROUP, STREAM)
    with file.open("a", buffering=1) as out:
        for number in range(500):
            out.write(f"{number}\n")
            clock[0] = 1_000 + number * 10
            logs.mark(GROUP, STREAM)
            logs.mark(GROUP, STREAM)
    os.utime(file, (1, 1))
    source = logs.source(GROUP, STREAM)
    events = source.forwards(0, source.end, 1_000).events
    assert [event.time for event in events] == [1_000 + number * 10 for number in range(500)]
    start, end = source.between(2_000, 2_050)
    assert [event.text for event in source.forwards(start, end, 99).events] == ["100", "101", "102", "103", "104"]


def test_a_half_written_mark_is_dropped(logs: Logs, clock: list[int]) -> None:
    file = logs.file(GROUP, STREAM)
    file.write_text("a\n")
    logs.mark(GROUP, STREAM)
    (marks,) = file.parent.glob(".streams/.*.marks")
    with marks.open("ab") as out:
        out.write(b"     12")
    file.write_text("a\nb\n")
    clock[0] = 2_000
    logs.mark(GROUP, STREAM)
    os.utime(file, (1, 1))
    source = logs.source(GROUP, STREAM)
    assert [event.time for event in source.forwards(0, source.end, 9).events] == [1_000, 2_000]


def test_groups_and_streams_are_listed_and_deleted(logs: Logs) -> None:
    for group, stream in itertools.product(("/a/b", "/a"), ("x/1", "y")):
        logs.file(group, stream).write_text("hello\n")
    assert [(group["name"], group["size"]) for group in logs.groups()] == [("/a", 12), ("/a/b", 12)]
    assert [group["name"] for group in logs.groups("/a/")] == ["/a/b"]
    assert [stream.name for stream in logs.streams("/a", "x")] == ["x/1"]
    logs.delete_stream("/a", "x/1")
    assert [stream.name for stream in logs.streams("/a")] == ["y"]
    assert not logs.has("/a", "x/1")
    logs.delete_group("/a")
    assert not logs.has("/a")
    assert logs.has("/a/b", "y")


def test_retention_removes_what_is_older(logs: Logs) -> None:
    logs.put("g", "old", [(1_000, "long ago")])
    logs.file("g", "fresh").write_text("now\n")
    logs.change_group("g", retention=7)
    os.utime(logs.file("g", "old"), (1, 1))
    assert [stream.name for stream in logs.streams("g")] == ["fresh"]


def test_clear_removes_everything(logs: Logs) -> None:
    file = logs.file("g", "s")
    file.write_text("a\n")
    logs.mark("g", "s")
    logs.clear()
    assert logs.groups() == [] and not file.exists()
    logs.file("g", "s").write_text("b\n")
    logs.mark("g", "s")
    assert [stream.size for stream in logs.streams("g")] == [2]


def test_empty_lines_are_no_events(logs: Logs) -> None:
    logs.file("g", "s").write_text("a\n\n\nb\n\n")
    source = logs.source("g", "s")
    assert [event.text for event in source.forwards(0, source.end, 9).events] == ["a", "b"]
    assert [event.text for event in source.backwards(0, source.end, 1).events] == ["b"]


def test_put_keeps_the_given_times(logs: Logs) -> None:
    logs.put("g", "s", [(5_000, "second"), (4_000, "first")])
    logs.put("g", "s", [(6_000, "third\n")])
    source = logs.source("g", "s")
    found = [(event.time, event.text) for event in source.forwards(0, source.end, 9).events]
    assert found == [(4_000, "first"), (5_000, "second"), (6_000, "third")]
