"""The pages of monitoring, endpoints, delivery, events, lineage and S3, over a service with something on each."""

from __future__ import annotations

import csv
import io
import json
import re
import shlex
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import pytest

from local_sagemaker.masking import MASK
from tests.studio.accessibility import AXE, OUT_OF_SIGHT, serious_violations
from tests.studio.conftest import HOSTILE, Pages, World
from tests.studio.full_world import ODD_KEYS, SECRET, Full
from tests.studio.registered_pages import addresses, missing, twin_of, with_variables
from tests.studio.schedules import change_schedule
from tests.studio.tour import PICTURES, Tour
from tests.support import until

pytestmark = pytest.mark.timeout(900)
MASKED = {
    "/pipelines/{pipeline}", "/pipelines/{pipeline}/compare", "/pipelines/{pipeline}/executions/{execution}",
    "/models/{group}/{version}", "/jobs/{kind}/{name}", "/delivery/{pipeline}", "/builds/{build}",
    "/functions/{function}",
}  # fmt: skip
ENDED = ("Completed", "CompletedWithViolations")


def test_every_page_has_an_address_and_a_twin(world: World, full: Full) -> None:
    """Every registered page is shown, with one heading and no policy that is unsafe; its twin is JSON; neither has
    the value of a variable that sounds secret, in a job, a build, a function, a delivery, a model or a definition."""
    pages = addresses(world, full)
    assert not missing(pages)
    masked, more, home = set(), with_variables(world), world.pages.get("/_studio/")[2]
    for route, paths in pages.items():
        assert "{" in route or route in ("/", "/search", "/s3/object") or f'href="/_studio{route}"' in home, route
        for path in (*paths, *more.get(route, ())):
            status, headers, text = world.pages.get(f"/_studio{path}")
            assert status == 200, (path, text[:500])
            assert len(re.findall("<h1", text)) == 1, path
            assert "unsafe-" not in headers["content-security-policy"], path
            twin = world.pages.json(twin_of(path))
            assert "incomplete" not in twin, f"an operation of {path} failed"
            assert SECRET not in text + json.dumps(twin), path
            masked |= {route} if MASK in text else set()
    assert masked >= MASKED, "the pages that have such variables say so"


def test_lists_are_csv_too(world: World, full: Full) -> None:
    for path, column in (("/models", "name"), ("/endpoints", "name"), ("/jobs", "name"), ("/functions", "name")):
        status, headers, text = world.pages.get(f"/_studio{path}.csv")
        assert (status, headers["content-type"]) == (200, "application/octet-stream"), path
        rows = list(csv.DictReader(io.StringIO(text)))
        assert rows, path
        assert column in rows[0], path
    assert world.pages.get("/_studio/service.csv")[0] in (200, 404)


def test_newcomers_tour(full: Full, signed_in: Any, tmp_path: Path) -> None:
    """The newcomer's tour, with pictures that are kept."""
    signed_in.set_default_timeout(180_000)
    try:
        PICTURES.mkdir(parents=True, exist_ok=True)
        folder = PICTURES
    except OSError:
        folder = tmp_path  # a checkout that only its owner writes to
    tour = Tour(signed_in, full, folder)
    sagemaker = full.service.client("sagemaker")
    before = sagemaker.describe_endpoint(EndpointName=full.endpoint)["EndpointConfigName"]
    try:
        tour.run()
    finally:  # other tests send this endpoint's own model what it takes
        if sagemaker.describe_endpoint(EndpointName=full.endpoint)["EndpointConfigName"] != before:
            sagemaker.update_endpoint(EndpointName=full.endpoint, EndpointConfigName=before)
            full.monitored.made.settled(full.endpoint)
    assert tour.actions <= 40, "at a click in one and a half seconds more than a minute"


