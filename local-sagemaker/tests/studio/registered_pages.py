"""An address of every page that is registered, over the full world; a page without one fails the tests."""

from __future__ import annotations

from urllib.parse import quote, urlencode

from local_sagemaker.studio.page import PREFIX
from local_sagemaker.studio.registry import PAGES
from tests.studio.conftest import World
from tests.studio.full_world import Full

CONTENT = {"/content", "/download", "/logs/download", "/logs/lines", "/pipelines/{pipeline}/executions.csv"}
"""What is no page of its own: parts and downloads."""


def addresses(world: World, full: Full) -> dict[str, list[str]]:
    """The addresses by route; several where a page has tabs that show other things."""
    execution = world.execution("Demo").removeprefix(PREFIX)
    identifier = execution.rpartition("/")[2]
    arn = world.pages.json("/_studio/models/Demo/1.json")["arn"]
    endpoint, build = f"/endpoints/{full.endpoint}", f"/builds/{quote(full.failing_build, safe='')}"
    job = world.pages.json("/_studio/jobs.json?kind=training")["rows"][0]["href"].removeprefix(PREFIX)
    return {
        "/": ["/"],
        "/search": ["/search?q=demo"],
        "/pipelines": ["/pipelines"],
        "/pipelines/{pipeline}": [
            "/pipelines/Demo", "/pipelines/Churn?tab=definition",
            *(f"/pipelines/Demo?tab={tab}" for tab in ("graph", "versions", "parameters", "definition")),
        ],
        "/pipelines/{pipeline}/start": ["/pipelines/Demo/start", "/pipelines/Broken/start?browse=InputDataUrl"],
        "/pipelines/{pipeline}/compare": [f"/pipelines/Demo/compare?e={identifier}"],
        "/pipelines/{pipeline}/executions/{execution}": [
            f"{execution}?step=Train", f"{world.execution('Broken').removeprefix(PREFIX)}?direction=right",
        ],
        "/models": ["/models"],
        "/models/{group}": ["/models/Demo"],
        "/models/{group}/compare": ["/models/Demo/compare?v=1"],
        "/models/{group}/{version}": [
            f"/models/Demo/1?tab={tab}" for tab in ("quality", "data", "bias", "explainability", "activity", "settings")
        ],
        "/endpoints": ["/endpoints"],
        "/endpoints/{endpoint}": [
            f"{endpoint}?tab={tab}" for tab in ("overview", "test", "traffic", "capture", "log", "settings")
        ],
        "/monitoring": ["/monitoring"],
        "/monitoring/{schedule}": [f"/monitoring/{full.schedule}"],
        "/delivery": ["/delivery"],
        "/delivery/{pipeline}": [f"/delivery/{full.delivery}"],
        "/builds/{build}": [build],
        "/batches/{batch}": [f"/batches/{quote(full.batch, safe='')}"],
        "/projects/{project}": [f"/projects/{full.project}"],
        "/stacks/{stack}": [f"/stacks/{full.stack}", f"/stacks/{full.foreign_stack}"],
        "/jobs": [f"/jobs?kind={kind}" for kind in ("training", "processing", "transform", "tuning")],
        "/jobs/{kind}/{name}": [job, f"{job}?tab=log"],
        "/experiments": ["/experiments"],
        "/logs": ["/logs", "/logs?group=/aws/sagemaker/TrainingJobs&search=Train"],
        "/s3": ["/s3", "/s3?bucket=studio-odd&prefix=odd/"],
        "/s3/object": ["/s3/object?" + urlencode({"bucket": "studio-odd", "key": "reports/hostile.html"})],
        "/lineage": ["/lineage", "/lineage?" + urlencode({"arn": arn, "depth": 3})],
        "/events": [f"/events?tab={tab}" for tab in ("events", "rules", "send", "changes")],
        "/functions": ["/functions"],
        "/functions/{function}": ["/functions/echo"],
        "/apis": ["/apis"],
        "/apis/{api}": [f"/apis/{full.api}"],
        "/service": ["/service"],
    }  # fmt: skip


def with_variables(world: World) -> dict[str, list[str]]:
    """More addresses by route: tabs that show the variables of a job, a model or a definition."""
    execution = world.execution("Demo").removeprefix(PREFIX)
    address = f"{PREFIX}/jobs.json?kind=processing&q=Prepare"
    job = world.pages.json(address)["rows"][0]["href"].removeprefix(PREFIX)
    compared = f"/pipelines/Demo/compare?all=1&e={execution.rpartition('/')[2]}"
    return {
        "/pipelines/{pipeline}/executions/{execution}": [
            *(f"{execution}?step=Prepare&tab={tab}" for tab in ("overview", "parameters", "log", "requests")),
            f"{execution}?step=Register&tab=parameters",
        ],
        "/pipelines/{pipeline}/compare": [compared],
        "/jobs/{kind}/{name}": [f"{job}?tab=parameters", f"{job}?tab=requests"],
    }  # fmt: skip


def missing(found: dict[str, list[str]]) -> set[str]:
    """Registered routes that have no address."""
    return {page.route for page in PAGES if page.template} - found.keys() - CONTENT


def twin_of(path: str) -> str:
    """The address of a page's JSON twin."""
    page, _, query = path.partition("?")
    page = page.rstrip("/") or "/index"
    return f"{PREFIX}{page}.json" + (f"?{query}" if query else "")
