"""The execution's page in a browser: by keys alone, without script, two browsers at once, logs that grow, and paper."""

from __future__ import annotations

import re
from functools import partial
from typing import Any
from urllib.parse import quote

import pytest

from local_sagemaker.cli.control import post
from local_sagemaker.logs import Logs
from local_sagemaker.testing import temporary_service
from tests.studio.conftest import READ, Pages, World, file_step, pages_of
from tests.support import create_pipeline, finished, script_step, start

pytestmark = pytest.mark.timeout(900)
OUTSIDE = (
    "[...document.querySelectorAll('.graph .node > *')].filter(item => {"
    " const part = item.getBoundingClientRect();"
    " const box = item.parentElement.querySelector('.box').getBoundingClientRect();"
    " return !part.width || part.left < box.left - 1 || part.right > box.right + 1 || part.top < box.top - 1"
    " || part.bottom > box.bottom + 1; }).map(item => item.outerHTML)"
)
GROUP, STREAM = "/aws/sagemaker/ProcessingJobs", "grows/algo-1"


@pytest.fixture
def sign_in(world: World, open_window: Any) -> Any:
    """Opens a browser window that is signed in."""
    return partial(open_window, world)


def test_by_keys_alone_and_back(world: World, sign_in: Any) -> None:
    """The graph by arrows, one selection in all views, the panel's keys, and the way back."""
    page = sign_in()
    page.goto(f"{world.pages.origin}{world.execution('Demo')}")
    page.locator(".graph a.node[tabindex='0']").focus()
    page.keyboard.press("ArrowDown")
    assert page.evaluate("document.activeElement.dataset.step") == "Train"
    page.locator("tr.also[data-step='Train']").wait_for()
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("step=Train"))
    page.locator("tr.chosen[data-step='Train']").wait_for()
    page.locator(".graph a.node.chosen[data-step='Train']").wait_for()
    page.keyboard.press("l")
    page.wait_for_url(re.compile("tab=log"))
    page.locator(".log", has_text="train-rmse").wait_for()
    page.keyboard.press("]")
    page.wait_for_url(re.compile("step=Register"))
    page.go_back()
    page.wait_for_url(re.compile("step=Train.*tab=log|tab=log.*step=Train"))
    page.locator("#step-title", has_text="Train").wait_for()
    page.keyboard.press("Escape")
    page.wait_for_url(re.compile("step=-"))
    page.locator("#step-title").wait_for(state="detached")
    page.keyboard.press("?")
    page.get_by_role("dialog", name="Keys").wait_for()
    page.keyboard.press("Escape")


def test_failing_run_is_explained_and_retried(world: World, sign_in: Any) -> None:
    """ST-4: what failed is on the page; once its cause is mended, a retry from the page succeeds."""
    sagemaker, s3 = world.service.client("sagemaker"), world.service.client("s3")
    s3.put_object(Bucket="studio-data", Key="code/mended.py", Body=READ.encode())
    create_pipeline(sagemaker, "Mended", file_step("Read", "mended.py"))
    arn = start(sagemaker, "Mended")
    assert finished(sagemaker, arn)["PipelineExecutionStatus"] == "Failed"
    page = sign_in()
    page.goto(f"{world.pages.origin}/_studio/pipelines/Mended/executions/{arn.rpartition('/')[2]}")
    failure = page.get_by_role("region", name="Failure")
    assert "FileNotFoundError" in failure.inner_text()
    assert "return json.load(open(name))" in failure.locator(".source-line.at").inner_text()
    assert "absent.json" in failure.get_by_role("region", name="End of the log").inner_text()
    s3.put_object(Bucket="studio-data", Key="code/mended.py", Body=b"print('mended')")
    page.get_by_role("button", name="Retry", exact=True).click()
    page.get_by_role("button", name="Retry now").click()
    page.locator("h1 + .badge", has_text="Succeeded").wait_for()
    assert failure.count() == 0


def test_zoom_drag_and_paper(world: World, sign_in: Any) -> None:
    """Larger by a button, 200 % of the browser (half the width), and print."""
    page = sign_in()
    page.goto(f"{world.pages.origin}{world.execution('Demo')}")
    assert page.evaluate(OUTSIDE) == [], "nothing of a node is drawn outside of its box"
    before = page.locator("svg.graph").bounding_box()["width"]
    page.get_by_role("button", name="Larger").click()
    assert page.locator("svg.graph").bounding_box()["width"] > before
    page.get_by_role("button", name="100 %").click()
    page.set_viewport_size({"width": 640, "height": 450})
    assert not page.evaluate("document.documentElement.scrollWidth > innerWidth")
    assert page.pdf().startswith(b"%PDF")
    page.emulate_media(media="print")
    assert not page.get_by_role("navigation", name="Main").is_visible()
    assert page.get_by_role("heading", name="Steps", exact=True).is_visible()


