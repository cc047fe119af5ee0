"""Where a model version is trained again: the start form with the values of the execution that registered it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from local_sagemaker.studio import urls
from local_sagemaker.studio.page import Visit


def retrain_address(visit: Visit, package: Mapping[str, Any]) -> str:
    """The form's address, empty where no execution registered the version, or it was deleted since."""
    arn = str((package.get("MetadataProperties") or {}).get("GeneratedBy", ""))
    if "/execution/" not in arn:
        return ""
    if visit.optional("sagemaker:DescribePipelineExecution", {"PipelineExecutionArn": arn}) is None:
        return ""
    pipeline, _, execution = arn.partition(":pipeline/")[2].partition("/execution/")
    return urls.to("pipelines", pipeline, "start", **{"from": execution})
