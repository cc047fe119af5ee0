"""What moves executions on: one thread for all pipelines of a region, which looks at their records.

Everything is in the records, so it begins after a restart where it was. Actions run in threads of their own
(`action_run.py`); this thread starts them, and goes by how they ended.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Any

from local_sagemaker.background import log_failure
from local_sagemaker.events import Event
from local_sagemaker.records.delivery_members import own_action, own_delivery, own_delivery_pipeline, own_stage
from local_sagemaker.records.delivery_status import ActionStatus, DeliveryStatus, StageStatus
from local_sagemaker.records.kinds import CODE_REFERENCE, CONNECTED_REFERENCE
from local_sagemaker.records.store import Body
from local_sagemaker.services.codepipeline.action_run import ActionRuns
from local_sagemaker.services.codepipeline.conditions import Conditions
from local_sagemaker.services.codepipeline.execution_start import ExecutionStart, Trigger
from local_sagemaker.services.codepipeline.pipeline_store import PipelineStore

log = logging.getLogger(__name__)
IDLE = 2.0
"""Seconds between two looks without a sign of a change: for time-outs."""


class Engine:
    """Moves executions from stage to stage."""

    def __init__(self, store: PipelineStore, runs: ActionRuns, conditions: Conditions, signal: threading.Event) -> None:
        """`signal` has the thread look. `look` is called then, for what starts executions; it and `starter` are set
        afterwards."""
        self._store, self._runs, self._conditions = store, runs, conditions
        self._signal = signal
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None
        self.starter: ExecutionStart | None = None
        self.look: Callable[[], None] = lambda: None

    def wake(self) -> None:
        """Has the thread look now."""
        self._signal.set()

    def on_event(self, event: Event) -> None:
        """A change of a repository may start pipelines."""
        if event.kind in (CODE_REFERENCE.kind, CONNECTED_REFERENCE.kind):
            self.wake()

    def start(self) -> None:
        """Begins; actions that a stop interrupted are taken up at their providers."""
        if self._thread is None:
            self._ended.clear()
            self._runs.open()
            for action in self._store.running_actions():
                with log_failure(log, "action %s of %s", action.get("actionName"), own_action(action).get("_name")):
                    self._runs.resume(action)
            self._thread = threading.Thread(target=self._run, name="pipelines", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """Ends; what runs is taken up at the next start."""
        self._ended.set()
        self.wake()
        self._runs.close()
        thread, self._thread = self._thread, None
        if thread is not None:
            thread.join(timeout=10)

    def _run(self) -> None:
        while not self._ended.is_set():
            with log_failure(log, "pipelines"):
                with log_failure(log, "changes of sources"):
                    self.look()
                for name in self._store.names():
                    with log_failure(log, "pipeline %s", name):
                        while not self._ended.is_set() and self._advance(name):
                            pass
            self._signal.wait(IDLE)
            self._signal.clear()

    def _advance(self, name: str) -> bool:
        """Does what can be done now; whether something was."""
        changed = False
        for execution in self._store.active(name):
            with log_failure(log, "execution %s", execution["pipelineExecutionId"]):
                if execution["status"] == DeliveryStatus.STOPPING:
                    changed |= self._stop(execution)
                elif own_delivery(execution)["_entered"]:
                    changed |= self._progress(execution)
        return self._admit(name) or changed

    def _stages(self, execution: Body) -> list[dict[str, Any]]:
        structure = self._store.structure(execution["pipelineName"], execution["pipelineVersion"])
        return list(structure["stages"])

    def _stage(self, execution: Body) -> dict[str, Any]:
        return self._stages(execution)[own_delivery(execution)["_stage"]]

    def _admit(self, name: str) -> bool:
        """Lets waiting executions into their stages, one a stage; replaces those that a newer one overtakes."""
        active = [body for body in self._store.active(name) if body["status"] == DeliveryStatus.IN_PROGRESS]
        inside = {self._stage(body)["name"] for body in self._store.active(name) if own_delivery(body)["_entered"]}
        waiting: dict[str, list[Body]] = {}
        for execution in active:
            if not own_delivery(execution)["_entered"]:
                waiting.setdefault(self._stage(execution)["name"], []).append(execution)
        transitions = own_delivery_pipeline(self._store.pipeline(name))["_transitions"] if waiting else {}
        changed = False
        for stage, executions in waiting.items():
            mode = executions[-1]["executionMode"]
            if mode == "SUPERSEDED":
                changed |= self._supersede(executions[:-1])
                executions = executions[-1:]
            if not transitions.get(stage, {}).get("enabled", True):
                continue
            for execution in executions if mode == "PARALLEL" else executions[:1]:
                if mode == "PARALLEL" or stage not in inside:
                    changed |= self._enter(execution)
        return changed

    def _supersede(self, executions: list[Body]) -> bool:
        text = "A newer execution came while this one waited."

        def change(body: Body) -> None:
            if body["status"] == DeliveryStatus.IN_PROGRESS:  # and not stopped in the meantime
                body.update(status=DeliveryStatus.SUPERSEDED, statusSummary=text)

        for execution in executions:
            self._store.change_execution(execution, change)
        return bool(executions)

    def _enter(self, execution: Body) -> bool:
        stage = self._stage(execution)
        result = self._conditions.check(execution, stage, "beforeEntry")
        if result == "SKIP":
            self._store.put_stage(execution, stage["name"], status=StageStatus.SKIPPED)
            self._leave(execution)
            return True
        if result:
            self._fail(execution, stage["name"], f"The conditions before the stage {stage['name']} are not met.")
            return True
        self._store.put_stage(execution, stage["name"], status=StageStatus.IN_PROGRESS)
        self._store.change_execution(execution, lambda body: body.update(_entered=True))
        return True

    def _progress(self, execution: Body) -> bool:
        """Starts what is next in the stage that the execution is in; proceeds when all has ended."""
        stage = self._stage(execution)
        record = self._store.stage(execution, stage["name"]) or self._store.put_stage(execution, stage["name"])
        latest = self.latest(execution, record)
        for order in sorted({action["runOrder"] for action in stage["actions"]}):
            group = [action for action in stage["actions"] if action["runOrder"] == order]
            missing = [action for action in group if action["name"] not in latest]
            for action in missing:
                self._runs.start(execution, stage["name"], action, own_stage(record)["_attempt"])
            states = [latest[action["name"]]["status"] for action in group if action["name"] in latest]
            if missing or ActionStatus.IN_PROGRESS in states:
                return bool(missing) or self._runs.expire(execution)
            if any(ActionStatus(state).has_failed for state in states):
                return self._stage_failed(execution, stage, record)
        return self._stage_succeeded(execution, stage)

    def latest(self, execution: Body, record: Body) -> dict[str, Body]:
        """The newest run of each action of a stage that counts in the stage's attempt."""
        actions: dict[str, Body] = {}
        for action in self._store.actions(execution, record["stageName"]):
            if own_action(action)["_attempt"] < own_stage(record)["_from"]:
                continue
            if (
                ActionStatus(action["status"]).has_failed
                and own_action(action)["_attempt"] < own_stage(record)["_attempt"]
            ):
                actions.pop(action["actionName"], None)
                continue
            actions[action["actionName"]] = action
        return actions

    def _stage_succeeded(self, execution: Body, stage: dict[str, Any]) -> bool:
        result = self._conditions.check(execution, stage, "onSuccess")
        if result:
            self._fail(execution, stage["name"], f"The conditions on success of the stage {stage['name']} are not met.")
            if result == "ROLLBACK":
                self._roll_back(execution, stage["name"])
            return True
        self._store.put_stage(execution, stage["name"], status=StageStatus.SUCCEEDED)
        self._leave(execution)
        return True

    def _leave(self, execution: Body) -> None:
        """The execution goes to the next stage, or has succeeded."""

        def change(body: Body) -> None:
            if own_delivery(body)["_stage"] >= own_delivery(body)["_last"]:
                body.update(status=DeliveryStatus.SUCCEEDED, _entered=False)
            else:
                body.update(_stage=own_delivery(body)["_stage"] + 1, _entered=False)

        self._store.change_execution(execution, change)

    def _stage_failed(self, execution: Body, stage: dict[str, Any], record: Body) -> bool:
        rule = stage.get("onFailure", {})
        if rule.get("result") == "RETRY" and not own_stage(record).get("_retried"):
            mode = rule.get("retryConfiguration", {}).get("retryMode", "FAILED_ACTIONS")
            self.retry(execution, stage["name"], mode, "AutomatedStageRetry")
            return True
        self._fail(execution, stage["name"])
        conditions = self._conditions.check(execution, stage, "onFailure")
        if "ROLLBACK" in (rule.get("result"), conditions):
            self._roll_back(execution, stage["name"])
        return True

    def retry(self, execution: Body, stage: str, mode: str, trigger: str) -> None:
        """Runs a failed stage's actions again: the failed ones, or all."""
        automatic = trigger == "AutomatedStageRetry"
        stages = [row["name"] for row in self._stages(execution)]
        with self._store.records.transaction():
            if automatic and not self._store.is_in_progress(execution):
                return  # it was stopped in the meantime
            record = self._store.stage(execution, stage) or {}
            attempt = own_stage(record).get("_attempt", 1) + 1
            count = "autoStageRetryAttempt" if automatic else "manualStageRetryAttempt"
            metadata = {**own_stage(record).get("_retry", {}), "latestRetryTrigger": trigger}
            metadata[count] = metadata.get(count, 0) + 1
            first = attempt if mode == "ALL_ACTIONS" else own_stage(record).get("_from", 1)
            self._store.put_stage(
                execution, stage, status=StageStatus.IN_PROGRESS, _attempt=attempt, _from=first, _retry=metadata,
                _retried=automatic or own_stage(record).get("_retried", False),
            )  # fmt: skip
            self._store.change_execution(
                execution,
                lambda body: body.update(
                    status=DeliveryStatus.IN_PROGRESS,
                    _entered=True,
                    _stage=stages.index(stage),
                    _attempt=own_delivery(body)["_attempt"] + 1,
                ),
            )
        self.wake()

    def _fail(self, execution: Body, stage: str, summary: str | None = None) -> None:
        """Stage and execution at once: who sees the stage failed may have it tried again."""

        def change(body: Body) -> None:
            body.update(status=DeliveryStatus.FAILED, _entered=False)
            if summary:
                body["statusSummary"] = summary

        with self._store.records.transaction():
            self._store.put_stage(execution, stage, status=StageStatus.FAILED)
            self._store.change_execution(execution, change)

    def _roll_back(self, execution: Body, stage: str) -> None:
        """Begins an execution with what the stage last succeeded with, in the pipeline's version of now."""
        name = execution["pipelineName"]
        version = self._store.pipeline(name)["version"]
        for candidate in reversed(self._store.executions(name)):
            record = self._store.stage(candidate, stage)
            usable = candidate["executionType"] != "ROLLBACK" and candidate["pipelineVersion"] == version
            if record and record["status"] == StageStatus.SUCCEEDED and usable and self.starter:
                detail = execution["pipelineExecutionId"]
                self.starter.roll_back(name, stage, candidate, Trigger("AutomatedRollback", detail))
                return
        text = f"There is no earlier success of the stage {stage} to roll back to."
        self._store.change_execution(execution, lambda body: body.update(statusSummary=text))

    def _stop(self, execution: Body) -> bool:
        """Ends a stopping execution when its actions have ended, or at once when they are abandoned."""
        running = [action for action in self._store.actions(execution) if action["status"] == ActionStatus.IN_PROGRESS]
        if own_delivery(execution).get("_abandon"):
            for action in running:
                self._store.change_action(action, _abandon)
            running = []
        if running:
            return self._runs.expire(execution)
        with self._store.records.transaction():
            if own_delivery(execution)["_entered"]:
                self._store.put_stage(execution, self._stage(execution)["name"], status=StageStatus.STOPPED)
            self._store.change_execution(
                execution, lambda body: body.update(status=DeliveryStatus.STOPPED, _entered=False)
            )
        return True


def _abandon(action: Body) -> None:
    if action["status"] == ActionStatus.IN_PROGRESS:  # it may have ended in the meantime
        action["status"] = ActionStatus.ABANDONED
