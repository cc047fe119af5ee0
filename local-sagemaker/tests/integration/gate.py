"""A gate for test_gate_cases.py: five pipelines of one check and a registration each, on tiny data and a real model.

The switches, the group and the supplied baselines are pipeline parameters, so that every case is one execution.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from tests.support import ROLE, XGBOOST, Service, finished, read_json, start, steps_of, until

REGISTRY = "205585389593.dkr.ecr.us-east-1.amazonaws.com"
CHECKS = {
    "DATA_QUALITY": "QualityCheck",
    "MODEL_QUALITY": "QualityCheck",
    "DATA_BIAS": "ClarifyCheck",
    "MODEL_BIAS": "ClarifyCheck",
    "MODEL_EXPLAINABILITY": "ClarifyCheck",
}
# Where a package's DriftCheckBaselines and ModelMetrics keep a check's files: statistics (if any) and constraints.
BASELINES = {
    "DATA_QUALITY": ("ModelDataQuality", ("Statistics", "Constraints")),
    "MODEL_QUALITY": ("ModelQuality", ("Statistics", "Constraints")),
    "DATA_BIAS": ("Bias", ("PreTrainingConstraints",)),
    "MODEL_BIAS": ("Bias", ("PostTrainingConstraints",)),
    "MODEL_EXPLAINABILITY": ("Explainability", ("Constraints",)),
}
METRICS = {"PreTrainingConstraints": "PreTrainingReport", "PostTrainingConstraints": "PostTrainingReport"}
BIAS = {"label_values_or_threshold": [1], "facet": [{"name_or_index": "f", "value_or_threshold": [0]}]}
CLUSTER = {"ClusterConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 5}}


def kinds(check_type: str) -> tuple[str, ...]:
    """What the check has: ``Statistics`` and ``Constraints``, or constraints only."""
    return ("Statistics", "Constraints") if CHECKS[check_type] == "QualityCheck" else ("Constraints",)


def parameter(name: str) -> dict[str, str]:
    return {"Get": f"Parameters.{name}"}


def table() -> pd.DataFrame:
    random = np.random.default_rng(11)
    frame = pd.DataFrame({"y": random.integers(0, 2, 80), "f": random.integers(0, 2, 80)})
    for name, weight in (("a", 3.0), ("b", 1.0), ("c", 0.3)):
        frame[name] = (weight * frame["y"] + random.normal(size=80)).round(3)
    return frame


@dataclass
class Gate:
    """The resources of the gate. `baselines[check type]` are S3 URIs by kind; `bad` those that the data violate."""

    service: Service
    bucket: str
    baselines: dict[str, dict[str, str]] = field(default_factory=dict)
    bad: dict[str, dict[str, str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.sagemaker, self.s3 = self.service.client("sagemaker"), self.service.client("s3")

    def put(self, key: str, content: bytes | Any) -> str:
        """Puts an object (JSON unless bytes); its URI."""
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        self.s3.put_object(Bucket=self.bucket, Key=key, Body=body)
        return f"s3://{self.bucket}/{key}"

    def prepare(self) -> None:
        """Data, a trained model, the pipelines, and a first run of each, whose results are the baselines."""
        self.s3.create_bucket(Bucket=self.bucket)
        frame = table()
        self.put("data/table/table.csv", frame.to_csv(index=False).encode())
        self.put("data/train/train.csv", frame[["y", "f", "a", "b", "c"]].to_csv(index=False, header=False).encode())
        predicted = frame["a"] + 0.5 * frame["b"]
        self.put("data/predictions/p.csv", pd.DataFrame({"y": frame["a"], "p": predicted}).to_csv(index=False).encode())
        self.train()
        for check_type in CHECKS:
            self._configure(check_type)
            self._create(check_type)
        first = {check_type: self.start(check_type, skip=True, register=True) for check_type in CHECKS}
        for check_type, execution in first.items():
            step = self.ended(execution)["Check"]
            assert step["StepStatus"] == "Succeeded", step
            details = step["Metadata"][CHECKS[check_type]]
            self.baselines[check_type] = {kind: details[f"CalculatedBaseline{kind}"] for kind in kinds(check_type)}
            worse = self.put(f"bad/{check_type}.json", self._worse(check_type))
            self.bad[check_type] = {**self.baselines[check_type], "Constraints": worse}

    def train(self) -> None:
        """Trains the model on the data and creates it, as NAME-model."""
        name = f"{self.bucket}-model"
        train = {"S3DataType": "S3Prefix", "S3Uri": f"s3://{self.bucket}/data/train/"}
        self.sagemaker.create_training_job(
            TrainingJobName=name,
            RoleArn=ROLE,
            AlgorithmSpecification={"TrainingImage": XGBOOST, "TrainingInputMode": "File"},
            HyperParameters={"objective": "binary:logistic", "num_round": "5"},
            InputDataConfig=[
                {"ChannelName": "train", "ContentType": "text/csv", "DataSource": {"S3DataSource": train}}
            ],
            OutputDataConfig={"S3OutputPath": f"s3://{self.bucket}/model"},
            ResourceConfig={"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 5},
            StoppingCondition={"MaxRuntimeInSeconds": 600},
        )

        def ended() -> Any:
            job = self.sagemaker.describe_training_job(TrainingJobName=name)
            return job if job["TrainingJobStatus"] not in ("InProgress", "Stopping") else None

        job = until(ended, "the model is trained")
        assert job["TrainingJobStatus"] == "Completed", job
        self.artifacts = job["ModelArtifacts"]["S3ModelArtifacts"]
        self.sagemaker.create_model(
            ModelName=name,
            ExecutionRoleArn=ROLE,
            PrimaryContainer={"Image": XGBOOST, "ModelDataUrl": self.artifacts},
        )

    def _configure(self, check_type: str) -> None:
        """The Clarify configurations, as the SDK writes them: the model's name is not in them."""
        common = {"dataset_type": "text/csv", "label": "y"}
        predictor = {"instance_type": "ml.m5.large", "initial_instance_count": 1}
        methods: dict[str, Any] = {
            "DATA_BIAS": {"pre_training_bias": {"methods": "all"}},
            "MODEL_BIAS": {"post_training_bias": {"methods": "all"}},
            "MODEL_EXPLAINABILITY": {"shap": {"seed": 1, "num_samples": 14}},
        }.get(check_type, {})
        more = {} if check_type == "DATA_BIAS" else {"predictor": predictor}
        more |= BIAS if "BIAS" in check_type else {}
        self.put(f"config/{check_type}/analysis_config.json", {**common, **more, "methods": methods})

    def _create(self, check_type: str) -> None:
        steps = [self._check(check_type), self._register(check_type)]
        defaults = {"SkipCheck": "false", "Register": "false", "Fail": "true", "Group": "", "Run": "first"}
        defaults |= {f"Supplied{kind}": "" for kind in kinds(check_type)}
        definition = {
            "Version": "2020-12-01",
            "Metadata": {},
            "Parameters": [
                {"Name": name, "Type": "Boolean" if default in ("true", "false") else "String", "DefaultValue": value}
                for name, default in defaults.items()
                for value in [default == "true" if default in ("true", "false") else default]
            ],
            "Steps": steps,
        }
        self.sagemaker.create_pipeline(
            PipelineName=self.pipeline(check_type), PipelineDefinition=json.dumps(definition), RoleArn=ROLE
        )

    def pipeline(self, check_type: str) -> str:
        return f"{self.bucket}-{check_type.replace('_', '-')}"

    def registered_group(self, check_type: str) -> str:
        """The group that the pipeline registers into."""
        return f"{self.bucket}-{check_type.replace('_', '-')}-registered".lower()

    def _check(self, check_type: str) -> dict[str, Any]:
        quality = CHECKS[check_type] == "QualityCheck"
        where = {"DATA_QUALITY": "table", "MODEL_QUALITY": "predictions"}.get(check_type, "table")
        source = f"s3://{self.bucket}/data/{where}"
        output = {"Std:Join": {"On": "/", "Values": [f"s3://{self.bucket}/out/{check_type}", parameter("Run")]}}
        folder = "/opt/ml/processing/input/"
        if quality:
            inputs = [_input("baseline_dataset_input", source, f"{folder}baseline_dataset_input")]
        else:
            config = f"s3://{self.bucket}/config/{check_type}/analysis_config.json"
            inputs = [_input("analysis_config", config, f"{folder}config"), _input("dataset", source, f"{folder}data")]
        target = {"S3Uri": output, "LocalPath": "/opt/ml/processing/output", "S3UploadMode": "EndOfJob"}
        name = "quality_check_output" if quality else "analysis_result"
        image = "sagemaker-model-monitor-analyzer" if quality else "sagemaker-clarify-processing:1.0"
        arguments: dict[str, Any] = {
            "ProcessingResources": CLUSTER,
            "AppSpecification": {"ImageUri": f"{REGISTRY}/{image}"},
            "RoleArn": ROLE,
            "ProcessingInputs": inputs,
            "ProcessingOutputConfig": {"Outputs": [{"OutputName": name, "S3Output": target}]},
        }
        if quality:
            arguments["Environment"] = _environment(check_type)
        step: dict[str, Any] = {
            "Name": "Check",
            "Type": CHECKS[check_type],
            "Arguments": arguments,
            "CheckType": check_type,
            "ModelPackageGroupName": parameter("Group"),
            "SkipCheck": parameter("SkipCheck"),
            "RegisterNewBaseline": parameter("Register"),
            "FailOnViolation": parameter("Fail"),
        }
        step |= {f"SuppliedBaseline{kind}": parameter(f"Supplied{kind}") for kind in kinds(check_type)}
        return step if check_type in ("DATA_BIAS", "DATA_QUALITY", "MODEL_QUALITY") else {**step, **self._model()}

    def _model(self) -> dict[str, str]:
        return {"ModelName": f"{self.bucket}-model"}

    def _register(self, check_type: str) -> dict[str, Any]:
        """Registers what the check's properties say: the new baseline as metrics, the one used as drift baseline."""
        family, members = BASELINES[check_type]
        metrics, drift = {}, {}
        for kind, member in zip(kinds(check_type), members, strict=True):
            report = METRICS.get(member, "Report" if family == "Explainability" else member)
            metrics[report] = _source(f"CalculatedBaseline{kind}")
            drift[member] = _source(f"BaselineUsedForDriftCheck{kind}")
        return {
            "Name": "Register",
            "Type": "RegisterModel",
            "DependsOn": ["Check"],
            "Arguments": {
                "ModelPackageGroupName": self.registered_group(check_type),
                "ModelMetrics": {family: metrics},
                "DriftCheckBaselines": {family: drift},
                "ModelPackageDescription": parameter("Run"),
                **self._specification(),
            },
        }

    def _specification(self) -> dict[str, Any]:
        return {
            "InferenceSpecification": {
                "Containers": [{"Image": XGBOOST, "ModelDataUrl": self.artifacts}],
                "SupportedContentTypes": ["text/csv"],
                "SupportedResponseMIMETypes": ["text/csv"],
            }
        }

    def _worse(self, check_type: str) -> Any:
        """Constraints that this very data violate: in one place for each check."""
        found = read_json(self.s3, self.baselines[check_type]["Constraints"])
        if check_type == "DATA_QUALITY":
            found["features"][2]["inferred_type"] = "Integral"
        elif check_type == "MODEL_QUALITY":
            found["regression_constraints"]["mse"]["threshold"] /= 10
        elif check_type == "MODEL_EXPLAINABILITY":
            shap = found["explanations"]["kernel_shap"]["label0"]["global_shap_values"]
            ranked = sorted(shap, key=lambda name: shap[name])
            shap.update(zip(ranked, sorted(shap.values(), reverse=True), strict=True))
        else:
            (section,) = [value for key, value in found.items() if key.endswith("_bias_metrics")]
            metric = "DPL" if check_type == "DATA_BIAS" else "DPPL"
            for entry in section["facets"]["f"][0]["metrics"]:
                if entry["name"] == metric:
                    entry["value"] /= 10
        return found

    def version(self, group: str, baselines: dict[str, dict[str, str]], status: str = "Approved") -> None:
        """A version of a model package with these baselines for drift checks; the group is made when missing."""
        drift: dict[str, Any] = {}
        for check_type, files in baselines.items():
            family, members = BASELINES[check_type]
            for kind, member in zip(kinds(check_type), members, strict=True):
                uri = {"S3Uri": files[kind], "ContentType": "application/json"}
                drift.setdefault(family, {})[member] = uri
        listed = self.sagemaker.list_model_package_groups(NameContains=group)["ModelPackageGroupSummaryList"]
        if not listed:
            self.sagemaker.create_model_package_group(ModelPackageGroupName=group)
        self.sagemaker.create_model_package(
            ModelPackageGroupName=group,
            ModelApprovalStatus=status,
            DriftCheckBaselines=drift,
            **self._specification(),
        )

    def start(
        self,
        check_type: str,
        *,
        skip: bool = False,
        register: bool = False,
        fail: bool = True,
        group: str = "",
        supplied: dict[str, str] | None = None,
        run: str = "first",
    ) -> str:
        """Starts one case; its execution."""
        switches = {"SkipCheck": str(skip).lower(), "Register": str(register).lower(), "Fail": str(fail).lower()}
        given = {f"Supplied{kind}": uri for kind, uri in (supplied or {}).items()}
        given |= {"Group": group} if group else {}  # a value can't be empty, a default can
        return start(self.sagemaker, self.pipeline(check_type), **switches, **given, Run=run)

    def ended(self, execution: str) -> dict[str, dict[str, Any]]:
        """The steps of an execution, once it has ended."""
        finished(self.sagemaker, execution, 120)
        return steps_of(self.sagemaker, execution)

    def registered(self, steps: dict[str, dict[str, Any]]) -> dict[str, Any] | None:
        """The description of the version that an execution registered; None when it registered nothing."""
        if "Register" not in steps:
            return None
        arn = steps["Register"]["Metadata"]["RegisterModel"]["Arn"]
        return dict(self.sagemaker.describe_model_package(ModelPackageName=arn))


def _input(name: str, uri: str, path: str) -> dict[str, Any]:
    source = {"S3Uri": uri, "LocalPath": path, "S3DataType": "S3Prefix", "S3InputMode": "File"}
    return {"InputName": name, "S3Input": source}


def _source(name: str) -> dict[str, Any]:
    return {"ContentType": "application/json", "S3Uri": {"Get": f"Steps.Check.{name}"}}


def _environment(check_type: str) -> dict[str, str]:
    found = {
        "dataset_source": "/opt/ml/processing/input/baseline_dataset_input",
        "dataset_format": '{"csv": {"header": true, "output_columns_position": "START"}}',
        "output_path": "/opt/ml/processing/output",
        "publish_cloudwatch_metrics": "Disabled",
    }
    if check_type == "MODEL_QUALITY":
        found |= {"analysis_type": "MODEL_QUALITY", "problem_type": "Regression"}
        found |= {"inference_attribute": "p", "ground_truth_attribute": "y"}
    return found
