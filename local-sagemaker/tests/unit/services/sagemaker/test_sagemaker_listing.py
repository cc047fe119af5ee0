"""What all List operations share."""

from __future__ import annotations

import pytest

from local_sagemaker.errors import ValidationError
from local_sagemaker.services.sagemaker.listing import order, page, pick, select

BODIES = [
    {"Name": f"job-{n}", "CreationTime": float(n // 2), "Status": "Failed" if n % 2 else "Completed"} for n in range(6)
]


def names(bodies: list[dict[str, object]]) -> list[object]:
    return [body["Name"] for body in bodies]


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        ({}, ["job-0", "job-1", "job-2", "job-3", "job-4", "job-5"]),
        ({"CreationTimeAfter": 1.0}, ["job-4", "job-5"]),
        ({"CreationTimeBefore": 1.0}, ["job-0", "job-1"]),
        ({"CreatedAfter": 0.5, "CreatedBefore": 1.5}, ["job-2", "job-3"]),
        ({"NameContains": "B-3"}, ["job-3"]),
        ({"StatusEquals": "Failed", "CreationTimeBefore": 2.0}, ["job-1", "job-3"]),
    ],
)
def test_filters(request_: dict[str, object], expected: list[str]) -> None:
    assert names(select(BODIES, request_, name="Name", status="Status")) == expected


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        ({}, ["job-5", "job-4", "job-3", "job-2", "job-1", "job-0"]),
        ({"SortOrder": "Ascending"}, ["job-0", "job-1", "job-2", "job-3", "job-4", "job-5"]),
        ({"SortBy": "Status", "SortOrder": "Ascending"}, ["job-0", "job-2", "job-4", "job-1", "job-3", "job-5"]),
    ],
)
def test_order_breaks_ties_by_age(request_: dict[str, object], expected: list[str]) -> None:
    members = {"CreationTime": "CreationTime", "Status": "Status"}
    assert names(order(BODIES, request_, members=members)) == expected


def test_pages_hold_everything_once() -> None:
    seen, request = [], {"MaxResults": 4}
    while True:
        chosen, token = page(BODIES, request)
        seen += names(chosen)
        if not token:
            break
        request = {"MaxResults": 4, **token}
    assert seen == names(BODIES)


def test_a_page_that_ends_the_list_has_no_token() -> None:
    assert page(BODIES, {"MaxResults": 6})[1] == {}


def test_a_made_up_token_is_refused() -> None:
    with pytest.raises(ValidationError, match="Invalid pagination token"):
        page(BODIES, {"NextToken": "nonsense"})


def test_pick_leaves_out_what_is_absent() -> None:
    assert pick({"a": 1, "b": 2}, "b", "c") == {"b": 2}
