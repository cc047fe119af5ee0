"""The ``batch`` of a build specification: its tasks, their order, and what is refused before anything is built.

See CodeBuild's user guide, "Batch build buildspec reference".
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from itertools import product
from typing import Any

from local_sagemaker.codebuild.spec_values import (
    BuildspecError,
    as_text,
    is_set,
    load,
    read_mapping,
    read_names,
    read_texts,
    refuse_unknown,
)

SOURCE_TASK = "DOWNLOAD_SOURCE"
"""The identifier of the build that reads the specification, before all others."""
_KINDS = ("build-graph", "build-list", "build-matrix", "build-fanout")
_TASK = ("identifier", "buildspec", "debug-session", "env", "ignore-failure")
_ENV = {"compute-type": "computeType", "image": "image", "type": "type", "privileged-mode": "privilegedMode"}
"""The overrides of a task's environment, and the members of a project's environment that they stand for."""
_NOT_EXECUTED = ("debug-session", "fleet")


@dataclass(frozen=True)
class BatchTask:
    """One build of a batch. `environment` has members of a project's environment."""

    identifier: str
    depends_on: tuple[str, ...] = ()
    ignore_failure: bool = False
    buildspec: str = ""
    variables: dict[str, str] = field(default_factory=dict)
    environment: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Batchspec:
    """The tasks in their order. `fast_fail` stops all that run when one fails."""

    tasks: tuple[BatchTask, ...]
    fast_fail: bool = False

    def ready(self, begun: Collection[str], passed: Collection[str]) -> list[BatchTask]:
        """The tasks that can begin: not begun, and all that they depend on have passed."""
        return [
            task
            for task in self.tasks
            if task.identifier not in begun and all(name in passed for name in task.depends_on)
        ]


def parse_batch(text: str) -> Batchspec:
    """The batch of a specification's text. Raises `BuildspecError`."""
    batch = read_mapping(load(text).get("batch") or {}, "batch")
    refuse_unknown(batch, (*_KINDS, "fast-fail"), "batch/")
    kinds = [kind for kind in _KINDS if kind in batch]
    if len(kinds) != 1:
        raise BuildspecError("A batch build needs one of batch/build-graph, build-list and build-matrix.")
    if kinds == ["build-fanout"]:
        raise BuildspecError("batch/build-fanout is not executed by the local service.")
    place = f"batch/{kinds[0]}"
    if kinds == ["build-matrix"]:
        tasks = _matrix(read_mapping(batch["build-matrix"], place))
    else:
        tasks = _tasks(batch[kinds[0]], place, graph=kinds == ["build-graph"])
    _check_order(tasks)
    return Batchspec(tasks, is_set(batch.get("fast-fail")))


def _tasks(rows: Any, place: str, *, graph: bool) -> tuple[BatchTask, ...]:
    if not isinstance(rows, list) or not rows:
        raise BuildspecError(f"Expected {place} to be a list of builds.")
    return tuple(_task(read_mapping(row, place), f"{place}/", number, graph=graph) for number, row in enumerate(rows))


def _task(row: dict[str, Any], place: str, number: int, *, graph: bool) -> BatchTask:
    refuse_unknown(row, (*_TASK, "depend-on") if graph else _TASK, place)
    _refuse_unexecuted(row, place)
    if graph and not row.get("identifier"):
        raise BuildspecError(f"{place}identifier is required.")
    env = read_mapping(row.get("env") or {}, f"{place}env")
    refuse_unknown(env, (*_ENV, "variables", "fleet"), f"{place}env/")
    _refuse_unexecuted(env, f"{place}env/")
    return BatchTask(
        identifier=str(row.get("identifier") or f"build{number}"),
        depends_on=read_names(row.get("depend-on"), f"{place}depend-on"),
        ignore_failure=is_set(row.get("ignore-failure")),
        buildspec=str(row.get("buildspec") or ""),
        variables=read_texts(env.get("variables"), f"{place}env/variables"),
        environment=_environment(env),
    )


def _environment(env: Mapping[str, Any]) -> dict[str, Any]:
    return {
        member: is_set(env[name]) if name == "privileged-mode" else as_text(env[name])
        for name, member in _ENV.items()
        if name in env
    }


def _matrix(document: dict[str, Any]) -> tuple[BatchTask, ...]:
    """A task for each combination, those of the last variable changing first, as in the user guide's example."""
    refuse_unknown(document, ("static", "dynamic"), "batch/build-matrix/")
    fixed = read_mapping(document.get("static") or {}, "batch/build-matrix/static")
    refuse_unknown(fixed, ("ignore-failure", "env"), "batch/build-matrix/static/")
    dynamic = read_mapping(document.get("dynamic") or {}, "batch/build-matrix/dynamic")
    refuse_unknown(dynamic, ("buildspec", "env"), "batch/build-matrix/dynamic/")
    env = read_mapping(dynamic.get("env") or {}, "batch/build-matrix/dynamic/env")
    variables = read_mapping(env.get("variables") or {}, "batch/build-matrix/dynamic/env/variables")
    axes = [("buildspec", dynamic.get("buildspec")), *((name, env[name]) for name in env if name != "variables")]
    axes += [(f"variables/{name}", values) for name, values in variables.items()]
    columns = [[(name, value) for value in _values(values, name)] for name, values in axes if values is not None]
    if not columns:
        raise BuildspecError("batch/build-matrix/dynamic has nothing that varies.")
    return tuple(_cell(fixed, dict(chosen), number) for number, chosen in enumerate(product(*columns)))


def _values(values: Any, name: str) -> list[Any]:
    rows = values if isinstance(values, list) else [values]
    if not rows or any(isinstance(row, list | dict) for row in rows):
        raise BuildspecError(f"Expected {name} in batch/build-matrix/dynamic to be a list of texts.")
    return rows


def _cell(fixed: Mapping[str, Any], chosen: dict[str, Any], number: int) -> BatchTask:
    """One combination as a row of a list would have it."""
    row = {"ignore-failure": fixed.get("ignore-failure"), "buildspec": chosen.pop("buildspec", None)}
    env = dict(read_mapping(fixed.get("env") or {}, "batch/build-matrix/static/env"))
    own = {name.removeprefix("variables/"): chosen[name] for name in chosen if name.startswith("variables/")}
    env["variables"] = {**(env.get("variables") or {}), **own}
    env |= {name: value for name, value in chosen.items() if not name.startswith("variables/")}
    return _task({**row, "env": env}, "batch/build-matrix/", number, graph=False)


def _refuse_unexecuted(document: Mapping[str, Any], place: str) -> None:
    for name in _NOT_EXECUTED:
        if document.get(name):
            raise BuildspecError(f"{place}{name} is not executed by the local service.")


def _check_order(tasks: tuple[BatchTask, ...]) -> None:
    """Refuses identifiers that are not unique, and what could never begin."""
    names = [task.identifier for task in tasks]
    twice = next((name for name in names if names.count(name) > 1 or name == SOURCE_TASK), None)
    if twice is not None:
        raise BuildspecError(f"The identifier {twice} is not unique in the batch.")
    for task in tasks:
        for name in task.depends_on:
            if name not in names:
                raise BuildspecError(f"The build {task.identifier} depends on {name}, which is not in the batch.")
    spec, passed = Batchspec(tasks), set[str]()
    while ready := spec.ready(passed, passed):
        passed.update(task.identifier for task in ready)
    circle = [name for name in names if name not in passed]
    if circle:
        raise BuildspecError(f"The builds {', '.join(circle)} wait for each other.")
