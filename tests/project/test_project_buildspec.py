"""codebuild-buildspec.yml: the commands of its phases, as they stand in the file, run against the local service."""

from __future__ import annotations

import shutil
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support import ROLE, ROOT, Service

NAME, ID, BUCKET = "abalone", "p-build1", "codebuild-artifacts"
PARTS = ("setup.py", "pyproject.toml", "README.md", "codebuild-buildspec.yml", "pipelines", "delivery", "model-checks")


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What CodeBuild gets: the sources, and a fresh Python environment.

    The libraries are taken from the environment of the tests, so that ``pip install`` needs no network; the project
    itself is not, it runs from its sources.
    """
    room = tmp_path_factory.mktemp("codebuild")
    (room / "source").mkdir()
    for part in PARTS:
        copy = shutil.copytree if (ROOT / part).is_dir() else shutil.copy
        copy(ROOT / part, room / "source" / part)
    venv.create(room / "python")
    pip = room / "python/bin/pip"
    pip.write_text('#!/bin/sh\nexec "$(dirname "$0")/python" -m pip "$@"\n')
    pip.chmod(0o755)
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    packages = room / "python/lib" / version / "site-packages"
    (packages / "libraries.pth").write_text(sysconfig.get_path("purelib"))
    return room


@pytest.fixture(scope="module")
def built(service: Service, checkout: Path) -> subprocess.CompletedProcess[str]:
    """All phases, in one shell, as CodeBuild runs them."""
    service.client("s3").create_bucket(Bucket=BUCKET)
    specification = yaml.safe_load((checkout / "source/codebuild-buildspec.yml").read_text())
    commands = [command for phase in specification["phases"].values() for command in phase["commands"]]
    environment = service.environment(
        SAGEMAKER_PROJECT_NAME=NAME, SAGEMAKER_PROJECT_ID=ID, ARTIFACT_BUCKET=BUCKET, SAGEMAKER_PIPELINE_ROLE_ARN=ROLE,
        PIP_NO_DEPS="1", PIP_DISABLE_PIP_VERSION_CHECK="1",
    )  # fmt: skip
    environment["PATH"] = f"{checkout / 'python/bin'}:{environment['PATH']}"
    return subprocess.run(
        ["sh", "-e", "-c", "\n".join(commands)],
        cwd=checkout / "source", env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_all_phases_succeed_and_leave_the_sources_as_they_are(
    built: subprocess.CompletedProcess[str], checkout: Path
) -> None:
    assert built.returncode == 0, built.stdout + built.stderr
    assert {entry.name for entry in (checkout / "source").iterdir()} == {*PARTS, "reports"}


def test_the_pipeline_has_the_projects_name_tags_and_role(service: Service, built: Any) -> None:
    sagemaker = service.client("sagemaker")
    described = sagemaker.describe_pipeline(PipelineName=f"{NAME}-{ID}")
    assert described["RoleArn"] == ROLE
    tags = {tag["Key"]: tag["Value"] for tag in sagemaker.list_tags(ResourceArn=described["PipelineArn"])["Tags"]}
    assert tags == {"sagemaker:project-name": NAME, "sagemaker:project-id": ID}


def test_it_ran_once_and_registered_into_the_projects_group(service: Service, built: Any) -> None:
    sagemaker, s3 = service.client("sagemaker"), service.client("s3")
    (execution,) = sagemaker.list_pipeline_executions(PipelineName=f"{NAME}-{ID}")["PipelineExecutionSummaries"]
    assert execution["PipelineExecutionStatus"] == "Succeeded"
    assert len(sagemaker.list_model_packages(ModelPackageGroupName=f"{NAME}-{ID}")["ModelPackageSummaryList"]) == 1
    identifier = execution["PipelineExecutionArn"].rpartition("/")[2]
    assert s3.list_objects_v2(Bucket=BUCKET, Prefix=f"{NAME}-{ID}/{identifier}/")["KeyCount"] > 0


def test_the_runtime_is_one_that_the_project_supports(checkout: Path) -> None:
    specification = yaml.safe_load((checkout / "source/codebuild-buildspec.yml").read_text())
    assert str(specification["phases"]["install"]["runtime-versions"]["python"]) in ("3.11", "3.12", "3.13", "3.x")
