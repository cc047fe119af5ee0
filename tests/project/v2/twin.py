"""The abalone pipeline again, written with the SageMaker Python SDK v2. Writes its definition to a file.

Runs in an environment with SDK v2 (local-sagemaker/tests/sdk_v2.py); never imported by the project. It shows that
definitions of both SDK generations have the same graph and run on the same service.

Usage: twin.py FILE REGION BUCKET ROLE_ARN PIPELINE_NAME INPUT_DATA_URL
"""

import sys
from pathlib import Path

import boto3
from sagemaker import image_uris
from sagemaker.clarify import BiasConfig, DataConfig, ModelConfig, ModelPredictedLabelConfig, SHAPConfig
from sagemaker.drift_check_baselines import DriftCheckBaselines
from sagemaker.estimator import Estimator
from sagemaker.inputs import TrainingInput
from sagemaker.model import Model
from sagemaker.model_metrics import FileSource, MetricsSource, ModelMetrics
from sagemaker.model_monitor import DatasetFormat
from sagemaker.processing import ProcessingInput, ProcessingOutput, ScriptProcessor
from sagemaker.sklearn.processing import SKLearnProcessor
from sagemaker.transformer import Transformer
from sagemaker.workflow.check_job_config import CheckJobConfig
from sagemaker.workflow.clarify_check_step import (
    ClarifyCheckStep,
    DataBiasCheckConfig,
    ModelBiasCheckConfig,
    ModelExplainabilityCheckConfig,
)
from sagemaker.workflow.condition_step import ConditionStep
from sagemaker.workflow.conditions import ConditionLessThanOrEqualTo
from sagemaker.workflow.execution_variables import ExecutionVariables
from sagemaker.workflow.functions import Join, JsonGet
from sagemaker.workflow.model_step import ModelStep
from sagemaker.workflow.parameters import ParameterBoolean, ParameterInteger, ParameterString
from sagemaker.workflow.pipeline import Pipeline
from sagemaker.workflow.pipeline_context import PipelineSession
from sagemaker.workflow.properties import PropertyFile
from sagemaker.workflow.quality_check_step import DataQualityCheckConfig, ModelQualityCheckConfig, QualityCheckStep
from sagemaker.workflow.steps import ProcessingStep, TrainingStep, TransformStep

SCRIPTS = Path(__file__).resolve().parents[3] / "pipelines" / "abalone"
SUPPLIED = {
    "DataQuality": ("SuppliedStatistics", "SuppliedConstraints"),
    "DataBias": ("SuppliedBaselineConstraints",),
    "ModelQuality": ("SuppliedStatistics", "SuppliedConstraints"),
    "ModelBias": ("SuppliedBaselineConstraints",),
    "ModelExplainability": ("SuppliedBaselineConstraints",),
}


