"""The figures of the structure (`make structure`): what has reached its limit stays there."""

from __future__ import annotations

import ast

import pytest

from tools import structure

PLAIN = tuple(
    f"local-sagemaker/local_sagemaker/{place}"
    for place in (
        "api/",
        "records/",
        "files/",
        "events.py",
        "app.py",
        "control.py",
        "region.py",
        "regions.py",
        "background.py",
    )
)
"""Where the words have been gone over: every function's name begins with a verb or is a noun."""


@pytest.fixture(scope="module")
def figures() -> structure.Figures:
    return structure.measure()


def test_no_figure_passes_its_limit(figures: structure.Figures) -> None:
    assert structure.problems(figures) == []


def test_names_of_functions_where_the_words_have_been_gone_over(figures: structure.Figures) -> None:
    assert [function for function in figures.participles if function.startswith(PLAIN)] == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("'already exists' not in error.message", True),
        ("text.lower() in error.message.lower()", True),
        ("'full' in str(error)", True),
        ("code == error.code", False),
        ("'x' in message", False),
    ],
)
def test_comparisons_with_the_text_of_an_error_are_found(text: str, expected: bool) -> None:
    (comparison,) = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Compare)]
    assert structure.compares_text_of_error(comparison) is expected


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("found = 1", ["found"]),
        ("for one, found in rows: pass", ["one", "found"]),
        ("def read(given): return given", ["given"]),
        ("f(found=1)", []),
        ("if (found := look()): print(found)", ["found"]),
    ],
)
def test_names_of_values_are_those_that_code_gives(text: str, names: list[str]) -> None:
    assert [name for node in ast.walk(ast.parse(text)) if (name := structure.value_name(node))] == names


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("body['status'] == 'Failed'", True),
        ("status in ('Failed', 'Stopped')", True),
        ("{'JobStatus': 'Failed' if failed else done}", True),
        ("change(status='Failed')", True),
        ("body['state'] = 'Failed'", True),
        ("status == JobStatus.FAILED", False),
        ("{'message': 'Failed'}", False),
        ("mode == 'Failed'", False),
    ],
)
def test_statuses_as_text_are_found(text: str, expected: bool) -> None:
    found = [line for node in ast.walk(ast.parse(text)) for line in structure.status_texts(node, frozenset(["Failed"]))]
    assert found == [1] * expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("body['_due']", True),
        ("body.get('_due')", True),
        ("body.pop('_due')", True),
        ("put({'_due': 0})", True),
        ("body | {**public, '_due': 0}", True),
        ("own_rule(body)['_due']", False),
        ("own_rule(body).get('_due')", False),
        ("own = own_rule(body); own['_due']", False),
        ("def due(members: RuleRecord): return members['_due']", False),
        ("def due(members: Body): return members['_due']", True),
        ("other = rule(body); other['_due']", True),
        ("change(_due=0)", False),
        ("change(_dew=0)", True),
        ("'_due' in body", False),
        ("body['due']", False),
    ],
)
def test_own_members_past_their_types_are_found(text: str, expected: bool) -> None:
    assert bool(structure.untyped_members([*ast.walk(ast.parse(text))], {"_due"})) is expected
