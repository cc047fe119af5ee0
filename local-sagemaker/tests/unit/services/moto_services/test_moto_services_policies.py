"""Policy evaluation, row by row."""

from __future__ import annotations

from typing import Any

import pytest

from local_sagemaker.services.moto_services.policies import IamPolicy, decide, matches

ALLOW, DENY = {"Effect": "Allow"}, {"Effect": "Deny"}
ANY = {"Resource": "*"}
BUCKET = "arn:aws:s3:::data/in/x.csv"

STATEMENTS: list[tuple[list[dict[str, Any]], str]] = [
    ([], "implicitDeny"),
    ([{**ALLOW, "Action": "*", **ANY}], "allowed"),
    ([{**ALLOW, "Action": "S3:getobject", **ANY}], "allowed"),
    ([{**ALLOW, "Action": ["iam:*", "s3:Get*"], **ANY}], "allowed"),
    ([{**ALLOW, "Action": "s3:GetObj?ct", **ANY}], "allowed"),
    ([{**ALLOW, "Action": "s3:GetObject", "Resource": "arn:aws:s3:::data/*"}], "allowed"),
    ([{**ALLOW, "Action": "s3:GetObject", "Resource": "arn:aws:s3:::DATA/*"}], "implicitDeny"),
    ([{**ALLOW, "Action": "s3:GetObject", "NotResource": "arn:aws:s3:::data/*"}], "implicitDeny"),
    ([{**ALLOW, "NotAction": "iam:*", **ANY}], "allowed"),
    ([{**ALLOW, "NotAction": "s3:*", **ANY}], "implicitDeny"),
    ([{**ALLOW, "Action": "*", **ANY}, {**DENY, "Action": "s3:*", **ANY}], "explicitDeny"),
    ([{**ALLOW, "Action": "*", **ANY}, {**DENY, "Action": "iam:*", **ANY}], "allowed"),
    ([{**ALLOW, "Action": "s3:*", "Resource": "arn:aws:s3:::${aws:username}/*"}], "allowed"),
]


@pytest.mark.parametrize(("statements", "expected"), STATEMENTS)
def test_statements(statements: list[dict[str, Any]], expected: str) -> None:
    policy = IamPolicy("p", {"Statement": statements})
    assert decide([policy], "s3:GetObject", BUCKET, {"aws:username": ["data"]}).outcome == expected


CONDITIONS: list[tuple[dict[str, Any], bool]] = [
    ({"StringEquals": {"aws:User": "ann"}}, True),
    ({"StringEquals": {"AWS:user": ["bob", "ann"]}}, True),
    ({"StringEquals": {"aws:User": "Ann"}}, False),
    ({"StringEqualsIgnoreCase": {"aws:User": "ANN"}}, True),
    ({"StringNotEquals": {"aws:User": "ann"}}, False),
    ({"StringNotEquals": {"aws:User": "bob"}}, True),
    ({"StringNotEquals": {"absent": "x"}}, True),
    ({"StringLike": {"aws:User": "a*"}}, True),
    ({"StringNotLike": {"aws:User": "a*"}}, False),
    ({"StringEquals": {"absent": "x"}}, False),
    ({"StringEqualsIfExists": {"absent": "x"}}, True),
    ({"StringEqualsIfExists": {"aws:User": "bob"}}, False),
    ({"Null": {"absent": "true"}}, True),
    ({"Null": {"aws:User": "true"}}, False),
    ({"Bool": {"aws:SecureTransport": "true"}}, True),
    ({"Bool": {"aws:SecureTransport": True}}, True),
    ({"NumericLessThan": {"n": "10"}}, True),
    ({"NumericGreaterThanEquals": {"n": "7"}}, True),
    ({"NumericEquals": {"aws:User": "7"}}, False),
    ({"DateGreaterThan": {"now": "2020-01-01T00:00:00Z"}}, True),
    ({"DateLessThan": {"now": "2020-01-01T00:00:00Z"}}, False),
    ({"IpAddress": {"ip": "10.0.0.0/8"}}, True),
    ({"NotIpAddress": {"ip": "10.0.0.0/8"}}, False),
    ({"ArnLike": {"arn": "arn:aws:iam::*:role/a"}}, True),
    ({"ForAllValues:StringEquals": {"tags": ["x", "y", "z"]}}, True),
    ({"ForAllValues:StringEquals": {"tags": ["x"]}}, False),
    ({"ForAnyValue:StringEquals": {"tags": ["x"]}}, True),
    ({"ForAnyValue:StringEquals": {"tags": ["q"]}}, False),
    ({"StringEquals": {"aws:User": "ann"}, "NumericLessThan": {"n": "1"}}, False),
    ({"NoSuchOperator": {"aws:User": "ann"}}, False),
]
CONTEXT = {
    "aws:user": ["ann"],
    "aws:securetransport": ["true"],
    "n": ["7"],
    "now": ["2026-01-01T00:00:00Z"],
    "ip": ["10.1.2.3"],
    "arn": ["arn:aws:iam::1:role/a"],
    "tags": ["x", "y"],
}


@pytest.mark.parametrize(("condition", "expected"), CONDITIONS)
def test_conditions(condition: dict[str, Any], expected: bool) -> None:
    policy = IamPolicy("p", {"Statement": {**ALLOW, "Action": "*", **ANY, "Condition": condition}})
    outcome = decide([policy], "s3:GetObject", BUCKET, CONTEXT).outcome
    assert outcome == ("allowed" if expected else "implicitDeny")


def test_what_a_decision_follows_from() -> None:
    one = IamPolicy("one", {"Statement": [{**ALLOW, "Action": "s3:*", **ANY}]})
    two = IamPolicy("two", {"Statement": [{**DENY, "Action": "s3:Put*", **ANY}]})
    assert decide([one, two], "s3:GetObject", "*", {}).matched == ("one",)
    assert decide([one, two], "s3:PutObject", "*", {}).matched == ("two",)
    needs = IamPolicy("three", {"Statement": [{**ALLOW, "Action": "*", **ANY, "Condition": {"Bool": {"a:B": "true"}}}]})
    assert decide([needs], "s3:GetObject", "*", {}).missing == ("a:B",)


@pytest.mark.parametrize(
    ("pattern", "text", "expected"),
    [
        ("", "", True), ("", "a", False), ("*", "", True), ("**", "a", True), ("a*b", "aXb", True), ("a*b", "ab", True),
        ("a*b", "aXbc", False), ("*ab*ab", "xabab", True), ("*ab*ab", "xab", False), ("a*?", "a", False),
        ("a*?b", "axb", True), ("*aab", "aaab", True), ("*a*b*c*", "cba abc", True), ("*a*b*c*", "c b a", False),
        ("*\n*", "a\nb", True), ("*.*", "ab", False),
    ],
)  # fmt: skip
def test_wildcards(pattern: str, text: str, expected: bool) -> None:
    assert matches(pattern, text) is expected


def test_many_wildcards_take_no_longer() -> None:
    assert not matches("*a" * 3000 + "b", "a" * 6000)
