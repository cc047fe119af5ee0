"""What became of rules, which other services are asked about while their pipeline may be deleted."""

from __future__ import annotations

from pathlib import Path

from local_sagemaker.arns import Arns
from local_sagemaker.records import Records
from local_sagemaker.services.codepipeline.pipeline_store import PipelineStore


def test_a_rule_outlives_no_deleted_pipeline(tmp_path: Path) -> None:
    records = Records(tmp_path / "records.sqlite")
    store = PipelineStore(records, Arns("123456789012", "us-east-1"))
    execution = {"pipelineName": "p", "pipelineExecutionId": "e", "status": "InProgress"}
    store.add_execution(execution)
    store.add_rule(execution, {"ruleExecutionId": "first"})
    assert store.rules("p", None) == [{"ruleExecutionId": "first"}]
    store.delete("p")
    store.add_rule(execution, {"ruleExecutionId": "second"})
    assert store.rules("p", None) == []
    records.close()
