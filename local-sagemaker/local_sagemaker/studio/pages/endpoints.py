"""The list of endpoints: which serve, and which versions."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from local_sagemaker.studio import urls
from local_sagemaker.studio.page import Page, Visit
from local_sagemaker.studio.pages.listing import order_of
from local_sagemaker.studio.pages.serving import packages_of, version_name
from local_sagemaker.studio.views.times import seconds


@dataclass(frozen=True)
class EndpointRow:
    """An endpoint of the list."""

    name: str
    href: str
    status: str
    created: float | None
    modified: float | None
    packages: dict[str, str]


@dataclass(frozen=True)
class EndpointsContext:
    """What the list of endpoints shows."""

    rows: list[EndpointRow] = field(metadata={"help": "one page of endpoints"})
    next: str = field(metadata={"help": "the next page's token, empty on the last"})
    text: str = field(metadata={"help": "the part of a name that is searched"})


def load(visit: Visit) -> EndpointsContext:
    """ListEndpoints, with the model versions that each serves."""
    request: dict[str, Any] = {"MaxResults": 50, **order_of(visit, "Name", "CreationTime", "Status")}
    if visit.value("token"):
        request["NextToken"] = visit.value("token")
    if visit.value("q"):
        request["NameContains"] = visit.value("q")
    response = visit.call("sagemaker:ListEndpoints", request)
    rows = [
        EndpointRow(
            item["EndpointName"], urls.to("endpoints", item["EndpointName"]), item["EndpointStatus"],
            seconds(item.get("CreationTime")), seconds(item.get("LastModifiedTime")),
            {arn: version_name(visit, arn) for arn in packages_of(visit, item["EndpointName"])},
        )
        for item in response["Endpoints"]
    ]  # fmt: skip
    return EndpointsContext(rows, response.get("NextToken", ""), visit.value("q"))


PAGE = Page("/endpoints", load, "endpoints.html", "Endpoints", live=lambda _visit, _context: ("endpoint:",))
