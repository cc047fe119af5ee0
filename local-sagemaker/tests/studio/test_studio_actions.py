"""What the forms of the pages change beside starting, approving and deploying: names, groups, logs, and deletions."""

from __future__ import annotations

import html
import http.client
import json
import re
import time
from pathlib import Path
from urllib.parse import quote

import pytest

from local_sagemaker.logs import Logs
from tests.studio.conftest import HOSTILE, World
from tests.support import ROLE, create_pipeline, finished, start, until

pytestmark = pytest.mark.timeout(600)
GROUP = "/aws/sagemaker/TransformJobs"


def test_versions_of_a_pipeline_are_named_and_compared(world: World) -> None:
    """Aliases and description of a version; what it changed in the one before it, and nothing else."""
    sagemaker, page = world.service.client("sagemaker"), "/_studio/pipelines/Named"
    stop = {"Name": "Stop", "Type": "Fail", "Arguments": {"ErrorMessage": "no data"}}
    create_pipeline(sagemaker, "Named", stop, parameters=({"Name": "Rate", "Type": "Float", "DefaultValue": 0.5},))
    body = sagemaker.describe_pipeline(PipelineName="Named")
    changed = json.loads(body["PipelineDefinition"])
    changed["Steps"][0]["Arguments"]["ErrorMessage"] = HOSTILE
    sagemaker.update_pipeline(PipelineName="Named", PipelineDefinition=json.dumps(changed), RoleArn=ROLE)
    twin = world.pages.json(f"{page}.json?tab=versions&version=2")
    assert twin["changed"]["rows"] == [
        {"path": "[Stop].Arguments.ErrorMessage", "was": '"no data"', "now": json.dumps(HOSTILE, ensure_ascii=False)}
    ]
    assert (twin["changed"]["number"], twin["changed"]["before"], twin["changed"]["total"]) == (2, 1, 1)
    assert "<script>alert" not in world.pages.get(f"{page}?tab=versions&version=2")[2]
    for wrong in ("1", "3", "x", ""):
        assert world.pages.json(f"{page}.json?tab=versions&version={wrong}")["changed"] is None
    form = {"action": "version", "version": "2", "aliases": "stable, latest-good", "description": "better"}
    assert world.pages.post(page, form)[0] == 303
    assert world.pages.post(page, {**form, "aliases": "stable"})[0] == 303
    named = next(item for item in world.pages.json(f"{page}.json?tab=versions")["versions"] if item["number"] == 2)
    assert (named["aliases"], named["description"]) == (["stable"], "better")
    status, _, text = world.pages.post(page, {**form, "version": "1", "aliases": "stable"})
    assert (status, "already used by version 2" in text) == (422, True)


def test_groups_and_versions_are_made_and_deleted(world: World) -> None:
    """A group by its form; a version by its typed name; the group, which is empty again, likewise."""
    sagemaker = world.service.client("sagemaker")
    assert world.pages.post("/_studio/models", {"name": "by-hand", "description": "mine"})[0] == 303
    assert world.pages.post("/_studio/models", {"name": "no good"})[0] == 422
    assert world.pages.json("/_studio/models/by-hand.json")["description"] == "mine"
    image = {"Image": "123456789012.dkr.ecr.us-east-1.amazonaws.com/x:1"}
    sagemaker.create_model_package(
        ModelPackageGroupName="by-hand",
        InferenceSpecification={"Containers": [image], "SupportedContentTypes": ["text/csv"],
                                "SupportedResponseMIMETypes": ["text/csv"]},
    )  # fmt: skip
    page = "/_studio/models/by-hand/1"
    assert world.pages.json(f"{page}.json")["retrain"] == "", "nothing made it that could run again"
    assert world.pages.post(page, {"action": "delete", "confirm": "by-hand"})[0] == 422
    assert world.pages.post(page, {"action": "delete", "confirm": "by-hand/1"})[0] == 303
    assert world.pages.get(page)[0] == 404
    assert world.pages.post("/_studio/models/by-hand", {"confirm": "by-hand"})[0] == 303
    assert world.pages.get("/_studio/models/by-hand")[0] == 404


