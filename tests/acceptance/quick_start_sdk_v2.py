"""A script with the SageMaker SDK v2, as people have them: a processing job, a training job, and a pipeline of both."""

import sys

import sagemaker
from sagemaker.estimator import Estimator
from sagemaker.inputs import TrainingInput
from sagemaker.processing import ProcessingOutput, ScriptProcessor
from sagemaker.workflow.pipeline import Pipeline
from sagemaker.workflow.pipeline_context import PipelineSession
from sagemaker.workflow.steps import ProcessingStep, TrainingStep

ROLE = "arn:aws:iam::123456789012:role/LocalSageMakerRole"
IMAGE = sagemaker.image_uris.retrieve("xgboost", "us-east-1", "1.7-1")


def prepare(session, code):
    processor = ScriptProcessor(ROLE, IMAGE, ["python3"], 1, "ml.t3.medium", sagemaker_session=session)
    outputs = [ProcessingOutput("/opt/ml/processing/train", f"s3://{session.default_bucket()}/train", "train")]
    return processor.run(code=code, outputs=outputs)


def train(session):
    estimator = Estimator(IMAGE, ROLE, 1, "ml.m5.large", sagemaker_session=session, hyperparameters={"num_round": 3})
    data = TrainingInput(f"s3://{session.default_bucket()}/train", content_type="text/csv")
    return estimator, estimator.fit({"train": data})


prepare(sagemaker.Session(), "prepare.py")
estimator, _ = train(sagemaker.Session())
sys.stdout.write(f"Model: {estimator.model_data}\n")
session = PipelineSession()
steps = [ProcessingStep("Prepare", step_args=prepare(session, "prepare.py"))]
steps.append(TrainingStep("Train", step_args=train(session)[1], depends_on=steps[:1]))
pipeline = Pipeline("sdk-v2", steps=steps, sagemaker_session=session)
pipeline.upsert(ROLE)
execution = pipeline.start()
execution.wait(delay=1)
sys.stdout.write(f"Pipeline: {execution.describe()['PipelineExecutionStatus']}\n")
