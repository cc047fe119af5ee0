"""The step type Tuning: properties, cache, stop, and the SageMaker SDK v3's TuningStep and HyperparameterTuner."""

from __future__ import annotations

import sys
import uuid
from pathlib import Path
from typing import Any

import pytest

from tests.integration import tuning
from tests.support import ROLE, XGBOOST, Service, create_pipeline, finished, start, steps_of, until


@pytest.fixture(scope="module")
def bucket(service: Service) -> str:
    """Data for the algorithm."""
    return tuning.bucket(service)


def tuning_step(bucket: str, **more: Any) -> dict[str, Any]:
    """A step of three training jobs."""
    arguments = {
        "HyperParameterTuningJobConfig": tuning.config(3, 3),
        "TrainingJobDefinition": tuning.definition(bucket),
        **more,
    }
    cache = {"Enabled": True, "ExpireAfter": "P1D"}
    return {"Name": "Tune_it-now", "Type": "Tuning", "Arguments": arguments, "CacheConfig": cache}


def tell(*paths: str) -> dict[str, Any]:
    """A step that ends the execution with these properties of the tuning step."""
    values = [{"Get": f"Steps.Tune_it-now.{path}"} for path in paths]
    return {"Name": "Tell", "Type": "Fail", "Arguments": {"ErrorMessage": {"Std:Join": {"On": " ", "Values": values}}}}


def test_properties_and_cache(service: Service, bucket: str) -> None:
    sagemaker, pipeline = tuning.client(service), f"tuning-{uuid.uuid4().hex[:8]}"
    wanted = tell(
        "BestTrainingJob.TrainingJobName",
        "TrainingJobSummaries[0].TrainingJobName",
        "TrainingJobSummaries[2].TrainingJobName",
        "HyperParameterTuningJobStatus",
        "BestTrainingJob.TunedHyperParameters['eta']",
    )
    create_pipeline(sagemaker, pipeline, tuning_step(bucket), wanted)
    execution = start(sagemaker, pipeline)
    finished(sagemaker, execution)
    steps = steps_of(sagemaker, execution)
    assert steps["Tune_it-now"]["StepStatus"] == "Succeeded", steps["Tune_it-now"]
    arn = steps["Tune_it-now"]["Metadata"]["TuningJob"]["Arn"]
    name = arn.rsplit("/", 1)[1]
    assert name.startswith(f"{execution.rsplit('/', 1)[1]}-Tune-it-")
    assert len(name) <= 32
    ranked = tuning.training_jobs(service, name, SortBy="FinalObjectiveMetricValue", SortOrder="Ascending")
    names = [job["TrainingJobName"] for job in ranked]
    eta = ranked[0]["TunedHyperParameters"]["eta"]
    assert steps["Tell"]["FailureReason"] == f"{names[0]} {names[0]} {names[2]} Completed {eta}"
    again = start(sagemaker, pipeline)
    finished(sagemaker, again)
    step = steps_of(sagemaker, again)["Tune_it-now"]
    assert step["CacheHitResult"] == {"SourcePipelineExecutionArn": execution}
    assert step["Metadata"]["TuningJob"]["Arn"] == arn


def test_stopping_the_execution_stops_the_training_jobs(service: Service, bucket: str) -> None:
    sagemaker, pipeline = tuning.client(service), f"tuning-{uuid.uuid4().hex[:8]}"
    waiting = "import time\nprint('loss=1', flush=True)\ntime.sleep(600)"
    definition = tuning.script(service, bucket, waiting)
    step = tuning_step(
        bucket, HyperParameterTuningJobConfig=tuning.loss(2, 2), TrainingJobDefinition=definition
    )  # fmt: skip
    create_pipeline(sagemaker, pipeline, step)
    execution = start(sagemaker, pipeline)
    arn = until(
        lambda: steps_of(sagemaker, execution).get("Tune_it-now", {}).get("Metadata", {}).get("TuningJob"), "the job"
    )["Arn"]
    name = arn.rsplit("/", 1)[1]
    until(lambda: tuning.training_jobs(service, name), "a training job")
    sagemaker.stop_pipeline_execution(PipelineExecutionArn=execution)
    assert finished(sagemaker, execution)["PipelineExecutionStatus"] == "Stopped"
    assert steps_of(sagemaker, execution)["Tune_it-now"]["StepStatus"] == "Stopped"
    stopped = tuning.described(service, name)
    assert stopped["HyperParameterTuningJobStatus"] == "Stopped"
    assert stopped["TrainingJobStatusCounters"]["InProgress"] == 0


def test_a_refused_request_is_the_steps_failure(service: Service, bucket: str) -> None:
    sagemaker, pipeline = tuning.client(service), f"tuning-{uuid.uuid4().hex[:8]}"
    config = tuning.config(3, HyperParameterTuningJobObjective={"Type": "Minimize", "MetricName": "nothing"})
    create_pipeline(sagemaker, pipeline, tuning_step(bucket, HyperParameterTuningJobConfig=config))
    execution = start(sagemaker, pipeline)
    finished(sagemaker, execution)
    assert steps_of(sagemaker, execution)["Tune_it-now"]["FailureReason"] == (
        "ClientError: Failed to invoke sagemaker:CreateHyperParameterTuningJob. Error Details: A metric is required "
        "for this hyperparameter tuning job objective. Provide a metric in the metric definitions."
    )


def test_the_sdk_tunes(service: Service, bucket: str) -> None:
    pipeline = f"sdk-tuning-{uuid.uuid4().hex[:8]}"
    program = Path(__file__).with_name("sdk_v3_tuning.py")
    done = service.run(sys.executable, str(program), ROLE, XGBOOST, bucket, pipeline, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    sagemaker = tuning.client(service)
    listed = sagemaker.list_pipeline_executions(PipelineName=pipeline)["PipelineExecutionSummaries"]
    execution = listed[0]["PipelineExecutionArn"]
    finished(sagemaker, execution)
    steps = steps_of(sagemaker, execution)
    name = steps["HPTuning"]["Metadata"]["TuningJob"]["Arn"].rsplit("/", 1)[1]
    assert name.startswith(f"{execution.rsplit('/', 1)[1]}-HPTunin-")
    ranked = tuning.training_jobs(service, name, SortBy="FinalObjectiveMetricValue", SortOrder="Ascending")
    uri = f"s3://{bucket}/models/{ranked[1]['TrainingJobName']}/output/model.tar.gz"
    assert steps["Tell"]["FailureReason"] == uri
    key = uri.removeprefix(f"s3://{bucket}/")
    assert service.client("s3").head_object(Bucket=bucket, Key=key)["ContentLength"] > 0
    best = done.stdout.splitlines()[-1].removeprefix("best ")
    assert sagemaker.describe_training_job(TrainingJobName=best)["TrainingJobStatus"] == "Completed"
