"""The index of patterns finds what trying each pattern finds."""

from __future__ import annotations

import json
import random
from typing import Any

from local_sagemaker.eventbridge.pattern_index import PatternIndex
from local_sagemaker.eventbridge.patterns import parse

VALUES: list[Any] = ["a", "b", "c", 1, 1.0, None, True, ["a", "b"], [], [["c"]], {"x": "a"}, [{"x": "a"}, {"x": "b"}]]
WANTS: list[Any] = [
    ["a"],
    ["a", "b"],
    [1],
    [None],
    ["a", 1],
    [{"prefix": "a"}],
    [{"exists": False}],
    [{"anything-but": "a"}],
]


def random_pattern(source: random.Random) -> dict[str, Any]:
    pattern: dict[str, Any] = {}
    for name in source.sample(["p", "q", "r"], source.randint(1, 3)):
        pattern[name] = source.choice([*WANTS, {"x": source.choice(WANTS)}, {"x": {"y": source.choice(WANTS)}}])
    if source.random() < 0.3:
        pattern["$or"] = [{"p": source.choice(WANTS)}, {"q": source.choice(WANTS)}]
    return pattern


def test_an_index_agrees_with_each_pattern() -> None:
    source = random.Random(7)
    patterns = [parse(json.dumps(random_pattern(source))) for _ in range(300)]
    index = PatternIndex(patterns)
    matched = 0
    for _ in range(300):
        event = {name: source.choice(VALUES) for name in source.sample(["p", "q", "r"], source.randint(0, 3))}
        wanted = [number for number, pattern in enumerate(patterns) if pattern.matches(event)]
        assert index.find(event) == wanted, event
        matched += len(wanted)
    assert matched > 1000


def test_only_the_patterns_of_an_events_words_are_tried() -> None:
    tried: list[int] = []
    parsed = [parse(json.dumps({"source": ["s"], "detail": {"n": [str(number)]}})) for number in range(100)]

    class Counted(list[Any]):
        def __getitem__(self, number: Any) -> Any:
            tried.append(number)
            return super().__getitem__(number)

    index = PatternIndex(Counted(parsed))
    tried.clear()
    assert index.find({"source": "s", "detail": {"n": ["7", "8"]}}) == [7, 8]
    assert tried == [7, 8]
