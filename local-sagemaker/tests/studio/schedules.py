"""What the page of a monitoring schedule changes."""

from __future__ import annotations

from tests.studio.conftest import World


def change_schedule(world: World, page: str, before: str) -> None:
    """UpdateMonitoringSchedule: refused in the API's words with what was typed, done, and set back."""
    form = {"action": "change", "expression": "cron(5 * ? * * *)"}
    status, _, text = world.pages.post(f"{page}?dialog=change", form)
    assert (status, f'value="{form["expression"]}"' in text, "ValidationException" in text) == (422, True, True)
    assert world.pages.post(page, {**form, "expression": " "})[0] == 422
    for expression in ("cron(0 0/6 ? * * *)", before):
        status, _, text = world.pages.post(page, {**form, "expression": expression})
        assert status == 303, text
        twin = world.pages.json(f"{page}.json")
        assert twin["schedule"] == expression
        assert twin["described"]["MonitoringScheduleConfig"]["MonitoringJobDefinitionName"], "the definition stays"
