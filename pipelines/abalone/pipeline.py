"""The abalone pipeline's definition: 22 parameters, 12 steps, one small builder per step, wired by ``get_pipeline``.

Two checks of the data guard the training; the model is then transformed over the test split, checked three times,
evaluated, and registered if its mean squared error is low enough. Every output lies under the execution's id, so
that executions never overwrite each other. Nothing here knows whether it runs on AWS or on one machine.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from sagemaker.core.drift_check_baselines import DriftCheckBaselines
from sagemaker.core.helper.session_helper import get_execution_role
from sagemaker.core.model_metrics import ModelMetrics
from sagemaker.core.processing import ScriptProcessor
from sagemaker.core.shapes import OutputDataConfig
from sagemaker.core.training.configs import Compute, InputData
from sagemaker.core.transformer import Transformer
from sagemaker.core.workflow.conditions import ConditionLessThanOrEqualTo
from sagemaker.core.workflow.functions import JsonGet
from sagemaker.core.workflow.properties import PropertyFile
from sagemaker.mlops.workflow.condition_step import ConditionStep
from sagemaker.mlops.workflow.model_step import ModelStep
from sagemaker.mlops.workflow.pipeline import Pipeline
from sagemaker.mlops.workflow.steps import ProcessingStep, Step, TrainingStep, TransformStep
from sagemaker.train.model_trainer import ModelTrainer

from pipelines.abalone.build import (
    CACHE,
    CSV,
    Build,
    build_model,
    config_file,
    job_input,
    job_output,
    metric,
    split_url,
)
from pipelines.abalone.managed_checks import ManagedChecks
from pipelines.abalone.parameters import Parameters
from pipelines.abalone.portable_checks import AbalonePortableChecks
from pipelines.checks import FLAVOURS, Flavour
from pipelines.checks.check import Check
from pipelines.data import abalone_url
from pipelines.session import pipeline_session

HERE = Path(__file__).parent
LARGEST_MSE = 6.0
_MAKERS: Mapping[Flavour, type[ManagedChecks] | type[AbalonePortableChecks]] = {
    "managed": ManagedChecks,
    "portable": AbalonePortableChecks,
}
HYPERPARAMETERS: Mapping[str, str | int | float] = {
    "objective": "reg:squarederror",
    "num_round": 50,
    "max_depth": 5,
    "eta": 0.2,
    "gamma": 4,
    "min_child_weight": 6,
    "subsample": 0.7,
}


def get_pipeline(
    region: str,
    sagemaker_project_arn: str | None = None,  # noqa: ARG001  (the tags of the project: see pipelines/tags.py)
    role: str | None = None,
    default_bucket: str | None = None,
    model_package_group_name: str = "AbalonePackageGroup",
    pipeline_name: str = "AbalonePipeline",
    base_job_prefix: str = "Abalone",
    hyperparameters: Mapping[str, str | int | float] | None = None,
    input_data_url: str | None = None,
    checks: Flavour = "managed",
) -> Pipeline:
    """The pipeline, ready for ``definition()``.

    :param role: of the jobs; by default the caller's own, which the SDK looks up with STS and IAM.
    :param default_bucket: where everything is written; by default the SDK's ``sagemaker-<region>-<account>``.
    :param base_job_prefix: the first part of every key that the pipeline writes.
    :param hyperparameters: instead of or beside the stock ones of ``HYPERPARAMETERS``.
    :param input_data_url: default of the parameter InputDataUrl; by default the data set's object in the bucket.
    :param checks: by Model Monitor and Clarify, or by the project itself where those two are not available.
    """
    if checks not in FLAVOURS:
        raise ValueError(f"checks: {' or '.join(FLAVOURS)} is expected, not {checks!r}")
    session = pipeline_session(region, default_bucket)
    bucket = session.default_bucket()  # creates it if it does not exist
    build = Build(
        session=session,
        region=region,
        role=role or get_execution_role(session),
        bucket=bucket,
        prefix=base_job_prefix,
        group=model_package_group_name,
        parameters=Parameters(input_data_url or abalone_url(bucket)),
        hyperparameters={**HYPERPARAMETERS, **(hyperparameters or {})},
    )
    steps, parameters = make_steps(build, checks), build.parameters.in_order()
    return Pipeline(name=pipeline_name, parameters=parameters, steps=steps, sagemaker_session=session)


def make_steps(build: Build, checks: Flavour) -> list[Step]:
    """The pipeline's steps, in the order in which they are listed, wired to each other."""
    preprocess = preprocess_step(build)
    maker = _MAKERS[checks](build)
    data_quality, data_bias = maker.data_quality(preprocess), maker.data_bias(preprocess)
    train = train_step(build, preprocess, depends_on=[data_quality, data_bias])
    model = model_step(build, train)
    transform = transform_step(build, model, preprocess)
    model_quality = maker.model_quality(transform)
    model_bias = maker.model_bias(preprocess, train, model)
    explainability = maker.explainability(preprocess, train, model)
    evaluate, report = evaluate_step(build, train, preprocess)
    register = register_step(build, train, data_quality, data_bias, model_quality, model_bias, explainability)
    gate = gate_step(evaluate, report, register)
    return [
        preprocess,
        data_quality.step,
        data_bias.step,
        train,
        model,
        transform,
        model_quality.step,
        model_bias.step,
        explainability.step,
        evaluate,
        gate,
    ]


