"""What the engine writes of an execution while a client deletes its pipeline, or stops it."""

from __future__ import annotations

from pathlib import Path
from unittest.mock import MagicMock

import pytest

from local_sagemaker.arns import Arns
from local_sagemaker.records import Records
from local_sagemaker.services.codepipeline.actions.lambda_ import FunctionAction
from local_sagemaker.services.codepipeline.engine import Engine
from local_sagemaker.services.codepipeline.errors import ActionEnded, PipelineError
from local_sagemaker.services.codepipeline.execution_start import ExecutionStart, Trigger
from local_sagemaker.services.codepipeline.pipeline_store import ACTION, JOB, POLLED, RULE, STAGE, PipelineStore
from local_sagemaker.services.codepipeline.pipeline_store import EXECUTION as EXECUTION_KIND

EXECUTION = {"pipelineName": "p", "pipelineExecutionId": "e", "status": "InProgress", "pipelineVersion": 1}


def test_nothing_of_an_execution_outlives_its_deleted_pipeline(tmp_path: Path) -> None:
    """The engine and actions hold the execution while a client deletes the pipeline."""
    records = Records(tmp_path / "records.sqlite")
    store = PipelineStore(records, Arns("123456789012", "us-east-1"))
    store.put("p", {"name": "p", "version": 1, "stages": []}, {"name": "p", "version": 1})
    store.add_execution(EXECUTION)
    action = store.add_action(EXECUTION, {"stageName": "S", "actionName": "A"})
    store.put_stage(EXECUTION, "S", status="InProgress")
    assert action and store.actions(EXECUTION) == [action] and store.stage(EXECUTION, "S")
    store.delete("p")
    store.put_stage(EXECUTION, "S", status="Succeeded")
    assert store.add_action(EXECUTION, {"stageName": "S", "actionName": "B"}) is None
    work = MagicMock(structure={"name": "p"}, token="t", action=action, inputs={}, outputs=[], configuration={})
    invoked = MagicMock()
    with pytest.raises(ActionEnded):
        FunctionAction(invoked, store, "123456789012")(work)
    with pytest.raises(PipelineError, match="does not have a pipeline"):
        ExecutionStart(store, MagicMock(), "").start("p", Trigger("CreatePipeline", ""))
    kinds = (EXECUTION_KIND, STAGE, ACTION, RULE, JOB, POLLED)
    assert [records.list(kind) for kind in kinds] == [[]] * len(kinds) and not invoked.called
    records.close()


def test_an_execution_that_is_stopped_in_between_is_neither_retried_nor_superseded(tmp_path: Path) -> None:
    """The engine has read it before: what was acknowledged of the stop stays."""
    records = Records(tmp_path / "records.sqlite")
    store = PipelineStore(records, Arns("123456789012", "us-east-1"))
    store.put("p", {"name": "p", "version": 1, "stages": [{"name": "S", "actions": []}]}, {"name": "p", "version": 1})
    store.add_execution({**EXECUTION, "_attempt": 1})
    engine = Engine(store, MagicMock(), MagicMock(), MagicMock())
    store.change_execution(EXECUTION, lambda body: body.update(status="Stopping"))
    engine._supersede([EXECUTION])
    engine.retry(EXECUTION, "S", "FAILED_ACTIONS", "AutomatedStageRetry")
    assert (store.execution("p", "e")["status"], store.stage(EXECUTION, "S")) == ("Stopping", None)
    records.close()


def test_a_rule_outlives_no_deleted_pipeline(tmp_path: Path) -> None:
    records = Records(tmp_path / "records.sqlite")
    store = PipelineStore(records, Arns("123456789012", "us-east-1"))
    execution = EXECUTION
    store.add_execution(execution)
    store.add_rule(execution, {"ruleExecutionId": "first"})
    assert store.rules("p", None) == [{"ruleExecutionId": "first"}]
    store.delete("p")
    store.add_rule(execution, {"ruleExecutionId": "second"})
    assert store.rules("p", None) == []
    records.close()
