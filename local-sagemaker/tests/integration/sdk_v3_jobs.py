"""A user's program for test_jobs_sdk_v3.py: jobs by the SageMaker SDK v3, with sources and requirements of their own.

Run as ``sdk_v3_jobs.py ROLE IMAGE SOURCE_FOLDER``.
"""

import sys

from sagemaker.core.helper.session_helper import Session
from sagemaker.core.processing import FrameworkProcessor
from sagemaker.core.shapes import ProcessingOutput, ProcessingS3Output
from sagemaker.train import ModelTrainer
from sagemaker.train.configs import Compute, SourceCode

role, image, folder = sys.argv[1:]
session = Session()
processor = FrameworkProcessor(
    image_uri=image,
    command=["python3"],
    role=role,
    instance_count=1,
    instance_type="ml.m5.large",
    sagemaker_session=session,
    base_job_name="sdk-v3",
)
output = ProcessingS3Output(
    s3_uri=f"s3://{session.default_bucket()}/sdk-v3",
    local_path="/opt/ml/processing/output",
    s3_upload_mode="EndOfJob",
)
processor.run(
    code="main.py",
    source_dir=folder,
    requirements="requirements.txt",
    arguments=["--depth", "7"],
    outputs=[ProcessingOutput(output_name="result", s3_output=output)],
    wait=False,
    logs=False,
)
trainer = ModelTrainer(
    training_image=image,
    role=role,
    sagemaker_session=session,
    base_job_name="sdk-v3",
    source_code=SourceCode(source_dir=folder, entry_script="main.py", requirements="requirements.txt"),
    compute=Compute(instance_type="ml.m5.large", instance_count=1),
    hyperparameters={"depth": 9},
)
trainer.train(wait=False, logs=False)
