"""What the builders of ``pipeline.py`` share: whose pipeline it is, where it writes, and what they all repeat."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from sagemaker.core import image_uris
from sagemaker.core.clarify import BiasConfig, DataConfig, ModelConfig, SHAPConfig
from sagemaker.core.model_metrics import FileSource, MetricsSource
from sagemaker.core.shapes import ProcessingInput, ProcessingOutput, ProcessingS3Input, ProcessingS3Output
from sagemaker.core.workflow.execution_variables import ExecutionVariables
from sagemaker.core.workflow.functions import Join
from sagemaker.core.workflow.pipeline_context import PipelineSession
from sagemaker.mlops.workflow.check_job_config import CheckJobConfig
from sagemaker.mlops.workflow.model_step import ModelStep
from sagemaker.mlops.workflow.steps import CacheConfig, ProcessingStep, TrainingStep
from sagemaker.serve.model_builder import ModelBuilder

from pipelines.abalone.parameters import Parameters
from pipelines.session import private_folder

CSV = "text/csv"
CACHE = CacheConfig(enable_caching=True, expire_after="P30D")
# The first column of the preprocessed splits is the label, the ninth the first of the three indicators of the sex.
BIAS = BiasConfig(label_values_or_threshold=[15.0], facet_name=[8], facet_values_or_threshold=[[0.5]])
SHAP = SHAPConfig(seed=123, num_samples=10)


@dataclass(frozen=True)
class Build:
    """One pipeline under construction."""

    session: PipelineSession
    region: str
    role: str
    bucket: str
    prefix: str
    group: str
    parameters: Parameters
    hyperparameters: Mapping[str, str | int | float]

    def output(self, *names: str) -> Join:
        """``s3://bucket/prefix/<execution id>/names...``"""
        parts = ["s3:/", self.bucket, self.prefix, ExecutionVariables.PIPELINE_EXECUTION_ID, *names]
        return Join(on="/", values=parts)

    @cached_property
    def xgboost_image(self) -> str:
        return self._image("xgboost", "3.0-5", self.parameters.training_instance_type)

    @cached_property
    def scikit_learn_image(self) -> str:
        return self._image("sklearn", "1.4-2", self.parameters.processing_instance_type)

    def _image(self, framework: str, version: str, instance_type: Any) -> str:
        return image_uris.retrieve(
            framework=framework, region=self.region, version=version, py_version="py3", instance_type=instance_type
        )

    @cached_property
    def check_job(self) -> CheckJobConfig:
        """The machine that every check runs on."""
        return CheckJobConfig(
            role=self.role,
            instance_count=1,
            instance_type="ml.c5.xlarge",
            volume_size_in_gb=120,
            sagemaker_session=self.session,
        )


def build_model(build: Build, train: TrainingStep) -> ModelBuilder:
    """The model that a training step leaves, to be created or registered."""
    return ModelBuilder(
        model_path=private_folder().name,
        image_uri=build.xgboost_image,
        s3_model_data_url=train.properties.ModelArtifacts.S3ModelArtifacts,
        role_arn=build.role,
        instance_type="ml.m5.large",
        sagemaker_session=build.session,
        dependencies={"auto": False},
        log_level=logging.WARNING,
    )


def split_url(preprocess: ProcessingStep, name: str) -> Any:
    """Where a split of the preprocessed data will be."""
    return preprocess.properties.ProcessingOutputConfig.Outputs[name].S3Output.S3Uri


def job_input(name: str, path: str, uri: Any) -> ProcessingInput:
    source = ProcessingS3Input(s3_uri=uri, local_path=path, s3_data_type="S3Prefix", s3_input_mode="File")
    return ProcessingInput(input_name=name, s3_input=source)


def job_output(name: str, path: str, uri: Any) -> ProcessingOutput:
    target = ProcessingS3Output(s3_uri=uri, local_path=path, s3_upload_mode="EndOfJob")
    return ProcessingOutput(output_name=name, s3_output=target)


def clarify_data(build: Build, preprocess: ProcessingStep, step: str, analysis: dict[str, Any]) -> DataConfig:
    """Where a Clarify check reads and writes.

    The SDK uploads the analysis to one fixed key below the path given here, and caching compares keys, not contents:
    so the path names the contents. A changed analysis misses, and never changes one that an execution still reads.
    """
    contents = hashlib.sha256(json.dumps(analysis, sort_keys=True).encode()).hexdigest()[:16]
    return DataConfig(
        s3_data_input_path=split_url(preprocess, "train"),
        s3_output_path=build.output(step),
        s3_analysis_config_output_path=f"s3://{build.bucket}/{build.prefix}/{step}/analysis_cfg/{contents}",
        label=0,
        dataset_type=CSV,
    )


def clarify_model(model: ModelStep) -> ModelConfig:
    return ModelConfig(model_name=model.properties.ModelName, instance_count=1, instance_type="ml.m5.xlarge")


def metric(uri: Any) -> MetricsSource:
    return MetricsSource(s3_uri=uri, content_type="application/json")


def config_file(uri: Any) -> FileSource:
    return FileSource(s3_uri=uri, content_type="application/json")
