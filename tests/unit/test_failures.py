"""Why a step failed: the error first, then the user's own frame; no traceback twice."""

from __future__ import annotations

from pipelines.failures import explain

OWN = "/opt/ml/processing/input/code/evaluate.py"
LIBRARY = "/usr/lib/python3.11/site-packages/pandas/core/frame.py"


def traceback(*frames: tuple[str, int, str, str], error: str) -> list[str]:
    lines = ["Traceback (most recent call last):"]
    for file, line, name, code in frames:
        lines += [f'  File "{file}", line {line}, in {name}', f"    {code}", "    ^^^^^"]
    return [*lines, *error.splitlines()]


def test_the_error_and_the_users_own_frame() -> None:
    library = (LIBRARY, 3896, "__getitem__", "raise KeyError(key)")
    frames = ((OWN, 7, "<module>", "main()"), (OWN, 30, "main", "frame['x']"), library)
    log = ["reading", *traceback(*frames, error="KeyError: 'x'")]
    assert list(explain("AlgorithmError: , exit code: 1", log)) == [
        "AlgorithmError: , exit code: 1",
        "  KeyError: 'x'",
        f"  at {OWN}, line 30, in main: frame['x']",
    ]


def test_only_the_last_of_chained_errors() -> None:
    log = [*traceback((OWN, 2, "load", "open(f)"), error="OSError: no file"), "",
           "During handling of the above exception, another exception occurred:", "",
           *traceback((OWN, 5, "main", "raise"), error="ValueError: bad\nmore of it\n\nafterwards")]  # fmt: skip
    assert list(explain("exit code: 1", log)) == [
        "exit code: 1", "  ValueError: bad", "  more of it", f"  at {OWN}, line 5, in main: raise",
    ]  # fmt: skip


def test_a_traceback_in_the_reason_is_not_repeated() -> None:
    error = "xgboost.core.XGBoostError: [12:00:00] label must be in [0,1]\nStack trace:\n  [bt] (0) lib.so"
    lines = traceback((LIBRARY, 9, "train", "check()"), error=error)
    reason = "\n".join(["ClientError: AlgorithmError: framework error:", *lines, ", exit code: 1"])
    assert list(explain(reason, ["start", *lines])) == [
        "ClientError: AlgorithmError: framework error",
        "  xgboost.core.XGBoostError: [12:00:00] label must be in [0,1]",
    ]


def test_without_a_traceback_the_end_of_the_log() -> None:
    log = [f"line {number}" for number in range(40)]
    said = list(explain("exit code: 137", log))
    assert said[0] == "exit code: 137" and said[1] == "  | line 25" and said[-1] == "  | line 39"
    assert list(explain("", [])) == ["no reason is given"]


def test_a_syntax_error_has_a_frame_without_a_function() -> None:
    log = ["Traceback (most recent call last):", f'  File "{OWN}", line 3', "    x = = 1", "        ^",
           "SyntaxError: invalid syntax"]  # fmt: skip
    said = list(explain("exit code: 1", log))
    assert said == ["exit code: 1", "  SyntaxError: invalid syntax", f"  at {OWN}, line 3: x = = 1"]
    assert list(explain("exit code: 1", log[1:])) == said