def test_every_page_is_accessible_in_both_themes_and_narrow(world: World, full: Full, signed_in: Any) -> None:
    """Axe-core finds nothing serious, and at 360 pixels no page scrolls sideways.

    A page is loaded once; theme and width are changed on it, as its viewer would.
    """
    page = signed_in
    page.set_default_timeout(120_000)
    session = page.context.new_cdp_session(page)
    axe, found = AXE.read_text("utf-8"), []
    for paths in addresses(world, full).values():
        for path in paths:
            page.set_viewport_size({"width": 1280, "height": 900})
            page.goto(f"{world.pages.origin}/_studio{path}")
            session.send("Runtime.evaluate", {"expression": axe})
            for theme, width in (("light", 1280), ("light", 768), ("dark", 360)):
                page.set_viewport_size({"width": width, "height": 900})
                page.evaluate("theme => { document.documentElement.dataset.theme = theme; }", theme)
                found += [f"{path} has out of sight at {width}: {text}" for text in page.evaluate(OUT_OF_SIGHT)]
                if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
                    found.append(f"{path} scrolls sideways at {width}")
                if width == 1280 or (width == 360 and path == paths[0]):  # in the dark, tabs have the same parts
                    found += [f"{path} ({theme}): {text}" for text in serious_violations(session)]
    assert not found, "\n".join(found)


def test_monitor_shows_trends_with_bounds_and_violations_in_words(world: World, full: Full) -> None:
    """Baseline and bound of each trend, the nearest first; what was found in a sentence; run now."""
    page = f"/_studio/monitoring/{full.schedule}"
    twin = world.pages.json(f"{page}.json")
    first = twin["trends"][0]
    count = sum(item["status"] in ENDED for item in twin["executions"])
    assert (first["name"], first["baseline"], first["bound"]) == ("c", 0.0, 0.1)
    assert len(first["points"]) == count >= 2
    assert first["margin"] > 1 > twin["trends"][1]["margin"]
    drifted = twin["executions"][-2]  # the second of all; other tests may have added some
    violation = next(found for found in drifted["violations"] if found["check"] == "Distribution moved")
    assert re.search(r"^c is distributed differently .* apart, \d\S* times what is allowed\.$", violation["sentence"])
    found = float(re.findall(r"distance: (\S+) exceeds", violation["text"])[0])
    assert first["points"][1][1] == pytest.approx(found), "the page measures as the monitor does"
    assert twin["alarms"][0]["metric"] == "feature_baseline_drift_c"

    def history() -> Any:
        found = world.pages.json(f"{page}.json")["history"]
        return [item["text"] for item in found if item["name"] == twin["alarms"][0]["name"]]

    assert until(history, "the alarm's history", 60)[-1].endswith("created"), "the oldest comes last"
    assert "InAlert" in [item["status"] for item in twin["history"] if item["name"] == f"{full.schedule}-alert"]
    assert twin["baseline"]["files"].keys() == {"Statistics", "Constraints"}
    assert twin["next_run"] > 0
    text = world.pages.get(page)[2]
    assert "bound 0.1" in text
    assert "baseline 0" in text
    change_schedule(world, page, twin["schedule"])
    status, _, text = world.pages.post(page, {"action": "run"})
    assert status == 303, text

    def ended() -> Any:
        runs = [item for item in world.pages.json(f"{page}.json")["executions"] if item["schedule"] != full.schedule]
        return runs and runs[0]["status"] in ENDED

    until(ended, "the execution of Run now is on the page", 240)
    status = world.pages.json("/_studio/monitoring.json")["matrix"][0]
    assert status[0] == full.endpoint
    words = shlex.split(twin["commands"]["describe"])
    assert full.schedule in world.service.run(*words[3:]).stdout


