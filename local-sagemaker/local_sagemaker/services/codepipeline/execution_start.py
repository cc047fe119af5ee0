"""How an execution begins, whatever began it."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from local_sagemaker.clock import now
from local_sagemaker.records.delivery_members import DeliveryExecutionRecord
from local_sagemaker.records.delivery_status import DeliveryStatus
from local_sagemaker.services.codepipeline.errors import PipelineError
from local_sagemaker.services.codepipeline.pipeline_store import PipelineStore


@dataclass(frozen=True)
class Trigger:
    """Why an execution begins. `revisions` are the versions that source actions take, by their names."""

    kind: str
    detail: str
    variables: Mapping[str, str] = field(default_factory=dict)
    revisions: Mapping[str, dict[str, str]] = field(default_factory=dict)


class ExecutionStart:
    """Makes executions."""

    def __init__(self, store: PipelineStore, wake: Callable[[], None], caller: str) -> None:
        """`caller` is who makes requests."""
        self._store, self._wake, self.caller = store, wake, caller

    def start(self, name: str, trigger: Trigger) -> str:
        """Begins an execution of a pipeline's newest version, and returns its id."""
        identity = self.add(name, trigger)
        self._wake()
        return identity

    def add(self, name: str, trigger: Trigger) -> str:
        """Records an execution of a pipeline's newest version, and returns its id."""
        with self._store.records.transaction():
            structure = self._store.structure(name, self._store.pipeline(name)["version"])
            return self._add(name, structure, trigger, {"variables": self._variables(structure, trigger)})

    def roll_back(self, name: str, stage: str, target: dict[str, Any], trigger: Trigger) -> str:
        """Begins an execution that runs one stage with what another execution had there."""
        with self._store.records.transaction():
            structure = self._store.structure(name, target["pipelineVersion"])
            number = [row["name"] for row in structure["stages"]].index(stage)
            more = {
                "executionType": "ROLLBACK", "variables": target["variables"],
                **DeliveryExecutionRecord(_stage=number, _last=number),
                "rollbackMetadata": {"rollbackTargetPipelineExecutionId": target["pipelineExecutionId"]},
                **{member: target[member] for member in ("_artifacts", "_outputs", "artifactRevisions", "_sources")},
            }  # fmt: skip
            identity = self._add(name, structure, trigger, more)
        self._wake()
        return identity

    def _add(self, name: str, structure: dict[str, Any], trigger: Trigger, more: dict[str, Any]) -> str:
        identity, moment = str(uuid.uuid4()), now()
        self._store.add_execution(
            {
                "pipelineName": name, "pipelineVersion": structure["version"], "pipelineExecutionId": identity,
                "status": DeliveryStatus.IN_PROGRESS, "startTime": moment, "lastUpdateTime": moment,
                "executionMode": structure["executionMode"], "executionType": "STANDARD",
                "trigger": {"triggerType": trigger.kind, "triggerDetail": trigger.detail},
                "artifactRevisions": [],
                **DeliveryExecutionRecord(
                    _sources=[], _stage=0, _last=len(structure["stages"]) - 1, _entered=False, _attempt=1,
                    _artifacts={}, _outputs={}, _revisions=dict(trigger.revisions),
                ),
                **more,
            }
        )  # fmt: skip
        return identity

    @staticmethod
    def _variables(structure: dict[str, Any], trigger: Trigger) -> list[dict[str, str]]:
        declared = {row["name"]: row.get("defaultValue") for row in structure.get("variables", [])}
        unknown = [name for name in trigger.variables if name not in declared]
        if unknown:
            text = f"The pipeline has no variable {unknown[0]}"
            raise PipelineError(text, code="ValidationException")
        values = {**declared, **trigger.variables}
        unset = [name for name, value in values.items() if value is None]
        if unset:
            text = f"The variable {unset[0]} has no default value, and none was given"
            raise PipelineError(text, code="ValidationException")
        return [{"name": name, "resolvedValue": str(value)} for name, value in values.items()]
