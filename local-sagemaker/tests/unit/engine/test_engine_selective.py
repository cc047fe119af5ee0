"""Selective execution: what runs, what is taken over, and which selections are refused."""

from __future__ import annotations

from typing import Any

import pytest

from local_sagemaker.errors import ResourceNotFound, ValidationError
from tests.unit.engine.world import World, fails, get, hang, processing, until


def uses(name: str, *others: str) -> dict[str, Any]:
    environment = {other: get(f"Steps.{other}.ProcessingJobName") for other in others}
    return processing(name, Environment=environment)


CHAIN = [uses("A"), uses("B", "A"), uses("C", "B"), uses("D", "C")]


def select(*names: str, source: str | None = None) -> dict[str, Any]:
    config: dict[str, Any] = {"SelectedSteps": [{"StepName": name} for name in names]}
    return {"SelectiveExecutionConfig": {**config, **({"SourcePipelineExecutionArn": source} if source else {})}}


def test_a_selected_step_takes_its_inputs_from_the_source(world: World) -> None:
    source = world.run(CHAIN)
    arn = world.wait(world.start(**select("C", source=source)))
    assert world.statuses(arn) == {"B": "Succeeded", "C": "Succeeded"}
    steps = world.steps(arn)
    assert steps["B"]["SelectiveExecutionResult"] == {"SourcePipelineExecutionArn": source}
    assert steps["B"]["Metadata"] == world.steps(source)["B"]["Metadata"]
    assert "SelectiveExecutionResult" not in steps["C"]
    assert world.processing.requests[-1]["Environment"] == {"B": world.job_of(source, "B")}
    assert world.describe(arn)["SelectiveExecutionConfig"]["SourcePipelineExecutionArn"] == source


def test_a_failed_source_serves_what_succeeded_in_it(world: World) -> None:
    world.plan = {"B": fails("x")}
    source = world.run(CHAIN)
    world.plan = {}
    arn = world.wait(world.start(**select("B", "C", source=source)))
    assert world.statuses(arn) == {"A": "Succeeded", "B": "Succeeded", "C": "Succeeded"}
    with pytest.raises(ValidationError, match="which did not succeed there"):
        world.start(**select("C", source=source))


def test_a_first_step_needs_no_source(world: World) -> None:
    world.create(CHAIN)
    arn = world.wait(world.start(**select("A")))
    assert world.statuses(arn) == {"A": "Succeeded"} and world.status(arn) == "Succeeded"


def test_a_branch_step_runs_without_its_condition(world: World) -> None:
    test = {"Type": "Equals", "LeftValue": 1, "RightValue": 2}
    condition = {"Name": "If", "Type": "Condition", "Arguments": {"Conditions": [test], "IfSteps": [uses("In")]}}
    world.create([condition])
    assert world.statuses(world.wait(world.start(**select("In")))) == {"In": "Succeeded"}
    assert world.statuses(world.wait(world.start(**select("If")))) == {"If": "Succeeded"}


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["C"], "Invalid SourcePipelineExecutionArn: null. The selected steps [C] have dependencies on [B]"),
        (["B", "C"], "Invalid SourcePipelineExecutionArn: null. The selected steps [B, C] have dependencies on [A]"),
        (["B", "D"], "[C] must be selected too"),
        (["X"], "step 'X' is not in the pipeline"),
    ],
)
def test_refused_selections(world: World, names: list[str], message: str) -> None:
    world.create(CHAIN)
    with pytest.raises(ValidationError) as refused:
        world.start(**select(*names))
    assert message in refused.value.message


def test_refused_sources(world: World) -> None:
    world.create(CHAIN)
    world.plan = {"A": hang}
    running = world.start()
    with pytest.raises(ValidationError, match="is Executing"):
        world.start(**select("B", source=running))
    with pytest.raises(ResourceNotFound):
        world.start(**select("B", source=f"{running[:-2]}zz"))
    world.create(CHAIN, name="Q")
    with pytest.raises(ValidationError, match="not an execution of pipeline 'Q'"):
        world.start("Q", **select("B", source=running))
    world.processing.end(world.job_of(running, "A"), "Completed")
    world.wait(running)
    until(lambda: world.status(running) == "Succeeded")