def test_home_misses_nothing_among_many_pipelines(world: World) -> None:
    """A failure of an old pipeline is there however many were made since, and so is a version that waits."""
    sagemaker = world.service.client("sagemaker")
    stop = {"Name": "Stop", "Type": "Fail", "Arguments": {"ErrorMessage": "no data"}}
    create_pipeline(sagemaker, "Older", stop)
    finished(sagemaker, start(sagemaker, "Older"))  # of its own: other tests' failures are newer than the world's
    for number in range(22):
        create_pipeline(sagemaker, f"Crowd{number}", stop)
    home = world.pages.json("/_studio/index.json")
    assert 1 < len(home["recent"]) <= 10
    newest = [item["start"] for item in home["recent"]]
    assert newest == sorted(newest, reverse=True)
    needs = [(item["state"], item["title"].partition(" ")[0]) for item in home["needs"]]
    assert ("Failed", "Older") in needs
    versions = world.pages.json("/_studio/models/Demo.json")["versions"]
    waiting = [f"Demo / {item['version']}" for item in versions if item["status"] == "PendingManualApproval"]
    assert set(waiting) <= {item["title"] for item in home["needs"]}
    for name in ("Older", *(f"Crowd{number}" for number in range(22))):
        form = {"action": "delete", "confirm": name}
        assert world.pages.post(f"/_studio/pipelines/{name}", form)[0] == 303
    assert world.pages.get("/_studio/pipelines/Crowd0")[0] == 404


def test_logs_are_kept_so_long_and_deleted(world: World) -> None:
    """ST-11: the retention of a group, and a stream by its typed name."""
    logs = Logs(world.service.settings.logs)
    moment = int(1000 * time.time())
    logs.put(GROUP, "gone/algo-1", [(moment, "one sought"), (moment, "two")])
    logs.put(GROUP, "kept/algo-1", [(moment + 1, HOSTILE + " sought")])
    page = f"/_studio/logs?group={quote(GROUP, safe='')}"
    hits = world.pages.json(f"{page}&search=sought".replace("/logs?", "/logs.json?"))["search"]["hits"]
    assert [(item["stream"], item["text"]) for item in hits] == [
        ("gone/algo-1", "one sought"), ("kept/algo-1", f"{HOSTILE} sought"),
    ]  # fmt: skip
    text = world.pages.get(f"{page}&search=sought")[2]
    assert "<script>alert" not in text
    link = html.unescape(re.findall(r'href="(/_studio/logs[^"]*gone%2Falgo-1&amp;line=[^"]*)#L40"', text)[0])
    assert "one sought" in world.pages.get(link)[2].partition('class="hit"')[2][:300], "a hit leads to its line"
    for days, kept in (("7", 7), ("", None)):
        assert world.pages.post(page, {"action": "retain", "days": days})[0] == 303
        assert world.pages.json(page.replace("/logs?", "/logs.json?"))["retention"] == kept
    assert world.pages.post(page, {"action": "retain", "days": "8"})[0] == 422
    stream = f"{page}&stream=gone%2Falgo-1"
    assert world.pages.post(stream, {"action": "delete", "confirm": "gone"})[0] == 422
    assert world.pages.post(stream, {"action": "delete", "confirm": "gone/algo-1"})[0] == 303
    assert not logs.has(GROUP, "gone/algo-1")
    logs.delete_stream(GROUP, "kept/algo-1")


def test_closed_pages_leave_no_descriptor(world: World) -> None:
    """ST-27: streams and downloads that are opened and left, over and over."""
    host, _, port = world.pages.origin.removeprefix("http://").partition(":")
    descriptors = Path(f"/proc/{world.service.description['pid']}/fd")
    logs = Logs(world.service.settings.logs)
    logs.put(GROUP, "long/algo-1", [(1, "x" * 1000)] * 3000)
    download = f"/_studio/logs/download?group={quote(GROUP, safe='')}&stream=long%2Falgo-1"

    def open_page(path: str) -> http.client.HTTPConnection | None:
        connection = http.client.HTTPConnection("127.0.0.1", int(port), timeout=60)
        connection.request("GET", path, headers={"Host": f"{host}:{port}", "X-Secret": world.pages.secret})
        status = connection.getresponse().status
        assert status in (200, 503)
        return connection if status == 200 else None

    def leave_pages(paths: list[str]) -> None:
        # While the service has not seen yet that the pages of earlier tests were left, it may have too many of them.
        for connection in [until(lambda path=path: open_page(path), f"{path} is opened", 60) for path in paths]:
            connection.close()

    def count() -> int:
        return len(list(descriptors.iterdir()))

    stream = "/_studio/events/stream?topic=pipeline-execution:"
    leave_pages([stream, download])
    before = count()
    for _ in range(4):
        leave_pages([stream] * 25 + [download] * 10)
        until(lambda: count() <= before + 8, "the descriptors are closed again", 60)
