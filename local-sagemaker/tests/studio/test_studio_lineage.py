"""Lineage as its page shows it: from what is served to data, code and commit."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import pytest

from tests.studio.conftest import COMMIT, Pages, World
from tests.studio.full_world import Full
from tests.support import until

pytestmark = pytest.mark.timeout(900)


def test_lineage_leads_from_the_endpoint_to_data_code_and_commit(world: World, full: Full) -> None:
    """By QueryLineage, in order of distance; each node leads to its own lineage."""
    arn = world.pages.json("/_studio/models/Demo/1.json")["arn"]
    query = urlencode({"arn": arn, "depth": 10, "direction": "both"})
    twin = until(lambda: _lineage(world.pages, query), "all of the lineage is recorded", 60)
    kinds = {item["kind"] for item in twin["above"]}
    assert {"model", "training job", "data", "processing job", "execution", "image"} <= kinds
    code = next(item for item in twin["above"] if item["name"] == "code/prepare.py")
    assert code["distance"] > next(item for item in twin["above"] if item["kind"] == "training job")["distance"]
    text = world.pages.get(f"/_studio/lineage?{query}")[2]
    assert text.count('class="node ') == len(twin["steps"])
    endpoint = world.pages.json(f"/_studio/endpoints/{full.endpoint}.json")["arn"]
    served = world.pages.json(f"/_studio/lineage.json?{urlencode({'arn': endpoint, 'depth': 10})}")
    assert {"deployment", "model"} <= {item["kind"] for item in served["above"]}
    assert world.pages.json("/_studio/lineage.json?arn=s3://studio-data/nothing")["is_known"] is False
    _check_lineage_of_version(world)


def _check_lineage_of_version(world: World) -> None:
    """From an endpoint that serves a version of the registry; the version has its own name, not its ARN's."""
    sagemaker, name = world.service.client("sagemaker"), "from-version"
    version = str(world.pages.json("/_studio/models/Demo.json")["versions"][-1]["version"])
    form = {"action": "deploy", "endpoint": name, "instance": "ml.m5.large", "count": "1", "capture": ""}
    assert world.pages.post(f"/_studio/models/Demo/{version}", form)[0] == 303
    page = f"/_studio/endpoints/{name}.json"
    until(lambda: world.pages.json(page)["status"] == "InService", "the endpoint serves", 120)
    assert list(world.pages.json(page)["packages"].values()) == [f"Demo/{version}"]
    query = urlencode({"arn": world.pages.json(page)["arn"], "depth": 10, "direction": "up"})
    above = until(lambda: _lineage(world.pages, query), "all of the lineage is recorded", 60)["above"]
    assert {"model version", "training job", "data", "image", "commit"} <= {item["kind"] for item in above}
    assert COMMIT[:12] in [item["name"] for item in above]
    assert f"Demo/{version}" in [item["name"] for item in above if item["kind"] == "model version"]
    sagemaker.delete_endpoint(EndpointName=name)


def _lineage(pages: Pages, query: str) -> Any:
    twin = pages.json(f"/_studio/lineage.json?{query}")
    return twin if any(item["name"] == "code/prepare.py" for item in twin["above"]) else None
