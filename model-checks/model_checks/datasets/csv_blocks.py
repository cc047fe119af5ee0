"""CSV files read in blocks of whole records, which several threads parse and work on at once.

Memory holds a few blocks, whatever the size of the files. Values are texts, as Spark reads them, or plain numbers.
Only an empty field is missing; a record with too few fields is filled up, one with too many is cut; bytes that are not
UTF-8 are replaced.
"""

from __future__ import annotations

import csv
import io
from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Protocol, TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.csv as arrow_csv

from model_checks.analysis.profile import Table
from model_checks.datasets.csv_numbers import HEAD, Numbers, is_plain
from model_checks.datasets.files import cores
from model_checks.errors import AnalysisError

BLOCK = 8 << 20  # bytes
_QUOTE = np.uint8(ord('"'))

T = TypeVar("T")
Block = bytes | bytearray


class BlockSource(Protocol):
    """What blocks are read from."""

    def readinto(self, buffer: memoryview, /) -> int: ...


def first_record(path: Path) -> list[str]:
    """The fields of the first record; empty when the file has none. Raises AnalysisError when it is no text."""
    with path.open("r", encoding="utf-8", errors="replace", newline="") as lines:
        try:
            header = next((record for record in csv.reader(lines) if record), [])
        except csv.Error as error:  # NUL bytes, before Python 3.11; a field without an end
            raise _no_text(path) from error
    if any("\0" in field for field in header):
        raise _no_text(path)
    return header


def _no_text(path: Path) -> AnalysisError:
    return AnalysisError(
        f"Error: {path.name} is not CSV in UTF-8. If it is compressed, the end of its name must say how: .gz, .bz2, "
        ".zst or .deflate."
    )


def header_names(fields: Sequence[str]) -> list[str]:
    """Column names from a header, as Spark makes them: names that differ at most in case get their position, and an
    empty one is called by it. Raises AnalysisError when they are still not different then.
    """
    stripped = [field.removeprefix("\ufeff") if position == 0 else field for position, field in enumerate(fields)]
    folded = [name.lower() for name in stripped]
    names = [
        name if folded.count(name.lower()) == 1 and name else f"{name or '_c'}{position}"
        for position, name in enumerate(stripped)
    ]
    check_names(names)
    return names


def check_names(names: Sequence[str]) -> None:
    """Raises AnalysisError, in Spark's words, for names of columns that differ at most in case."""
    counts = Counter(name.lower() for name in names)
    clashing = sorted(name for name, count in counts.items() if count > 1)
    if clashing:
        listing = ", ".join(f"`{name}`" for name in clashing)
        raise AnalysisError(f"Error: Found duplicate column(s) in the data schema: {listing}")


def headerless_names(count: int) -> list[str]:
    """Spark's names of columns without a header."""
    return [f"_c{position}" for position in range(count)]


def records(stream: BlockSource, size: int, done: deque[Block] | None = None) -> Iterator[Block]:
    """Blocks of whole records. A line end inside quotes, known by an odd number of quotes before it, does not count.

    Blocks that are `done` are filled again: memory that is used for the first time costs more than reading into it.
    """
    rest = b""
    while True:
        block = _room(len(rest) + size, done)  # filled in place: another copy of all data would cost as much
        block[: len(rest)] = rest
        read = stream.readinto(memoryview(block)[len(rest) :])
        del block[len(rest) + read :]
        if not read:
            break
        cut = _last_record_end(block)
        rest = bytes(block[cut:])
        del block[cut:]
        if block:
            yield block
    if rest:
        yield rest


def _room(size: int, done: deque[Block] | None) -> bytearray:
    block = done.popleft() if done else None
    if not isinstance(block, bytearray):
        return bytearray(size)
    try:
        block.extend(bytes(max(0, size - len(block))))
        del block[size:]
    except BufferError:  # something still looks at it
        return bytearray(size)
    return block


def _last_record_end(block: Block) -> int:
    end = block.rfind(b"\n") + 1
    if b'"' not in block:
        return end
    quotes = int(np.count_nonzero(np.frombuffer(block, np.uint8)[:end] == _QUOTE))
    while end and quotes % 2:
        before = block.rfind(b"\n", 0, end - 1) + 1
        quotes -= block.count(b'"', before, end)
        end = before
    return end


