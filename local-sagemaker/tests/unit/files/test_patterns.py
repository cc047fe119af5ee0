"""Patterns of file and branch names: what both dialects share, and what only one has."""

from __future__ import annotations

import time

import pytest

from local_sagemaker.files.patterns import PatternDialect, compile_pattern

BUILD, TRIGGER = PatternDialect.BUILD, PatternDialect.TRIGGER


@pytest.mark.parametrize("dialect", PatternDialect)
@pytest.mark.parametrize(
    ("pattern", "name", "expected"),
    [
        ("**/*", "a/b.txt", True), ("**/*", "b.txt", True), ("**", "a/b.txt", True), ("*", "a/b.txt", False),
        ("a/*.txt", "a/b.txt", True), ("a/**/*", "a/b/c", True), ("a/**/c", "a/c", True), ("a/**/c", "a/bc", False),
        ("?.txt", "a.txt", True), ("?.txt", "ab.txt", False), ("?", "/", False), ("a.txt", "b/a.txt", False),
        ("a.txt", "axtxt", False), ("release/**", "release/1/2", True), ("release/*", "release/1/2", False),
        ("a+(b)", "a+(b)", True), ("", "", True), ("", "a", False), ("a*", "a\nb", True),
    ],
)  # fmt: skip
def test_what_both_dialects_share(pattern: str, name: str, expected: bool, dialect: PatternDialect) -> None:
    assert bool(compile_pattern(pattern, dialect).fullmatch(name)) is expected


@pytest.mark.parametrize(
    ("dialect", "pattern", "name", "expected"),
    [
        (BUILD, "./a.txt", "a.txt", True), (TRIGGER, "./a.txt", "a.txt", False),
        (BUILD, "[ab].txt", "a.txt", True), (TRIGGER, "[ab].txt", "a.txt", False),
        (BUILD, "[!ab].txt", "a.txt", False), (BUILD, "[!ab].txt", "c.txt", True), (BUILD, "a[!b]c", "a/c", False),
        (BUILD, "[a-c]", "b", True), (BUILD, "[z-a]", "[z-a]", True), (BUILD, "[!]", "!", True),
        (BUILD, r"[\d]", "d", True), (BUILD, r"[\d]", "1", False), (BUILD, "[^a]", "b", True),
        (BUILD, "[^a]", "a", False), (BUILD, "[^]", "[^]", True), (BUILD, "[a", "[a", True),
        (TRIGGER, "{main,dev}", "dev", True), (BUILD, "{main,dev}", "dev", False), (TRIGGER, "v{1,2}.*", "v2.0", True),
        (TRIGGER, "{a.b}", "axb", False), (TRIGGER, "{a", "{a", True),
    ],
)  # fmt: skip
def test_what_only_one_has(dialect: PatternDialect, pattern: str, name: str, expected: bool) -> None:
    assert bool(compile_pattern(pattern, dialect).fullmatch(name)) is expected


@pytest.mark.parametrize("dialect", list(PatternDialect))
@pytest.mark.parametrize("part", ["*a", "**a", "**/", "**/*a", "?*", "*a**a/"])
def test_no_pattern_takes_long(part: str, dialect: PatternDialect) -> None:
    compiled = compile_pattern(part * 40 + "b", dialect)
    started = time.monotonic()
    assert not compiled.fullmatch("a" * 2000)
    assert not compiled.fullmatch("a/" * 1000)
    assert compile_pattern(part * 40, dialect).fullmatch("a/" * 1000 + "a" * 40) == (part in ("**a", "**/*a"))
    assert time.monotonic() - started < 5


def test_words_in_braces_do_not_multiply() -> None:
    compiled = compile_pattern("{a,aa,}" * 40 + "b", PatternDialect.TRIGGER)
    assert compiled.fullmatch("a" * 80 + "b")
    assert not compiled.fullmatch("a" * 81 + "b")
