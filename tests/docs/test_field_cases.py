"""Every test that the table of the field's cases names exists, and no case is left out."""

from tests.docs.case_tables import read_cases

CASES = {"J": 9, "D": 12, "T": 15, "A": 9, "H": 17, "U": 18}


def test_every_case_has_a_test_that_exists() -> None:
    cases, absent = read_cases("field-cases.md")
    assert not absent
    assert cases == {f"{letter}{number}" for letter, last in CASES.items() for number in range(1, last + 1)}
