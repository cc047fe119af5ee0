"""A user's program for test_tuning_steps.py: a pipeline with a TuningStep, written with the SageMaker SDK v3.

Run as ``sdk_v3_tuning.py ROLE IMAGE BUCKET NAME``; prints the best training job of a tuner of its own.
"""

import sys

from sagemaker.core.helper.session_helper import Session
from sagemaker.core.parameter import ContinuousParameter, IntegerParameter
from sagemaker.core.shapes import OutputDataConfig
from sagemaker.core.workflow.pipeline_context import PipelineSession
from sagemaker.mlops.workflow.fail_step import FailStep
from sagemaker.mlops.workflow.pipeline import Pipeline
from sagemaker.mlops.workflow.steps import CacheConfig, TuningStep
from sagemaker.train import ModelTrainer
from sagemaker.train.configs import Compute, InputData
from sagemaker.train.tuner import HyperparameterTuner

role, image, bucket, name = sys.argv[1:]


def tuner_of(session: Session) -> HyperparameterTuner:
    """The same tuner for a pipeline and for a job of its own."""
    trainer = ModelTrainer(
        training_image=image,
        role=role,
        sagemaker_session=session,
        base_job_name="sdk-v3-tuning",
        compute=Compute(instance_type="ml.m5.large", instance_count=1, volume_size_in_gb=30),
        output_data_config=OutputDataConfig(s3_output_path=f"s3://{bucket}/models"),
        hyperparameters={"num_round": 5, "objective": "reg:squarederror", "nthread": 1},
    )
    return HyperparameterTuner(
        model_trainer=trainer,
        objective_metric_name="validation:rmse",
        objective_type="Minimize",
        hyperparameter_ranges={"eta": ContinuousParameter(0.05, 0.9), "max_depth": IntegerParameter(1, 6)},
        strategy="Random",
        max_jobs=3,
        max_parallel_jobs=3,
    )


inputs = [
    InputData(channel_name=channel, data_source=f"s3://{bucket}/data/{channel}.csv", content_type="text/csv")
    for channel in ("train", "validation")
]
session = PipelineSession()
step = TuningStep(
    name="HPTuning",
    step_args=tuner_of(session).tune(inputs),
    cache_config=CacheConfig(enable_caching=True, expire_after="P1D"),
)
tell = FailStep(name="Tell", error_message=step.get_top_model_s3_uri(top_k=1, s3_bucket=bucket, prefix="models"))
pipeline = Pipeline(name=name, steps=[step, tell], sagemaker_session=session)
pipeline.upsert(role_arn=role)
pipeline.start()

tuner = tuner_of(Session())
tuner.tune(inputs, wait=False)
tuner.latest_tuning_job.wait(poll=1)
sys.stdout.write(f"best {tuner.best_training_job()}\n")