def test_endpoint_is_tested_rolled_out_and_rolled_back(world: World, full: Full) -> None:
    """CSV and JSON, variant, target model; a rollout and the way back are on the page while they happen."""
    page = f"/_studio/endpoints/{full.endpoint}"
    form = {"action": "invoke", "body": "1,2,3\n-1,0,1", "content_type": "text/csv", "variant": "AllTraffic"}
    before = full.monitored.captures()
    text = world.pages.post(f"{page}?tab=test", form)[2]
    assert "200 OK" in text
    assert "See it monitored" in text
    answer = world.pages.post(f"{page}?tab=test", {**form, "content_type": "application/json", "body": "[[1, 2, 3]]"})
    assert answer[0] == 200
    assert "200 OK" in answer[2]
    refused = world.pages.post(f"{page}?tab=test", {**form, "variant": "", "model": "a.tar.gz"})[2]
    assert "400 " in refused, "an endpoint of one model has no target models, in the API's own words"
    twin = world.pages.json(f"{page}.json?{urlencode({'tab': 'test', 'body': '1,2,3', 'content_type': 'text/csv'})}")
    assert [(item["status"][:4], item["body"][:5]) for item in twin["test"]["tries"][:3]] == [
        ("400 ", "1,2,3"), ("200 ", "[[1, "), ("200 ", "1,2,3"),
    ]  # fmt: skip
    take = re.search(r'href="(\?tab=test&amp;body=%5B[^"]*)">Take', world.pages.get(f"{page}?tab=test")[2])
    assert take, "the last requests can be sent again"
    assert ">[[1, 2, 3]]</textarea>" in world.pages.get(f"{page}{take[1].replace('&amp;', '&')}")[2]
    command = twin["test"]["command"].replace("local-sagemaker exec -- ", "")
    assert world.service.run("sh", "-c", command).stdout.startswith("[[1]]"), command
    assert twin["test"]["python"].count("'1,2,3'") == 1

    def captured() -> Any:
        records = world.pages.json(f"{page}.json?tab=capture")["records"]
        return [record for record in records if record["content_type"] == "text/csv" and "1,2,3" in record["input"]]

    until(captured, "the request is among the captured ones", 120)
    full.monitored.forget_captures(before, 3)  # some are JSON
    assert full.schedule in [item["name"] for item in twin["monitors"]]
    use = until(lambda: world.pages.json(f"{page}.json")["use"], "the endpoint's use is counted", 60)[0]
    assert (use["variant"], use["share"]) == ("AllTraffic", 1.0)
    assert use["requests"] >= 80
    assert 0 < use["p50"] <= use["p90"] <= use["p99"]
    scales = {"ServiceNamespace": "sagemaker", "ResourceId": f"endpoint/{full.endpoint}/variant/AllTraffic",
              "ScalableDimension": "sagemaker:variant:DesiredInstanceCount"}  # fmt: skip
    scaler = full.service.client("application-autoscaling")
    scaler.register_scalable_target(**scales, MinCapacity=1, MaxCapacity=2)
    scaling = world.pages.json(f"{page}.json?tab=settings")["scaling"][0]
    assert (scaling["variant"], scaling["least"], scaling["most"], scaling["policies"]) == ("AllTraffic", 1, 2, [])
    assert "1 to 2 instances" in world.pages.get(f"{page}?tab=settings")[2]
    scaler.deregister_scalable_target(**scales)
    _roll_out_and_back(world, full, page, twin["config_name"])


def _roll_out_and_back(world: World, full: Full, page: str, before: str) -> None:
    """A canary with a bake time is seen, and ends; the way back is one form."""
    config = full.monitored.made.config(full.monitored.model)
    form = {"action": "update", "config": config, "strategy": "CANARY", "step": "50", "wait": "4", "alarms": ""}
    status, _, text = world.pages.post(page, {**form, "wait": "soon"})
    assert (status, "&#39;soon&#39; is no number of seconds" in text) == (422, True)
    assert world.pages.post(page, form)[0] == 303
    until(lambda: (world.pages.json(f"{page}.json")["rollout"] or {}).get("share") == 50, "half is on the new fleet")
    text = world.pages.get(page)[2]
    assert "50 % on the new fleet" in text
    assert "Canary: 50 % first, all of it after 4.0 s." in text

    def settled(name: str) -> Any:
        twin = world.pages.json(f"{page}.json")
        return twin if (twin["status"], twin["config_name"]) == ("InService", name) else None

    twin = until(lambda: settled(config), "the rollout has ended", 120)
    assert twin["previous"] == before
    back = {"action": "update", "config": before, "strategy": "ALL_AT_ONCE", "step": "10", "wait": "0", "alarms": ""}
    assert world.pages.post(page, back)[0] == 303
    until(lambda: settled(before), "the endpoint is back", 120)


