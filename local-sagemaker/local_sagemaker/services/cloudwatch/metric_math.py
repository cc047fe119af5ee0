"""Metric math: expressions over the results of other queries (CloudWatch User Guide, "Using metric math").

A value is a number, a series of points by their time, or several series. Between series only times that both have
count. What is not executed here is refused by name.
"""

from __future__ import annotations

import math
import operator
import re
from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

Series = dict[float, float]
"""Values by the start of their period, in seconds since the epoch."""
Value = float | Series | list[Series]
_TOKEN = re.compile(
    r"\s*(?:(?P<number>\d+\.?\d*(?:[eE][+-]?\d+)?|\.\d+)|(?P<name>[A-Za-z_]\w*)"
    r"|(?P<sign>==|!=|<=|>=|&&|\|\||[-+*/^<>(),\[\]]))"
)
DEEPEST = 50
"""Brackets, signs before a value, and powers in one another."""
MOST_POINTS = 1_008_000
"""Points that the functions of a request may make where no data is: ten times what GetMetricData returns at once."""
_BINARY: dict[str, Callable[[float, float], float]] = {
    "+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv, "^": operator.pow,
    "==": operator.eq, "!=": operator.ne, "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
    "AND": lambda a, b: a != 0 and b != 0, "OR": lambda a, b: a != 0 or b != 0,
}  # fmt: skip
_LEVELS = (("OR",), ("AND",), ("==", "!=", "<", "<=", ">", ">="), ("+", "-"), ("*", "/"), ("^",))
"""Signs by how tightly they bind, the loosest first."""
_SPECIAL = ("METRICS", "FILL", "AND", "OR")
"""Words before a bracket that are no functions of values alone."""
_WORDS = {"&&": "AND", "||": "OR"}


class MetricMathError(ValueError):
    """An expression that is none, or has what is not executed here."""


@dataclass(frozen=True)
class MetricScope:
    """What expressions see: the results of other queries, which of them are metrics, and the times of all periods, in
    seconds since the epoch. `made` holds how many points the request's expressions have made."""

    results: Mapping[str, Value]
    metrics: Sequence[str]
    times: Sequence[float]
    period: int
    made: list[int] = field(default_factory=lambda: [0])

    def every(self) -> Sequence[float]:
        """The times of all periods, for a function that makes a point at each. Raises `MetricMathError`."""
        self.made[0] += len(self.times)
        if self.made[0] > MOST_POINTS:
            raise MetricMathError(
                f"LocalUnsupported: more than {MOST_POINTS} points of periods without data are not made by the local "
                "service; take a longer period or less time."
            )
        return self.times


def evaluate(expression: str, frame: MetricScope) -> Value:
    """The value of an expression. Raises `MetricMathError`."""
    return _Parser(expression, frame).read()


SAMPLE: Series = {0.0: 1.0}
"""What a metric is where an expression is only checked."""


def check(expression: str, results: Mapping[str, Value], metrics: Sequence[str]) -> Value:
    """Refuses what is no expression over queries with samples of their results. Returns a sample of its own result."""
    return evaluate(expression, MetricScope(results, metrics, [0.0], 60))