class Twin:
    """Builds the pipeline step by step; one method per group of steps."""

    def __init__(self, region, bucket, role, name, data):
        self.session = PipelineSession(boto3.Session(region_name=region), default_bucket=bucket)
        self.bucket, self.role, self.name = bucket, role, name
        self.parameters = {
            "ProcessingInstanceType": ParameterString(name="ProcessingInstanceType", default_value="ml.m5.xlarge"),
            "ProcessingInstanceCount": ParameterInteger(name="ProcessingInstanceCount", default_value=1),
            "TrainingInstanceType": ParameterString(name="TrainingInstanceType", default_value="ml.m5.xlarge"),
            "ModelApprovalStatus": ParameterString(name="ModelApprovalStatus", default_value="PendingManualApproval"),
            "InputDataUrl": ParameterString(name="InputDataUrl", default_value=data),
        }
        for check, supplied in SUPPLIED.items():
            for switch in (f"Skip{check}Check", f"RegisterNew{check}Baseline"):
                self.parameters[switch] = ParameterBoolean(name=switch, default_value=True)
            for field in supplied:
                self.parameters[check + field] = ParameterString(name=check + field, default_value="")
        self.xgboost = image_uris.retrieve("xgboost", region, version="1.7-1")
        self.bias = BiasConfig(label_values_or_threshold=[15.0], facet_name=[8], facet_values_or_threshold=[[0.5]])

    def out(self, *names):
        """A location under the execution's id."""
        values = ["s3:/", self.bucket, self.name, ExecutionVariables.PIPELINE_EXECUTION_ID, *names]
        return Join(on="/", values=values)

    def pipeline(self):
        p = self.parameters
        split = self.preprocess()
        self.data_checks(split)
        train = self.train(split)
        create, transform = self.model(train, split)
        self.model_checks(create, transform, split)
        evaluate, report = self.evaluate(train, split)
        register = self.register(train)
        mse = JsonGet(step_name=evaluate.name, property_file=report, json_path="regression_metrics.mse.value")
        gate = ConditionStep(
            "CheckMSEAbaloneEvaluation",
            conditions=[ConditionLessThanOrEqualTo(mse, 6.0)],
            if_steps=[register],
            else_steps=[],
        )
        steps = [self.preprocessing, *self.checks.values(), train, create, transform, evaluate, gate]
        return Pipeline(self.name, parameters=list(p.values()), steps=steps, sagemaker_session=self.session)

    def preprocess(self):
        p = self.parameters
        processor = SKLearnProcessor(
            "1.2-1",
            self.role,
            instance_type=p["ProcessingInstanceType"],
            instance_count=p["ProcessingInstanceCount"],
            sagemaker_session=self.session,
        )
        names = ("train", "validation", "test")
        request = processor.run(
            code=str(SCRIPTS / "preprocess.py"),
            arguments=["--input-data", p["InputDataUrl"]],
            outputs=[
                ProcessingOutput(output_name=n, source=f"/opt/ml/processing/{n}", destination=self.out("splits", n))
                for n in names
            ],
        )
        self.preprocessing = ProcessingStep("PreprocessAbaloneData", step_args=request)
        outputs = self.preprocessing.properties.ProcessingOutputConfig.Outputs
        return {n: outputs[n].S3Output.S3Uri for n in names}

    def check(self, kind, check, config, step_type):
        """A check step with its switches and supplied baselines."""
        p = self.parameters
        fields = {f"supplied_baseline_{f.split('Supplied')[-1].replace('Baseline', '').lower()}": p[kind + f]
                  for f in SUPPLIED[kind]}  # fmt: skip
        job = CheckJobConfig(self.role, 1, "ml.c5.xlarge", 120, sagemaker_session=self.session)
        name = "quality_check_config" if step_type is QualityCheckStep else "clarify_check_config"
        self.checks[kind] = step_type(
            check,
            **{name: config},
            check_job_config=job,
            skip_check=p[f"Skip{kind}Check"],
            register_new_baseline=p[f"RegisterNew{kind}Baseline"],
            model_package_group_name=self.name,
            **fields,
        )
        return self.checks[kind]

    checks: dict

    def clarify_data(self, split, name):
        return DataConfig(
            s3_data_input_path=split["train"],
            s3_output_path=self.out(name),
            s3_analysis_config_output_path=f"s3://{self.bucket}/{self.name}/{name}/analysis_cfg",
            label=0,
            dataset_type="text/csv",
        )

    def data_checks(self, split):
        self.checks = {}
        quality = DataQualityCheckConfig(
            split["train"],
            DatasetFormat.csv(header=False, output_columns_position="START"),
            output_s3_uri=self.out("data-quality"),
        )
        self.check("DataQuality", "DataQualityCheckStep", quality, QualityCheckStep)
        bias = DataBiasCheckConfig(self.clarify_data(split, "data-bias"), self.bias)
        self.check("DataBias", "DataBiasCheckStep", bias, ClarifyCheckStep)

    def train(self, split):
        estimator = Estimator(
            self.xgboost,
            self.role,
            instance_count=1,
            instance_type=self.parameters["TrainingInstanceType"],
            output_path=self.out("train"),
            sagemaker_session=self.session,
            hyperparameters={
                "objective": "reg:squarederror",
                "num_round": 50,
                "max_depth": 5,
                "eta": 0.2,
                "gamma": 4,
                "min_child_weight": 6,
                "subsample": 0.7,
            },
        )
        request = estimator.fit({n: TrainingInput(split[n], content_type="text/csv") for n in ("train", "validation")})
        before = [self.checks["DataQuality"], self.checks["DataBias"]]
        return TrainingStep("TrainAbaloneModel", step_args=request, depends_on=before)

    def trained(self, train):
        return Model(
            self.xgboost, train.properties.ModelArtifacts.S3ModelArtifacts, self.role, sagemaker_session=self.session
        )

    def model(self, train, split):
        create = ModelStep("AbaloneCreateModel", step_args=self.trained(train).create("ml.m5.large"))
        transformer = Transformer(
            create.properties.ModelName,
            1,
            "ml.m5.xlarge",
            accept="text/csv",
            assemble_with="Line",
            output_path=self.out("transform"),
            sagemaker_session=self.session,
        )
        request = transformer.transform(
            split["test"],
            content_type="text/csv",
            split_type="Line",
            input_filter="$[1:]",
            join_source="Input",
            output_filter="$[0,-1]",
        )
        return create, TransformStep("AbaloneTransform", step_args=request)

    def model_checks(self, create, transform, split):
        quality = ModelQualityCheckConfig(
            transform.properties.TransformOutput.S3OutputPath,
            DatasetFormat.csv(header=False),
            problem_type="Regression",
            inference_attribute="_c1",
            ground_truth_attribute="_c0",
            output_s3_uri=self.out("model-quality"),
        )
        self.check("ModelQuality", "ModelQualityCheckStep", quality, QualityCheckStep)
        model = ModelConfig(create.properties.ModelName, instance_count=1, instance_type="ml.m5.xlarge")
        bias = ModelBiasCheckConfig(
            self.clarify_data(split, "model-bias"), self.bias, model, ModelPredictedLabelConfig()
        )
        self.check("ModelBias", "ModelBiasCheckStep", bias, ClarifyCheckStep)
        data = self.clarify_data(split, "explainability")
        shap = ModelExplainabilityCheckConfig(data, model, SHAPConfig(seed=123, num_samples=10))
        self.check("ModelExplainability", "ModelExplainabilityCheckStep", shap, ClarifyCheckStep)

    def evaluate(self, train, split):
        processor = ScriptProcessor(
            image_uri=self.xgboost,
            command=["python3"],
            role=self.role,
            instance_count=1,
            instance_type=self.parameters["ProcessingInstanceType"],
            sagemaker_session=self.session,
        )
        request = processor.run(
            code=str(SCRIPTS / "evaluate.py"),
            inputs=[
                ProcessingInput(train.properties.ModelArtifacts.S3ModelArtifacts, "/opt/ml/processing/model"),
                ProcessingInput(split["test"], "/opt/ml/processing/test"),
            ],
            outputs=[ProcessingOutput("/opt/ml/processing/evaluation", self.out("evaluation"), "evaluation")],
        )
        report = PropertyFile("AbaloneEvaluationReport", "evaluation", "evaluation.json")
        return ProcessingStep("EvaluateAbaloneModel", step_args=request, property_files=[report]), report

    def register(self, train):
        def source(uri):
            return MetricsSource(s3_uri=uri, content_type="application/json")

        def calculated(kind, what):
            return source(getattr(self.checks[kind].properties, f"CalculatedBaseline{what}"))

        def used(kind, what):
            return source(getattr(self.checks[kind].properties, f"BaselineUsedForDriftCheck{what}"))

        def config(kind):
            step = self.checks[kind]
            return FileSource(step.clarify_check_config.monitoring_analysis_config_uri, content_type="application/json")

        request = self.trained(train).register(
            content_types=["text/csv"],
            response_types=["text/csv"],
            inference_instances=["ml.t2.medium", "ml.m5.large"],
            transform_instances=["ml.m5.large"],
            model_package_group_name=self.name,
            approval_status=self.parameters["ModelApprovalStatus"],
            model_metrics=ModelMetrics(
                model_statistics=calculated("ModelQuality", "Statistics"),
                model_constraints=calculated("ModelQuality", "Constraints"),
                model_data_statistics=calculated("DataQuality", "Statistics"),
                model_data_constraints=calculated("DataQuality", "Constraints"),
                bias=calculated("ModelBias", "Constraints"),
                bias_pre_training=calculated("DataBias", "Constraints"),
                bias_post_training=calculated("ModelBias", "Constraints"),
                explainability=calculated("ModelExplainability", "Constraints"),
            ),
            drift_check_baselines=DriftCheckBaselines(
                model_statistics=used("ModelQuality", "Statistics"),
                model_constraints=used("ModelQuality", "Constraints"),
                model_data_statistics=used("DataQuality", "Statistics"),
                model_data_constraints=used("DataQuality", "Constraints"),
                bias_config_file=config("ModelBias"),
                bias_pre_training_constraints=used("DataBias", "Constraints"),
                bias_post_training_constraints=used("ModelBias", "Constraints"),
                explainability_constraints=used("ModelExplainability", "Constraints"),
                explainability_config_file=config("ModelExplainability"),
            ),
        )
        return ModelStep("RegisterAbaloneModel", step_args=request)


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(Twin(*sys.argv[2:]).pipeline().definition(), "utf-8")