def test_delivery_waits_for_a_person_and_goes_on(world: World, full: Full) -> None:
    """The approval is on home; close, open, reject with a comment, retry, approve; the failing command."""
    page = f"/_studio/delivery/{full.delivery}"
    needs = world.pages.json("/_studio/index.json")["needs"]
    assert page in [item["href"] for item in needs]
    twin = world.pages.json(f"{page}.json")
    waiting = twin["waiting"][0]
    assert waiting["question"] == "Is version 1 good enough for production?"
    assert waiting["revisions"] == ["Train with more rounds"]
    assert [item["name"] for item in twin["actions"]] == ["Code", "Test", "ApproveDeployment"]
    close = {"action": "disable", "stage": "Production", "reason": HOSTILE}
    status, _, text = world.pages.post(page, close)
    assert (status, "<script>alert" in text) == (422, False), "refused in the API's own words, and as text"
    assert world.pages.post(page, {**close, "reason": "not today!"})[0] == 303
    text = world.pages.get(page)[2]
    assert "not today!" in text
    assert world.pages.post(page, {"action": "enable", "stage": "Production"})[0] == 303
    form = {"action": "approval", "stage": "Production", "name": "ApproveDeployment",
            "token": waiting["action"]["token"]}  # fmt: skip
    assert world.pages.post(page, {**form, "status": "Rejected", "comment": " "})[0] == 422
    assert world.pages.post(page, {**form, "status": "Rejected", "comment": "too early"})[0] == 303

    def production() -> Any:
        return world.pages.json(f"{page}.json")["stages"][-1]

    until(lambda: production()["status"] == "Failed", "the stage has failed")
    retry = {"action": "retry", "stage": "Production", "execution": production()["execution"]}
    assert world.pages.post(page, retry)[0] == 303
    waiting = until(lambda: world.pages.json(f"{page}.json")["waiting"], "the approval waits again")[0]
    form |= {"token": waiting["action"]["token"], "status": "Approved", "comment": "good"}
    assert world.pages.post(page, form)[0] == 303
    until(lambda: production()["status"] == "Succeeded", "the stage has succeeded")
    _check_failed_build(world.pages, full)


def _check_failed_build(pages: Pages, full: Full) -> None:
    page = f"/_studio/builds/{quote(full.failing_build, safe='')}"
    failed = pages.json(f"{page}.json")["failed"]
    assert (failed["command"], failed["status"]) == ("cat absent.txt", 1)
    assert "No such file" in failed["output"][0]
    text = pages.get(page)[2]
    assert "This command ended with exit status 1" in text
    assert text.count('class="bad"') == 3, "the command, what it wrote, and its end are marked in the log"
    batch = f"/_studio/batches/{quote(full.batch, safe='')}"
    twin = pages.json(f"{batch}.json")
    assert [(item["name"], item["status"]) for item in twin["builds"]][-1] == ("unit", "Succeeded")
    assert pages.get(twin["builds"][-1]["href"])[0] == 200
    moved = pages.get(batch.replace("/batches/", "/builds/"))
    assert (moved[0], moved[1].get("location")) == (303, batch), "an action of a pipeline names a batch as a build"
    assert f'href="{batch}"' in pages.get("/_studio/delivery")[2]
    assert pages.get("/_studio/batches/a:b")[0] == 404
    stopped = pages.post(batch, {"action": "stop"})
    assert stopped[0] in (303, 422), stopped[2][:300]


