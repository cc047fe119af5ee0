"""Every test that the table of the step types' and images' cases names exists, and no case is left out."""

from tests.docs.case_tables import read_cases

CASES = 26


def test_every_case_has_a_test_that_exists() -> None:
    cases, absent = read_cases("step-cases.md")
    assert not absent
    assert cases == {f"SI-{number}" for number in range(1, CASES + 1)}
