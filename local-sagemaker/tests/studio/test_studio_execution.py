"""The execution's page, the list of executions and the log viewer as a client sees them."""

from __future__ import annotations

import csv
import html
import http.client
import io
import json
import re
import shlex
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest

from local_sagemaker.logs import Logs
from local_sagemaker.testing.polling import wait_until
from tests.studio.conftest import World
from tests.support import create_pipeline, finished, script_step, start

pytestmark = pytest.mark.timeout(900)
EQUAL = {"Type": "Equals", "LeftValue": 1, "RightValue": 1}
METRICS = b'{"regression_metrics": {"mse": {"value": 4.5, "standard_deviation": 0.1}, "r2": {"value": 0.5}}}'
GROUP, STREAM = "/aws/sagemaker/ProcessingJobs", "huge/algo-1"
LINES = 100_000


def condition(name: str, *after: str) -> dict[str, object]:
    arguments = {"Conditions": [EQUAL], "IfSteps": [], "ElseSteps": []}
    return {"Name": name, "Type": "Condition", "Arguments": arguments, **({"DependsOn": list(after)} if after else {})}


@pytest.fixture(scope="module")
def fan(world: World) -> str:
    """The address of an execution with a fan of 40 steps, without which nothing runs long."""
    middle = [f"Part{place}" for place in range(40)]
    steps = [condition("Split"), *(condition(name, "Split") for name in middle), condition("Join", *middle)]
    sagemaker = world.service.client("sagemaker")
    create_pipeline(sagemaker, "Fan", *steps, parameters=({"Name": "Rate", "Type": "Float", "DefaultValue": 1.0},))
    arns = [
        sagemaker.start_pipeline_execution(
            PipelineName="Fan", PipelineParameters=[{"Name": "Rate", "Value": str(rate)}]
        )["PipelineExecutionArn"]
        for rate in (10, 9.5, 2)
    ]
    for arn in arns:
        assert finished(sagemaker, arn)["PipelineExecutionStatus"] == "Succeeded"
    return f"/_studio/pipelines/Fan/executions/{arns[0].rpartition('/')[2]}"


@pytest.fixture(scope="module")
def huge_log(world: World) -> Iterator[str]:
    """A stream of 100 MB; its address."""
    logs = Logs(world.service.settings.logs)
    file = logs.file(GROUP, STREAM)
    with file.open("w") as out:
        for number in range(LINES):
            word = "needle" if number in (77, 54_321) else "hay"
            out.write(f"line {number} {word} {'.' * 980}\n")
    logs.mark(GROUP, STREAM, final=True)
    yield f"/_studio/logs?group={quote(GROUP, safe='')}&stream={quote(STREAM, safe='')}"
    logs.delete_stream(GROUP, STREAM)


def test_fan_is_one_box_and_opens_in_the_grid(world: World, fan: str) -> None:
    text = world.pages.get(fan)[2]
    graph = text.partition('<svg class="graph"')[2].partition("</svg>")[0]
    assert "Graph of 42 steps" in graph
    assert len(re.findall(r"<a ", graph)) == 3
    assert "Part × 40" in graph
    opened = re.search(r'href="(\?group=Part0[^"#]*)#steps"', graph)
    assert opened
    assert len(world.pages.json(f"{fan}.json{opened[1]}")["shown"]["rows"]) == 40
    unfolded = world.pages.get(f"{fan}?fold=0")[2].partition('<svg class="graph"')[2].partition("</svg>")[0]
    assert len(re.findall(r"<a ", unfolded)) == 42


def test_address_chooses_step_filters_and_part_of_the_timeline(world: World, fan: str) -> None:
    """What is chosen is in the address, in graph, grid and panel alike."""
    text = world.pages.get(f"{fan}?step=Part7&name=part7&fold=0")[2]
    assert re.search(r'class="node tone-ok chosen" href="[^"]*step=Part7"', text)
    assert re.search(r'<tr class="chosen" data-step="Part7">', text)
    assert 'id="step-title" tabindex="-1">Part7' in text
    twin = world.pages.json(f"{fan}.json?name=part7&state=Succeeded")
    assert [row["step"]["name"] for row in twin["shown"]["rows"]] == ["Part7"]
    assert world.pages.json(f"{fan}.json?from=0&to=0.001")["shown"]["zoomed"] is True
    assert world.pages.json(f"{fan}.json?from=x&to=1")["shown"]["zoomed"] is False
    assert world.pages.json(f"{fan}.json?show=open")["shown"]["drawn"] == []


