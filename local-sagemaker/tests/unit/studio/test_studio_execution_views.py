"""The pure parts of an execution's page: fans, the timeline, the grid, colours of logs."""

from __future__ import annotations

import json
import re
from pathlib import Path

from local_sagemaker.engine.definition import parse
from local_sagemaker.engine.graph import graph
from local_sagemaker.studio.charts import gantt
from local_sagemaker.studio.graph import svg
from local_sagemaker.studio.rendering import FOLDER
from local_sagemaker.studio.views.ansi import Span, spans_of
from local_sagemaker.studio.views.data_flow import find_feeds
from local_sagemaker.studio.views.fan_out import find_fans, fold, hide_succeeded, keep_path
from local_sagemaker.studio.views.states import state_of
from local_sagemaker.studio.views.step_states import StepView, step_states
from local_sagemaker.studio.views.step_table import PAGE, choose_steps
from local_sagemaker.studio.views.timing import Segment, critical_path, read_attempts, segments


def fan_of(size: int, failed: str) -> list[StepView]:
    """Split, then so many steps of which one failed, then Join."""
    middle = [f"Part{place}" for place in range(size)]
    views = [StepView(name, "Training", "Failed" if name == failed else "Succeeded", "", ("Split",)) for name in middle]
    first, last = StepView("Split", "Processing", "Succeeded", ""), StepView("Join", "Processing", "Blocked", "")
    return [first, *views, StepView(last.name, last.type, last.state, "", tuple(middle))]


def test_a_fan_of_2000_is_one_box_that_says_what_failed() -> None:
    """The box leads to the grid of its members, in which the failed one is the first row: two clicks."""
    steps = fan_of(2_000, "Part1234")
    folded = fold(steps)
    assert [step.name for step in folded.steps] == ["Split", "Part0", "Join"]
    fan = folded.fans["Part0"]
    assert (fan.label, fan.state, fan.words) == ("Part × 2,000", "Failed", "1 failed, 1,999 succeeded")
    assert folded.steps[2].needs == ("Part0",)
    addresses = {"Split": "?step=Split", "Part0": "?group=Part0", "Join": "?step=Join"}
    drawn = str(svg.draw(folded.steps, [step.name for step in steps], addresses, "Part1234", folded.fans))
    assert drawn.startswith('<svg class="graph" role="group" aria-label="Graph of 2002 steps, 1 failed"')
    assert drawn.count("<a ") == 3
    assert 'node tone-bad chosen" href="?group=Part0"' in drawn
    rows = choose_steps(steps, members=fan.members).rows
    assert (rows[0].name, len(rows)) == ("Part1234", PAGE)


def test_eleven_siblings_are_no_fan_and_forty_are() -> None:
    assert not find_fans(fan_of(11, ""))
    assert find_fans(fan_of(40, "Part3"))["Part0"].words == "1 failed, 39 succeeded"


def test_the_grid_has_the_page_of_the_chosen_step_and_reaches_the_last() -> None:
    steps = [StepView(f"S{place:04}", "Processing", "Succeeded", "") for place in range(2_000)]
    assert "S1234" in [step.name for step in choose_steps(steps, chosen="S1234").rows]
    assert choose_steps(steps, number=99).rows[-1].name == "S1999"
    assert choose_steps(steps, text="s19", number=1).total == 100
    assert choose_steps(steps, state="Failed").rows == ()


def test_hidden_steps_are_joined_and_a_path_is_kept() -> None:
    steps = [
        StepView("A", "Processing", "Failed", ""), StepView("B", "Processing", "Succeeded", "", ("A",)),
        StepView("C", "Processing", "Succeeded", "", ("B",)), StepView("D", "Processing", "Blocked", "", ("C",)),
        StepView("E", "Processing", "Waiting", ""),
    ]  # fmt: skip
    assert [(step.name, step.needs) for step in hide_succeeded(steps)] == [("A", ()), ("D", ("A",)), ("E", ())]
    assert [step.name for step in keep_path(steps, "C")] == ["A", "B", "C", "D"]


def test_waiting_queue_and_attempts_are_segments() -> None:
    """What a step waited for, for a place among the parallel ones, each attempt, and the critical path."""
    first = StepView("A", "Processing", "Succeeded", "", (), 10.0, 14.0, 4.0)
    short = StepView("B", "Processing", "Succeeded", "", (), 10.0, 11.0, 1.0)
    last = StepView("C", "Processing", "Succeeded", "", ("A", "B"), 16.0, 22.0, 6.0, attempts=2)
    by_name = {step.name: step for step in (first, short, last)}
    notes = read_attempts(["Attempt 1 ended at 1970-01-01T00:00:18.000Z after 2.000 s: no", "Cache miss: first run"])
    parts = segments(last, by_name, 10.0, 22.0, notes)
    assert parts == (
        Segment("waiting", 10.0, 14.0), Segment("queued", 14.0, 16.0), Segment("failed", 16.0, 18.0),
        Segment("running", 18.0, 22.0),
    )  # fmt: skip
    assert critical_path([first, short, last]) == {"A", "C"}
    drawn = str(gantt.draw(parts, "Succeeded", 10.0, 22.0, "C", critical=True))
    assert 'class="wait"' in drawn
    assert 'class="queue"' in drawn
    assert 'tone-bad failed"' in drawn
    assert "C: waited 4.0 s, queued 2.0 s, failed attempt 2.0 s, ran 4.0 s, on the critical path" in drawn
    waiting = StepView("D", "Processing", "Waiting", "", ("C", "E"))
    running = {**by_name, "E": StepView("E", "Processing", "Executing", "", (), 11.0)}
    assert segments(waiting, running, 10.0, 25.0) == (Segment("waiting", 10.0, 25.0),)
    assert segments(StepView("X", "Processing", "Blocked", ""), {}, 10.0, 22.0) == ()


