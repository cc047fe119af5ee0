"""A user's program for test_callback_steps.py: a pipeline with a CallbackStep, written with the SageMaker SDK v3.

Run as ``sdk_v3_callback.py ROLE QUEUE_URL NAME``; starts the pipeline once.
"""

import sys

from sagemaker.core.workflow.parameters import ParameterString
from sagemaker.core.workflow.pipeline_context import PipelineSession
from sagemaker.mlops.workflow.callback_step import CallbackOutput, CallbackOutputTypeEnum, CallbackStep
from sagemaker.mlops.workflow.fail_step import FailStep
from sagemaker.mlops.workflow.pipeline import Pipeline

role, queue, name = sys.argv[1:]
bucket = ParameterString("Bucket", default_value="data")
location = CallbackOutput(output_name="location", output_type=CallbackOutputTypeEnum.String)
rows = CallbackOutput(output_name="rows", output_type=CallbackOutputTypeEnum.Integer)
approve = CallbackStep(
    name="Approve", sqs_queue_url=queue, inputs={"bucket": bucket, "limit": 3}, outputs=[location, rows]
)
tell = FailStep(name="Tell", error_message=approve.properties.Outputs["location"])
pipeline = Pipeline(name=name, parameters=[bucket], steps=[approve, tell], sagemaker_session=PipelineSession())
pipeline.upsert(role_arn=role)
pipeline.start()
