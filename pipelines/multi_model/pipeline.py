"""The multi-model pipeline's definition: TrainOne and TrainTwo at the same time, then LambdaStep, which serves both.

Image, role, data, instance types and the endpoint's name are pipeline parameters. ``run-pipeline`` shows the name of
the endpoint, for ``model-registry invoke NAME --target-model model-0.tar.gz``.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sagemaker.core import image_uris
from sagemaker.core.helper.session_helper import get_execution_role
from sagemaker.core.shapes import OutputDataConfig
from sagemaker.core.training.configs import Compute, InputData
from sagemaker.core.workflow.execution_variables import ExecutionVariables
from sagemaker.core.workflow.functions import Join
from sagemaker.core.workflow.parameters import Parameter, ParameterString
from sagemaker.core.workflow.pipeline_context import PipelineSession
from sagemaker.mlops.workflow.lambda_step import LambdaOutput, LambdaOutputTypeEnum, LambdaStep
from sagemaker.mlops.workflow.pipeline import Pipeline
from sagemaker.mlops.workflow.steps import TrainingStep
from sagemaker.train.model_trainer import ModelTrainer

from pipelines.data import training_url
from pipelines.multi_model.function import Function, create_lambda_role
from pipelines.session import boto_session, pipeline_session

HERE = Path(__file__).parent
CODE = HERE / "deploy_endpoint.py"
OUTPUTS = ("statusCode", "body", "endpoint_name")
Hyperparameters = Mapping[str, str | int | float]
# The source's values, as far as the image of the default takes them: it refuses ``silent``.
ONE: Hyperparameters = {
    "objective": "reg:squarederror",
    "num_round": 40,
    "max_depth": 4,
    "eta": 0.1,
    "gamma": 3,
    "min_child_weight": 5,
    "subsample": 0.6,
}
TWO: Hyperparameters = {
    "objective": "reg:squarederror",
    "num_round": 50,
    "max_depth": 5,
    "eta": 0.2,
    "gamma": 4,
    "min_child_weight": 6,
    "subsample": 0.7,
}


class MultiModelParameters:
    """One field per parameter."""

    def __init__(self, region: str, bucket: str, image: str | None, role: str) -> None:
        self.training_input = ParameterString("training_input", training_url(bucket))
        self.training_instance = ParameterString("training_instance", "ml.c5.xlarge")
        default = image or image_uris.retrieve("xgboost", region, "3.0-5", instance_type=self.training_instance)
        self.image_uri = ParameterString("image_uri", default)
        self.model_role = ParameterString("model_role", role)
        self.endpoint_instance = ParameterString("endpoint_instance", "ml.c5.large")
        self.endpoint_name = ParameterString("endpoint_name", "")  # empty: a new one, named after the time

    def in_order(self) -> list[Parameter]:
        return list(vars(self).values())


def get_pipeline(
    region: str,
    role: str | None = None,
    default_bucket: str | None = None,
    pipeline_name: str = "mme-pipeline",
    base_job_prefix: str = "xgboost-mme-pipelines",
    image_uri: str | None = None,
    lambda_role: str = "lambda-deployment-role",
    hyperparameters_one: Hyperparameters | None = None,
    hyperparameters_two: Hyperparameters | None = None,
) -> Pipeline:
    """The pipeline, ready for ``definition()``, which also creates or updates the Lambda function.

    :param role: of the training jobs, and by default of the model; by default the caller's own.
    :param image_uri: default of the parameter; by default the built-in XGBoost image of the region.
    :param lambda_role: ARN of the function's role, or the name of one, which is made if it does not exist.
    :param hyperparameters_one: of TrainOne, instead of the stock ones; ``hyperparameters_two`` likewise.
    """
    session = pipeline_session(region, default_bucket)
    bucket = session.default_bucket()  # creates it if it does not exist
    role = role or get_execution_role(session)
    parameters = MultiModelParameters(region, bucket, image_uri, role)
    folder = ["s3:/", bucket, base_job_prefix, ExecutionVariables.PIPELINE_EXECUTION_ID]
    trainings = [
        train_step(name, session, role, parameters, folder, chosen)
        for name, chosen in (("TrainOne", hyperparameters_one or ONE), ("TrainTwo", hyperparameters_two or TWO))
    ]
    if not lambda_role.startswith("arn:"):
        lambda_role = create_lambda_role(boto_session(region).client("iam"), lambda_role, role, bucket)
    deploy = deploy_step(session, parameters, folder, trainings, f"{pipeline_name}-deploy-endpoint", lambda_role)
    return Pipeline(
        name=pipeline_name,
        parameters=parameters.in_order(),
        steps=[*trainings, deploy],
        sagemaker_session=session,
    )


def train_step(
    name: str,
    session: PipelineSession,
    role: str,
    parameters: MultiModelParameters,
    folder: list[Any],
    hyperparameters: Hyperparameters,
) -> TrainingStep:
    trainer = ModelTrainer(
        training_image=parameters.image_uri,
        compute=Compute(instance_type=parameters.training_instance, instance_count=1, volume_size_in_gb=30),
        output_data_config=OutputDataConfig(s3_output_path=Join(on="/", values=[*folder, "train"])),
        hyperparameters=dict(hyperparameters),
        base_job_name=name,
        role=role,
        sagemaker_session=session,
    )
    data = InputData(channel_name="train", data_source=parameters.training_input, content_type="text/csv")
    return TrainingStep(name=name, step_args=trainer.train(input_data_config=[data]))


def deploy_step(
    session: PipelineSession,
    parameters: MultiModelParameters,
    folder: list[Any],
    trainings: list[TrainingStep],
    function: str,
    role: str,
) -> LambdaStep:
    one, two = (step.properties.ModelArtifacts.S3ModelArtifacts for step in trainings)
    return LambdaStep(
        name="LambdaStep",
        lambda_func=Function(
            function_name=function,
            execution_role_arn=role,
            script=str(CODE),
            handler=f"{CODE.stem}.lambda_handler",
            runtime="python3.12",
            timeout=300,
            session=session,
        ),
        inputs={
            "model_artifacts_one": one,
            "model_artifacts_two": two,
            "models_prefix": Join(on="/", values=[*folder, "models"]),
            "image_uri": parameters.image_uri,
            "role_arn": parameters.model_role,
            "instance_type": parameters.endpoint_instance,
            "endpoint_name": parameters.endpoint_name,
        },
        outputs=[LambdaOutput(output_name=name, output_type=LambdaOutputTypeEnum.String) for name in OUTPUTS],
    )