def test_without_script(world: World, sign_in: Any) -> None:
    """Pages are read and forms are sent without script; dialogs are parts of the page."""
    page = sign_in(java_script_enabled=False)
    page.goto(f"{world.pages.origin}{world.execution('Broken')}")
    assert "FileNotFoundError" in page.get_by_role("region", name="Failure").inner_text()
    page.get_by_role("button", name="Retry", exact=True).click()
    page.wait_for_url(re.compile("dialog=retry"))
    assert page.get_by_role("button", name="Retry now").is_visible()
    page.goto(f"{world.pages.origin}/_studio/pipelines/Demo")
    page.get_by_label("Status").select_option("Failed")
    page.get_by_role("button", name="Apply").first.click()
    page.get_by_text(re.compile("None of .* fits the filter")).wait_for()
    page.goto(f"{world.pages.origin}{world.execution('Demo')}?step=Train&tab=log")
    page.get_by_role("link", name="Top", exact=True).click()
    page.wait_for_url(re.compile("at=top"))
    page.goto(f"{world.pages.origin}/_studio/pipelines/Demo/start")
    page.get_by_label("Rounds").fill("x" * 1500)
    page.get_by_role("button", name="Start", exact=True).click()
    page.get_by_role("alert").wait_for()
    assert page.get_by_role("textbox", name="Rounds").input_value() == "x" * 1500
    _pick_from_s3(page, f"{world.pages.origin}/_studio/pipelines/Broken/start")


def _pick_from_s3(page: Any, start: str) -> None:
    """S3 is browsed inside the form, which keeps what was typed; Enter in a field starts, and browses nothing."""
    page.goto(start)
    page.get_by_label("Description").fill("kept")
    page.get_by_role("button", name="Browse S3 for InputDataUrl").click()
    folder = page.get_by_role("region", name="Objects for InputDataUrl")
    folder.get_by_role("button", name="prepare.py").wait_for()
    folder.get_by_role("button", name="Folder above").click()
    folder.get_by_role("button", name="All buckets").click()
    folder.get_by_role("button", name="studio-data").click()
    folder.get_by_role("button", name="code/").click()
    folder.get_by_role("button", name="Take this folder").click()
    page.get_by_text("InputDataUrl", exact=True).first.wait_for()
    assert page.get_by_role("textbox", name="InputDataUrl").input_value() == "s3://studio-data/code/"
    assert page.get_by_label("Description").input_value() == "kept"
    assert page.locator("form[method=post] button").first.inner_text() == "Start", "what Enter does"


def test_two_browsers_agree(world: World, sign_in: Any) -> None:
    """What one does is on the other's page without a reload."""
    one, other = sign_in(), sign_in()
    other.goto(f"{world.pages.origin}/_studio/pipelines/Demo")
    other.evaluate("window.open_since = 1")
    one.goto(f"{world.pages.origin}/_studio/pipelines/Demo/start")
    one.get_by_label("Rounds").fill("4")
    one.get_by_role("button", name="Start", exact=True).dblclick()  # starts one
    one.wait_for_url(re.compile("/executions/"))
    identifier = one.url.rpartition("/")[2].partition("?")[0]
    row = other.locator("tbody tr", has_text=identifier)
    row.locator(".badge", has_text="Succeeded").wait_for()
    assert other.evaluate("window.open_since") == 1
    one.locator("h1 + .badge", has_text="Succeeded").wait_for()
    arn = f"{world.executions['Demo'].rpartition('/')[0]}/{identifier}"
    assert finished(world.service.client("sagemaker"), arn)["PipelineExecutionStatus"] == "Succeeded"
    rows = world.pages.json("/_studio/pipelines/Demo.json?p.Rounds=%3D4")["listing"]["rows"]
    assert [item["identifier"] for item in rows] == [identifier]


def test_start_form_keeps_what_was_typed(world: World, sign_in: Any) -> None:
    """Through a session that ended, and the way back. The command follows what is typed, valid or not."""
    page = sign_in()
    page.goto(f"{world.pages.origin}/_studio/pipelines/Demo/start")
    page.get_by_label("Rounds").fill("77")
    command = page.locator("#preview-command")
    page.get_by_label("Most steps at once").fill("4")
    command.get_by_text("77").wait_for()
    page.get_by_label("Most steps at once").fill("4x")
    command.get_by_text("A value is not valid yet.").wait_for()
    page.get_by_label("Most steps at once").fill("")
    command.get_by_text("77").wait_for()
    page.context.clear_cookies()
    page.get_by_role("button", name="Start", exact=True).click()
    page.get_by_text("Sign in with the link").wait_for()
    page.goto(post(world.service.settings, world.service.description, "studio")["url"])
    page.wait_for_url(f"{world.pages.origin}/_studio/")
    page.goto(f"{world.pages.origin}/_studio/pipelines/Demo/start")
    page.wait_for_function("document.getElementById('p.Rounds').value === '77'")