def parse(
    block: Block, names: Sequence[str], columns: Sequence[str] | None = None, numbers: Numbers | None = None
) -> dict[str, pa.Array]:
    """The columns (or some of them) of a block: as texts, or with `numbers` those that are plain numbers as such."""
    if not block.isascii():
        block = block.decode("utf-8", "replace").encode("utf-8")
    refused = None
    if numbers is not None:
        if numbers.types is None:
            numbers.learn(_texts(block[: _last_record_end(block[:HEAD])] or block, names, columns))
        if numbers.types and is_plain(block):
            try:
                table = _read(block, names, columns, numbers.types)
                if numbers.sound(table):
                    return table
            except pa.ArrowInvalid as error:
                refused = error
    table = _texts(block, names, columns)
    if numbers is not None and refused is not None:
        numbers.learn_from(refused, names, table)
    return table


def _texts(block: Block, names: Sequence[str], columns: Sequence[str] | None) -> dict[str, pa.Array]:
    try:
        return _read(block, names, columns, {})
    except pa.ArrowInvalid:
        return _even_out(block, names, columns)


def _read(
    block: Block, names: Sequence[str], columns: Sequence[str] | None, types: Mapping[str, pa.DataType]
) -> dict[str, pa.Array]:
    table = arrow_csv.read_csv(
        pa.BufferReader(block),
        read_options=arrow_csv.ReadOptions(
            column_names=list(names), use_threads=False, block_size=max(len(block) + 1, 1024)
        ),
        parse_options=arrow_csv.ParseOptions(newlines_in_values=b'"' in block),
        convert_options=arrow_csv.ConvertOptions(
            check_utf8=False,
            column_types={**dict.fromkeys(names, pa.string()), **types},
            include_columns=list(columns) if columns is not None else None,
            null_values=[""],
            strings_can_be_null=True,
        ),
    )
    return {name: _whole(table.column(name)) for name in table.column_names}


def _whole(column: pa.ChunkedArray) -> pa.Array:
    return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()


def _even_out(block: Block, names: Sequence[str], columns: Sequence[str] | None) -> dict[str, pa.Array]:
    """Records of unequal lengths: filled up with missing values, or cut."""
    width = len(names)
    rows = [
        (record + [""] * width)[:width]
        for record in csv.reader(io.StringIO(block.decode("utf-8"), newline=""))
        if record
    ]
    by_column = zip(*rows, strict=True) if rows else [[] for _ in names]
    arrays = {name: [value or None for value in values] for name, values in zip(names, by_column, strict=True)}
    return {name: pa.array(arrays[name], pa.string()) for name in (columns if columns is not None else names)}


def work_on(
    paths: Sequence[Path],
    names: Sequence[str],
    header: bool,
    work: Callable[[Table, int, int], T],
    columns: Sequence[str] | None = None,
    numbers: Numbers | None = None,
) -> Iterator[T]:
    """Calls ``work(table, rows, rows before)`` for each block, on several threads; results come in the files' order.

    With `numbers`, columns of plain numbers are read as such. The rows before a block are estimated from the bytes
    before it.
    """
    threads = cores()
    row_bytes = 0.0

    done: deque[Block] = deque()

    def one(block: Block, before: int) -> tuple[int, int, T]:
        table = parse(block, names, columns, numbers)  # the table has copies of what is in the block
        size, rows = len(block), len(next(iter(table.values()))) if table else 0
        done.append(block)
        return rows, size, work(table, rows, before)

    with ThreadPoolExecutor(threads) as pool:
        waiting: deque[Future[tuple[int, int, T]]] = deque()
        read = 0
        for path in paths:
            with pa.input_stream(str(path), compression="detect", buffer_size=BLOCK) as stream:
                for position, block in enumerate(records(stream, BLOCK, done)):
                    if header and position == 0:
                        block = _without_header(block)
                    waiting.append(pool.submit(one, block, int(read / row_bytes) if row_bytes else 0))
                    read += len(block)
                    if len(waiting) > threads + 1:
                        rows, size, result = waiting.popleft().result()
                        row_bytes = size / rows if rows else row_bytes
                        yield result
        while waiting:
            yield waiting.popleft().result()[2]


def _without_header(block: Block) -> Block:
    """The block after its first record."""
    at = 0
    while True:
        end = block.find(b"\n", at) + 1
        if not end:
            return b""
        if block.count(b'"', 0, end) % 2 == 0 and block[:end].strip():
            return block[end:]
        at = end
