"""Renders a stage's monitoring pipeline: uploads what its jobs run, and its definition."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from delivery.modelmonitor.baselines import BaselineError, read_baseline
from delivery.modelmonitor.portable.definition import RUNTIME, MonitorCheck, MonitoringPlan, make_definition
from delivery.modelmonitor.portable.merge import CAPTURE, LABELLED, LABELLED_ROWS, ROWS
from delivery.modelmonitor.portable.options import find_hours, refuse_others

HERE = Path(__file__).parent
ROOT = HERE.parent.parent.parent
PACKAGES = {"check_job": ROOT / "pipelines" / "check_job", "model_checks": ROOT / "model-checks" / "model_checks"}
"""What a check's job runs, by the name that it has in the archive. These sources are part of the repository."""
START = "import sys\n\nfrom check_job.program import main\n\nsys.exit(main())\n"
INSTANCE, VOLUME = "ml.m5.large", 20


@dataclass(frozen=True)
class CheckFiles:
    """A kind of monitor: its folder, the dataset of `merge` that it reads, and the parameters of its baseline."""

    folder: str
    dataset: str
    files: tuple[str, ...]

    @property
    def needs_labels(self) -> bool:
        """Whether there is nothing to check without labels."""
        return self.dataset in (LABELLED, LABELLED_ROWS)


KINDS: Mapping[str, CheckFiles] = {
    "DataQuality": CheckFiles("data-quality", CAPTURE, ("DataQualityConstraints", "DataQualityStatistics")),
    "ModelQuality": CheckFiles("model-quality", LABELLED, ("ModelQualityConstraints", "ModelQualityStatistics")),
    "ModelBias": CheckFiles("model-bias", LABELLED_ROWS, ("ModelBiasConfig", "ModelBiasConstraints")),
    "ModelExplainability": CheckFiles(
        "model-explainability", ROWS, ("ModelExplainabilityConfig", "ModelExplainabilityConstraints")
    ),
}
_SAME_TIME = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True)
class RenderedMonitors:
    """Parameters of the template, and by kind of check the files of its baseline that the version lacks."""

    parameters: Mapping[str, str]
    lacking: Mapping[str, Sequence[str]]