class _Parser:
    def __init__(self, text: str, frame: MetricScope) -> None:
        self._text, self._frame, self._place, self._depth = text, frame, 0, 0
        for name in re.findall(r"([A-Za-z_]\w*)\s*\(", text):
            if name not in FUNCTIONS and name not in _SPECIAL:
                raise MetricMathError(f"LocalUnsupported: the function {name} is not executed by the local service.")
        self._tokens = _tokens(text)

    def read(self) -> Value:
        value = self._level(0)
        if self._place != len(self._tokens):
            raise self._invalid()
        return value

    def _level(self, number: int) -> Value:
        if number == len(_LEVELS):
            return self._one()
        value = self._level(number + 1)
        while (sign := self._peek()) in _LEVELS[number]:
            self._place += 1
            right = self._power(number) if sign == "^" else self._level(number + 1)
            value = _combine(_BINARY[sign], value, right)
        return value

    def _power(self, number: int) -> Value:
        self._depth += 1
        if self._depth > DEEPEST:
            raise self._invalid()
        value = self._level(number)
        self._depth -= 1
        return value

    def _one(self) -> Value:
        self._depth += 1
        word = self._peek()
        if self._depth > DEEPEST or not word:
            raise self._invalid()
        self._place += 1
        try:
            if word == "-":
                return _combine(operator.sub, 0.0, self._level(len(_LEVELS) - 1))
            if word == "(":
                return self._close(self._level(0), ")")
            if word == "[":
                return self._close([_series(part) for part in self._arguments("]")], "]")
            if word[0].isdigit() or word[0] == ".":
                return float(word)
            if self._peek() == "(":
                return self._call(word)
            if word in self._frame.results:
                return self._frame.results[word]
            raise MetricMathError(f"Invalid expression {self._text}: there is no query {word}.")
        finally:
            self._depth -= 1

    def _call(self, name: str) -> Value:
        self._place += 1
        if name == "METRICS":
            series = [one for key in self._frame.metrics for one in [self._frame.results[key]] if isinstance(one, dict)]
            return self._close(series, ")")
        if name == "FILL":
            return self._fill()
        arguments = self._arguments(")")
        self._close(0.0, ")")
        if name not in FUNCTIONS:
            raise self._invalid()
        return FUNCTIONS[name](self._frame, arguments)

    def _fill(self) -> Value:
        source = self._level(0)
        self._close(0.0, ",")
        word = self._peek()
        if word in ("REPEAT", "LINEAR"):
            self._place += 1
            filled = _each_series(source, lambda one: _fill_gaps(word, one, self._frame.every()))
        else:
            value = float(_number(self._level(0)))
            filled = _each_series(source, lambda one: {**dict.fromkeys(self._frame.every(), value), **one})
        return self._close(filled, ")")

    def _arguments(self, end: str) -> list[Value]:
        arguments: list[Value] = []
        while self._peek() != end:
            arguments.append(self._level(0))
            if self._peek() != ",":
                break
            self._place += 1
        return arguments

    def _close(self, value: Value, sign: str) -> Value:
        if self._peek() != sign:
            raise self._invalid()
        self._place += 1
        return value

    def _peek(self) -> str:
        return self._tokens[self._place] if self._place < len(self._tokens) else ""

    def _invalid(self) -> MetricMathError:
        return MetricMathError(f"Invalid expression: {self._text[:200]}")


def _tokens(text: str) -> list[str]:
    tokens, place, text = [], 0, text.strip()
    while place < len(text):
        match = _TOKEN.match(text, place)
        if match is None and text[place:].lstrip()[:1] in ("'", '"'):
            raise MetricMathError(f"LocalUnsupported: texts in expressions are not executed here: {text[:200]}")
        if match is None:
            raise MetricMathError(f"Invalid expression at position {place}: {text[:200]}")
        word = match["number"] or match["name"] or match["sign"]
        tokens.append(_WORDS.get(word, word))
        place = match.end()
    return tokens


def _combine(function: Callable[[float, float], float], left: Value, right: Value) -> Value:
    """Point by point; a point that has no value (a division by zero) is missing."""
    if isinstance(left, list):
        return [_series(_combine(function, one, right)) for one in left]
    if isinstance(right, list):
        return [_series(_combine(function, left, one)) for one in right]
    if not isinstance(left, dict) and not isinstance(right, dict):
        return _point(function, left, right) or 0.0
    times = left.keys() & right.keys() if isinstance(left, dict) and isinstance(right, dict) else _times(left, right)
    points = {time: _point(function, _at(left, time), _at(right, time)) for time in sorted(times)}
    return {time: value for time, value in points.items() if value is not None}


def _times(left: Value, right: Value) -> set[float]:
    return set(left if isinstance(left, dict) else right if isinstance(right, dict) else ())


def _at(value: Value, time: float) -> float:
    return value[time] if isinstance(value, dict) else _number(value)


def _point(function: Callable[[float, float], float], left: float, right: float) -> float | None:
    try:
        result = float(function(left, right))
    except (ArithmeticError, ValueError, TypeError):  # TypeError: a root of a negative number
        return None
    return result if math.isfinite(result) else None


def _series(value: Value) -> Series:
    if not isinstance(value, dict):
        raise MetricMathError("A time series is needed, not a number or an array.")
    return value


def _each_series(value: Value, function: Callable[[Series], Series]) -> Value:
    """The result for a series, or for each of several."""
    return [function(one) for one in value] if isinstance(value, list) else function(_series(value))


