"""The order in which AWS's containers list the keys of a map: that of Scala 2.12's immutable maps and sets.

Up to four keys stay as they were added; more are in the order of a hash trie, five bits of the hash per level. All
recorded files have it: categories, domains, the classes of a confusion matrix, violated metrics.
"""

from __future__ import annotations

from collections.abc import Iterable

_SMALL = 4
_BITS, _LEVELS = 5, 7
_WORD = 0xFFFFFFFF


def in_map_order(keys: Iterable[str]) -> list[str]:
    """The distinct keys as a map lists them that they were added to one after the other."""
    distinct = list(dict.fromkeys(keys))
    return distinct if len(distinct) <= _SMALL else sorted(distinct, key=_path)


def _path(key: str) -> list[int]:
    spread = _spread(_hash(key))
    return [spread >> _BITS * level & (1 << _BITS) - 1 for level in range(_LEVELS)]


def _hash(key: str) -> int:
    """``java.lang.String.hashCode``, over UTF-16 units, without its sign."""
    code = 0
    units = key.encode("utf-16-be", "surrogatepass")
    for high, low in zip(units[::2], units[1::2], strict=True):
        code = (31 * code + (high << 8 | low)) & _WORD
    return code


def _spread(code: int) -> int:
    """The mixing that ``scala.collection.immutable.HashMap`` applies to hash codes."""
    code = (code + ~(code << 9)) & _WORD
    code ^= code >> 14
    code = (code + (code << 4)) & _WORD
    return code ^ code >> 10
