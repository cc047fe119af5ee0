"""The pages as a client sees them: each page and its twin, and what hostile content and requests get."""

from __future__ import annotations

import json
import re
import shlex
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from local_sagemaker.cli import main
from local_sagemaker.studio.views.commands import kebab
from tests.studio.conftest import HOSTILE, World

pytestmark = pytest.mark.timeout(900)
PAGES = (
    "/_studio/", "/_studio/pipelines", "/_studio/pipelines/Demo", "/_studio/pipelines/Demo?tab=graph",
    "/_studio/pipelines/Demo?tab=versions", "/_studio/pipelines/Demo?tab=parameters",
    "/_studio/pipelines/Demo?tab=definition", "/_studio/pipelines/Demo/start", "/_studio/models",
    "/_studio/models/Demo",
    "/_studio/models/Demo/1", "/_studio/models/Demo/1?tab=data", "/_studio/models/Demo/1?tab=bias",
    "/_studio/models/Demo/1?tab=explainability", "/_studio/models/Demo/1?tab=activity",
    "/_studio/models/Demo/1?tab=settings", "/_studio/models/Demo/compare?v=1", "/_studio/endpoints",
    "/_studio/monitoring", "/_studio/delivery", "/_studio/jobs", "/_studio/jobs?kind=processing",
    "/_studio/jobs?kind=transform", "/_studio/jobs?kind=tuning", "/_studio/experiments", "/_studio/logs",
    "/_studio/logs?group=/aws/sagemaker/TrainingJobs", "/_studio/s3", "/_studio/s3?bucket=studio-data",
    "/_studio/s3/object?bucket=studio-data&key=code/prepare.py",
    "/_studio/s3/object?bucket=studio-data&key=prepared/train.csv", "/_studio/lineage", "/_studio/events",
    "/_studio/functions", "/_studio/service", "/_studio/search", "/_studio/search?q=demo",
)  # fmt: skip


def twin_of(path: str) -> str:
    """The address of a page's JSON twin."""
    page, _, query = path.partition("?")
    page = page.rstrip("/") if page != "/_studio/" else "/_studio/index"
    return f"{page}.json" + (f"?{query}" if query else "")


def test_pages_and_their_twins(world: World) -> None:
    tabs = ("overview", "io", "parameters", "log", "metrics", "report", "requests")
    panels = [f"{world.execution('Demo')}?step=Train&tab={tab}" for tab in tabs]
    arn = world.executions["Demo"]
    compare = f"/_studio/pipelines/Demo/compare?e={arn.rpartition('/')[2]}"
    for path in (*PAGES, *panels, world.execution("Broken"), compare, f"/_studio/lineage?arn={arn}"):
        status, headers, text = world.pages.get(path)
        assert status == 200, (path, text[:500])
        assert headers["content-type"].startswith("text/html"), path
        assert len(re.findall("<h1", text)) == 1, path
        assert "unsafe-" not in headers["content-security-policy"], path
        assert isinstance(world.pages.json(twin_of(path)), dict), path


def test_hostile_values_are_text(world: World) -> None:
    for path in ("/_studio/pipelines/Demo?tab=parameters", "/_studio/pipelines/Demo/start", world.execution("Demo")):
        text = world.pages.get(path)[2]
        assert "<script>alert" not in text
        assert "&lt;script&gt;alert(1)" in text


def test_failure_names_line_and_reason(world: World) -> None:
    text = world.pages.get(world.execution("Broken"))[2]
    assert "FileNotFoundError" in text
    assert "Never started: Read failed" in text
    twin = world.pages.json(twin_of(world.execution("Broken")))
    assert twin["first_failed"] == "Read"
    assert twin["can_retry"] is True
    assert "absent.json" in twin["failure"]["sentence"]


def test_curve_and_register(world: World) -> None:
    twin = world.pages.json(twin_of(world.execution("Demo") + "?step=Train&tab=metrics"))
    names = {item["name"] for item in twin["panel"]["job"]["series"]}
    assert any("rmse" in name for name in names), names
    assert twin["registered"], twin["steps"]


def test_start_once_with_changed_parameter(world: World) -> None:
    fields = {"p.Rounds": "3", "token": "a" * 40, "name": "from-the-form"}
    first = world.pages.post("/_studio/pipelines/Demo/start", fields)
    second = world.pages.post("/_studio/pipelines/Demo/start", fields)
    assert (first[0], second[0]) == (303, 303)
    assert first[1]["location"] == second[1]["location"]
    twin = world.pages.json(f"{first[1]['location']}.json")
    assert [(item["name"], item["was"], item["now"]) for item in twin["changes"]] == [("Rounds", "12", "3")]


