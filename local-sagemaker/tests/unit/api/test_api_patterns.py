"""Java's regular expressions as Python's."""

from __future__ import annotations

import pytest

from local_sagemaker.api import models
from local_sagemaker.api.patterns import compile_pattern


@pytest.mark.parametrize("service", ["sagemaker", "sagemaker-runtime", "s3", "logs", "lambda", "apigateway"])
def test_every_pattern_of_the_models_compiles(service: str) -> None:
    model = models.model(service)
    patterns = {p for name in model.shape_names if (p := model.shape_for(name).metadata.get("pattern"))}
    for pattern in patterns:
        compile_pattern(pattern).fullmatch("some-text")
    assert patterns or service == "s3" or service == "apigateway"


@pytest.mark.parametrize(
    ("pattern", "good", "bad"),
    [
        (
            r"([\p{L}\p{Z}\p{N}_.:/=+\-@]*)",
            ["é 中.:/=+-@_", "", "a\u00a0b", "x²½", "𝒳"],
            ["a\tb", "a\nb", "!", "😀", "́"],
        ),
        (r"[\p{L}\p{M}\p{S}\p{N}\p{P}]+", ["a!+😀é́"], ["a b", ""]),
        (r"\p{ASCII}*", ["a\x00~"], ["é"]),
        (r"\A\S[\p{Print}]*\z", ["a b"], [" a", "a\n", "aé"]),
        (r"arn:[\p{Alnum}\-]+:x", ["arn:a-1:x"], ["arn:_:x", "arn:é:x"]),
        (r"[\w-_]*", ["a-_9"], ["a b", "é"]),
        (r"[\u0020-\uD7FF\uE000-\uFFFD\uD800\uDC00-\uDBFF\uDFFF\t]*", ["a\té😀"], ["a\n", "\x01"]),
        (r"([\p{L}]*)${1,128}", ["abc"], ["a1"]),
        (r"\d{2}", ["12"], ["١٢"]),
        (r"[[\]a]+", ["[a]"], ["b"]),
    ],
)
def test_translation(pattern: str, good: list[str], bad: list[str]) -> None:
    for text in good:
        assert compile_pattern(pattern).fullmatch(text), text
    for text in bad:
        assert not compile_pattern(pattern).fullmatch(text), text