def _number(value: Value) -> float:
    if isinstance(value, dict | list):
        raise MetricMathError("A number is needed, not a time series.")
    return value


def _fill_gaps(word: str, series: Series, times: Sequence[float]) -> Series:
    """Missing points repeated from the one before, or on the line between their neighbours."""
    known, filled = sorted(series), dict(series)
    for time in times:
        place = bisect_left(known, time)
        if time in series or place == 0:
            continue
        if word == "REPEAT":
            filled[time] = series[known[place - 1]]
        elif place < len(known):
            first, last = known[place - 1], known[place]
            share = (time - first) / (last - first)
            filled[time] = series[first] + share * (series[last] - series[first])
    return dict(sorted(filled.items()))


Function = Callable[[MetricScope, Sequence[Value]], Value]


def _one(arguments: Sequence[Value], count: int = 1) -> Sequence[Value]:
    if len(arguments) != count:
        raise MetricMathError(f"{count} argument{'s are' if count > 1 else ' is'} needed, not {len(arguments)}.")
    return arguments


def _each(function: Callable[[float], float]) -> Function:
    """A function of each point."""

    def apply(_: MetricScope, arguments: Sequence[Value]) -> Value:
        return _combine(lambda value, _: function(value), _one(arguments)[0], 0.0)

    return apply


def _over(function: Callable[[Sequence[float]], float]) -> Function:
    """A function over the points of one series, or across several series at each time."""

    def apply(_: MetricScope, arguments: Sequence[Value]) -> Value:
        (value,) = _one(arguments)
        if isinstance(value, dict):
            return float(function(list(value.values()))) if value else 0.0
        if not isinstance(value, list):
            return float(function([value]))
        times = sorted({time for one in value for time in one})
        return {time: float(function([one[time] for one in value if time in one])) for time in times}

    return apply


def _if(_: MetricScope, arguments: Sequence[Value]) -> Value:
    if len(arguments) == 2:
        return _combine(lambda test, value: value if test else math.nan, *arguments)
    condition, then, other = _one(arguments, 3)
    if not isinstance(condition, dict):
        return then if condition else other
    values = {time: _maybe(then if test else other, time) for time, test in condition.items()}
    return {time: value for time, value in values.items() if value is not None}


def _maybe(value: Value, time: float) -> float | None:
    return value.get(time) if isinstance(value, dict) else _number(value)


def _along(function: Callable[[Series], Series]) -> Function:
    """A function along a series, or along each of several."""
    return lambda _, arguments: _each_series(_one(arguments)[0], function)


def _differences(series: Series) -> list[tuple[float, float, float]]:
    """Each point's time, its difference to the one before, and the seconds between them."""
    return [(b[0], b[1] - a[1], b[0] - a[0]) for a, b in pairwise(sorted(series.items()))]


def _accumulate(series: Series) -> Series:
    total, sums = 0.0, {}
    for time, value in sorted(series.items()):
        total += value
        sums[time] = total
    return sums


def _deviation(values: Sequence[float]) -> float:
    mean = sum(values) / len(values)
    return math.sqrt(sum((value - mean) ** 2 for value in values) / len(values))


FUNCTIONS: Mapping[str, Function] = {
    "ABS": _each(abs), "CEIL": _each(math.ceil), "FLOOR": _each(math.floor), "LOG": _each(math.log),
    "LOG10": _each(math.log10),
    "SUM": _over(sum), "AVG": _over(lambda values: sum(values) / len(values)), "MIN": _over(min), "MAX": _over(max),
    "STDDEV": _over(_deviation),
    "IF": _if,
    "DIFF": _along(lambda series: {time: change for time, change, _ in _differences(series)}),
    "RATE": _along(lambda series: {time: change / seconds for time, change, seconds in _differences(series)}),
    "RUNNING_SUM": _along(_accumulate),
    "PERIOD": lambda frame, arguments: float(frame.period) if _one(arguments) else 0.0,
    "TIME_SERIES": lambda frame, arguments: dict.fromkeys(frame.every(), _number(_one(arguments)[0])),
    "METRIC_COUNT": lambda _, arguments: float(len(value) if isinstance(value := _one(arguments)[0], list) else 1),
}  # fmt: skip
