"""Paths, expressions, conditions and parameters, table by table."""

from __future__ import annotations

from typing import Any

import pytest

from local_sagemaker.engine.conditions import ConditionError, holds
from local_sagemaker.engine.definition import PipelineParameter
from local_sagemaker.engine.expressions import ExpressionError, references, resolve
from local_sagemaker.engine.parameters import as_text, values
from local_sagemaker.engine.paths import ReferencePathError, Token, descend, json_tokens, step_reference, tokens
from local_sagemaker.errors import ValidationError


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("", ()),
        (".ModelName", ("ModelName",)),
        (".A.B['c d'].E", ("A", "B", "c d", "E")),
        ('.A["x"][0]', ("A", "x", 0)),
        ("a.b[0].c", ("a", "b", 0, "c")),
        (".OutputParameters['a.b']", ("OutputParameters", "a.b")),
    ],
)
def test_tokens(path: str, expected: tuple[Token, ...]) -> None:
    assert tokens(path) == expected


@pytest.mark.parametrize("path", ["a[", "a]b", "a['x", "a[1", "..", "a..b"])
def test_what_is_no_path(path: str) -> None:
    with pytest.raises(ReferencePathError):
        tokens(path)


@pytest.mark.parametrize("path", ["$.a[0]", "$a[0]", "a[0]"])
def test_json_paths_may_begin_with_a_dollar(path: str) -> None:
    assert json_tokens(path) == ("a", 0)


def test_step_references() -> None:
    assert step_reference("Steps.A-b_1.X['y']") == ("A-b_1", ("X", "y"))
    assert step_reference("Parameters.X") is None


ANSWER = {
    "ProcessingOutputConfig": {"Outputs": [{"OutputName": "train", "S3Output": {"S3Uri": "s3://b/t"}}]},
    "ProcessingInputs": [{"InputName": "in", "S3Input": 1}],
    "FinalMetricDataList": [{"MetricName": "validation:rmse", "Value": 2.5}],
    "InputDataConfig": [{"ChannelName": "train", "ContentType": "text/csv"}],
    "HyperParameters": {"max_depth": "5", "a b": "c"},
    "JobConfigDocument": '{"Inner": {"Arn": "x"}}',
}


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (".ProcessingOutputConfig.Outputs['train'].S3Output.S3Uri", "s3://b/t"),
        (".ProcessingOutputConfig.Outputs[0].OutputName", "train"),
        (".ProcessingInputs['in'].S3Input", 1),
        (".FinalMetricDataList['validation:rmse'].Value", 2.5),
        (".InputDataConfig['train'].ContentType", "text/csv"),
        (".HyperParameters['a b']", "c"),
        (".HyperParameters.max_depth", "5"),
        (".JobConfigDocument.Inner.Arn", "x"),
    ],
)
def test_properties_are_found(path: str, expected: Any) -> None:
    assert descend(ANSWER, tokens(path)) == expected


@pytest.mark.parametrize("path", [".X", ".ProcessingInputs['no']", ".ProcessingInputs[3]", ".HyperParameters.a.b"])
def test_properties_that_are_not_there(path: str) -> None:
    with pytest.raises(ReferencePathError):
        descend(ANSWER, tokens(path))


class Known:
    """A scope with one of each."""

    def parameter(self, name: str) -> Any:
        return {"i": 3, "f": 1.5, "b": True, "s": "text"}[name]

    def variable(self, name: str) -> str:
        return f"<{name}>"

    def experiment(self, name: str) -> str:
        return f"<{name}>"

    def property(self, step: str, path: tuple[Token, ...]) -> Any:
        return descend(ANSWER, path)

    def property_file(self, step: str, name: str) -> Any:
        return {"a": [1, 2]}

    def json_object(self, uri: str) -> Any:
        return {"uri": uri}


def join(on: Any, *parts: Any) -> dict[str, Any]:
    return {"Std:Join": {"On": on, "Values": list(parts)}}


FILE = {"Get": "Steps.S.PropertyFiles.F"}


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"Get": "Parameters.i"}, 3),
        ({"Get": "Execution.PipelineName"}, "<PipelineName>"),
        ({"Get": "PipelineExperimentConfig.TrialName"}, "<TrialName>"),
        ({"Get": "Steps.S.HyperParameters['max_depth']"}, "5"),
        (join("/", "s3:/", "bucket", {"Get": "Parameters.i"}, join("-", 1.5, {"Get": "Parameters.b"})), None),
        (join("", "a", {"Get": "Parameters.f"}, {"Get": "Parameters.s"}), "a1.5text"),
        (join({"Get": "Parameters.s"}, 1, 2), "1text2"),
        ({"Std:JsonGet": {"PropertyFile": FILE, "Path": "a[1]"}}, 2),
        ({"Std:JsonGet": {"S3Uri": join("/", "s3:/", "b", "k"), "Path": "uri"}}, "s3://b/k"),
        ([{"x": {"Get": "Parameters.b"}}, "literal", 7, None], [{"x": True}, "literal", 7, None]),
        ({"Get": "a", "Other": 1}, {"Get": "a", "Other": 1}),
    ],
)
def test_resolution(value: Any, expected: Any) -> None:
    assert resolve(value, Known()) == (expected if expected is not None else "s3://bucket/3/1.5-true")