RECORDED = json.loads((Path(__file__).parent / "recorded_executions.json").read_text())
"""Executions of a service: what DescribePipelineExecution, DescribePipelineDefinitionForExecution and
ListPipelineExecutionSteps said at one moment of each."""


def test_states_of_recorded_executions() -> None:
    """The 13 states, and an execution that is CompletedWithFailures."""
    states = {}
    for recorded in RECORDED:
        definition = parse(json.dumps(recorded["definition"]))
        views = step_states(
            definition, graph(definition), recorded["status"], recorded["steps"], recorded["now"]
        )  # fmt: skip
        states[recorded["title"]] = {view.name: view.state for view in views}
    assert states == {
        "a failure that a run condition went on from, a reused step, a branch": {
            "Cached": "Reused", "Bad": "FailedTolerated", "Gate": "Succeeded", "Yes": "Succeeded",
            "Notify": "Succeeded", "No": "NotTaken", "OnlyIfCachedFails": "NotMet",
        },
        "a failed step and what never started": {"Bad": "Failed", "Next": "Blocked", "Later": "Blocked"},
        "a second attempt": {"Bad": "Retrying", "Next": "Waiting", "Later": "Waiting"},
        "one at a time: running, queued, waiting": {"Long": "Executing", "Other": "Queued", "After": "Waiting"},
        "stopped": {"Long": "Stopped", "Other": "Blocked", "After": "Blocked"},
        "a selected step": {"One": "NotSelected", "Two": "Succeeded"},
    }  # fmt: skip
    assert RECORDED[0]["status"] == "CompletedWithFailures"
    assert len({state for views in states.values() for state in views.values()}) == 13


def test_edges_tell_which_output_feeds_which_input() -> None:
    """ST-7: the title of an edge; an edge of order alone says no more than its ends."""
    uri = {"Get": "Steps.Prepare.ProcessingOutputConfig.Outputs['train'].S3Output.S3Uri"}
    channel = {"ChannelName": "training", "DataSource": {"S3DataSource": {"S3Uri": uri}}}
    model = {"ModelDataUrl": {"Get": "Steps.Train.ModelArtifacts.S3ModelArtifacts"}}
    steps = [
        {"Name": "Prepare", "Type": "Processing", "Arguments": {}},
        {"Name": "Train", "Type": "Training", "Arguments": {"InputDataConfig": [channel]}},
        {"Name": "Make", "Type": "Model", "Arguments": {"PrimaryContainer": model}},
        {"Name": "Last", "Type": "Processing", "Arguments": {}, "DependsOn": ["Make"]},
    ]
    definition = parse(json.dumps({"Version": "2020-12-01", "Steps": steps}))
    feeds = find_feeds(definition)
    assert feeds == {
        "Train": {"Prepare": ("train feeds InputDataConfig training",)},
        "Make": {"Train": ("S3ModelArtifacts feeds PrimaryContainer",)},
    }
    nodes = graph(definition)
    views = [StepView(name, step.type, "Defined", "", nodes[name].upstream) for name, step in definition.steps.items()]
    drawn = str(svg.draw(views, list(definition.steps), {view.name: "#" for view in views}, feeds=feeds))
    assert "<title>Prepare to Train\ntrain feeds InputDataConfig training</title>" in drawn
    assert "<title>Make to Last</title>" in drawn
    assert ">Processing</text>" in drawn, "a step that is only defined does not wait"


def test_notes_fit_into_their_boxes() -> None:
    """The longest duration and the words of a state beside a short name; 6.2 pixels a character of the note."""
    for state, seconds in (("NotTaken", None), ("Executing", 189.0), ("Executing", 8_000.0)):
        step = StepView("A", "ClarifyCheck", state, "", seconds=seconds)
        drawn = str(svg.draw([step], ["A"], {"A": "#"}))
        note = re.findall(r'<text class="note"[^>]*>([^<]*)</text>', drawn)[0]
        width = float(re.findall(r'<rect class="box"[^>]* width="([\d.]+)"', drawn)[0])
        assert 42 + 6.2 * len(note) <= width, note


STATES = (
    "Waiting", "Queued", "Executing", "Retrying", "Succeeded", "Reused", "Failed", "FailedTolerated", "Stopped",
    "NotTaken", "Blocked",
)  # fmt: skip


def test_states_are_told_apart_without_colour() -> None:
    """Each state has a shape of its own, or words of its own where two share one (not taken and not met, reused
    and not selected)."""
    sprite = (FOLDER / "templates" / "_icons.html").read_text()
    shapes = dict(re.findall(r'<symbol id="i-([\w-]+)"[^>]*>(.*?)</symbol>', sprite))
    drawn = [shapes[state_of(state).icon] for state in STATES]
    assert len(set(drawn)) == len(STATES)
    every = (*STATES, "NotSelected", "NotMet", "Starting", "Stopping", "CompletedWithFailures")
    assert len({state_of(state).word for state in every}) == len(every)


def test_colours_of_a_terminal_are_tones() -> None:
    assert spans_of("#033[1;31mno#033[0m yes") == (Span("bad", "no"), Span("", " yes"))
    assert spans_of("\x1b[2K\x1b[32mdone") == (Span("ok", "done"),)
    assert spans_of("plain") == (Span("", "plain"),)
