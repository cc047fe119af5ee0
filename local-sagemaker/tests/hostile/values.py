"""Values for the members of AWS requests, from botocore's shapes: right ones, and odd ones."""

from __future__ import annotations

import json
import re
import string
import zlib
from functools import cache
from random import Random
from typing import Any

from local_sagemaker.api.patterns import compile_pattern

DIGITS = "9" * 5000
LEARNED = 200
_NAMED = re.compile(r"""["<](\w*(?:[nN]ame|[iI]d|Arn|Token|Key|Bucket))(?:"\s*:\s*"|>)([^"<]{1,300})""")
TEXTS = (
    "", " ", "a", "\x00", "a\x00b", "a\r\nb: c", "a\nb", "\ud800", "a\udfffb", "\u00b2", "\u0663\u0664", "\uff11\uff12",
    DIGITS, "-1", "0", "007", "1e999", "nan", "Infinity", "-inf", "0x10", "1_000", "true", "null", "[]", "{}", "{", '"',
    "../../etc/passwd", "/", "//", ".", "%", "%FF", "%zz", "%00", "\U0001f600" * 300, "a" * 1025, "b" * 9000,
    "<a>&amp;",
    "${x}", "{{x}}", "*", "?", "arn:", "arn:aws", "arn:aws:sagemaker:us-east-1:123456789012:", "arn:aws:::::", "s3://",
    "s3:///", "s3://hostile", "s3://hostile/", "s3://hostile/%", "https://", "=", "a=b&a=b", "bytes=-", "bytes=\u00b2-",
    f"bytes={DIGITS}-", "W/", "9999-99-99T99:99:99Z", "Mon, 99 Foo 2020", "+100000-01-01", "1e308", "-62135596801",
    "\u202e\ufeff", "e\u0301", "(a+)+$", "[", "AAAA", "====", "\u00e9",
)  # fmt: skip
NAMES = ("hostile", "hostile-1", "a", "A-1", "name")
PLAUSIBLE = (
    *NAMES,
    "arn:aws:iam::123456789012:role/LocalSageMakerRole",
    *(f"arn:aws:sagemaker:us-east-1:123456789012:{kind}/hostile" for kind in (
        "pipeline", "model", "training-job", "processing-job", "endpoint", "endpoint-config", "transform-job",
        "model-package", "model-package-group", "experiment", "trial", "experiment-trial", "image",
    )),
    "arn:aws:sagemaker:us-east-1:123456789012:pipeline/hostile/execution/abcdefghijkl",
    "arn:aws:lambda:us-east-1:123456789012:function:hostile",
    "arn:aws:logs:us-east-1:123456789012:log-group:hostile",
    "s3://hostile/data", "https://s3.us-east-1.amazonaws.com/hostile/data",
    "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.4-2-cpu-py3",
    "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:3.0-5",
    "/opt/ml/processing/input", "ml.m5.large", "text/csv", "validation:rmse=([0-9.]+)", "1", "us-east-1a", "key=value",
    "endpoint/hostile/variant/AllTraffic", "index.handler", "2020-01-01", "$.a", "a.b", "1.5", "subnet-1", "sg-1",
)  # fmt: skip
NUMBERS = (0, -1, 1, 2**31, 2**53 + 1, 2**63, -(2**63) - 1, 10**400, 0.5, -0.0, 1e308, float("inf"), float("nan"))


def deep(levels: int, inner: Any, *, key: str | None = None) -> Any:
    """A value inside so many lists, or objects of one key."""
    for _ in range(levels):
        inner = {key: inner} if key else [inner]
    return inner


def deep_text(levels: int, opening: str = "[", inner: str = "", closing: str = "]") -> str:
    """The same as JSON text, which may be deeper than Python's own encoder goes."""
    return opening * levels + inner + closing * levels


def definitions(random: Random) -> str:
    """The text of a pipeline definition, most of them wrong in one place."""
    condition = {"Type": "Equals", "LeftValue": 1, "RightValue": 1}
    levels = random.choice((1, 300, 900))
    step = random.choice((
        {"Name": "A", "Type": "Condition", "Arguments": {"Conditions": [
            deep(levels, condition, key="Expression") | {"Type": "Not"}], "IfSteps": [], "ElseSteps": []}},
        {"Name": "A", "Type": "Fail", "Arguments": {"ErrorMessage": deep(levels, "x", key="Get")}},
        {"Name": "A", "Type": "Fail", "Arguments": {
            "ErrorMessage": {"Std:Join": {"On": "/", "Values": deep(levels, "x")}}}},
        {"Name": "A", "Type": "Fail", "Arguments": random.choice(({}, [], "x", None, {"ErrorMessage": {"Get": 5}}))},
        {"Name": random.choice((5, None, "\ud800", "")), "Type": random.choice(("Fail", "Training", "Lambda", 3))},
        {"Name": "A", "Type": "Processing", "Arguments": {}, "DependsOn": random.choice(("A", [5], [[]], ["A"]))},
        {"Name": "A", "Type": "Training", "Arguments": {"HyperParameters": {"a": deep(levels, 1)}}},
        5, None, [],
    ))  # fmt: skip
    document: Any = {"Version": "2020-12-01", "Metadata": {}, "Parameters": [], "Steps": [step]}
    if random.random() < 0.4:
        odd = (None, 5, "x", [5], {"a": []}, [{"Name": 5}], [{"Name": "P", "Type": "Integer", "DefaultValue": {}}])
        document[random.choice(("Version", "Metadata", "Parameters", "Steps"))] = random.choice(odd)
    text = json.dumps(document)
    return random.choice((text, text, text[:-3], deep_text(100_000), deep_text(5000, '{"a":', "1", "}")))


