"""Every test that the table of the web pages' acceptance names exists, and no statement is left out."""

from tests.docs.case_tables import read_cases

STATEMENTS, SEEN_FROM_OUTSIDE = 35, 5


def test_every_case_has_a_test_that_exists() -> None:
    cases, absent = read_cases("studio-cases.md")
    assert not absent
    statements = {f"ST-{number}" for number in range(1, STATEMENTS + 1)}
    assert cases == statements | {f"A{number}" for number in range(1, SEEN_FROM_OUTSIDE + 1)}