def test_whole_graph_before_a_step_has_started(world: World) -> None:
    """The definition's tab has every step; nothing was started for it."""
    text = world.pages.get("/_studio/pipelines/Broken?tab=graph")[2]
    assert re.findall(r'data-step="(\w+)"', text) == ["Read", "After"]
    arn = start(world.service.client("sagemaker"), "Broken")
    first = world.pages.json(f"/_studio/pipelines/Broken/executions/{arn.rpartition('/')[2]}.json")
    assert [step["name"] for step in first["shown"]["drawn"]] == ["Read", "After"]
    finished(world.service.client("sagemaker"), arn)


def test_list_is_filtered_sorted_and_paged(world: World, fan: str) -> None:
    """By parameter, as numbers; found by id and by ARN."""
    page = "/_studio/pipelines/Fan"

    def rates(query: str) -> list[str]:
        return [row["parameters"]["Rate"] for row in world.pages.json(f"{page}.json{query}")["listing"]["rows"]]

    assert [float(rate) for rate in rates("?sort=p.Rate")] == [2, 9.5, 10]
    assert [float(rate) for rate in rates("?sort=-p.Rate")] == [10, 9.5, 2]
    assert [float(rate) for rate in rates("?p.Rate=%3E9&sort=oldest")] == [10, 9.5]
    identifier = fan.rpartition("/")[2]
    arn = f"arn:aws:sagemaker:us-east-1:123456789012:pipeline/Fan/execution/{identifier}"
    for text in (identifier, identifier[:8], arn):
        assert len(rates(f"?q={quote(text)}")) == 1
    assert rates("?status=Failed") == []
    assert rates("?size=25&page=99") == rates("")
    assert world.pages.json(f"{page}.json")["listing"]["columns"] == ["Rate"]
    assert "None of 3 executions fits the filter" in world.pages.get(f"{page}?q=absent")[2]


def test_csv_has_what_is_filtered(world: World, fan: str) -> None:
    status, headers, text = world.pages.get("/_studio/pipelines/Fan/executions.csv?p.Rate=%3E9&sort=oldest")
    assert status == 200
    assert "Fan-executions.csv" in headers["content-disposition"]
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [float(row["Rate"]) for row in rows] == [10, 9.5]
    assert rows[0]["execution"] == fan.rpartition("/")[2]
    assert rows[0]["status"] == "Succeeded"


def test_log_of_100_mb(world: World, huge_log: str) -> None:
    """Both ends, a page further, the search of all of it, and a link to a line that stays good."""
    twin = huge_log.replace("/logs?", "/logs.json?")
    end = world.pages.json(twin)["window"]
    assert end["lines"][-1]["text"].startswith(f"line {LINES - 1} ")
    top = world.pages.json(f"{twin}&at=top")["window"]
    assert top["lines"][0]["text"].startswith("line 0 ")
    later = world.pages.json(f"{twin}&token={quote(top['forward'])}")["window"]
    assert later["lines"][0]["text"].startswith(f"line {len(top['lines'])} ")
    hits, after = [], ""
    while True:
        search = world.pages.json(f"{twin}&search=needle{after}")["search"]
        hits += search["hits"]
        if not search["next"]:
            break
        after = f"&after={quote(search['next'])}"
    assert [hit["text"].split()[1] for hit in hits] == ["77", "54321"]
    window = world.pages.json(f"{twin}&line={quote(hits[1]['place'])}")["window"]
    assert window["lines"][window["marked"]]["text"].startswith("line 54321 ")
    again = world.pages.json(f"{twin}&token={quote(window['here'])}")["window"]
    assert again["lines"] == window["lines"]
    assert len(world.pages.get(huge_log)[2]) < 3_000_000


def test_download_of_a_log_is_whole(world: World, huge_log: str) -> None:
    host, _, port = world.pages.origin.removeprefix("http://").partition(":")
    connection = http.client.HTTPConnection("127.0.0.1", int(port), timeout=300)
    address = huge_log.replace("/logs?", "/logs/download?")
    connection.request("GET", address, headers={"Host": f"{host}:{port}", "X-Secret": world.pages.secret})
    response = connection.getresponse()
    size, first = 0, b""
    while part := response.read(1 << 20):
        first = first or part[:20]
        size += len(part)
    connection.close()
    assert response.status == 200
    assert first.startswith(b"line 0 ")
    assert size == sum(len(f"line {n} {'needle' if n in (77, 54_321) else 'hay'} ") + 981 for n in range(LINES))
    assert int(response.headers["content-length"]) == size
    assert world.pages.get("/_studio/logs/download?group=absent&stream=x")[0] == 404
    status, headers, text = world.pages.get(address, Range=f"bytes={size - 5}-")
    assert (status, headers["content-range"], text) == (206, f"bytes {size - 5}-{size - 1}/{size}", "....\n")
    assert world.pages.get(address, Range=f"bytes={size}-")[0] == 416


