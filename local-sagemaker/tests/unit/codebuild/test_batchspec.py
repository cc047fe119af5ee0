"""Batches of build specifications: their tasks, their order, and what is refused by name."""

from __future__ import annotations

import pytest

from local_sagemaker.codebuild.batchspec import BatchTask, parse_batch
from local_sagemaker.codebuild.buildspec import BuildspecError


def batch(text: str) -> str:
    return f"version: 0.2\nbatch: {{{text}}}\n"


GRAPH = """
version: 0.2
batch:
  fast-fail: true
  build-graph:
    - identifier: join
      depend-on: [left, right]
    - identifier: left
      buildspec: left.yml
      ignore-failure: true
      env: {compute-type: BUILD_GENERAL1_LARGE, image: "other:1", privileged-mode: yes, variables: {VERSION: 3.10}}
    - identifier: right
      depend-on: first
    - identifier: first
"""


def test_a_graph_is_run_in_the_order_of_its_dependencies() -> None:
    spec = parse_batch(GRAPH)
    assert spec.fast_fail
    assert spec.tasks[1] == BatchTask(
        "left", (), True, "left.yml", {"VERSION": "3.10"},
        {"computeType": "BUILD_GENERAL1_LARGE", "image": "other:1", "privilegedMode": True},
    )  # fmt: skip

    def ready(begun: set[str], passed: set[str]) -> list[str]:
        return [task.identifier for task in spec.ready(begun, passed)]

    assert ready(set(), set()) == ["left", "first"]
    assert ready({"left", "first"}, {"left"}) == []
    assert ready({"left", "first"}, {"first"}) == ["right"]
    assert ready({"left", "first", "right"}, {"left", "first", "right"}) == ["join"]


def test_a_list_needs_no_identifiers() -> None:
    spec = parse_batch(batch("build-list: [{identifier: mine}, {env: {type: ARM_CONTAINER}}]"))
    assert [task.identifier for task in spec.tasks] == ["mine", "build1"]
    assert spec.tasks[1].environment == {"type": "ARM_CONTAINER"}
    assert not spec.fast_fail and not spec.tasks[0].ignore_failure


def test_a_matrix_has_a_build_for_each_combination() -> None:
    text = batch(
        "build-matrix: {static: {ignore-failure: true, env: {type: LINUX_CONTAINER, variables: {SAME: s}}}, "
        "dynamic: {buildspec: [a.yml, b.yml], env: {image: [one], variables: {V: [1, 2]}}}}"
    )
    tasks = parse_batch(text).tasks
    assert [(task.buildspec, task.variables["V"]) for task in tasks] == [
        ("a.yml", "1"), ("a.yml", "2"), ("b.yml", "1"), ("b.yml", "2")
    ]  # fmt: skip
    assert [task.identifier for task in tasks] == ["build0", "build1", "build2", "build3"]
    assert all(task.ignore_failure and task.variables["SAME"] == "s" for task in tasks)
    assert all(task.environment == {"type": "LINUX_CONTAINER", "image": "one"} for task in tasks)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("phases: {build: {commands: [ls]}}", "A batch build needs one of"),
        (batch("build-list: [{}], build-graph: [{identifier: a}]"), "A batch build needs one of"),
        (batch("build-fanout: {}"), "batch/build-fanout is not executed"),
        (batch("build-list: {identifier: a}"), "Expected batch/build-list to be a list of builds"),
        (batch("build-list: [{identifier: a, depend-on: [b]}]"), "batch/build-list/depend-on"),
        (batch("build-graph: [{}]"), "batch/build-graph/identifier is required"),
        (batch("build-graph: [{identifier: a, depend-on: [b]}]"), "a depends on b, which is not in the batch"),
        (batch("build-graph: [{identifier: a}, {identifier: a}]"), "identifier a is not unique"),
        (batch("build-list: [{identifier: DOWNLOAD_SOURCE}]"), "identifier DOWNLOAD_SOURCE is not unique"),
        (
            batch("build-graph: [{identifier: a, depend-on: [b]}, {identifier: b, depend-on: [a]}, {identifier: c}]"),
            "The builds a, b wait for each other",
        ),
        (batch("build-list: [{debug-session: true}]"), "debug-session is not executed"),
        (batch("build-list: [{env: {fleet: mine}}]"), "env/fleet is not executed"),
        (batch("build-list: [{env: {memory: 3}}]"), "batch/build-list/env/memory"),
        (batch("build-matrix: {static: {}}"), "nothing that varies"),
        (batch("fast: true, build-list: [{}]"), "batch/fast"),
    ],
)
def test_what_can_not_be_run_is_refused_by_name(text: str, expected: str) -> None:
    with pytest.raises(BuildspecError, match=expected):
        parse_batch(text if text.startswith("version") else f"version: 0.2\n{text}")
