"""Writes the table of CloudFormation resource types that the local service executes, from AWS's published schemas.

``python tools/resource_types.py`` reads the resource provider schemas that cfn-lint ships and keeps what an update is
decided by: the properties with their types, which are required, and which ones replace the resource when they change;
and which identify it.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cfnlint

SCHEMAS = Path(cfnlint.__file__).parent / "data" / "schemas"
TABLE = Path(__file__).parents[1] / "local-sagemaker" / "local_sagemaker" / "cloudformation" / "resource_types.json"
TYPES = (
    "ApplicationAutoScaling::ScalableTarget", "ApplicationAutoScaling::ScalingPolicy", "CloudWatch::Alarm",
    "CDK::Metadata", "CloudWatch::Dashboard",
    "CodeBuild::Project", "CodeCommit::Repository", "CodeConnections::Connection", "CodePipeline::Pipeline",
    "CodeStarConnections::Connection", "ECR::Repository", "Events::Archive", "Events::Rule", "IAM::ManagedPolicy",
    "IAM::OIDCProvider",
    "IAM::Policy", "IAM::Role", "KMS::Alias", "KMS::Key", "Lambda::Alias", "Lambda::EventInvokeConfig",
    "Lambda::EventSourceMapping", "Lambda::Function", "Lambda::Permission", "Lambda::Version",
    "Logs::LogGroup", "S3::Bucket", "S3::BucketPolicy", "SNS::Subscription", "SNS::Topic",
    "SNS::TopicPolicy", "SQS::Queue", "SQS::QueuePolicy", "SSM::Parameter", "SageMaker::CodeRepository",
    "SageMaker::DataQualityJobDefinition", "SageMaker::Endpoint", "SageMaker::EndpointConfig", "SageMaker::Model",
    "SageMaker::ModelBiasJobDefinition", "SageMaker::ModelExplainabilityJobDefinition", "SageMaker::ModelPackageGroup",
    "SageMaker::ModelQualityJobDefinition", "SageMaker::MonitoringSchedule", "SageMaker::Pipeline",
    "SageMaker::Project", "Scheduler::Schedule", "SecretsManager::Secret",
)  # fmt: skip


def main() -> None:
    """Writes the table anew."""
    index = json.loads((SCHEMAS / "providers" / "us-east-1.json").read_text("utf-8"))
    table = {name: reduce(schema_of(index[name])) for name in sorted(f"AWS::{name}" for name in TYPES)}
    TABLE.write_text(json.dumps(table, indent=1, sort_keys=True) + "\n", "utf-8")


def schema_of(digest: str) -> dict[str, Any]:
    """One type's schema."""
    schema: dict[str, Any] = json.loads((SCHEMAS / "resources" / f"{digest}.json").read_text("utf-8"))
    return schema


def reduce(schema: dict[str, Any]) -> dict[str, Any]:
    """What the service needs of a schema."""
    tagging = schema.get("tagging", {})
    taggable = tagging.get("taggable", schema.get("taggable", False))
    return {
        "properties": {name: kind_of(schema, value) for name, value in schema["properties"].items()},
        "required": sorted(schema.get("required", [])),
        "replaces": names_of(schema, "createOnlyProperties"),
        "may_replace": names_of(schema, "conditionalCreateOnlyProperties"),
        "read_only": names_of(schema, "readOnlyProperties"),
        "tags": names_in([tagging.get("tagProperty", "/properties/Tags")])[0] if taggable else None,
        "identifier": [pointer.removeprefix("/properties/") for pointer in schema["primaryIdentifier"]],
        "system_tags": bool(taggable and tagging.get("cloudFormationSystemTags", False)),
    }


def names_of(schema: dict[str, Any], member: str) -> list[str]:
    """The top-level properties that the pointers of a member begin with."""
    return names_in(schema.get(member, []))


def names_in(pointers: list[str]) -> list[str]:
    """Property names of pointers such as ``/properties/Tags``."""
    return sorted({pointer.split("/")[2] for pointer in pointers})


def kind_of(schema: dict[str, Any], value: dict[str, Any]) -> str:
    """The JSON type of a property ("any" where it has several)."""
    while "$ref" in value:
        part: Any = schema
        for name in value["$ref"].removeprefix("#/").split("/"):
            part = part[name]
        value = part
    kind = value.get("type", "any")
    return kind if isinstance(kind, str) else "any"


if __name__ == "__main__":
    main()
