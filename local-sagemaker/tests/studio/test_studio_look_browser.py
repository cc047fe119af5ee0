"""What a reader sees in a browser: times with their zone, whole values, the same view elsewhere, lists on a phone."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.studio.conftest import World
from tests.support import create_pipeline, finished, script_step, start, until

pytestmark = pytest.mark.timeout(900)


@pytest.fixture
def sign_in(world: World, open_window: Any) -> Any:
    """Opens a browser window at a page, signed in."""

    def open_at(path: str, **options: Any) -> Any:
        page = open_window(world, **options)
        page.goto(f"{world.pages.origin}{path}")
        return page

    return open_at


def test_times_have_their_zone_and_values_are_copied_whole(world: World, sign_in: Any) -> None:
    """ST-18: absolute and relative, exact in the title, in the viewer's zone; what is copied is the whole value."""
    rights = ["clipboard-read", "clipboard-write"]
    page = sign_in(world.execution("Demo"), timezone_id="Asia/Tokyo", permissions=rights)
    page.get_by_text("Times in Asia/Tokyo").wait_for()
    time = page.locator(".facts time").first
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d \(.+ ago\)", time.inner_text().strip())
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+09:00", time.get_attribute("datetime"))
    assert "Asia/Tokyo" in time.get_attribute("title")
    started = page.evaluate("Date.parse(document.querySelector('.facts time').dateTime)") / 1000
    assert started == pytest.approx(
        world.pages.json(world.execution("Demo") + ".json")["execution"]["start"], abs=0.002
    )
    page.get_by_role("button", name="Copy the ARN").first.click()
    read = "navigator.clipboard.readText()"
    until(lambda: page.evaluate(read) == world.executions["Demo"], "the whole ARN is on the clipboard", 60)
    page.goto(f"{world.pages.origin}/_studio/service?theme=dark")
    page.get_by_role("link", name="dark").click()
    page.emulate_media(media="print")
    assert page.evaluate("getComputedStyle(document.body).color") == "rgb(27, 35, 48)", "paper is light (ST-29)"


def test_an_address_is_the_view_and_back_restores_it(world: World, sign_in: Any) -> None:
    """ST-2: filters, sort, tab and step in another browser; page, filter and place after Back."""
    page = sign_in("/_studio/pipelines/Demo?status=Succeeded&sort=oldest")
    page.get_by_label("Rows").select_option("25")
    page.get_by_role("button", name="Apply").first.click()
    page.wait_for_url(re.compile("size=25"))
    other = sign_in(page.url.removeprefix(world.pages.origin))
    assert other.get_by_label("Status").input_value() == "Succeeded"
    assert other.get_by_label("Rows").input_value() == "25"
    rows = "[...document.querySelectorAll('tbody th a')].map(item => item.textContent)"
    assert other.evaluate(rows) == page.evaluate(rows) != []
    page.goto(f"{world.pages.origin}/_studio/events?tab=changes")
    page.set_viewport_size({"width": 1280, "height": 300})
    link = page.locator("tbody th a").nth(12)
    link.scroll_into_view_if_needed()
    place = page.evaluate("scrollY")
    assert place > 200
    link.click()
    page.wait_for_url(lambda url: "/events" not in url)
    page.go_back()
    page.wait_for_url(re.compile("tab=changes"))
    until(lambda: abs(page.evaluate("scrollY") - place) < 60, "Back restores the place on the page", 60)


def test_lists_are_rows_on_a_phone(world: World, sign_in: Any) -> None:
    """ST-30: no cell of a list is out of sight, numbers carry their headings, the chosen step has the page."""
    page = sign_in("/_studio/pipelines", viewport={"width": 360, "height": 780})
    outside = (
        "[...document.querySelectorAll('table.rows :is(td, tbody th)')].filter(cell => cell.offsetParent)"
        ".filter(cell => cell.getBoundingClientRect().right > innerWidth + 1).map(cell => cell.textContent)"
    )
    for path in (
        "/_studio/pipelines",
        "/_studio/pipelines/Demo",
        "/_studio/jobs",
        "/_studio/",
        world.execution("Demo"),
    ):
        page.goto(f"{world.pages.origin}{path}")
        assert page.locator("table.rows").count() > 0, path
        assert page.evaluate(outside) == [], path
    page.goto(f"{world.pages.origin}/_studio/pipelines")
    assert page.locator("td.num").first.get_attribute("data-label") == "Succeeded"
    page.goto(f"{world.pages.origin}{world.execution('Demo')}?step=Train&tab=requests")
    assert not page.get_by_role("region", name="Table of steps").is_visible()
    tab = page.get_by_role("link", name="Requests", exact=True).bounding_box()
    assert 0 <= tab["x"] < tab["x"] + tab["width"] <= 360, "the chosen tab is in sight"
    sizes = page.evaluate("[...document.querySelectorAll('button')].map(item => item.offsetHeight)")
    assert min(size for size in sizes if size) >= 24


def test_tags_fit_on_a_phone(world: World, sign_in: Any) -> None:
    """ST-30: a long key leaves its value the width of the page, and nothing of the table is out of sight."""
    sagemaker = world.service.client("sagemaker")
    arn = sagemaker.describe_pipeline(PipelineName="Demo")["PipelineArn"]
    key = "s3:model-approval-and-its-reason"
    sagemaker.add_tags(ResourceArn=arn, Tags=[{"Key": key, "Value": "s3://a-bucket/" + "a-long-folder/" * 12}])
    page = sign_in("/_studio/pipelines/Demo?tab=definition", viewport={"width": 360, "height": 780})
    table = page.get_by_role("region", name="Table of tags")
    assert table.evaluate("table => table.scrollWidth - table.clientWidth") <= 0
    value = table.get_by_text("s3://a-bucket/").first.locator("xpath=ancestor::td").bounding_box()
    assert value["width"] > 240, "it was 99 pixels beside a key of 132"
    sagemaker.delete_tags(ResourceArn=arn, TagKeys=[key])