def test_project_shows_what_it_holds(world: World, full: Full) -> None:
    """What its stack made and what carries its tag, each with its page; the stack's events."""
    twin = world.pages.json(f"/_studio/projects/{full.project}.json")
    assert twin["status"] == "CreateCompleted"
    assert {kind: [(item["name"], item["href"]) for item in items] for kind, items in twin["parts"].items()} == {
        "models": [("churn-models", "/_studio/models/churn-models")],
        "pipelines": [("Churn", "/_studio/pipelines/Churn")],
        "repositories": [("churn-code", "")],
        "stacks": [(full.stack, f"/_studio/stacks/{full.stack}")],
    }
    delivery = world.pages.get("/_studio/delivery")[2]
    assert f'href="/_studio/projects/{full.project}"' in delivery
    assert f'href="/_studio/stacks/{full.stack}"' in delivery
    stack = world.pages.json(f"/_studio/stacks/{full.stack}.json")
    assert stack["project"] == full.project
    assert next(item["status"] for item in stack["events"] if item["logical"] == "Group") == "CREATE_COMPLETE"
    assert world.pages.get("/_studio/stacks/absent")[0] == 404
    assert world.pages.get("/_studio/projects/absent")[0] == 404


def test_tags_are_edited(world: World, full: Full) -> None:
    """Added, replaced and removed by the forms of all pages that show them."""
    endpoint = f"/_studio/endpoints/{full.endpoint}"
    for page, tab in ((endpoint, "settings"), ("/_studio/models/Demo", ""), ("/_studio/models/Demo/1", "settings"),
                      ("/_studio/pipelines/Demo", "definition")):  # fmt: skip
        before = world.pages.json(f"{page}.json?tab={tab}")["tags"]
        for value in ("first", "Zoë: a+b = 2 @ home"):
            assert world.pages.post(page, {"action": "tag", "key": "team", "value": value})[0] == 303, page
            assert world.pages.json(f"{page}.json?tab={tab}")["tags"] == {**before, "team": value}, page
        status, _, text = world.pages.post(page, {"action": "tag", "key": "team", "value": HOSTILE})
        assert (status, "<script>alert" in text) == (422, False), "in the API's words, as text"
        assert world.pages.post(page, {"action": "untag", "key": "team"})[0] == 303
        assert world.pages.json(f"{page}.json?tab={tab}")["tags"] == before, page
    assert world.pages.post(endpoint, {"action": "tag", "key": " ", "value": "x"})[0] == 422
    own = {"action": "tag", "key": "aws:owner", "value": "me"}
    status, _, text = world.pages.post(f"{endpoint}?tab=settings", own)
    assert (status, "aws:" in text.partition('role="alert"')[2][:500], 'value="aws:owner"' in text) == (422, True, True)


def test_version_is_trained_again(world: World) -> None:
    """The start form with the values of the execution that registered the version."""
    version = world.pages.json("/_studio/models/Demo.json")["versions"][-1]["version"]
    twin = world.pages.json(f"/_studio/models/Demo/{version}.json")
    form = world.pages.json(twin["retrain"].replace("/start?", "/start.json?"))
    assert form["source"] == twin["source"].rpartition("/")[2]
    assert [item["name"] for _, fields in form["groups"] for item in fields] == ["Rounds", "Note"]


def test_events_say_what_they_started(world: World, full: Full) -> None:
    """An event that is sent starts the function; rules are tested; an approval names its rule."""
    form = {"action": "send", "source": "demo", "type": "Tried", "detail": '{"a": 1}'}
    assert world.pages.post("/_studio/events?tab=send", {**form, "detail": "no json"})[0] == 422
    status, headers, _ = world.pages.post("/_studio/events?tab=send", form)
    assert status == 303
    place = headers["location"].partition("?")[2]

    def delivered() -> Any:
        events = world.pages.json(f"/_studio/events.json?{place}")["events"]
        return events[0] if events and events[0]["started"] else None

    event = until(delivered, "the event has reached the function", 120)
    assert event["rules"] == ["demo-events"]
    assert event["started"][0]["href"] == "/_studio/functions/echo"
    tested = world.pages.json(f"/_studio/events.json?tab=rules&event={event['id']}")["tested"]
    assert tested == {"approved-model": "does not match", "demo-events": "matches"}
    tried = world.pages.post("/_studio/events?tab=rules", {"action": "test", "event": "no json"})
    assert (tried[0], "InvalidEventPatternException" in tried[2] or "JSON" in tried[2]) == (200, True)
    twin = world.pages.json("/_studio/models/Demo/1.json")
    assert any(text.startswith("approved-model → ") for text in twin["rules"]["Approved"])
    assert not twin["rules"]["Rejected"]