def preprocess_step(build: Build) -> ProcessingStep:
    parameters = build.parameters
    processor = ScriptProcessor(
        image_uri=build.scikit_learn_image,
        command=["python3"],
        instance_type=parameters.processing_instance_type,
        instance_count=parameters.processing_instance_count,
        role=build.role,
        sagemaker_session=build.session,
    )
    request = processor.run(
        code=str(HERE / "preprocess.py"),
        arguments=["--input-data", parameters.input_data_url],
        outputs=[
            job_output(name, f"/opt/ml/processing/{name}", build.output("preprocess", name))
            for name in ("train", "validation", "test")
        ],
    )
    return ProcessingStep(name="PreprocessAbaloneData", step_args=request, cache_config=CACHE)


def train_step(build: Build, preprocess: ProcessingStep, depends_on: list[Check]) -> TrainingStep:
    trainer = ModelTrainer(
        training_image=build.xgboost_image,
        compute=Compute(instance_type=build.parameters.training_instance_type, instance_count=1, volume_size_in_gb=30),
        output_data_config=OutputDataConfig(s3_output_path=build.output("train")),
        hyperparameters=dict(build.hyperparameters),
        base_job_name=f"{build.prefix}/abalone-train",
        role=build.role,
        sagemaker_session=build.session,
    )
    request = trainer.train(
        input_data_config=[
            InputData(channel_name=name, data_source=split_url(preprocess, name), content_type=CSV)
            for name in ("train", "validation")
        ]
    )
    guards = [check.step for check in depends_on]
    return TrainingStep(name="TrainAbaloneModel", step_args=request, depends_on=guards, cache_config=CACHE)


def model_step(build: Build, train: TrainingStep) -> ModelStep:
    return ModelStep(name="AbaloneCreateModel", step_args=build_model(build, train).build())


def transform_step(build: Build, model: ModelStep, preprocess: ProcessingStep) -> TransformStep:
    transformer = Transformer(
        model_name=model.properties.ModelName,
        instance_type="ml.m5.xlarge",
        instance_count=1,
        accept=CSV,
        assemble_with="Line",
        output_path=build.output("transform"),
        sagemaker_session=build.session,
    )
    request = transformer.transform(
        data=split_url(preprocess, "test"),
        content_type=CSV,
        split_type="Line",
        input_filter="$[1:]",
        join_source="Input",
        output_filter="$[0,-1]",
    )
    return TransformStep(name="AbaloneTransform", step_args=request)


def evaluate_step(build: Build, train: TrainingStep, preprocess: ProcessingStep) -> tuple[ProcessingStep, PropertyFile]:
    processor = ScriptProcessor(
        image_uri=build.xgboost_image,
        command=["python3"],
        instance_type=build.parameters.processing_instance_type,
        instance_count=1,
        role=build.role,
        sagemaker_session=build.session,
    )
    request = processor.run(
        code=str(HERE / "evaluate.py"),
        inputs=[
            job_input("model", "/opt/ml/processing/model", train.properties.ModelArtifacts.S3ModelArtifacts),
            job_input("test", "/opt/ml/processing/test", split_url(preprocess, "test")),
        ],
        outputs=[job_output("evaluation", "/opt/ml/processing/evaluation", build.output("evaluate"))],
    )
    report = PropertyFile(name="AbaloneEvaluationReport", output_name="evaluation", path="evaluation.json")
    step = ProcessingStep(name="EvaluateAbaloneModel", step_args=request, property_files=[report], cache_config=CACHE)
    return step, report


def register_step(
    build: Build,
    train: TrainingStep,
    data_quality: Check,
    data_bias: Check,
    model_quality: Check,
    model_bias: Check,
    explainability: Check,
) -> ModelStep:
    metrics = ModelMetrics(
        model_data_statistics=metric(data_quality.calculated.statistics),
        model_data_constraints=metric(data_quality.calculated.constraints),
        bias_pre_training=metric(data_bias.calculated.constraints),
        model_statistics=metric(model_quality.calculated.statistics),
        model_constraints=metric(model_quality.calculated.constraints),
        bias_post_training=metric(model_bias.calculated.constraints),
        bias=metric(model_bias.calculated.constraints),
        explainability=metric(explainability.calculated.constraints),
    )
    request = build_model(build, train).register(
        content_types=[CSV],
        response_types=[CSV],
        inference_instances=["ml.t2.medium", "ml.m5.large"],
        transform_instances=["ml.m5.large"],
        model_package_group_name=build.group,
        approval_status=build.parameters.model_approval_status,
        model_metrics=metrics,
        drift_check_baselines=DriftCheckBaselines(
            model_data_statistics=metric(data_quality.used.statistics),
            model_data_constraints=metric(data_quality.used.constraints),
            bias_pre_training_constraints=metric(data_bias.used.constraints),
            bias_config_file=config_file(model_bias.monitoring_config),
            model_statistics=metric(model_quality.used.statistics),
            model_constraints=metric(model_quality.used.constraints),
            bias_post_training_constraints=metric(model_bias.used.constraints),
            explainability_constraints=metric(explainability.used.constraints),
            explainability_config_file=config_file(explainability.monitoring_config),
        ),
    )
    return ModelStep(name="RegisterAbaloneModel", step_args=request)


def gate_step(evaluate: ProcessingStep, report: PropertyFile, register: ModelStep) -> ConditionStep:
    mse = JsonGet(step_name=evaluate.name, property_file=report, json_path="regression_metrics.mse.value")
    return ConditionStep(
        name="CheckMSEAbaloneEvaluation",
        conditions=[ConditionLessThanOrEqualTo(left=mse, right=LARGEST_MSE)],
        if_steps=[register],
        else_steps=[],
    )
