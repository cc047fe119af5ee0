"""The methods of Java's strings, numbers, lists and maps that templates use."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from local_sagemaker.regexes import bounded
from local_sagemaker.regexes.bounded import RegexError
from local_sagemaker.services.apigateway.velocity_syntax import VelocityError
from local_sagemaker.services.apigateway.velocity_values import (
    LARGEST,
    Listing,
    MapEntry,
    compare,
    is_number,
    long,
    text,
)

Function = Callable[..., Any]
_PLAIN = re.compile(r"[\w\s,;:=&/'\"<>@#%!~-]*")
_WHOLE = re.compile(r"[+-]?\d{1,19}")


def invoke(value: Any, name: str, arguments: tuple[Any, ...]) -> Any:
    """What a method gives; None where Velocity finds no such method, or Java throws."""
    method = _methods_of(value).get(name)
    if method is None or value is None:
        return None
    try:
        return method(value, *arguments)
    except VelocityError:
        raise  # a limit, or a regular expression that is none
    except (TypeError, ValueError, IndexError, KeyError, AttributeError):
        return None


def property_of(value: Any, name: str) -> Any:
    """A member of a map, or a bean's property; None when there is none."""
    if isinstance(value, Mapping):
        return value.get(name)
    return not value if name == "empty" and isinstance(value, str | list) else None


def item_of(value: Any, index: Any) -> Any:
    """An element or a member by an index in brackets; negative ones count from the end."""
    if isinstance(value, Mapping):
        return value.get(index)
    if isinstance(value, list) and isinstance(index, int) and -len(value) <= index < len(value):
        return value[index]
    return None


def _methods_of(value: Any) -> Mapping[str, Function]:
    if isinstance(value, str):
        return _STRING
    if isinstance(value, bool):
        return _ANY
    if isinstance(value, MapEntry):
        return _ENTRY
    if isinstance(value, dict):
        return _MAP
    return _NUMBER if is_number(value) else _LIST if isinstance(value, list) else _ANY


_PIECE = re.compile(r"\\(.)|\$(\d)|([^\\$]+|.)", re.DOTALL)


@contextmanager
def _judge_errors() -> Iterator[None]:
    """Regular expressions of the template's. Java's and Python's agree in what templates use."""
    try:
        yield
    except RegexError as error:
        raise VelocityError(str(error)) from error


def _replace_all(value: str, pattern: str, replacement: str, count: int = 0) -> str:
    """Java's replacement: ``$1`` is a group, a backslash takes the next letter as it is."""
    if pattern and _PLAIN.fullmatch(pattern) and "\\" not in replacement and "$" not in replacement:
        return _check_length(value, value.count(pattern), replacement).replace(pattern, replacement, count or -1)
    pieces = [int(piece[2]) if piece[2] else piece[1] or piece[3] for piece in _PIECE.finditer(replacement)]
    with _judge_errors():
        result = bounded.replace(pattern, pieces, value, count=count, most=LARGEST)
    if result is None:
        raise VelocityError(f"the template makes more than {LARGEST} characters")
    return result


def _matches(value: str, pattern: str) -> bool:
    with _judge_errors():
        return bounded.matches(pattern, value)


def _check_length(value: str, count: int, replacement: str) -> str:
    if len(value) + count * len(replacement) > LARGEST:
        raise VelocityError(f"the template makes more than {LARGEST} characters")
    return value


def _split(value: str, pattern: str, limit: int = 0) -> Listing:
    """Java's split: without a limit, empty parts at the end are left out."""
    most = max(limit - 1, 0)
    if pattern and _PLAIN.fullmatch(pattern):
        parts = value.split(pattern, most if limit > 0 else -1)
    else:
        with _judge_errors():
            parts = bounded.split(pattern, value, most=most) if limit != 1 else [value]
        parts = parts[1:] if not pattern and parts and parts[0] == "" else parts
    while limit == 0 and len(parts) > 1 and parts[-1] == "":
        parts.pop()
    return Listing(parts)


def _substring(value: str, first: int, last: int | None = None) -> str:
    last = len(value) if last is None else last
    if not 0 <= first <= last <= len(value):
        raise IndexError(first)
    return value[first:last]


def _char(value: str, index: int) -> str:
    return _substring(value, index, index + 1)


def _repeat(value: str, count: int) -> str:
    return _check_length(value, count, value) * max(count, 0)