@dataclass(frozen=True)
class PortableMonitors:
    """The monitoring pipeline of one stage, below an S3 prefix that belongs to it alone."""

    sagemaker: Any
    s3: Any
    prefix: str
    image: str
    role: str

    def render(self, endpoint: str, version: str, parameters: Mapping[str, str]) -> RenderedMonitors:
        """Where the definition is; there is none where nothing can be checked.

        :raises ConfigurationError: for parameters that only Model Monitor follows.
        :raises BaselineError: for a baseline that cannot be read, or a model that the checks cannot load.
        """
        refuse_others(parameters)
        described = self.sagemaker.describe_model_package(ModelPackageName=version)
        container = described["InferenceSpecification"]["Containers"][0]
        statistics = ((described.get("DriftCheckBaselines") or {}).get("ModelQuality") or {}).get("Statistics") or {}
        known = {**parameters, "ModelQualityStatistics": statistics.get("S3Uri", "")}
        lacking = {kind: [file for file in spec.files if not known.get(file)] for kind, spec in KINDS.items()}
        kinds = [kind for kind, files in lacking.items() if not files and _is_wanted(kind, known)]
        if not kinds:
            return RenderedMonitors({}, lacking)
        checks = [self._check(kind, known, container) for kind in kinds]
        plan = self._plan(endpoint, str(described["ModelPackageGroupName"]), checks, parameters)
        body = json.dumps(make_definition(plan), indent=1, sort_keys=True).encode()
        bucket, _, key = self._put("definition.json", body).removeprefix("s3://").partition("/")
        code = {"PortableDefinitionBucket": bucket, "PortableDefinitionKey": key}
        return RenderedMonitors({**code, "NoDataPeriodInSeconds": str(plan.hours * 3600)}, lacking)

    def _plan(
        self, endpoint: str, group: str, checks: Sequence[MonitorCheck], parameters: Mapping[str, str]
    ) -> MonitoringPlan:
        config = self.sagemaker.describe_endpoint_config(
            EndpointConfigName=self.sagemaker.describe_endpoint(EndpointName=endpoint)["EndpointConfigName"]
        )
        return MonitoringPlan(
            endpoint=endpoint,
            group=group,
            role=self.role,
            image=self.image,
            capture=(config.get("DataCaptureConfig") or {}).get("DestinationS3Uri", ""),
            ground_truth=parameters.get("GroundTruthInput", ""),
            output=parameters["MonitorOutputPath"],
            work=f"{self.prefix}/runs",
            archive=self._put("model_checks.pyz", build_archive()),
            merge=self._put("merge.py", (HERE / "merge.py").read_bytes()),
            notify=self._put("notify.py", (HERE / "notify.py").read_bytes()),
            checks=checks,
            hours=find_hours(parameters),
            instance_type=parameters.get("MonitoringJobInstanceType") or INSTANCE,
            volume_size=int(parameters.get("VolumeSizeInGB") or VOLUME),
        )

    def _check(self, kind: str, parameters: Mapping[str, str], container: Mapping[str, Any]) -> MonitorCheck:
        spec, quality = KINDS[kind], kind.endswith("Quality")
        if not quality and "ModelDataUrl" not in container:
            text = "the version has no ModelDataUrl, from which the portable check loads the model"
            raise BaselineError(f"{kind}: {text}; turn it off: Enable{kind}Monitor")
        config = _quality_config(kind, parameters) if quality else self._clarify_config(kind, parameters)
        return MonitorCheck(
            step=f"{kind}CheckStep",
            kind=spec.folder,
            check=spec.folder.replace("-", "_").upper(),
            dataset=spec.dataset,
            config=self._put("analysis_config.json", json.dumps(config, sort_keys=True).encode()),
            constraints=parameters[f"{kind}Constraints"],
            statistics=parameters[f"{kind}Statistics"] if quality else "",
            image="" if quality else str(container["Image"]),
            model="" if quality else str(container["ModelDataUrl"]),
            max_runtime=int(parameters.get(f"{kind}MaxRuntimeInSeconds") or RUNTIME),
        )

    def _clarify_config(self, kind: str, parameters: Mapping[str, str]) -> dict[str, Any]:
        """Of bias or explainability; label or prediction come first in the rows."""
        registered = read_baseline(self.s3, parameters[f"{kind}Config"])
        instance = parameters.get("MonitoringJobInstanceType") or INSTANCE
        common = {"dataset_type": "text/csv", "label": 0,
                  "predictor": {"instance_type": instance, "initial_instance_count": 1}}  # fmt: skip
        if kind == "ModelExplainability":
            return {**common, "methods": registered["methods"]}
        return {**registered, **common, "methods": {"post_training_bias": {"methods": "all"}}}

    def _put(self, name: str, body: bytes) -> str:
        """Under a key that is named by the content: the same again changes no definition."""
        bucket, _, prefix = self.prefix.removeprefix("s3://").partition("/")
        key = f"{prefix}/{hashlib.sha256(body).hexdigest()[:16]}/{name}"
        self.s3.put_object(Bucket=bucket, Key=key, Body=body)
        return f"s3://{bucket}/{key}"


def _is_wanted(kind: str, parameters: Mapping[str, str]) -> bool:
    """Whether the check is enabled, and there can be the labels that it needs."""
    if parameters.get(f"Enable{kind}Monitor", "yes") != "yes":
        return False
    return not KINDS[kind].needs_labels or bool(parameters.get("GroundTruthInput"))


def _quality_config(kind: str, parameters: Mapping[str, str]) -> dict[str, Any]:
    if kind == "DataQuality":
        return {"dataset_format": {"sagemakerCaptureJson": {"captureIndexNames": ["endpointInput", "endpointOutput"]}}}
    names = {"inference_attribute": "InferenceAttribute", "probability_attribute": "ProbabilityAttribute",
             "probability_threshold_attribute": "ProbabilityThresholdAttribute"}  # fmt: skip
    return {
        "dataset_format": {"sagemakerMergeJson": {"captureIndexNames": ["endpointOutput"]}},
        "problem_type": parameters.get("ProblemType") or "Regression",
        **{key: parameters[name] for key, name in names.items() if parameters.get(name)},
    }


def build_archive() -> bytes:
    """The checks as one file that Python runs; the same sources make the same bytes."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(zipfile.ZipInfo("__main__.py", _SAME_TIME), START, zipfile.ZIP_DEFLATED)
        for name, path in _sources():
            archive.writestr(zipfile.ZipInfo(name, _SAME_TIME), path.read_text("utf-8"), zipfile.ZIP_DEFLATED)
    return content.getvalue()


def _sources() -> Iterator[tuple[str, Path]]:
    for package, folder in PACKAGES.items():
        for path in sorted(folder.rglob("*.py")):
            yield f"{package}/{path.relative_to(folder).as_posix()}", path
