"""Tables fit a terminal of 80 columns and 24 lines: the live one of run-pipeline, versions and their comparison."""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from rich.console import Console
from rich.text import Text

from pipelines import progress
from tests.project.building import STEPS
from tests.project.delivering import register, upload
from tests.project.pseudo_terminal import written_to_terminal
from tests.support import Service

START = datetime(2026, 1, 1, tzinfo=UTC)
NOTE = "Cache miss: AppSpecification.ContainerArguments differs from the newest run (execution abc): '1' and '2'"


def on_terminal(service: Service, *words: str, columns: int = 80, lines: int = 24) -> list[str]:
    """The lines that a command writes to a terminal of this size."""
    environment = {**service.environment(), "TERM": "xterm"}
    environment.pop("COLUMNS", None)
    shown = written_to_terminal(words, environment, columns=columns, lines=lines)
    return [strip(line) for line in shown.replace("\r", "").splitlines()]


def strip(line: str) -> str:
    """Without the control sequences for colours."""
    return Text.from_ansi(line).plain


@pytest.fixture(scope="module")
def group(service: Service) -> str:
    """A group with a long name and seven versions."""
    name = "AbalonePackageGroupOfALongName"
    uri = upload(service, "terminal")
    service.client("sagemaker").create_model_package_group(ModelPackageGroupName=name)
    for number in range(7):
        register(
            service, name, uri, ModelPackageDescription=f"Version {number} with a text that is longer than it may be"
        )
    return name


def test_versions_are_listed_by_number(service: Service, group: str) -> None:
    lines = on_terminal(service, "model-registry", "list", group)
    assert max(map(len, lines)) <= 80
    rows = [[cell.strip() for cell in line.strip("│").split("│")] for line in lines if "│" in line]
    assert [row[:2] for row in rows] == [[str(number), "pending"] for number in range(7, 0, -1)]
    assert group in lines[0] and "arn:" not in "".join(lines)
    assert f"model-package/{group.lower()}/7" in "".join(
        on_terminal(service, "model-registry", "list", group, columns=200)
    )


def test_versions_are_compared_in_as_many_tables_as_it_takes(service: Service, group: str) -> None:
    lines = on_terminal(service, "model-registry", "compare", group, "--last", "7")
    assert max(map(len, lines)) <= 80
    heads = [line.replace("┃", " ").split()[1:] for line in lines if "Metric" in line]
    assert [number for head in heads for number in head] == [str(number) for number in range(1, 8)]
    assert len(heads) == 2
    assert "…" not in "".join(lines)


def test_groups_are_listed_whole(service: Service, group: str) -> None:
    lines = on_terminal(service, "model-registry", "list")
    assert max(map(len, lines)) <= 80 and any(group in line for line in lines)


def drawn(names: list[str], **statuses: list[str]) -> list[str]:
    """What the live table shows at 80x24 of steps with these statuses; the others wait."""
    console = Console(file=io.StringIO(), force_terminal=True, width=80, height=24)
    live = progress.LiveTable(console, {"Steps": [{"Name": name, "Type": "Processing"} for name in names]})
    live.close()
    steps: dict[str, Any] = {
        name: {"StepStatus": status, "StartTime": START, "EndTime": START + timedelta(seconds=100)}
        for status, having in statuses.items()
        for name in having
    }
    with console.capture() as captured:
        console.print(live.table(progress.Progress(steps=steps, notes=dict.fromkeys(steps, NOTE))))
    return [strip(line) for line in captured.get().splitlines()]


def test_the_live_table_of_the_abalone_pipeline_shows_every_step() -> None:
    names = list(STEPS)
    lines = drawn(names, Succeeded=names[:4], Executing=names[4:6])
    assert len(lines) <= 23 and max(map(len, lines)) <= 80
    assert all(any(line.split()[:1] == [name] for line in lines) for name in names)


def test_the_live_table_leaves_out_what_ended_well_first() -> None:
    names = [f"StepNumber{number}" for number in range(40)]
    lines = drawn(names, Succeeded=names[:20], Failed=[names[20]], Executing=names[21:25])
    assert len(lines) <= 23
    text = "\n".join(lines)
    assert all(f"{name} " in text for name in names[20:25])
    assert "and 20 Succeeded, 3 waiting" in text and "21 of 40 steps done" in lines[0]
