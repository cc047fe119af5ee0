"""What executions write down, and read back after the service was killed.

Kinds: `pipeline-execution` (the Describe answer and a few private members), `pipeline-step` (one started step each:
the listing's entry, the chosen job name and the resolved request), `pipeline-cache` (runs that a cache hit may use).
Keys begin with the pipeline's lower-case name, so that a pipeline's records are found by prefix.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from local_sagemaker.engine.cache import EarlierRun
from local_sagemaker.records import Records

EXECUTION, STEP, CACHE = "pipeline-execution", "pipeline-step", "pipeline-cache"
UNFINISHED = ("Executing", "Stopping")
Record = dict[str, Any]


def execution_key(arn: str) -> str:
    """The record key of an execution by its ARN: ``<pipeline>/<id>``, in lower case."""
    name, _, identifier = arn.split(":", 5)[-1].partition("/execution/")
    return f"{name.removeprefix('pipeline/')}/{identifier}".lower()


class Journal:
    """The records of one execution."""

    def __init__(self, records: Records, key: str) -> None:
        self._records = records
        self._key = key
        self._pipeline = key.partition("/")[0]

    def execution(self) -> Record | None:
        """The execution's record."""
        return self._records.get(EXECUTION, self._key)

    def change(self, change: Callable[[Record], None]) -> Record | None:
        """Changes the execution's record in one transaction; None when it has been deleted."""

        def apply(body: Record) -> None:
            change(body)

        return self._records.update(EXECUTION, self._key, apply)

    def steps(self) -> dict[str, Record]:
        """The started steps by name, in the order they were started."""
        return {body["StepName"]: body for body in self._records.list(STEP, f"{self._key}/")}

    def save(self, record: Record) -> None:
        """Writes a step's record."""
        self._records.put(STEP, f"{self._key}/{record['StepName']}", record)

    def forget(self, step: str) -> None:
        """Removes a step's record, so that a retry of the execution starts it anew."""
        self._records.delete(STEP, f"{self._key}/{step}")

    def earlier(self, step: str) -> list[EarlierRun]:
        """Succeeded runs of a step of this pipeline, newest first."""
        bodies = self._records.list(CACHE, f"{self._pipeline}/{step}/")
        return sorted(map(EarlierRun.from_record, bodies), key=lambda run: run.ended, reverse=True)

    def remember(self, step: str, run: EarlierRun) -> None:
        """Keeps a Succeeded run for later executions."""
        self._records.put(CACHE, f"{self._pipeline}/{step}/{self._key.partition('/')[2]}", run.as_record())


def forget_pipeline(records: Records, name: str) -> None:
    """Removes all that a deleted pipeline's executions wrote down."""
    with records.transaction():
        for kind in (EXECUTION, STEP, CACHE):
            for key, _ in records.items(kind, f"{name.lower()}/"):
                records.delete(kind, key)
