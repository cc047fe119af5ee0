"""The baselines of a deployed version, as parameters of the monitors' template."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

SOURCES = {
    "DataQualityConstraints": ("ModelDataQuality", "Constraints"),
    "DataQualityStatistics": ("ModelDataQuality", "Statistics"),
    "ModelQualityConstraints": ("ModelQuality", "Constraints"),
    "ModelExplainabilityConstraints": ("Explainability", "Constraints"),
    "ModelBiasConfig": ("Bias", "ConfigFile"),
    "ModelExplainabilityConfig": ("Explainability", "ConfigFile"),
}
"""Where DescribeModelPackage's DriftCheckBaselines hold each file."""
_BIAS = (("Bias", "PreTrainingConstraints"), ("Bias", "PostTrainingConstraints"))


class BaselineError(Exception):
    """A file that a version names cannot be read."""


@dataclass(frozen=True)
class DeployedModel:
    """The model of an endpoint's first variant. `version` is None for a model that is no version of a group."""

    model: str
    version: str | None


def find_deployed(sagemaker: Any, endpoint: str) -> DeployedModel | None:
    """The model that the endpoint serves; None if it does not exist or is not in service."""
    try:
        described = sagemaker.describe_endpoint(EndpointName=endpoint)
    except ClientError as error:
        if error.response["Error"]["Code"] not in ("ValidationException", "ResourceNotFound"):
            raise
        return None
    if described["EndpointStatus"] != "InService":
        return None
    configuration = sagemaker.describe_endpoint_config(EndpointConfigName=described["EndpointConfigName"])
    model = str(configuration["ProductionVariants"][0]["ModelName"])
    content = sagemaker.describe_model(ModelName=model)
    containers = content.get("Containers") or [content.get("PrimaryContainer") or {}]
    version = next((container["ModelPackageName"] for container in containers if "ModelPackageName" in container), None)
    return DeployedModel(model, version)


@dataclass(frozen=True)
class Baselines:
    """Renders the files that monitors read, below an S3 prefix."""

    sagemaker: Any
    s3: Any
    prefix: str

    def render(self, deployed: DeployedModel) -> Mapping[str, str]:
        """Parameters of the template. A file that the version does not have is an empty text.

        :raises BaselineError: if a file that the version names does not exist.
        """
        if deployed.version is None:
            return {}
        described = self.sagemaker.describe_model_package(ModelPackageName=deployed.version)
        held: Mapping[str, Any] = described.get("DriftCheckBaselines") or {}
        uris = {name: _uri(held, *place) for name, place in SOURCES.items()}
        uris["ModelBiasConstraints"] = self._combine([uri for place in _BIAS if (uri := _uri(held, *place))])
        if uris["ModelExplainabilityConfig"]:
            uris["ModelExplainabilityConfig"] = self._name_model(uris["ModelExplainabilityConfig"], deployed.model)
        return uris

    def _combine(self, uris: list[str]) -> str:
        """One file of the bias before and after training: monitors take one."""
        if len(uris) < 2:
            return "".join(uris)
        combined: dict[str, Any] = {}
        for uri in uris:
            combined.update(read_baseline(self.s3, uri))
        return self._write("bias", combined)

    def _name_model(self, uri: str, model: str) -> str:
        """The configuration of explainability with the deployed model, of which a monitor makes endpoints."""
        config = read_baseline(self.s3, uri)
        predictor = {**config.get("predictor", {}), "model_name": model}
        return self._write("explainability", {**config, "predictor": predictor})

    def _write(self, name: str, content: Mapping[str, Any]) -> str:
        """Under a key that is named by the content: the same baseline replaces no job definition."""
        body = json.dumps(content, indent=2, sort_keys=True).encode()
        bucket, _, prefix = self.prefix.removeprefix("s3://").partition("/")
        key = f"{prefix}/{name}-{hashlib.sha256(body).hexdigest()[:16]}/analysis_config.json"
        self.s3.put_object(Bucket=bucket, Key=key, Body=body, ContentType="application/json")
        return f"s3://{bucket}/{key}"


def read_baseline(s3: Any, uri: str) -> dict[str, Any]:
    """The content of a file in JSON.

    :raises BaselineError: if it cannot be read.
    """
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    try:
        return dict(json.loads(s3.get_object(Bucket=bucket, Key=key)["Body"].read()))
    except ClientError as error:
        code = error.response["Error"]["Code"]
        raise BaselineError(f"the version's baseline {uri} cannot be read: {code}") from error


def _uri(held: Mapping[str, Any], kind: str, field: str) -> str:
    return str(((held.get(kind) or {}).get(field) or {}).get("S3Uri", ""))
