"""Which columns of a CSV file are plain numbers, so that they are parsed as such at once, without a text each.

A value's type is decided by its text (`analysis.type_inference`). Columns of whole numbers and of decimals need none:
a block is read as numbers when no byte of it hints at anything that a text would tell better, and as text otherwise.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from model_checks.analysis import type_inference

Bytes = npt.NDArray[np.uint8]

HEAD = 1 << 18  # bytes that the kinds of columns are guessed from
_PIECE = 1 << 16  # bytes that are looked at together, so that they stay in the processor's cache

_DOT, _ZERO = np.uint8(ord(".")), np.uint8(ord("0"))
_SPACES, _ENDS = np.zeros(256, dtype=bool), np.zeros(256, dtype=bool)
_SPACES[list(b" \t")] = True
_ENDS[list(b',"\r\n')] = True
_HEXADECIMAL = re.compile(rb'(?:^|[,"\r\n])[-+]?0[xX]')
_REFUSED = re.compile(r"CSV column #(\d+)")


class Numbers:
    """The number type of each plain column, for as long as the data keep to it.

    Of decimal columns it is not known which values are whole; `exact` names the columns where that matters. Those are
    read as whole numbers or as text.
    """

    def __init__(self, exact: frozenset[str] = frozenset()) -> None:
        self._exact = exact
        self.types: Mapping[str, pa.DataType] | None = None

    def learn(self, head: Mapping[str, pa.Array]) -> None:
        """Guesses from the texts of the first records."""
        self.types = {name: kind for name, texts in head.items() if (kind := self._kind(name, texts)) is not None}

    def _kind(self, name: str, texts: pa.Array) -> pa.DataType | None:
        present = texts.drop_null()
        decimals = type_inference.decimals(present) if len(present) else None
        if decimals is None:
            return None
        if not decimals[0].fractional:
            return pa.int64()
        return pa.float64() if name not in self._exact else None

    def learn_from(self, error: pa.ArrowInvalid, names: Sequence[str], table: Mapping[str, pa.Array]) -> None:
        """Learns from a block that could not be read as numbers; `table` has its texts."""
        match = _REFUSED.search(str(error))
        name = names[int(match[1])] if match and int(match[1]) < len(names) else None
        kinds = dict(self.types or {})
        before = kinds.pop(name, None) if name is not None else None
        if name is not None and before == pa.int64() and self._kind(name, table[name]) == pa.float64():
            kinds[name] = pa.float64()
        self.types = kinds

    @staticmethod
    def sound(table: Mapping[str, pa.Array]) -> bool:
        """Whether all doubles are finite: the words for others, and what overflows, are texts."""
        return all(
            math.isfinite(pc.sum(array, min_count=0).as_py())
            for array in table.values()
            if pa.types.is_float64(array.type)
        )


def is_plain(block: bytes | bytearray) -> bool:
    """Whether the numbers of a block follow from their values: no ``1.``, ``.5``, `` 5`` or ``0x10``.

    Those are numbers for a parser, but texts by their type (or the other way round). May be wrong on the safe side.
    """
    text = np.frombuffer(block, np.uint8)
    if not len(text):
        return True
    if text[0] == _DOT or text[-1] == _DOT or any(_odd_dots(text[at : at + _PIECE + 1]) for at in _pieces(text)):
        return False
    if any(mark in block and b"0" + mark in block for mark in (b"x", b"X")) and _HEXADECIMAL.search(block):
        return False
    return not ((b" " in block or b"\t" in block) and _has_padding(text))


def _pieces(text: Bytes) -> range:
    return range(0, len(text), _PIECE)


def _odd_dots(text: Bytes) -> bool:
    """Whether a dot has another neighbour than a digit."""
    dots, others = text == _DOT, (text ^ _ZERO) > 9  # xor with "0" makes digits 0 to 9
    odd = dots[1:] & others[:-1]
    dots[:-1] &= others[1:]
    return bool(odd.any() or dots[:-1].any())


def _has_padding(text: Bytes) -> bool:
    at = np.flatnonzero(_SPACES[text])
    after, before = text[np.minimum(at + 1, len(text) - 1)], text[np.maximum(at - 1, 0)]
    return bool(_ENDS[after].any() or _ENDS[before].any() or at[0] == 0 or at[-1] == len(text) - 1)