def test_lines_that_follow_a_token(world: World) -> None:
    """What a viewer that follows a stream gets: only what was written since."""
    logs = Logs(world.service.settings.logs)
    logs.put(GROUP, "follow/algo-1", [(1, "one")])
    address = f"/_studio/logs/lines.json?group={quote(GROUP, safe='')}&stream=follow%2Falgo-1"
    window = world.pages.json(address)["window"]
    logs.put(GROUP, "follow/algo-1", [(2, "#033[31mtwo")])
    logs.mark(GROUP, "follow/algo-1", final=True)
    new = world.pages.json(f"{address}&token={quote(window['forward'])}")["window"]["lines"]
    assert [line["text"] for line in new] == ["two"]
    assert new[0]["spans"] == [{"tone": "bad", "text": "two"}]
    assert world.pages.get("/_studio/logs/lines?group=absent&stream=x")[0] == 404


def cached_step(name: str, prefix: str) -> dict[str, object]:
    """A step with a cache that writes nothing below its output."""
    output = {"S3Uri": f"s3://studio-data/{prefix}", "LocalPath": "/opt/ml/processing/out", "S3UploadMode": "EndOfJob"}
    step = script_step(
        name, "print(1)", ProcessingOutputConfig={"Outputs": [{"OutputName": "out", "S3Output": output}]}
    )
    step["Arguments"]["Environment"] = {"MODE": {"Get": "Parameters.Mode"}}
    return {**step, "CacheConfig": {"Enabled": True, "ExpireAfter": "P30D"}}


@pytest.fixture(scope="module")
def cached(world: World) -> dict[str, str]:
    """Executions of a pipeline whose steps are cached: the first, one with another value, one that is reused."""
    sagemaker = world.service.client("sagemaker")
    world.service.client("s3").put_object(Bucket="studio-data", Key="stale/report.json", Body=METRICS)
    written = time.time()
    wait_until(lambda: time.time() > written + 2.5, "a time that S3's seconds tell apart")
    mode = {"Name": "Mode", "Type": "String", "DefaultValue": "a"}
    first, second = cached_step("First", "nothing/"), cached_step("Second", "stale/")
    second["PropertyFiles"] = [{"PropertyFileName": "Metrics", "OutputName": "out", "FilePath": "report.json"}]
    create_pipeline(sagemaker, "Cached", first, {**second, "DependsOn": ["First"]}, parameters=(mode,))
    found = {}
    for name, value in (("first", "a"), ("changed", "b"), ("again", "b")):
        found[name] = start(sagemaker, "Cached", Mode=value).rpartition("/")[2]
        arn = f"arn:aws:sagemaker:us-east-1:123456789012:pipeline/Cached/execution/{found[name]}"
        assert finished(sagemaker, arn)["PipelineExecutionStatus"] == "Succeeded"
    return found


def panel_of(world: World, execution: str, query: str) -> dict[str, Any]:
    panel = world.pages.json(f"/_studio/pipelines/Cached/executions/{execution}.json?{query}")["panel"]
    assert isinstance(panel, dict)
    return panel


def test_cache_is_explained(world: World, cached: dict[str, str]) -> None:
    """A miss by member, was and is; a hit by its execution."""
    decision = panel_of(world, cached["changed"], "step=First")["cache"]
    assert decision["hit"] is False
    assert decision["source"] == cached["first"]
    changes = [(item["member"], item["was"].strip("\"'"), item["now"].strip("\"'")) for item in decision["differences"]]
    assert any("MODE" in member and (was, now) == ("a", "b") for member, was, now in changes), changes
    hit = panel_of(world, cached["again"], "step=First")["cache"]
    assert (hit["hit"], hit["source"]) == (True, cached["changed"])
    twin = world.pages.json(f"/_studio/pipelines/Cached/executions/{cached['again']}.json")
    assert twin["reused"] == 2
    assert {step["state"] for step in twin["steps"]} == {"Reused"}


