"""The end of a branch of experiments: what runs is stopped first, and what only has such a name stays."""

from __future__ import annotations

from typing import Any

import pytest

from pipelines.experiments import TAG, StillRunningError, begin, remove, stop_executions
from tests.support import Service, create_pipeline, start, steps_of, until

BASE, NAME = "branches-p-1", "branches-p-1-x-0a1b2c"


def test_a_branch_that_runs_is_stopped_and_removed_and_others_stay(service: Service) -> None:
    sagemaker, queue = service.client("sagemaker"), service.client("sqs").create_queue(QueueName="branches")["QueueUrl"]
    asked = {"Name": "Asks", "Type": "Callback", "SqsQueueUrl": queue, "Arguments": {}}
    create_pipeline(sagemaker, NAME, asked)
    sagemaker.create_model_package_group(ModelPackageGroupName=NAME)
    stays = [f"stays: the {kind} {NAME} has no tag {TAG}={BASE}" for kind in ("pipeline", "model group")]
    assert list(remove(sagemaker, NAME, BASE)) == stays
    sagemaker.delete_model_package_group(ModelPackageGroupName=NAME)
    begin(sagemaker, NAME, BASE)
    begin(sagemaker, NAME, BASE)  # of the branch's second build
    arn = sagemaker.describe_pipeline(PipelineName=NAME)["PipelineArn"]
    sagemaker.add_tags(ResourceArn=arn, Tags=[{"Key": TAG, "Value": BASE}])

    execution, said = start(sagemaker, NAME), list[str]()
    until(lambda: token(sagemaker, execution), "the question")
    with pytest.raises(StillRunningError, match="callback step ends only when its token is sent"):
        stop_executions(sagemaker, NAME, said.append, limit=1.0)
    assert said == [f"stop the execution {execution}"]
    sagemaker.send_pipeline_execution_step_failure(CallbackToken=token(sagemaker, execution), FailureReason="no more")
    assert list(remove(sagemaker, NAME, BASE)) == [f"removed: pipeline {NAME}", f"removed: model group {NAME}"]
    assert list(remove(sagemaker, NAME, BASE)) == []


def token(sagemaker: Any, execution: str) -> str:
    """Of the step that waits for an answer; empty before."""
    step = steps_of(sagemaker, execution).get("Asks", {})
    return str(step.get("Metadata", {}).get("Callback", {}).get("CallbackToken", ""))
