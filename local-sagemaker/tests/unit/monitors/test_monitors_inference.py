"""Types by text: the table of the specification, and the fast path against it."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model_checks.analysis.type_inference import KINDS, TypeCounts, decimals, numbers, value_types


def value_type(text: str) -> str:
    return KINDS[value_types(pa.array([text]))[0]]


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("", "Unknown"),
        ("1", "Integral"),
        ("-12", "Integral"),
        ("+ 7", "Integral"),
        ("007", "Integral"),
        ("1.0", "Fractional"),
        ("-0.5", "Fractional"),
        ("1e5", "Fractional"),
        ("1.5E-3", "Fractional"),
        ("1.", "String"),
        (".5", "String"),
        ("1,5", "String"),
        ("--1", "String"),
        ("NaN", "String"),
        ("true", "Boolean"),
        ("True", "String"),
        ("48235-1", "String"),
        ("1\n", "String"),
        ("٣", "String"),
    ],
)
def test_a_values_type(text: str, kind: str) -> None:
    assert value_type(text) == kind


@pytest.mark.parametrize(
    ("counts", "kind"),
    [
        (TypeCounts(missing=5), "Unknown"),
        (TypeCounts(integral=3), "Integral"),
        (TypeCounts(integral=3, fractional=1), "Fractional"),
        (TypeCounts(integral=3, string=1), "String"),
        (TypeCounts(boolean=3), "String"),
        (TypeCounts(boolean=3, integral=1), "String"),
    ],
)
def test_a_columns_type(counts: TypeCounts, kind: str) -> None:
    assert counts.infer() == kind


texts = st.lists(st.text(alphabet="0123456789.-+e t", min_size=1, max_size=6), min_size=1, max_size=8)


@given(texts)
def test_the_fast_path_agrees_with_the_types_of_the_values(values: list[str]) -> None:
    found = decimals(pa.array(["skipped", *values])[1:])
    kinds = [KINDS[code] for code in value_types(pa.array(values))]
    if found is not None:
        assert set(kinds) <= {"Fractional", "Integral"}
        assert found[0] == TypeCounts(fractional=kinds.count("Fractional"), integral=kinds.count("Integral"))
        assert found[1].tolist() == [float(value.replace(" ", "")) for value in values]


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(10**18), 10**18), min_size=1))
def test_the_fast_path_takes_numbers_as_python_writes_them(values: list[float]) -> None:
    found = decimals(pa.array([repr(value) for value in values]))
    if np.isfinite(sum(map(float, values))):
        assert found is not None
        assert found[0].fractional == sum(isinstance(value, float) for value in values)


def test_numbers_with_a_sign_have_their_value() -> None:
    assert numbers(pa.array(["- 7", "+ 8", "+9", "1.5E2", "1e-3", "1e999"])).tolist() == [
        -7,
        8,
        9,
        150,
        0.001,
        float("inf"),
    ]
