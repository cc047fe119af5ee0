"""The type of each value by its text, as Deequ's DataType analyzer decides it, and of the column they are in.

A value is Fractional, Integral, Boolean, String, or Unknown (null or empty). Plain decimal columns, which is nearly
all of them, are decided by counting bytes; only others are matched value by value.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

FRACTIONAL, INTEGRAL, BOOLEAN, STRING, UNKNOWN = "Fractional", "Integral", "Boolean", "String", "Unknown"

KINDS = (UNKNOWN, FRACTIONAL, INTEGRAL, BOOLEAN, STRING)  # the codes of value_types

_SAMPLE = 64
_DOT, _DASH, _ZERO = (np.uint8(ord(mark)) for mark in ".-0")
_INTEGRAL = r"^(-|\+)? ?[0-9]+$"
_FRACTIONAL = r"^(-|\+)? ?[0-9]+((\.[0-9]+)|((\.[0-9]+)?[Ee]\+?-?[0-9]+))$"
_BOOLEAN = r"^(true|false)$"


@dataclass
class TypeCounts:
    """How many values of each type a column has."""

    missing: int = 0
    fractional: int = 0
    integral: int = 0
    boolean: int = 0
    string: int = 0

    @property
    def present(self) -> int:
        return self.fractional + self.integral + self.boolean + self.string

    def add(self, other: TypeCounts) -> None:
        self.missing += other.missing
        self.fractional += other.fractional
        self.integral += other.integral
        self.boolean += other.boolean
        self.string += other.string

    def infer(self) -> str:
        """The column's type in the files' enumeration, which has no Boolean: such a column is a String."""
        if not self.present:
            return UNKNOWN
        if self.string or self.boolean:
            return STRING
        return FRACTIONAL if self.fractional else INTEGRAL


def value_types(texts: pa.StringArray) -> npt.NDArray[np.int64]:
    """The type of each value as a position in `KINDS`."""
    kinds = np.full(len(texts), KINDS.index(STRING))
    for kind, pattern in ((BOOLEAN, _BOOLEAN), (INTEGRAL, _INTEGRAL), (FRACTIONAL, _FRACTIONAL), (UNKNOWN, "^$")):
        kinds[pc.match_substring_regex(texts, pattern).to_numpy(zero_copy_only=False)] = KINDS.index(kind)
    return kinds


def numbers(texts: pa.StringArray) -> npt.NDArray[np.float64]:
    """The values of Integral and Fractional texts, whose sign may be followed by a space; too large is infinite."""
    plain = pc.replace_substring_regex(texts, r"^\+? ?", "")
    plain = pc.replace_substring(plain, " ", "")
    return np.asarray(pc.cast(plain, pa.float64()).to_numpy(zero_copy_only=False))


def odd_values(present: pa.StringArray) -> npt.NDArray[np.bool_]:
    """Which values (no nulls) are not plainly ``-?digits[.digits]``, by their bytes alone.

    Two dots in one value are not noticed: the conversion to doubles refuses them.
    """
    offsets = np.frombuffer(present.buffers()[1], np.int32, len(present) + 1, present.offset * 4).astype(np.intp)
    start, end = int(offsets[0]), int(offsets[-1])
    begins, ends = offsets[:-1] - start, offsets[1:] - start
    odd: npt.NDArray[np.bool_] = begins == ends
    if start == end or bool(odd.any()):
        return np.ones(len(present), dtype=bool)
    text: npt.NDArray[np.uint8] = np.frombuffer(present.buffers()[2], np.uint8, end - start, start)
    first, last = text.take(begins), text.take(ends - 1)
    second = text.take(np.minimum(begins + 1, len(text) - 1))
    np.logical_or(first == _DOT, (last ^ _ZERO) > 9, out=odd)  # xor with "0" makes digits 0 to 9
    odd |= (first == _DASH) & ((second ^ _ZERO) > 9)
    others = (text ^ _ZERO) > 9
    if int(np.count_nonzero(others)) == int(np.count_nonzero(text == _DOT)) + int(np.count_nonzero(first == _DASH)):
        return odd
    others &= text != _DOT
    others[begins] &= first != _DASH
    odd[np.searchsorted(ends, np.flatnonzero(others), side="right")] = True
    return odd


def decimals(present: pa.StringArray) -> tuple[TypeCounts, npt.NDArray[np.float64]] | None:
    """The counts and the values of a column of numbers; None when a value (no nulls) is not one, or overflows."""
    if _has_text(present[:_SAMPLE], odd_values(present[:_SAMPLE])):
        return None
    odd = odd_values(present)
    counts = TypeCounts()
    if odd.any():
        kinds = value_types(present.filter(pa.array(odd)))
        fractional, integral = (int(np.count_nonzero(kinds == KINDS.index(kind))) for kind in (FRACTIONAL, INTEGRAL))
        if fractional + integral != len(kinds):
            return None
        counts = TypeCounts(fractional=fractional, integral=integral)
    try:
        values = pc.cast(present, pa.float64()).to_numpy(zero_copy_only=False)
    except pa.ArrowInvalid:
        return None
    plain = present.filter(pa.array(~odd)) if counts.present else present
    points = _count_byte(plain, _DOT)
    counts.add(TypeCounts(fractional=points, integral=len(plain) - points))
    return (counts, values) if bool(np.isfinite(values).all()) else None


def _has_text(present: pa.StringArray, odd: npt.NDArray[np.bool_]) -> bool:
    """Whether one of the odd values is no number. Applied to the first values, it decides for most texts, cheaply."""
    kinds = value_types(present.filter(pa.array(odd)))
    return bool(((kinds != KINDS.index(FRACTIONAL)) & (kinds != KINDS.index(INTEGRAL))).any())


def _count_byte(texts: pa.StringArray, byte: np.uint8) -> int:
    offsets = np.frombuffer(texts.buffers()[1], np.int32, len(texts) + 1, texts.offset * 4)
    start, end = int(offsets[0]), int(offsets[-1])
    return (
        int(np.count_nonzero(np.frombuffer(texts.buffers()[2], np.uint8, end - start, start) == byte))
        if end > start
        else 0
    )


def to_known_type(array: pa.Array) -> pa.Array:
    """The array as text or numbers: what is neither (dates, nested values, booleans) becomes its text."""
    if isinstance(array, pa.ChunkedArray):
        array = array.combine_chunks()
    if pa.types.is_dictionary(array.type):
        array = array.dictionary_decode()
    kind = array.type
    if pa.types.is_null(kind) or pa.types.is_large_string(kind) or pa.types.is_decimal(kind):
        return array.cast(pa.string())
    if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_string(kind):
        return array
    if pa.types.is_nested(kind) or pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
        return pa.array([None if item is None else str(item) for item in array.to_pylist()], pa.string())
    return pc.cast(array, pa.string())