def test_log_is_followed_and_a_line_has_an_address(world: World, sign_in: Any) -> None:
    """What is written appears; who has scrolled up sees how much is new; a line's address leads to it."""
    logs = Logs(world.service.settings.logs)
    logs.put(GROUP, STREAM, [(place, f"line {place}") for place in range(300)])
    page = sign_in()
    page.goto(f"{world.pages.origin}/_studio/logs?group={quote(GROUP, safe='')}&stream={quote(STREAM, safe='')}")
    page.locator(".log div", has_text="line 299").wait_for()
    logs.put(GROUP, STREAM, [(1000, "written later")])
    logs.mark(GROUP, STREAM, final=True)
    page.locator(".log div", has_text="written later").wait_for()
    page.locator(".log").evaluate("box => { box.scrollTop = 0; }")
    logs.put(GROUP, STREAM, [(2000, "written when nobody looked")])
    logs.mark(GROUP, STREAM, final=True)
    page.get_by_role("button", name="1 new line", exact=True).click()
    page.locator(".log div", has_text="line 7").first.hover()
    page.locator("#L7 .n").click(force=True)
    page.wait_for_url(re.compile("token=.*#L7"))
    assert page.locator("div:target").inner_text().strip().endswith("line 7")
    assert page.evaluate("window.find('line 9')"), "the browser's own find sees the lines"
    page.get_by_label("Search the whole stream").fill("line")
    page.get_by_role("button", name="Search").click()
    page.get_by_role("heading", name="Lines with “line”: 300", exact=True).wait_for()
    assert page.locator("[aria-label=Hits] .log > div").count() == 300, "beyond the first 200 it goes on by itself"
    page.locator("[aria-label=Hits] .log a", has_text="line 299").click()
    assert page.locator(".log .hit").inner_text().strip().endswith("line 299")


def _look_at_empty_pages(pages: Pages) -> None:
    """ST-1: each page of the navigation says what would be here while there is nothing."""
    home = pages.get("/_studio/")[2]
    assert "make run" in home
    menu = home.partition('id="menu"')[2].partition("</nav>")[0]
    places = re.findall(r'href="(/_studio/\w+)"', menu)
    assert len(places) == len({*places}) >= 14
    for place in places:
        status, _, text = pages.get(place)
        assert status == 200, place
        assert 'class="empty' in text or place.endswith("/service"), place


def test_restart_under_an_open_page(browser: Any) -> None:
    """The page says that it is reconnecting, and shows what happened after the restart, without a reload; a form keeps
    its entries; what was deleted, and a session that ended, are said on the page."""
    with temporary_service() as service:
        _look_at_empty_pages(pages_of(service))
        create_pipeline(service.client("sagemaker"), "Before", script_step("Only", "print(1)"))
        context = browser.new_context()
        page = context.new_page()
        page.set_default_timeout(120_000)
        page.goto(post(service.settings, service.description, "studio")["url"])
        page.get_by_role("navigation", name="Main").get_by_role("link", name="Pipelines").click()
        page.get_by_role("link", name="Before", exact=True).wait_for()
        page.evaluate("window.open_since = 1")
        form = context.new_page()
        form.set_default_timeout(120_000)
        form.goto(page.url + "/Before/start")
        form.get_by_label("Name", exact=True).fill("typed before")
        service.down()
        page.locator("#status", has_text="Reconnecting").wait_for()
        assert page.get_by_role("link", name="Before", exact=True).is_visible()
        form.get_by_role("button", name="Start", exact=True).click()
        form.wait_for_url("chrome-error:**")
        service.up()
        form.goto(page.url + "/Before/start")
        form.wait_for_function("document.getElementsByName('name')[0].value === 'typed before'")
        create_pipeline(service.client("sagemaker"), "After", script_step("Only", "print(1)"))
        page.get_by_role("link", name="After", exact=True).wait_for()
        assert page.evaluate("window.open_since") == 1
        form.goto(page.url + "/Before?tab=definition")
        service.client("sagemaker").delete_pipeline(PipelineName="Before")
        form.locator("#status", has_text="This was deleted").wait_for()
        assert form.get_by_role("heading", name="Before", exact=True).is_visible(), "what was there stays"
        post(service.settings, service.description, "studio-revoke")
        create_pipeline(service.client("sagemaker"), "Unseen", script_step("Only", "print(1)"))
        page.locator("#status", has_text="The session has ended").wait_for()
        context.close()