def _parse_whole(_: Any, digits: Any) -> int:
    if not isinstance(digits, str) or not digits.isascii() or not _WHOLE.fullmatch(digits):
        raise ValueError(digits)
    return int(digits)


def _set_item(value: list[Any], index: int, item: Any) -> Any:
    value[index], old = item, value[index]
    return old


def _add(value: list[Any], *arguments: Any) -> Any:
    if len(arguments) == 2:
        value.insert(arguments[0], arguments[1])
        return None
    value.append(arguments[0])
    return True


def _add_all(value: list[Any], items: list[Any]) -> bool:
    if len(value) + len(items) > LARGEST // 100:
        raise VelocityError("the template makes too long a list")
    value.extend(list(items))
    return bool(items)


def _remove(value: list[Any], item: Any) -> Any:
    if isinstance(item, int) and not isinstance(item, bool):
        return value.pop(item)
    present = item in value
    if present:
        value.remove(item)
    return present


def _index(value: list[Any], item: Any) -> int:
    return value.index(item) if item in value else -1


def _put(value: dict[Any, Any], key: Any, item: Any) -> Any:
    old = value.get(key)
    value[key] = item
    return old


def _put_all(value: dict[Any, Any], items: Mapping[Any, Any]) -> None:
    value.update(items)


_ANY: dict[str, Function] = {
    "toString": text,
    "equals": lambda value, other: compare("==", value, other),
}
_STRING: dict[str, Function] = _ANY | {
    "length": len,
    "isEmpty": lambda value: not value,
    "isBlank": lambda value: not value.strip(),
    "trim": str.strip,
    "strip": str.strip,
    "toUpperCase": str.upper,
    "toLowerCase": str.lower,
    "contains": lambda value, other: text(other) in value,
    "startsWith": str.startswith,
    "endsWith": str.endswith,
    "equalsIgnoreCase": lambda value, other: isinstance(other, str) and value.casefold() == other.casefold(),
    "compareTo": lambda value, other: (value > other) - (value < other),
    "indexOf": str.find,
    "lastIndexOf": str.rfind,
    "substring": _substring,
    "charAt": _char,
    "concat": lambda value, other: _check_length(value, 1, other) + other,
    "replace": lambda value, old, new: _check_length(value, value.count(old), new).replace(old, new),
    "replaceAll": _replace_all,
    "replaceFirst": lambda value, pattern, new: _replace_all(value, pattern, new, 1),
    "matches": _matches,
    "split": _split,
    "repeat": _repeat,
}
_NUMBER: dict[str, Function] = _ANY | {
    "intValue": lambda value: long(int(value)),
    "longValue": lambda value: long(int(value)),
    "doubleValue": float,
    "compareTo": lambda value, other: (value > other) - (value < other),
    "parseInt": _parse_whole,
    "parseLong": _parse_whole,
    "parseDouble": lambda _, digits: float(digits),
    "valueOf": lambda value, digits: type(value)(digits),
}
_COLLECTION: dict[str, Function] = _ANY | {
    "size": len,
    "isEmpty": lambda value: not value,
    "clear": lambda value: value.clear(),
}
_LIST: dict[str, Function] = _COLLECTION | {
    "get": lambda value, index: value[index] if index >= 0 else None,
    "set": _set_item,
    "add": _add,
    "addAll": _add_all,
    "remove": _remove,
    "contains": lambda value, item: item in value,
    "indexOf": _index,
    "subList": lambda value, first, last: type(value)(value[first:last]),
}
_MAP: dict[str, Function] = _COLLECTION | {
    "get": lambda value, key: value.get(key),
    "getOrDefault": lambda value, key, default: value.get(key, default),
    "put": _put,
    "putAll": _put_all,
    "remove": lambda value, key: value.pop(key, None),
    "containsKey": lambda value, key: key in value,
    "containsValue": lambda value, item: item in value.values(),
    "keySet": Listing,
    "values": lambda value: Listing(value.values()),
    "entrySet": lambda value: Listing(MapEntry(key, item) for key, item in value.items()),
}
_ENTRY: dict[str, Function] = _ANY | {
    "getKey": lambda value: value["key"],
    "getValue": lambda value: value["value"],
}
KNOWN = frozenset().union(_STRING, _NUMBER, _LIST, _MAP, _ENTRY)
"""The names of all methods."""
