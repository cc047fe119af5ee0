"""JSON in the style of Spark's printer."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model_checks.analysis import spark_json


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0.0"),
        (-0.0, "-0.0"),
        (1.0, "1.0"),
        (0.001, "0.001"),
        (0.00099, "9.9E-4"),
        (9999999.0, "9999999.0"),
        (1e7, "1.0E7"),
        (3.8e7, "3.8E7"),
        (14402689218.907343, "1.4402689218907343E10"),
        (-123456789.5, "-1.234567895E8"),
        (1e-10, "1.0E-10"),
        (2.5e300, "2.5E300"),
        (0.1 + 0.2, "0.30000000000000004"),
        (float("inf"), '"Infinity"'),
        (float("nan"), '"NaN"'),
    ],
)
def test_doubles_are_written_as_java_writes_them(value: float, text: str) -> None:
    assert spark_json.double(value) == text


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_doubles_are_read_back_unchanged(value: float) -> None:
    assert float(spark_json.double(value)) == value


def test_documents_open_objects_on_their_keys_line_and_arrays_of_values_on_one() -> None:
    text = spark_json.dumps(
        {"version": 0.0, "features": [{"name": "ä\n", "sizes": [1, 2]}, {}], "none": None, "empty": []}
    )
    assert text == (
        '{\n  "version" : 0.0,\n  "features" : [ {\n    "name" : "ä\\n",\n    "sizes" : [ 1, 2 ]\n  }, { } ],\n'
        '  "none" : null,\n  "empty" : [ ]\n}\n'
    )
    assert json.loads(text)["features"][0]["sizes"] == [1, 2]