def test_s3_has_odd_keys_uploads_and_large_tables(world: World, full: Full) -> None:
    """Every key is listed, shown and downloaded; a file is uploaded as it is; a large CSV is read in part."""
    pages, s3 = world.pages, world.service.client("s3")
    for key in ODD_KEYS:
        query = urlencode({"bucket": "studio-odd", "key": key})
        assert pages.json(f"/_studio/s3/object.json?{query}")["key"] == key
        status, _, text = pages.get(f"/_studio/download?{query}")
        assert (status, text) == (200, "a,b\n1,2\n"), key
        folder = key.rpartition("/")[0] + "/"
        listed = pages.json(f"/_studio/s3.json?{urlencode({'bucket': 'studio-odd', 'prefix': folder})}")["entries"]
        assert key.removeprefix(folder) in [item["name"] for item in listed]
    kind = {"Content-Type": "application/octet-stream", "Origin": pages.origin}
    place = urlencode({"bucket": "studio-odd", "prefix": "up/", "name": "ä <b>.csv"})
    row = b"0.5,1.5,2.5,abcdefgh\n"
    body = b"a,b,c,d\n" + row * (40_000_000 // len(row))
    status, _, text = pages.send("POST", f"/_studio/s3?{place}", body, kind)
    assert status == 200, text
    assert s3.head_object(Bucket="studio-odd", Key="up/ä <b>.csv")["ContentLength"] == len(body)
    assert pages.send("POST", f"/_studio/s3?{place}", b"x", {**kind, "Origin": "http://localhost:1"})[0] == 403
    assert pages.send("POST", f"/_studio/s3?{place}", b"x", {**kind, "X_Secret": "wrong"})[0] == 401
    assert pages.send("POST", "/_studio/models", b"x", kind)[0] == 405
    query = urlencode({"bucket": "studio-odd", "key": "up/ä <b>.csv"})
    tag = pages.get(f"/_studio/download?{query}", Range="bytes=0-6")[1]["etag"]
    for match, answered in ((tag, (206, "a,b,c,d")), ('"another"', (200, "a,b,c,d\n"))):
        status, _, text = pages.get(f"/_studio/download?{query}", Range="bytes=0-6", If_Range=match)
        assert (status, text[:8]) == answered
    preview = pages.json(f"/_studio/s3/object.json?{query}")
    assert preview["size"] == len(body)
    assert len(preview["preview"]["rows"]) == 100
    assert preview["preview"]["note"].startswith("about 1,9")
    absent = pages.send("POST", "/_studio/s3?bucket=absent&prefix=&name=a", b"x", kind)
    assert (absent[0], json.loads(absent[2])["error"]["code"]) == (422, "NoSuchBucket")
    assert pages.post("/_studio/s3", {"action": "create", "name": "studio-new"})[0] == 303
    assert pages.post("/_studio/s3", {"action": "create", "name": "B"})[0] == 422


def test_reports_of_users_run_no_script(world: World, full: Full) -> None:
    """In the sandbox, whose policy comes with the answer itself, and on the page around it."""
    query = urlencode({"bucket": "studio-odd", "key": "reports/hostile.html"})
    _, headers, _ = world.pages.get(f"/_studio/content?{query}")
    policy = headers["content-security-policy"]
    assert policy.startswith("sandbox; default-src 'none'")
    assert "script-src" not in policy
    _, headers, _ = world.pages.get(f"/_studio/content?{query}&scripts=1")
    assert "allow-same-origin" not in headers["content-security-policy"]
    assert "connect-src" not in headers["content-security-policy"], "default-src 'none' keeps it off the network"
    assert "<script>parent" not in world.pages.get(f"/_studio/s3/object?{query}")[2]
