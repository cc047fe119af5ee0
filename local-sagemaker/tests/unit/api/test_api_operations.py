"""Marked methods: by class, by the noun of its kind, through overrides."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from local_sagemaker.api.operations import (
    Request,
    Resource,
    Response,
    dispatcher,
    is_atomic,
    operation,
    operations_of,
    table,
)  # fmt: skip
from local_sagemaker.errors import NotSupported
from local_sagemaker.records.kinds import MODEL, ResourceKind


class Named(Resource):
    kind: ResourceKind

    @operation("Describe{noun}", "Show{noun}")
    def describe(self, request: Request) -> Response:
        return {"by": "base", **request}

    @operation("Always")
    def always(self, _: Request) -> Response:
        return {}

    def helper(self) -> None:
        """No operation."""


class Models(Named):
    kind = MODEL

    def describe(self, request: Request) -> Response:
        return {**super().describe(request), "by": "override"}


def test_a_shared_method_is_an_operation_of_the_kinds_that_use_it() -> None:
    assert set(operations_of(Named)) == {("Always", "always")}
    expected = {("Always", "always"), ("DescribeModel", "describe"), ("ShowModel", "describe")}
    assert set(operations_of(Models)) == expected


def test_an_override_is_what_is_called() -> None:
    call = dispatcher(table("sagemaker", [Models()]), lambda *_: None)
    assert call("sagemaker:DescribeModel", {"x": 1}) == {"by": "override", "x": 1}
    with pytest.raises(NotSupported, match="sagemaker:DescribeEndpoint"):
        call("sagemaker:DescribeEndpoint", {})


def test_an_operation_has_one_implementation() -> None:
    with pytest.raises(ValueError, match="implemented twice"):
        table("sagemaker", [Models(), Models()])


def test_an_atomic_operation_is_one_transaction_also_where_it_is_overridden() -> None:
    told: list[str] = []

    @contextmanager
    def transaction() -> Iterator[None]:
        told.append("begin")
        yield
        told.append("end")

    class Whole(Resource):
        @operation("Put", atomic=True)
        def put(self, _: Request) -> Response:
            told.append("base")
            return {}

        @operation("Ask")
        def ask(self, _: Request) -> Response:
            told.append("ask")
            return {}

    class Overridden(Whole):
        def put(self, request: Request) -> Response:
            told.append("override")
            return super().put(request)

    call = dispatcher(table("s", [Overridden()], transaction), lambda *_: None)
    call("s:Put", {})
    call("s:Ask", {})
    assert told == ["begin", "override", "base", "end", "ask"]
    assert (is_atomic(Overridden, "put"), is_atomic(Overridden, "ask")) == (True, False)