CUT = (
    "[...document.querySelectorAll('th, td, dt, dd, h1, h2, .badge, .button')].filter(item => item.checkVisibility())"
    ".filter(item => !item.closest('.rows thead, .hidden') && item.clientWidth)"
    ".filter(item => item.scrollWidth > item.clientWidth + 1)"
    ".map(item => item.outerHTML.slice(0, 120))"
)
"""Elements whose text runs into what is beside them."""


def test_four_executions_stand_side_by_side_at_every_width(world: World, sign_in: Any) -> None:
    """No column runs into the next; when they started is in the viewer's zone, as on every page."""
    sagemaker = world.service.client("sagemaker")
    create_pipeline(sagemaker, "look", script_step("Say", "print(1)"), parameters=(
        {"Name": "AParameterWithALongName", "Type": "String", "DefaultValue": "s3://a-bucket/a-folder/a-file.csv"},
    ))  # fmt: skip
    arns = [start(sagemaker, "look") for _ in range(4)]
    assert {finished(sagemaker, arn)["PipelineExecutionStatus"] for arn in arns} == {"Succeeded"}
    query = "&".join(f"e={arn.rpartition('/')[2]}" for arn in arns)
    page = sign_in(f"/_studio/pipelines/look/compare?all=1&{query}", timezone_id="Asia/Tokyo")
    page.reload()
    assert "+09:00" in page.get_by_role("region", name="Table: Outcome").locator("time").first.get_attribute("datetime")
    for path in (f"pipelines/look/compare?all=1&{query}", "pipelines/look", ""):
        page.goto(f"{world.pages.origin}/_studio/{path}")
        for width in (1920, 1280, 768, 360):
            page.set_viewport_size({"width": width, "height": 900})
            assert page.evaluate(CUT) == [], (path, width)
    page.goto(f"{world.pages.origin}/_studio/pipelines/look")
    page.set_viewport_size({"width": 1920, "height": 900})
    assert page.locator("tbody td").first.bounding_box()["width"] < 60, "a check box has no wide column"


def test_rows_of_a_list_share_their_columns(world: World, sign_in: Any) -> None:
    """What needs a person begins at one line, whatever its badge says, and its buttons are of one width."""
    page = sign_in("/_studio/")
    edges = page.evaluate("[...document.querySelectorAll('.needs')].map(list => [...new Set([...list.children].map("
                          "item => Math.round(item.children[1].getBoundingClientRect().left)))].length)")  # fmt: skip
    assert edges
    assert set(edges) == {1}


def test_what_was_done_is_said_and_an_error_has_the_focus(world: World, sign_in: Any) -> None:
    """A notice after an action; the error of a form that was refused; Escape closes the menu."""
    page = sign_in("/_studio/pipelines/Demo?tab=definition")
    page.get_by_label("Key", exact=True).fill("team")
    page.get_by_label("Value", exact=True).fill("a")
    page.get_by_role("button", name="Set the tag").click()
    page.locator("#status", has_text="Set the tag: done").wait_for()
    page.get_by_label("Key", exact=True).fill("aws:team")
    page.get_by_label("Value", exact=True).fill("a")
    page.get_by_role("button", name="Set the tag").click()
    page.get_by_role("alert").wait_for()
    until(
        lambda: page.evaluate("document.activeElement.getAttribute('role')") == "alert", "the error has the focus", 60
    )
    assert page.locator("#status").inner_text() == ""
    page.locator(".menu summary").press("Enter")
    page.get_by_role("link", name="Lineage").wait_for()
    page.keyboard.press("Escape")
    assert not page.get_by_role("link", name="Lineage").is_visible()
    assert page.evaluate("document.activeElement.tagName") == "SUMMARY"
    world.service.client("sagemaker").delete_tags(
        ResourceArn=world.service.client("sagemaker").describe_pipeline(PipelineName="Demo")["PipelineArn"],
        TagKeys=["team"],
    )


def test_what_was_never_answered_is_not_said_to_be_done(world: World, sign_in: Any) -> None:
    """The form was sent and no page came of it; the next page that comes by a redirect says nothing of it."""
    page = sign_in("/_studio/pipelines/Demo?tab=definition")
    posted = "sessionStorage.getItem('posted')"
    page.route(
        "**/pipelines/Demo*",
        lambda route: route.fulfill(status=204) if route.request.method == "POST" else route.fallback(),
    )
    page.get_by_label("Key", exact=True).fill("team")
    with page.expect_response(lambda response: response.request.method == "POST"):
        page.get_by_role("button", name="Set the tag").click()
    page.goto(f"{world.pages.origin}/_studio/s3/object?bucket=studio-data&key=code")
    assert page.url.endswith("/_studio/s3?bucket=studio-data&prefix=code%2F")
    assert page.evaluate("performance.getEntriesByType('navigation')[0].redirectCount") == 1
    assert page.evaluate(posted) is None, "the page has looked for what was sent"
    assert page.locator("#status").inner_text() == ""
