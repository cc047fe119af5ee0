"""The tour's hour: a clock that is moved where monitors would be due in the middle of the story."""

from __future__ import annotations

import json

import pytest

from delivery.project.tour_clock import avoid_the_hour


@pytest.mark.parametrize(("time", "moved"), [("23:51:20", "9m"), ("10:15:00", "45m"), ("10:14:59", "")])
def test_the_clock_is_moved_to_the_next_hour_where_this_one_is_soon_over(time: str, moved: str) -> None:
    commands: list[tuple[str, ...]] = []

    def run(*words: str) -> str:
        commands.append(words)
        return json.dumps({"now": f"2026-11-29T{time}Z"})

    assert bool(avoid_the_hour(run)) == bool(moved)
    assert commands[1:] == ([("local-sagemaker", "clock", moved)] if moved else [])
