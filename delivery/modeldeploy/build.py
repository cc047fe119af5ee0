"""Renders what the stages deploy: ``python -m delivery.modeldeploy.build``.

Takes the latest approved version of the project's group and the two stages' configurations, and writes the template and
one TemplateConfiguration per stage into a folder. It deploys nothing itself.

The exported variable DELIVERY_STATE is ``ready``, ``waiting`` (no version is approved yet) or ``deployed`` (the staging
stack has this version with these configurations already): the pipeline enters its stages only if it is ``ready``.
"""

from __future__ import annotations

import argparse
import hashlib
import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
from botocore.exceptions import ClientError

from delivery.stages.configuration import ConfigurationError, StageConfiguration, read_configuration
from delivery.stages.registry import find_latest_approved, record_stage
from delivery.stages.tags import read_project_tags
from delivery.stages.variables import write_variables

HERE = Path(__file__).parent
SCHEMA = HERE / "stage-config.schema.json"
TEMPLATE = HERE / "endpoint-template.yml"
KEY_TAG = "sagemaker:deployed-key"
READY, WAITING, DEPLOYED = "ready", "waiting", "deployed"
STAGES = ("staging", "prod")
LATEST = "latest"


@dataclass(frozen=True)
class DeployOutcome:
    """The state that is exported, and the version that it is about."""

    state: str
    text: str
    version: str = ""


def main(argv: Sequence[str] | None = None) -> int:
    """The exit code: 0, also while it waits; 2 for a configuration that can't be deployed."""
    arguments = parse(argv)
    try:
        stages = {name: read_configuration(getattr(arguments, f"{name}_config"), SCHEMA) for name in STAGES}
        outcome = build(arguments, stages)
    except ConfigurationError as error:
        print(f"build: {error}", file=sys.stderr)
        return 2
    print(f"build: {outcome.text}")
    variables = {"DELIVERY_STATE": outcome.state, "MODEL_PACKAGE_ARN": outcome.version}
    write_variables(arguments.output / "variables.env", variables)
    return 0


def parse(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """The arguments; exits with 2 if they are wrong."""
    parser = argparse.ArgumentParser("python -m delivery.modeldeploy.build", description=(__doc__ or "").split("\n")[0])
    add = parser.add_argument
    add("--model-package-group-name", required=True)
    add("--model-execution-role", required=True, help="the role of the models")
    add("--sagemaker-project-name", required=True)
    add("--sagemaker-project-id", required=True)
    add("--sagemaker-project-arn", default="", help="its tags are put on everything that is deployed")
    add("--s3-bucket", required=True, help="where endpoints capture data")
    add("--version", default=LATEST, help="number of an approved version, to go back to it; by default the latest one")
    add("--staging-config", type=Path, default=HERE / "staging-config.json")
    add("--prod-config", type=Path, default=HERE / "prod-config.json")
    add("--output", type=Path, default=Path("build"), help="the folder of the results")
    add("--force", action="store_true", help="also deploy what the staging stack has already")
    return parser.parse_args(argv)


def build(arguments: argparse.Namespace, stages: Mapping[str, StageConfiguration]) -> DeployOutcome:
    """Writes the results; which state they are in.

    :raises ConfigurationError: for a version that is named and not approved.
    """
    sagemaker = boto3.client("sagemaker")
    arguments.output.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(TEMPLATE, arguments.output / TEMPLATE.name)
    group = arguments.model_package_group_name
    wanted = arguments.version
    approved = find_latest_approved(sagemaker, group) if wanted == LATEST else find_approved(sagemaker, group, wanted)
    version = str(approved["ModelPackageArn"]) if approved else ""
    project = (arguments.sagemaker_project_name, arguments.sagemaker_project_id)
    tags = read_project_tags(sagemaker, *project, arguments.sagemaker_project_arn)
    key = make_key(version, stages)
    for name, stage in stages.items():
        own = {"sagemaker:deployment-stage": stage.stage, KEY_TAG: key}
        parameters = {
            "SageMakerProjectName": arguments.sagemaker_project_name,
            "ModelPackageName": version,
            "ModelExecutionRoleArn": arguments.model_execution_role,
            "DataCaptureUploadPath": f"s3://{arguments.s3_bucket}/datacapture-{stage.stage}",
        }
        stage.extend(parameters, {**tags, **own}).write(arguments.output / f"{name}-config-export.json")
    if not version:
        return DeployOutcome(WAITING, f"waiting: no approved version in group {group}")
    stack = f"sagemaker-{project[0]}-{project[1]}-deploy-staging"
    if not arguments.force and read_deployed_key(stack) == key:
        return DeployOutcome(DEPLOYED, f"already deployed: {version} (to test it again, retry the stage)", version)
    record_beginning(sagemaker, version)
    return DeployOutcome(READY, f"ready: {version}", version)


def record_beginning(sagemaker: Any, version: str) -> None:
    """Writes it into the version's life cycle. Without the right to do so it says that, and nothing else."""
    try:
        record_stage(sagemaker, version, "QA", "InProgress", "staging is deployed and tested")
    except ClientError as error:
        print(f"the life cycle of {version} was not updated: {error}", file=sys.stderr)


def find_approved(sagemaker: Any, group: str, number: str) -> Mapping[str, Any]:
    """The description of a version by its number.

    :raises ConfigurationError: if it does not exist or is not approved.
    """
    if not number.isdecimal():
        raise ConfigurationError(f"the version has to be a number or {LATEST}, not {number}")
    listed = sagemaker.get_paginator("list_model_packages").paginate(ModelPackageGroupName=group)
    versions = {
        str(item["ModelPackageVersion"]): item for page in listed for item in page["ModelPackageSummaryList"]
    }  # fmt: skip
    if number not in versions:
        raise ConfigurationError(f"the group {group} has no version {number}")
    status = versions[number]["ModelApprovalStatus"]
    if status != "Approved":
        raise ConfigurationError(f"version {number} of {group} is {status}: only approved versions are deployed")
    described: Mapping[str, Any] = sagemaker.describe_model_package(
        ModelPackageName=versions[number]["ModelPackageArn"]
    )
    return described


def make_key(version: str, stages: Mapping[str, StageConfiguration]) -> str:
    """The same for the same version, template and configurations: a deployment that is repeated is none."""
    digest = hashlib.sha256(TEMPLATE.read_bytes())
    for stage in stages.values():
        digest.update(repr((sorted(stage.parameters.items()), sorted(stage.tags.items()))).encode())
    digest.update(version.encode())
    return digest.hexdigest()[:32]


def read_deployed_key(stack: str) -> str | None:
    """The key in the tags of a stack that is complete; None if there is no such stack, or if its last change failed."""
    try:
        (described,) = boto3.client("cloudformation").describe_stacks(StackName=stack)["Stacks"]
    except ClientError as error:
        if "does not exist" not in error.response["Error"]["Message"]:
            raise
        return None
    if described["StackStatus"] not in ("CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS"):
        return None
    tags: list[Any] = described.get("Tags", [])
    return next((str(tag["Value"]) for tag in tags if tag["Key"] == KEY_TAG), None)


if __name__ == "__main__":
    sys.exit(main())