def test_refused_value_comes_back_with_what_was_typed(world: World) -> None:
    status, _, text = world.pages.post(
        "/_studio/pipelines/Demo/start", {"p.Rounds": "x" * 2000, "description": "kept text"}
    )
    assert status == 422
    assert "kept text" in text
    assert "xxxxxx" in text
    typed = {"parallel": "many", "description": "kept text"}
    status, _, text = world.pages.post("/_studio/pipelines/Demo/start", typed)
    assert (status, "kept text" in text, "&#39;many&#39; is no number" in text) == (422, True, True)
    status, _, text = world.pages.post("/_studio/pipelines/Demo/start", {**typed, "browse": "Rounds s3://"})
    assert (status, "kept text" in text, "is no number" in text) == (200, True, False)


def test_forged_and_foreign_requests_are_refused(world: World) -> None:
    pages, start = world.pages, "/_studio/pipelines/Demo/start"
    own = pages.origin
    others = (
        "http://localhost:1", "null", own.replace("http:", "https:"), own.rpartition(":")[0] + ":1",
        f"{own}.evil.example", own.replace("//", "//a."), own.upper(),
    )  # fmt: skip
    for origin in others:
        assert pages.post(start, {}, Origin=origin)[0] == 403, origin
    status, _, text = pages.get("/_studio/", Host="evil.example")
    assert (status, "Recent executions" in text) == (403, False), "a foreign host gets no page"
    assert pages.send("POST", start, b"", {})[0] == 403
    assert pages.post(start, {}, Sec_Fetch_Site="same-site")[0] == 403
    assert pages.get("/_studio/", X_Secret="wrong")[0] == 401
    assert pages.get("/_studio/", Sec_Fetch_Site="cross-site", Sec_Fetch_Mode="cors", X_Secret="wrong")[0] == 403
    assert pages.send("PUT", start, b"", {"Origin": pages.origin, "X_Secret": "wrong"})[0] == 403
    assert pages.get("/_studio/static/../app.py")[0] == 404
    assert pages.get("/_studio/static/%2e%2e/app.py")[0] == 404
    status, headers, _ = pages.get("/_studio/pipelines", Host="127.0.0.1:1")
    assert (status, headers["location"]) == (307, f"{pages.origin}/_studio/pipelines")


def test_links_sign_in_once(world: World) -> None:
    from local_sagemaker.cli.control import post

    service = world.service
    token = post(service.settings, service.description, "studio")["url"].partition("#")[2]
    status, headers, _ = world.pages.post("/_studio/open", {"token": token}, X_Secret="none")
    assert status == 303
    cookie = headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert world.pages.post("/_studio/open", {"token": token}, X_Secret="none")[0] == 403
    value = cookie.partition(";")[0]
    assert world.pages.get("/_studio/", Cookie=value, X_Secret="none")[0] == 200
    kept = service.home / "studio-sessions.json"
    assert value.partition("=")[2] not in kept.read_text()
    assert kept.stat().st_mode & 0o077 == 0