class Values:
    """Random values, the same again for the same seed."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self.learned: list[str] = []
        """Names, ids and ARNs that answers held."""

    def learn(self, answer: bytes) -> None:
        """Remembers the names, ids and ARNs of an answer: later requests use them."""
        for name, text in _NAMED.findall(answer.decode("utf-8", "replace")):
            if len(self.learned) < LEARNED:
                self.learned.append(text)
            else:
                self.learned[zlib.crc32((name + text).encode()) % LEARNED] = text

    def right(self, shape: Any, *, full: bool = False, depth: int = 0) -> Any:
        """What the model allows: the required members or, with `full`, most of them."""
        kind, limits = shape.type_name, shape.metadata
        if kind == "structure":
            return self._structure(shape, full, depth)
        if kind in ("list", "map"):
            size = max(limits.get("min", 0), 1 if full and depth < 5 else 0)
            if kind == "list":
                return [self.right(shape.member, full=full, depth=depth + 1) for _ in range(min(size, 3))]
            return {
                self.right(shape.key): self.right(shape.value, full=full, depth=depth + 1) for _ in range(min(size, 3))
            }
        if kind == "string":
            return self._text(shape)
        if kind == "boolean":
            return self._random.random() < 0.5
        if kind == "timestamp":
            return 1_700_000_000
        if kind == "blob":
            return b"1,2,3\n"
        lowest = limits.get("min", 0)
        number = self._random.choice((lowest, lowest, min(lowest + 1, limits.get("max", lowest + 1))))
        return int(number) if kind in ("integer", "long") else float(number)

    def _structure(self, shape: Any, full: bool, depth: int) -> dict[str, Any]:
        names = set(shape.required_members)
        if full and depth < 4:
            names |= {name for name in shape.members if self._random.random() < (0.7 if depth == 0 else 0.4)}
        if getattr(shape, "is_tagged_union", False):
            names = {self._random.choice(sorted(shape.members))}
        return {
            name: self.right(member, full=full, depth=depth + 1)
            for name, member in shape.members.items()
            if name in names
        }

    def _text(self, shape: Any) -> str:
        if getattr(shape, "enum", None):
            return str(self._random.choice(shape.enum))
        if "Definition" in shape.name or "Policy" in shape.name:
            return definitions(self._random)
        limits = shape.metadata
        pattern = limits.get("pattern")
        if self.learned and self._random.random() < 0.4:
            learned = self._random.choice(self.learned)
            if _fits(learned, limits.get("min", 0), limits.get("max", 10**9), pattern):
                return learned
        fitting = [text for text in PLAUSIBLE if _fits(text, limits.get("min", 0), limits.get("max", 10**9), pattern)]
        if fitting:
            return self._random.choice(fitting)
        return "".join(self._random.choices(string.ascii_lowercase, k=min(max(limits.get("min", 1), 1), 100)))

    def odd(self) -> Any:
        """A JSON value that is wrong nearly everywhere."""
        kind = self._random.randrange(7)
        if kind < 3:
            return self._random.choice(TEXTS)
        if kind < 5:
            return self._random.choice(NUMBERS)
        return self._random.choice((
            None, True, [], {}, [None], [[]], {"": ""}, {"a": None}, [self._random.choice(TEXTS)],
            {self._random.choice(TEXTS): self._random.choice(TEXTS)}, deep(400, 1), deep(400, 1, key="a"),
            ["a"] * 2000, {str(n): "a" for n in range(300)},
        ))  # fmt: skip

    def spoil(self, value: Any) -> Any:
        """The same value with one place of it replaced, left out or added to."""
        if isinstance(value, dict) and value and self._random.random() < 0.8:
            name = self._random.choice(sorted(value, key=str))
            if self._random.random() < 0.2:
                return {key: item for key, item in value.items() if key != name}
            return {**value, name: self.spoil(value[name])}
        if isinstance(value, list) and value and self._random.random() < 0.7:
            position = self._random.randrange(len(value))
            return [*value[:position], self.spoil(value[position]), *value[position + 1 :]]
        return self.odd()


@cache
def _fits(text: str, lowest: int, highest: int, pattern: str | None) -> bool:
    if not lowest <= len(text) <= highest:
        return False
    try:
        return pattern is None or compile_pattern(pattern).fullmatch(text) is not None
    except re.error:
        return True  # Java's syntax
