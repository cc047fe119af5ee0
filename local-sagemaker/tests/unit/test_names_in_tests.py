"""Functions that tests make on a shared service: CreateFunction refuses a name that another file has taken."""

from __future__ import annotations

import ast
from collections import defaultdict
from pathlib import Path

TESTS = Path(__file__).parents[1]
MAKERS = {"create_function", "Mapped"}


def names_of(module: ast.Module) -> set[str]:
    """The names given as text: the second argument, or FunctionName."""
    calls = [node for node in ast.walk(module) if isinstance(node, ast.Call)]
    makers = [call for call in calls if getattr(call.func, "attr", getattr(call.func, "id", "")) in MAKERS]
    values = [value for call in makers for value in call.args[1:2]]
    values += [word.value for call in makers for word in call.keywords if word.arg == "FunctionName"]
    return {value.value for value in values if isinstance(value, ast.Constant) and isinstance(value.value, str)}


def test_no_two_files_make_functions_of_one_name() -> None:
    files = defaultdict(list)
    for folder in ("integration", "studio", "wire"):
        for path in sorted(TESTS.joinpath(folder).rglob("*.py")):
            for name in names_of(ast.parse(path.read_text("utf-8"))):
                files[name].append(path.name)
    assert len(files) > 10
    assert {name: places for name, places in files.items() if len(places) > 1} == {}
