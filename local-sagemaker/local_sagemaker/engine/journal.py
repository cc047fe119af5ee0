"""What executions write down, and read back after the service was killed.

Kinds: `pipeline-execution` (the Describe response and a few private members), `pipeline-step` (one started step each:
the listing's entry, the chosen job name and the resolved request), `pipeline-cache` (runs that a cache hit may use, by
their signature), `pipeline-cache-newest` (the newest run of each step).
Keys begin with the pipeline's lower-case name, so that a pipeline's records are found by prefix.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from typing import Any

from local_sagemaker.engine.cache import EarlierRun
from local_sagemaker.records import Records
from local_sagemaker.records.kinds import PIPELINE_EXECUTION
from local_sagemaker.records.query import Query
from local_sagemaker.records.status import ExecutionStatus

EXECUTION, STEP, CACHE = PIPELINE_EXECUTION.kind, "pipeline-step", "pipeline-cache"
NEWEST = "pipeline-cache-newest"
_LOOKED_AT = 100
"""How many runs of one signature are looked at; the newest is a hit unless its outputs no longer exist."""
UNFINISHED = tuple(status for status in ExecutionStatus if not status.is_final)
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

    def earlier(self, step: str, signature: Record) -> list[EarlierRun]:
        """Succeeded runs of a step of this pipeline that may stand in: those of the signature, newest first; where
        there is none, the newest of any signature."""
        place = f"{self._pipeline}/{step}"
        for parent in (f"{place}/{_digest(signature)}", place):  # the second: as earlier versions kept them
            rows = self._records.page(Query(CACHE, parent=parent), _LOOKED_AT)
            if rows:
                return [EarlierRun.from_record(body) for _, body in rows]
        newest = self._records.get(NEWEST, place)
        return [EarlierRun.from_record(newest)] if newest else []

    def remember(self, step: str, run: EarlierRun) -> None:
        """Keeps a Succeeded run for later executions."""
        place, execution = f"{self._pipeline}/{step}", self._key.partition("/")[2]
        with self._records.transaction():
            self._records.put(CACHE, f"{place}/{_digest(run.signature)}/{execution}", run.as_record())
            self._records.put(NEWEST, place, run.as_record())


def forget_pipeline(records: Records, name: str) -> None:
    """Removes all that a deleted pipeline's executions wrote down."""
    with records.transaction():
        for kind in (EXECUTION, STEP, CACHE, NEWEST):
            records.delete_all(kind, f"{name.lower()}/")


def _digest(signature: Record) -> str:
    return hashlib.sha256(json.dumps(signature, sort_keys=True).encode()).hexdigest()[:32]
