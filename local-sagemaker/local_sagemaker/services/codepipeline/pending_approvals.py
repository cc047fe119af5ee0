"""The approvals that wait, for the command line."""

from __future__ import annotations

from typing import Any

from local_sagemaker.api.operations import Call
from local_sagemaker.clock import iso
from local_sagemaker.errors import ValidationError
from local_sagemaker.records.delivery_members import own_action, own_delivery
from local_sagemaker.services.codepipeline.pipeline_store import PipelineStore


class WaitingApprovals:
    """Lists them, and gives their results by PutApprovalResult, as any client does."""

    def __init__(self, store: PipelineStore, call: Call) -> None:
        self._store, self._call = store, call

    def overview(self, pipeline: str = "") -> dict[str, list[dict[str, Any]]]:
        """All that wait (of a pipeline), the oldest first."""
        rows = []
        for action in self._store.running_actions():
            own = own_action(action)
            if "_token" not in own or pipeline not in ("", own["_name"]):
                continue
            execution = self._store.execution(own["_name"], action["pipelineExecutionId"])
            settings = action["input"]["resolvedConfiguration"]
            rows.append(
                {
                    "pipeline": own["_name"], "stage": action["stageName"], "action": action["actionName"],
                    "execution": action["pipelineExecutionId"], "token": own["_token"],
                    "since": iso(action["startTime"]), "expires": iso(own["_expires"]),
                    "data": settings.get("CustomData", ""), "link": settings.get("ExternalEntityLink", ""),
                    "revisions": [row.get("revisionSummary", "") for row in own_delivery(execution)["_sources"]],
                }
            )  # fmt: skip
        return {"approvals": rows}

    def decide(self, pipeline: str, status: str, summary: str, stage: str = "", action: str = "") -> dict[str, Any]:
        """Approves or rejects the one that waits in a pipeline; with several, stage or action says which."""
        rows = [
            row for row in self.overview(pipeline)["approvals"]
            if stage in ("", row["stage"]) and action in ("", row["action"])
        ]  # fmt: skip
        if not rows:
            raise ValidationError(
                f"No approval waits in the pipeline {pipeline}; 'local-sagemaker approvals' lists all."
            )
        if len({(row["stage"], row["action"]) for row in rows}) > 1:
            names = ", ".join(f"--stage {row['stage']} --action {row['action']}" for row in rows)
            raise ValidationError(f"Several approvals wait in the pipeline {pipeline}. Say which: {names}")
        row = rows[0]
        result = {"status": status, "summary": summary}
        self._call(
            "codepipeline:PutApprovalResult",
            {"pipelineName": pipeline, "stageName": row["stage"], "actionName": row["action"], "token": row["token"],
             "result": result},
        )  # fmt: skip
        return {**row, **result}