@pytest.mark.parametrize(
    "value", [{"Get": "Nothing.x"}, {"Get": "Steps.S.PropertyFiles.F"}, {"Get": "Steps.S.Missing.X"}]
)
def test_what_has_no_value(value: Any) -> None:
    with pytest.raises(ExpressionError):
        resolve(value, Known())


def test_references_are_found_at_any_depth() -> None:
    value = {"a": [join("/", {"Get": "Steps.A.x"})], "b": {"Std:JsonGet": {"PropertyFile": FILE, "Path": "p"}}}
    assert list(references(value)) == ["Steps.A.x", "Steps.S.PropertyFiles.F"]


def compare(kind: str, left: Any, right: Any) -> dict[str, Any]:
    return {"Type": kind, "LeftValue": left, "RightValue": right}


YES, NO = compare("Equals", 1, 1), compare("Equals", 1, 2)
BROKEN = compare("LessThan", "a", 1)


@pytest.mark.parametrize(
    ("conditions", "expected"),
    [
        ([], True),
        ([YES, YES], True),
        ([YES, NO], False),
        ([NO, BROKEN], False),
        ([compare("Equals", 1, 1.0)], True),
        ([compare("Equals", "a", "a")], True),
        ([compare("Equals", True, "True")], True),
        ([compare("Equals", "false", False)], True),
        ([compare("NotEquals", "a", "b")], True),
        ([compare("GreaterThan", 2, 1.5)], True),
        ([compare("GreaterThanOrEqualTo", 2, 2)], True),
        ([compare("LessThan", 2, 2)], False),
        ([compare("LessThanOrEqualTo", 4.9, 6)], True),
        ([compare("LessThan", "a", "b")], True),
        ([{"Type": "In", "QueryValue": "a", "Values": ["b", "a"]}], True),
        ([{"Type": "In", "QueryValue": 1, "Values": ["1"]}], False),
        ([{"Type": "In", "Value": "a", "In": ["a"]}], True),
        ([{"Type": "NotIn", "Value": "a", "In": ["b"]}], True),
        ([{"Type": "Not", "Condition": NO}], True),
        ([{"Type": "Or", "Conditions": [NO, YES, BROKEN]}], True),
        ([{"Type": "Or", "Conditions": [NO, NO]}], False),
    ],
)
def test_conditions(conditions: list[dict[str, Any]], expected: bool) -> None:
    assert holds(conditions, lambda value: value) is expected


@pytest.mark.parametrize(
    "condition", [compare("Equals", "1", 1), compare("LessThan", "a", 1), compare("LessThan", [1], [""]), BROKEN]
)
def test_conditions_on_other_types_fail(condition: dict[str, Any]) -> None:
    with pytest.raises(ConditionError):
        holds([condition], lambda value: value)


DECLARED = {
    "s": PipelineParameter("s", "String", "x"),
    "i": PipelineParameter("i", "Integer", 1),
    "f": PipelineParameter("f", "Float", 6),
    "b": PipelineParameter("b", "Boolean", False),
    "e": PipelineParameter("e", "String", "a", ("a", "b")),
    "empty": PipelineParameter("empty", "String", ""),
}


def given(**values: str) -> list[dict[str, str]]:
    return [{"Name": name, "Value": value} for name, value in values.items()]


def test_parameter_defaults_and_overrides() -> None:
    assert values(DECLARED, []) == {"s": "x", "i": 1, "f": 6.0, "b": False, "e": "a", "empty": ""}
    overridden = values(DECLARED, given(s="1", i="-7", f="1e3", b="True", e="b"))
    assert overridden == {"s": "1", "i": -7, "f": 1000.0, "b": True, "e": "b", "empty": ""}
    assert [as_text(value) for value in overridden.values()] == ["1", "-7", "1000.0", "true", "b", ""]


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (given(nope="1"), "Unknown parameter 'nope'"),
        (given(i="x"), "Unexpected type for parameter 'i'. Expected Integer but found String."),
        (given(i="1.5"), "Unexpected type for parameter 'i'. Expected Integer but found Float."),
        (given(f="nan"), "Unexpected type for parameter 'f'. Expected Float but found String."),
        (given(b="1"), "Unexpected type for parameter 'b'. Expected Boolean but found Integer."),
        (given(e="c"), "Value 'c' of parameter 'e' is not one of its allowed values: a, b."),
        (given(s=""), '[string "" is too short (length: 0, required minimum: 1)]'),
        (given(s="1") * 2, "Parameter 's' is given more than once."),
    ],
)
def test_bad_overrides(overrides: list[dict[str, str]], message: str) -> None:
    with pytest.raises(ValidationError) as refused:
        values(DECLARED, overrides)
    assert refused.value.message == message


def test_a_parameter_without_default_must_be_given() -> None:
    with pytest.raises(ValidationError, match="'p' is undefined"):
        values({"p": PipelineParameter("p", "Integer")}, [])
