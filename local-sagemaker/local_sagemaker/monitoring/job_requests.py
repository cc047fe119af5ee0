"""The processing jobs of an execution, as requests of CreateProcessingJob (contracts: delivery 6.3)."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from local_sagemaker.api.operations import Request
from local_sagemaker.monitoring.definition import (
    BY_CLARIFY,
    EXPLAINABILITY,
    MODEL_QUALITY,
    WITH_LABELS,
    MonitoringDefinition,
)
from local_sagemaker.monitoring.windows import AnalysisWindow, key_of, text_of

_ROOT = "/opt/ml/processing"
_LABELS = f"{_ROOT}/groundtruth"
_NAMES = {
    "DataQuality": "data-quality", "ModelQuality": "model-quality", "ModelBias": "model-bias",
    "ModelExplainability": "model-explainability",
}  # fmt: skip
_LONGEST = 63
MERGER = "sagemaker-model-monitor-groundtruth-merger"


@dataclass(frozen=True)
class Data:
    """One place of data in S3: `below` is where it belongs under the input's LocalPath."""

    uri: str
    below: str
    type: str = "S3Prefix"


@dataclass(frozen=True)
class Occasion:
    """One execution: of which schedule, for which time, over which window, with which ending of its jobs' names."""

    schedule: str
    scheduled: float
    window: AnalysisWindow
    ending: str
    place: str

    @property
    def merge_name(self) -> str:
        """The name of the job that merges captured data with ground truth."""
        return f"groundtruth-merge-{self.ending}"

    def name(self, kind: str) -> str:
        """The name of the job that analyses, within the length that names may have."""
        return f"{_NAMES[kind]}-monitoring-{self.ending}"[:_LONGEST]


def output_of(definition: MonitoringDefinition, occasion: Occasion) -> str:
    """Where the analysis writes: ``<output>/<endpoint>/<schedule>/yyyy/mm/dd/hh``, batches without the endpoint."""
    parts = [definition.output["S3Uri"].rstrip("/"), definition.endpoint or "", occasion.schedule, occasion.place]
    return "/".join(part for part in parts if part)


def place_of_merge(definition: MonitoringDefinition) -> str:
    """Where merged data is."""
    return f"{definition.output['S3Uri'].rstrip('/')}/merge"


def place_of(scheduled: float) -> str:
    """The part of an output's key that stands for the scheduled hour."""
    return key_of(scheduled)


def merge_request(
    definition: MonitoringDefinition, occasion: Occasion, data: Sequence[Data], labels: Sequence[Data], image: str
) -> Request:
    """The job that joins the captured data of a window with its labels."""
    local = definition.source["LocalPath"].rstrip("/")
    inputs = [_input(f"groundtruth_input_{number}", one, _LABELS, {}) for number, one in enumerate(labels, 1)]
    inputs += [
        _input(f"{_word(definition)}_input_{number}", one, local, definition.source)
        for number, one in enumerate(data, 1)
    ]
    form = {"sagemakerCaptureJson": {"captureIndexNames": None}} if definition.endpoint else _batch_format(definition)
    environment = {
        "dataset_format": _compact(form), "dataset_source": local, "ground_truth_source": _LABELS,
        "output_path": definition.output["LocalPath"],
        "start_time": text_of(occasion.window.start), "end_time": text_of(occasion.window.end),
    }  # fmt: skip
    if definition.endpoint:  # what it is for batches is not on record
        environment["monitoring_input_type"] = "ENDPOINT_INPUT"
    output = {
        "S3Uri": place_of_merge(definition),
        "LocalPath": definition.output["LocalPath"],
        "S3UploadMode": "EndOfJob",
    }
    return _request(definition, occasion.merge_name, {"ImageUri": image}, environment, inputs, output)


def analysis_request(
    definition: MonitoringDefinition, occasion: Occasion, data: Sequence[Data], baseline: Mapping[str, str]
) -> Request:
    """The job that analyses. `baseline` has the URIs of ``constraints`` and ``statistics`` where there are any."""
    local, inputs = definition.source["LocalPath"].rstrip("/"), []
    environment = {**_environment(definition, occasion), **definition.environment}
    folders = {"constraints": "constraints", "statistics": "stats"}
    for name, uri in baseline.items():
        folder = f"{_ROOT}/baseline/{folders[name]}"
        inputs.append(_input(name, Data(uri, ""), folder, {}))
        environment[f"baseline_{name}"] = f"{folder}/{uri.rpartition('/')[2]}"
    inputs += [
        _input(f"{_word(definition)}_input_{number}", one, local, definition.source)
        for number, one in enumerate(data, 1)
    ]
    application = definition.application
    for member, name in (
        ("RecordPreprocessorSourceUri", "record_preprocessor_script"),
        ("PostAnalyticsProcessorSourceUri", "post_analytics_processor_script"),
    ):
        if script := application.get(member):
            folder = f"{_ROOT}/code/{name.removesuffix('_script')}"
            inputs.append(_input(f"{name}_input", Data(script, ""), folder, {}))
            environment[name] = f"{folder}/{script.rpartition('/')[2]}"
    if config := application.get("ConfigUri"):
        inputs.append(_input("analysis_config", Data(config, ""), f"{_ROOT}/input/config", {}))
    output = {
        "S3Uri": output_of(definition, occasion), "LocalPath": definition.output["LocalPath"],
        "S3UploadMode": definition.output.get("S3UploadMode", "Continuous"),
    }  # fmt: skip
    command = ("ImageUri", "ContainerEntrypoint", "ContainerArguments")
    chosen = {name: application[name] for name in command if name in application}
    return _request(definition, occasion.name(definition.type), chosen, environment, inputs, output)


