"""Regular expressions of clients: what they find, and that none holds up the service."""

from __future__ import annotations

import re
import threading
import time

import pytest

from local_sagemaker.regexes import bounded
from local_sagemaker.regexes.bounded import RegexError, check, find, matches, replace, simple, split

CATASTROPHES = [
    (r"(a+)+$", "a" * 40 + "b"),
    (r"(a|a)*$", "a" * 40 + "b"),
    (r"(a|aa)+$", "a" * 60 + "b"),
    (r"(?:.*,){20}x", "1," * 40),
    (r"^(([a-z])+.)+[A-Z]([a-z])+$", "a" * 60),
    (r"(x+x+)+y", "x" * 40),
    (r".*.*.*.*.*.*=x", "=" * 2000),
    (r"(.*)*(.*)*b\1", "a" * 200),
    (r"\s*\s*\s*\s*\s*\s*;", " " * 3000),
]


@pytest.mark.parametrize(("pattern", "text"), CATASTROPHES)
def test_a_catastrophe_ends_while_other_threads_run(monkeypatch: pytest.MonkeyPatch, pattern: str, text: str) -> None:
    if pattern != CATASTROPHES[0][0]:  # one has the whole time, in which the watch would see the lock held
        monkeypatch.setattr(bounded, "SECONDS", 0.3)
    longest, stop = 0.0, threading.Event()

    def watch() -> None:
        nonlocal longest
        while not stop.is_set():
            before = time.thread_time(), time.monotonic()
            time.sleep(0.005)
            longest = max(longest, time.monotonic() - before[1])

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        with pytest.raises(RegexError, match="takes too long"):
            find("search", pattern, text)
    finally:
        stop.set()
        thread.join()
    assert longest < 1.0  # Python's engine holds the interpreter's lock from its beginning to its end


@pytest.mark.parametrize(
    ("pattern", "repeats"),
    [
        ("", 0), ("-", 0), (r"5\d{2}", 0), (".*", 1), (r"4\d{2}", 0), (".*Error.*", 2), (r"^[\w-]{1,80}$", 1),
        (r"sha256:[a-f0-9]{64}", 0), ("a?b?c", 2), (r"\[x\]", 0),
        ("(a)", None), ("a|b", None), ("a**", None), ("(a+)+", None), ("a$b", None), ("[", None), (r"\1", None),
        ("a++", None), ("a*?", None), (r"\bx", None), ("(?i)a", None), ("a{2}{3}", None),
    ],
)  # fmt: skip
def test_what_is_simple(pattern: str, repeats: int | None) -> None:
    assert simple(pattern) == repeats


@pytest.mark.parametrize("method", ["match", "fullmatch", "search"])
@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        (r"5\d{2}", "503"), (r"5\d{2}", "5033"), (".*Error.*", "an Error\nhere"), ("a|b", "xb"),
        (r"(a)(?:(b)|c)", "ac"),
        (r"(?P<one>\d+)-(?P<two>x)?", "x12-"), (r"\ud83d?", "é€😀"), (r"(.)\1", "abba"),
    ],
)  # fmt: skip
def test_what_is_found_is_what_python_finds(method: str, pattern: str, text: str) -> None:
    for flags in (0, int(re.DOTALL)):
        expected, found = getattr(re.compile(pattern, flags), method)(text), find(method, pattern, text, flags)
        assert (found is None) == (expected is None)
        if found and expected:
            assert (found.group(), found[0]) == (expected.group(), expected[0])
            if simple(pattern) is None:
                assert (found.groups(), found.groupdict()) == (expected.groups(), expected.groupdict())


@pytest.mark.parametrize(
    "pattern", ["(", "[z-a]", "a{3,2}", "(?<=a+)b", "(" * 5000 + ")" * 5000, r"\1", "(?P<a>x)(?P<a>y)"]
)
def test_what_is_no_regular_expression(pattern: str) -> None:
    with pytest.raises(RegexError, match="the regular expression "):
        check(pattern)
    with pytest.raises(RegexError):
        matches(pattern, "text")


def test_replacing_and_splitting() -> None:
    assert replace(r"(\w)(\d)?", ["<", 1, 2, ">"], "a1 b", most=100) == "<a1> <b>"
    assert replace("x", ["y"], "xxx", count=2, most=100) == "yyx"
    assert replace(".", ["1234567890"], "x" * 100, most=500) is None
    with pytest.raises(IndexError):
        replace("x", [3], "x", most=10)
    assert split(r"(,)\s*", "a, b,c") == ["a", "b", "c"]
    assert split(",", "a,b,c", most=1) == ["a", "b,c"]
    with pytest.raises(RegexError):
        split(r"(a+)+$", "a" * 40 + "b")
