"""Lists in the order of the address, as their operations sort."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from local_sagemaker.studio import rendering
from local_sagemaker.studio.page import Visit
from local_sagemaker.studio.pages import endpoints, experiments, jobs, models, pipelines
from local_sagemaker.studio.pages.listing import order_of


def visit_of(call: Callable[[str, Any], Any], sort: str) -> Visit:
    return Visit({}, {"sort": [sort]}, call, None, "us-east-1", 5.0)  # type: ignore[arg-type]


@pytest.mark.parametrize("page", [endpoints, experiments, jobs, models, pipelines])
@pytest.mark.parametrize(
    ("sort", "by", "way"),
    [("-name", "Name", "Descending"), ("oldest", "CreationTime", "Ascending"), ("x", "CreationTime", "Descending")],
)
def test_the_operation_of_a_list_sorts_it(page: Any, sort: str, by: str, way: str) -> None:
    sent: list[dict[str, Any]] = []

    class Sent(Exception):
        pass

    def call(_name: str, request: Any) -> Any:
        if "SortBy" in request:
            sent.append(request)
            raise Sent
        return {}

    with pytest.raises(Sent):
        page.load(visit_of(call, sort))
    assert (sent[0]["SortBy"], sent[0]["SortOrder"]) == (by, way)


def test_what_an_operation_does_not_sort_by_is_not_sent() -> None:
    visit = visit_of(lambda _name, _request: {}, "status")
    assert order_of(visit, "Name", "CreationTime", "Status") == {"SortBy": "Status", "SortOrder": "Ascending"}
    assert order_of(visit, "Name", "CreationTime") == {"SortBy": "CreationTime", "SortOrder": "Descending"}


def test_a_heading_says_how_its_column_is_sorted_and_turns_it() -> None:
    text = '{% import "_macros.html" as ui with context %}{{ ui.sorter("Job", "name", "-name", "ascending") }}'
    heading = rendering.environment().from_string(text)
    assert 'href="?q=a&amp;sort=name"' in heading.render(query={"q": ["a"], "token": ["t"]})
    turned = heading.render(query={"sort": ["name"]})
    assert ('aria-sort="ascending"' in turned, 'sort=-name"' in turned) == (True, True)
    assert 'aria-sort="descending"' in heading.render(query={"sort": ["-name"]})