def test_metrics_are_columns(world: World, cached: dict[str, str]) -> None:
    """ST-17: the numbers of property files, as columns, filters, and in the CSV."""
    page = "/_studio/pipelines/Cached"
    listing = world.pages.json(f"{page}.json?q={cached['again']}")["listing"]
    assert (listing["metrics"], listing["metric_names"]["regression_metrics.mse"]) == (
        ["regression_metrics.mse", "regression_metrics.r2"], "mse",
    )  # fmt: skip
    assert listing["rows"][0]["metrics"]["regression_metrics.mse"] == 4.5
    assert len(world.pages.json(f"{page}.json?m.regression_metrics.mse=%3C5")["listing"]["rows"]) >= 3
    filtered = f"{page}?m.regression_metrics.mse=%3E5&sort=-m.regression_metrics.mse"
    assert "fits the filter" in world.pages.get(filtered)[2]
    text = world.pages.get(f"{page}?sort=-m.regression_metrics.mse&metric=regression_metrics.mse")[2]
    assert 'aria-sort="descending"><a' in text
    rows = list(csv.DictReader(io.StringIO(world.pages.get(f"{page}/executions.csv")[2])))
    assert rows[0]["regression_metrics.r2"] == "0.5"


def test_empty_and_stale_outputs_are_marked(world: World, cached: dict[str, str]) -> None:
    outputs = panel_of(world, cached["changed"], "step=First&tab=io")["job"]["outputs"]
    assert outputs[0]["warning"].startswith("empty")
    outputs = panel_of(world, cached["changed"], "step=Second&tab=io")["job"]["outputs"]
    assert outputs[0]["warning"].startswith("older than this execution")
    assert outputs[0]["etag"]


def test_what_runs_is_what_the_form_shows(world: World, cached: dict[str, str]) -> None:
    """From here on with the values of a run; the command of the form does the same as the form."""
    page = f"/_studio/pipelines/Cached/start?from={cached['changed']}&after=Second"
    shown = world.pages.json(page.replace("/start?", "/start.json?"))
    assert shown["selected"] == ["Second"]
    assert [(item["name"], item["default"], item["value"]) for item in shown["changes"]] == [("Mode", "a", "b")]
    form = {"from": cached["changed"], "p.Mode": "b", "steps": "Second", "token": "c" * 40, "description": "it's"}
    status, _, text = world.pages.post("/_studio/pipelines/Cached/start", {**form, "action": "command"})
    assert status == 200
    command = html.unescape(re.findall(r'<div class="command"><code>(.*?)</code>', text, re.S)[-1])
    started = [world.pages.post("/_studio/pipelines/Cached/start", form)[1]["location"].rpartition("/")[2]]
    words = shlex.split(command)
    assert words[:4] == ["local-sagemaker", "exec", "--", "aws"]
    answer = world.service.run(*words[3:]).stdout
    started.append(json.loads(answer)["PipelineExecutionArn"].rpartition("/")[2])
    sagemaker, told = world.service.client("sagemaker"), []
    for identifier in started:
        arn = f"arn:aws:sagemaker:us-east-1:123456789012:pipeline/Cached/execution/{identifier}"
        body = finished(sagemaker, arn)
        parameters = sagemaker.list_pipeline_parameters_for_execution(PipelineExecutionArn=arn)["PipelineParameters"]
        told.append((body["SelectiveExecutionConfig"], body["PipelineExecutionDescription"], parameters))
    assert told[0] == told[1]
    assert told[0][0]["SelectedSteps"] == [{"StepName": "Second"}]
    assert told[0][0]["SourcePipelineExecutionArn"].endswith(cached["changed"])
    assert told[0][2] == [{"Name": "Mode", "Value": "b"}]


def test_compare_shows_what_differs(world: World, cached: dict[str, str]) -> None:
    page = f"/_studio/pipelines/Cached/compare.json?e={cached['first']}&e={cached['changed']}"
    sections = {section["title"]: section for section in world.pages.json(page)["sections"]}
    assert [(row["name"], row["values"]) for row in sections["Parameters"]["rows"]] == [("Mode", ["a", "b"])]
    assert sections["Definition"]["rows"] == []
    assert sections["Definition"]["equal"] > 5
    assert "Data" in sections
    every = {section["title"]: section for section in world.pages.json(f"{page}&all=1")["sections"]}
    assert len(every["Definition"]["rows"]) == sections["Definition"]["equal"]


def test_failure_shows_the_lines_of_the_users_code(world: World) -> None:
    """The last frame in the user's code with the lines around it, and the end of the log, without a click."""
    source = world.pages.json(world.execution("Broken") + ".json")["source"]
    assert source["lines"][source["at"] - source["first"]].strip() == "return json.load(open(name))"
    assert len(source["lines"]) == 5
    text = world.pages.get(world.execution("Broken"))[2].partition('aria-label="Failure"')[2].partition("</section>")[0]
    assert 'class="source-line at"' in text
    assert "The last" in text
    assert "FileNotFoundError" in text