def _environment(definition: MonitoringDefinition, occasion: Occasion) -> dict[str, str]:
    """The analysis's variables, before the user's own variables."""
    window, source = occasion.window, definition.source
    variables = {
        "dataset_format": _compact(_format(definition)),
        "dataset_source": source["LocalPath"].rstrip("/"),
        "output_path": definition.output["LocalPath"],
        "publish_cloudwatch_metrics": "Enabled",
        "sagemaker_monitoring_schedule_name": occasion.schedule,
        "start_time": text_of(window.start),
        "end_time": text_of(window.end),
        "metric_time": text_of(window.start),
    }
    if definition.endpoint:
        variables["sagemaker_endpoint_name"] = definition.endpoint
    if definition.type == MODEL_QUALITY:
        variables["analysis_type"] = "MODEL_QUALITY"
        variables["problem_type"] = definition.application.get("ProblemType", "")
    for member, name in (
        ("FeaturesAttribute", "features_attribute"),
        ("InferenceAttribute", "inference_attribute"),
        ("ProbabilityAttribute", "probability_attribute"),
        ("ProbabilityThresholdAttribute", "probability_threshold_attribute"),
        ("ExcludeFeaturesAttribute", "exclude_features_attribute"),
    ):
        if source.get(member) is not None:
            variables[name] = str(source[member])
    if definition.type in BY_CLARIFY:
        variables["analysis_type"] = "MODEL_EXPLAINABILITY" if definition.type == EXPLAINABILITY else "MODEL_BIAS"
    return variables


def _format(definition: MonitoringDefinition) -> dict[str, Any]:
    """The format of what the analysis reads."""
    if definition.type in WITH_LABELS:
        return {"sagemakerMergeJson": {"captureIndexNames": ["endpointOutput"]}}
    if definition.endpoint:
        return {"sagemakerCaptureJson": {"captureIndexNames": ["endpointInput", "endpointOutput"]}}
    return _batch_format(definition)


def _batch_format(definition: MonitoringDefinition) -> dict[str, Any]:
    """The format of what transform jobs captured."""
    form = definition.source["DatasetFormat"]
    if "Csv" in form:
        return {"csv": {"header": bool(form["Csv"].get("Header", False))}}
    if "Json" in form:
        return {"json": {"lines": bool(form["Json"].get("Line", False))}}
    return {"parquet": {}}


def _compact(form: Mapping[str, Any]) -> str:
    """JSON as recorded jobs have it."""
    return json.dumps(form, separators=(",", ":"))


def _word(definition: MonitoringDefinition) -> str:
    return "endpoint" if definition.endpoint else "batch_transform"


def _input(name: str, data: Data, folder: str, source: Mapping[str, Any]) -> Request:
    return {
        "InputName": name,
        "S3Input": {
            "S3Uri": data.uri, "LocalPath": f"{folder}/{data.below}".rstrip("/"), "S3DataType": data.type,
            "S3InputMode": source.get("S3InputMode", "File"),
            "S3DataDistributionType": source.get("S3DataDistributionType", "FullyReplicated"),
            "S3CompressionType": "None",
        },
    }  # fmt: skip


def _request(
    definition: MonitoringDefinition, name: str, application: Mapping[str, Any], environment: Mapping[str, str],
    inputs: Sequence[Request], output: Mapping[str, Any],
) -> Request:  # fmt: skip
    outputs: Request = {"Outputs": [{"OutputName": "result", "S3Output": dict(output)}]}
    if definition.kms_key:
        outputs["KmsKeyId"] = definition.kms_key
    request: Request = {
        "ProcessingJobName": name,
        "ProcessingInputs": list(inputs),
        "ProcessingOutputConfig": outputs,
        "ProcessingResources": {"ClusterConfig": dict(definition.cluster)},
        "StoppingCondition": {"MaxRuntimeInSeconds": definition.seconds},
        "AppSpecification": dict(application),
        "Environment": dict(environment),
        "RoleArn": definition.role,
    }
    if definition.network:
        request["NetworkConfig"] = dict(definition.network)
    return request
