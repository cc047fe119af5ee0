"""The abalone pipeline's definition: 22 parameters, 12 steps, one small builder per step, wired by ``get_pipeline``.

Two checks of the data guard the training; the model is then transformed over the test split, checked three times,
evaluated, and registered if its mean squared error is low enough. Every output lies under the execution's id, so
that executions never overwrite each other. Nothing here knows whether it runs on AWS or on one machine.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from sagemaker.core.clarify import ModelPredictedLabelConfig, SHAPConfig
from sagemaker.core.drift_check_baselines import DriftCheckBaselines
from sagemaker.core.helper.session_helper import get_execution_role
from sagemaker.core.model_metrics import ModelMetrics
from sagemaker.core.model_monitor import DatasetFormat
from sagemaker.core.processing import ScriptProcessor
from sagemaker.core.shapes import OutputDataConfig
from sagemaker.core.training.configs import Compute, InputData
from sagemaker.core.transformer import Transformer
from sagemaker.core.workflow.conditions import ConditionLessThanOrEqualTo
from sagemaker.core.workflow.functions import JsonGet
from sagemaker.core.workflow.properties import PropertyFile
from sagemaker.mlops.workflow.clarify_check_step import (
    ClarifyCheckStep,
    DataBiasCheckConfig,
    ModelBiasCheckConfig,
    ModelExplainabilityCheckConfig,
)
from sagemaker.mlops.workflow.condition_step import ConditionStep
from sagemaker.mlops.workflow.model_step import ModelStep
from sagemaker.mlops.workflow.pipeline import Pipeline
from sagemaker.mlops.workflow.quality_check_step import (
    DataQualityCheckConfig,
    ModelQualityCheckConfig,
    QualityCheckStep,
)
from sagemaker.mlops.workflow.steps import ProcessingStep, TrainingStep, TransformStep
from sagemaker.train.model_trainer import ModelTrainer

from pipelines.abalone.build import (
    BIAS,
    CACHE,
    CSV,
    Build,
    build_model,
    clarify_data,
    clarify_model,
    config_file,
    job_input,
    job_output,
    metric,
    split_url,
)
from pipelines.abalone.parameters import Parameters
from pipelines.data import abalone_url
from pipelines.session import pipeline_session

HERE = Path(__file__).parent
LARGEST_MSE = 6.0
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
) -> Pipeline:
    """The pipeline, ready for ``definition()``.

    :param role: of the jobs; by default the caller's own, which the SDK asks STS and IAM for.
    :param default_bucket: where everything is written; by default the SDK's ``sagemaker-<region>-<account>``.
    :param base_job_prefix: the first part of every key that the pipeline writes.
    :param hyperparameters: instead of or beside the stock ones of ``HYPERPARAMETERS``.
    :param input_data_url: default of the parameter InputDataUrl; by default the data set's object in the bucket.
    """
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
    preprocess = preprocess_step(build)
    data_quality = data_quality_step(build, preprocess)
    data_bias = data_bias_step(build, preprocess)
    train = train_step(build, preprocess, depends_on=[data_quality, data_bias])
    model = model_step(build, train)
    transform = transform_step(build, model, preprocess)
    model_quality = model_quality_step(build, transform)
    model_bias = model_bias_step(build, model, preprocess)
    explainability = explainability_step(build, model, preprocess)
    evaluate, report = evaluate_step(build, train, preprocess)
    register = register_step(build, train, data_quality, data_bias, model_quality, model_bias, explainability)
    gate = gate_step(evaluate, report, register)
    return Pipeline(
        name=pipeline_name,
        parameters=build.parameters.in_order(),
        steps=[
            preprocess,
            data_quality,
            data_bias,
            train,
            model,
            transform,
            model_quality,
            model_bias,
            explainability,
            evaluate,
            gate,
        ],
        sagemaker_session=session,
    )


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


def data_quality_step(build: Build, preprocess: ProcessingStep) -> QualityCheckStep:
    parameters = build.parameters
    return QualityCheckStep(
        name="DataQualityCheckStep",
        quality_check_config=DataQualityCheckConfig(
            baseline_dataset=split_url(preprocess, "train"),
            dataset_format=DatasetFormat.csv(header=False, output_columns_position="START"),
            output_s3_uri=build.output("dataqualitycheckstep"),
        ),
        check_job_config=build.check_job,
        skip_check=parameters.skip_data_quality,
        register_new_baseline=parameters.register_data_quality,
        supplied_baseline_statistics=parameters.data_quality_statistics,
        supplied_baseline_constraints=parameters.data_quality_constraints,
        model_package_group_name=build.group,
        cache_config=CACHE,
    )


def data_bias_step(build: Build, preprocess: ProcessingStep) -> ClarifyCheckStep:
    parameters = build.parameters
    return ClarifyCheckStep(
        name="DataBiasCheckStep",
        clarify_check_config=DataBiasCheckConfig(
            data_config=clarify_data(build, preprocess, "databiascheckstep", BIAS.get_config()),
            data_bias_config=BIAS,
        ),
        check_job_config=build.check_job,
        skip_check=parameters.skip_data_bias,
        register_new_baseline=parameters.register_data_bias,
        supplied_baseline_constraints=parameters.data_bias_constraints,
        model_package_group_name=build.group,
        cache_config=CACHE,
    )


def train_step(
    build: Build, preprocess: ProcessingStep, depends_on: list[QualityCheckStep | ClarifyCheckStep]
) -> TrainingStep:
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
    return TrainingStep(name="TrainAbaloneModel", step_args=request, depends_on=depends_on, cache_config=CACHE)


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


def model_quality_step(build: Build, transform: TransformStep) -> QualityCheckStep:
    parameters = build.parameters
    return QualityCheckStep(
        name="ModelQualityCheckStep",
        quality_check_config=ModelQualityCheckConfig(
            baseline_dataset=transform.properties.TransformOutput.S3OutputPath,
            dataset_format=DatasetFormat.csv(header=False),
            output_s3_uri=build.output("modelqualitycheckstep"),
            problem_type="Regression",
            # The transform step joins the prediction to the end of a row and keeps the first column and the last.
            inference_attribute="_c1",
            ground_truth_attribute="_c0",
        ),
        check_job_config=build.check_job,
        skip_check=parameters.skip_model_quality,
        register_new_baseline=parameters.register_model_quality,
        supplied_baseline_statistics=parameters.model_quality_statistics,
        supplied_baseline_constraints=parameters.model_quality_constraints,
        model_package_group_name=build.group,
        cache_config=CACHE,
    )


def model_bias_step(build: Build, model: ModelStep, preprocess: ProcessingStep) -> ClarifyCheckStep:
    parameters = build.parameters
    model_config = clarify_model(model)
    return ClarifyCheckStep(
        name="ModelBiasCheckStep",
        clarify_check_config=ModelBiasCheckConfig(
            data_config=clarify_data(build, preprocess, "modelbiascheckstep", BIAS.get_config()),
            data_bias_config=BIAS,
            model_config=model_config,
            model_predicted_label_config=ModelPredictedLabelConfig(),
        ),
        check_job_config=build.check_job,
        skip_check=parameters.skip_model_bias,
        register_new_baseline=parameters.register_model_bias,
        supplied_baseline_constraints=parameters.model_bias_constraints,
        model_package_group_name=build.group,
        cache_config=CACHE,
    )


def explainability_step(build: Build, model: ModelStep, preprocess: ProcessingStep) -> ClarifyCheckStep:
    parameters = build.parameters
    shap = SHAPConfig(seed=123, num_samples=10)
    return ClarifyCheckStep(
        name="ModelExplainabilityCheckStep",
        clarify_check_config=ModelExplainabilityCheckConfig(
            data_config=clarify_data(
                build, preprocess, "modelexplainabilitycheckstep", shap.get_explainability_config()
            ),
            model_config=clarify_model(model),
            explainability_config=shap,
        ),
        check_job_config=build.check_job,
        skip_check=parameters.skip_explainability,
        register_new_baseline=parameters.register_explainability,
        supplied_baseline_constraints=parameters.explainability_constraints,
        model_package_group_name=build.group,
        cache_config=CACHE,
    )


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
    data_quality: QualityCheckStep,
    data_bias: ClarifyCheckStep,
    model_quality: QualityCheckStep,
    model_bias: ClarifyCheckStep,
    explainability: ClarifyCheckStep,
) -> ModelStep:
    metrics = ModelMetrics(
        model_data_statistics=metric(data_quality.properties.CalculatedBaselineStatistics),
        model_data_constraints=metric(data_quality.properties.CalculatedBaselineConstraints),
        bias_pre_training=metric(data_bias.properties.CalculatedBaselineConstraints),
        model_statistics=metric(model_quality.properties.CalculatedBaselineStatistics),
        model_constraints=metric(model_quality.properties.CalculatedBaselineConstraints),
        bias_post_training=metric(model_bias.properties.CalculatedBaselineConstraints),
        bias=metric(model_bias.properties.CalculatedBaselineConstraints),
        explainability=metric(explainability.properties.CalculatedBaselineConstraints),
    )
    baselines = DriftCheckBaselines(
        model_data_statistics=metric(data_quality.properties.BaselineUsedForDriftCheckStatistics),
        model_data_constraints=metric(data_quality.properties.BaselineUsedForDriftCheckConstraints),
        bias_pre_training_constraints=metric(data_bias.properties.BaselineUsedForDriftCheckConstraints),
        bias_config_file=config_file(model_bias.clarify_check_config),
        model_statistics=metric(model_quality.properties.BaselineUsedForDriftCheckStatistics),
        model_constraints=metric(model_quality.properties.BaselineUsedForDriftCheckConstraints),
        bias_post_training_constraints=metric(model_bias.properties.BaselineUsedForDriftCheckConstraints),
        explainability_constraints=metric(explainability.properties.BaselineUsedForDriftCheckConstraints),
        explainability_config_file=config_file(explainability.clarify_check_config),
    )
    request = build_model(build, train).register(
        content_types=[CSV],
        response_types=[CSV],
        inference_instances=["ml.t2.medium", "ml.m5.large"],
        transform_instances=["ml.m5.large"],
        model_package_group_name=build.group,
        approval_status=build.parameters.model_approval_status,
        model_metrics=metrics,
        drift_check_baselines=baselines,
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