def test_the_command_s_link_leads_to_a_page_with_its_query(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["studio", "pipelines/Demo/executions/absent?tab=log&step=a b\u2603", "--no-open"]
    assert main(["--home", str(world.service.home), *words]) == 0
    link = urlsplit(capsys.readouterr().out.strip())
    assert [*parse_qs(link.query)] == ["to"]
    fields = {"to": parse_qs(link.query)["to"][0], "token": link.fragment}
    status, headers, _ = world.pages.post("/_studio/open", fields, X_Secret="none")
    assert (status, headers["location"]) == (
        303, "/_studio/pipelines/Demo/executions/absent?tab=log&step=a%20b%E2%98%83",
    )  # fmt: skip


def test_missing_pages_say_so(world: World) -> None:
    absent = (
        "nothing", "pipelines/Absent", "pipelines/Absent/start", "pipelines/Demo/executions/absent", "models/absent",
        "models/Demo/999", "endpoints/absent", "monitoring/absent", "delivery/absent", "builds/a:absent",
        "jobs/training/absent", "jobs/processing/absent", "functions/absent", "apis/absent", "projects/absent",
        "stacks/absent",
    )  # fmt: skip
    for path in (f"/_studio/{page}" for page in absent):
        status, _, text = world.pages.get(path)
        assert status == 404, (path, text[-900:])
        assert "There is no such resource" in text
        status, _, text = world.pages.get(f"{path}.json")
        assert status == 404
        assert json.loads(text)["error"]["code"]


def test_sign_requests_are_still_answered(world: World) -> None:
    """The pages take nothing from the wire: a signed ListBuckets at the root is S3's."""
    assert "studio-data" in [item["Name"] for item in world.service.client("s3").list_buckets()["Buckets"]]


def test_every_copied_command_is_the_request_of_its_form(world: World) -> None:
    """ST-16: each is an operation of the AWS CLI with all members that it requires, and no other; one is run."""
    from botocore.session import get_session

    session, seen = get_session(), set()
    own = ("/_studio/pipelines/Demo", "/_studio/pipelines/Demo/start", "/_studio/models/Demo/1")
    job = world.pages.json("/_studio/jobs.json?kind=training")["rows"][0]["href"]
    for path in (*own, world.execution("Demo"), job):
        twin = world.pages.json(twin_of(path))
        commands = dict(twin.get("commands", {})) | ({"start": twin["command"]} if "command" in twin else {})
        assert commands, path
        for title, text in commands.items():
            words = shlex.split(text)
            assert words[:4] == ["local-sagemaker", "exec", "--", "aws"], text
            model = session.get_service_model(words[4])
            operation = model.operation_model({kebab(name): name for name in model.operation_names}[words[5]])
            members = {kebab(name): name for name in operation.input_shape.members}
            given = {word.removeprefix("--") for word in words[6:] if word.startswith("--")}
            assert given <= members.keys(), (title, text)
            required = {kebab(name) for name in operation.input_shape.required_members} - {"client-request-token"}
            assert required <= given, (title, text)
            seen.add(words[5])
    assert {"start-pipeline-execution", "retry-pipeline-execution", "update-model-package", "stop-training-job"} <= seen


@pytest.mark.parametrize("command", ["describe", "steps"])
def test_commands_do_what_they_say(world: World, command: str) -> None:
    twin = world.pages.json(twin_of(world.execution("Demo")))
    words = shlex.split(twin["commands"][command])
    assert words[:3] == ["local-sagemaker", "exec", "--"]
    assert world.executions["Demo"] in world.service.run(*words[3:]).stdout or command == "steps"


def test_versions_are_approved_with_a_comment(world: World) -> None:
    page = "/_studio/models/Demo/1"
    form = {"action": "status", "status": "Rejected", "comment": ""}
    assert world.pages.post(page, form)[0] == 422
    status, _, text = world.pages.post(page, {**form, "comment": "x", "seen": "1970-01-01T00:00:00.000+00:00"})
    assert status == 422
    assert "was changed while this page was open" in text
    seen = world.pages.json(f"{page}.json")["seen"]
    status, headers, _ = world.pages.post(page, {**form, "comment": f"not good: {HOSTILE}", "seen": seen})
    assert status == 303
    activity = world.pages.json(f"{page}.json?tab=activity")
    assert activity["status"] == "Rejected"
    assert activity["activity"][0]["comment"] == f"not good: {HOSTILE}"
    assert "<script>alert" not in world.pages.get(headers["location"])[2]


def test_content_of_users_is_in_a_sandbox(world: World) -> None:
    s3 = world.service.client("s3")
    key = "reports/<b>..//über 'x'.html"
    s3.put_object(Bucket="studio-data", Key=key, Body=b"<script>parent.document.title = 'taken'</script>")
    query = urlencode({"bucket": "studio-data", "key": key})
    status, headers, text = world.pages.get(f"/_studio/content?{query}")
    assert status == 200
    assert headers["content-security-policy"].startswith("sandbox; default-src 'none'")
    assert "<script>" in text
    status, _, text = world.pages.get(f"/_studio/s3/object?{query}")
    assert status == 200
    assert "<b>" not in text.partition("<main")[2]
    status, headers, text = world.pages.get(f"/_studio/download?{query}")
    assert status == 200
    assert headers["content-disposition"].startswith("attachment; filename*=UTF-8''")


def test_check_choices_send_all_four_pairs(world: World) -> None:
    """Found by reference, whatever the parameters are called."""
    from local_sagemaker.engine.definition import parse
    from local_sagemaker.studio.page import Visit
    from local_sagemaker.studio.pages import start

    step = {
        "Name": "Check", "Type": "QualityCheck", "Arguments": {}, "SkipCheck": {"Get": "Parameters.Left"},
        "RegisterNewBaseline": {"Get": "Parameters.Right"},
    }  # fmt: skip
    switches = [{"Name": name, "Type": "Boolean"} for name in ("Left", "Right")]
    definition = parse(json.dumps({"Version": "2020-12-01", "Parameters": switches, "Steps": [step]}))
    sent = {}
    for choice, _, _, pair in start.CHOICES:
        form = {"check.Check": [choice]}
        visit = Visit({}, {}, lambda _name, _request: {}, None, "", 0.0, form=form)  # type: ignore[arg-type]
        values = start.build_request(visit, definition, {"PipelineName": "P"}, {})["PipelineParameters"]
        sent[choice] = tuple(item["Value"] == "true" for item in values)
        assert sent[choice] == pair
    assert len(set(sent.values())) == 4
