"""Lineage of jobs and versions: sources, types and order of a recorded run of AWS's abalone example."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from local_sagemaker import arns
from local_sagemaker.config import Settings
from local_sagemaker.records.kinds import KINDS
from local_sagemaker.services.sagemaker.lineage.lineage_entities import LineageAssociations
from local_sagemaker.services.sagemaker.lineage.lineage_events import LineageEvents
from local_sagemaker.services.sagemaker.lineage.lineage_records import LineageRecords
from tests.unit.services.sagemaker.conftest import Registry

IMAGE, MODEL = "1.dkr.ecr.us-west-2.amazonaws.com/sagemaker-xgboost:1.0-1", "s3://bucket/train/output/model.tar.gz"
ARNS = Settings(Path()).arns


class LineageTables:
    """The associations of a thing, as the SDK's LineageTableVisualizer lists them."""

    def __init__(self, registry: Registry) -> None:
        self.records = registry.records
        self.lineage = LineageRecords(settings=Settings(Path()), records=registry.records)
        self.events = LineageEvents(self.lineage)
        self.associations = LineageAssociations(lineage=self.lineage, catch_up=self.events.catch_up)

    def complete(self, kind: str, name: str, **body: Any) -> str:
        """Notes a job that has completed; the ARN of its trial component."""
        names = KINDS[kind]
        arn = ARNS.sagemaker(kind, name)
        self.records.put(kind, name, {names.name: name, names.arn: arn, names.status: "Completed", **body})
        return self.lineage.component(name, kind)

    def rows(self, arn: str) -> list[tuple[str, str, str, str]]:
        """Source or name, direction, type, kind of association."""
        shown = []
        for end, other, direction in (("Destination", "Source", "Input"), ("Source", "Destination", "Output")):
            for one in self.associations.list_associations({f"{end}Arn": arn})["AssociationSummaries"]:
                body = self.lineage.find(one[f"{other}Arn"]) or {}
                name = one.get(f"{other}Name") or body["Source"]["SourceUri"]
                shown.append((name, direction, one[f"{other}Type"], one["AssociationType"]))
        return shown


@pytest.fixture
def tables(registry: Registry) -> Iterator[LineageTables]:
    made = LineageTables(registry)
    yield made
    made.events.close()


def s3_input(name: str, uri: str) -> dict[str, Any]:
    return {"InputName": name, "S3Input": {"S3Uri": uri}}


def test_jobs_list_their_inputs_then_the_image_and_results_last_one_first(tables: LineageTables) -> None:
    channels = [{"DataSource": {"S3DataSource": {"S3Uri": f"s3://bucket/{name}"}}} for name in ("train", "validation")]
    outputs = [{"S3Output": {"S3Uri": f"s3://bucket/{name}"}} for name in ("train", "validation")]
    prepared = tables.complete(
        "processing-job", "Prepare", AppSpecification={"ImageUri": IMAGE},
        ProcessingInputs=[s3_input("input-1", "s3://bucket/raw.csv"), s3_input("code", "s3://bucket/prepare.py")],
        ProcessingOutputConfig={"Outputs": outputs},
    )  # fmt: skip
    trained = tables.complete(
        "training-job", "Train", AlgorithmSpecification={"TrainingImage": IMAGE}, InputDataConfig=channels,
        ModelArtifacts={"S3ModelArtifacts": MODEL},
    )  # fmt: skip
    assert tables.rows(prepared) == [
        ("s3://bucket/prepare.py", "Input", "DataSet", "ContributedTo"),
        ("s3://bucket/raw.csv", "Input", "DataSet", "ContributedTo"),
        (IMAGE, "Input", "Image", "ContributedTo"),
        ("s3://bucket/validation", "Output", "DataSet", "Produced"),
        ("s3://bucket/train", "Output", "DataSet", "Produced"),
    ]
    assert tables.rows(trained) == [
        ("s3://bucket/validation", "Input", "DataSet", "ContributedTo"),
        ("s3://bucket/train", "Input", "DataSet", "ContributedTo"),
        (IMAGE, "Input", "Image", "ContributedTo"),
        (MODEL, "Output", "Model", "Produced"),
    ]


def test_a_job_that_reads_model_data_reads_the_model(tables: LineageTables) -> None:
    tables.complete(
        "training-job", "Train", AlgorithmSpecification={"TrainingImage": IMAGE},
        ModelArtifacts={"S3ModelArtifacts": MODEL},
    )  # fmt: skip
    evaluated = tables.complete(
        "processing-job", "Evaluate", AppSpecification={"ImageUri": IMAGE},
        ProcessingInputs=[s3_input("input-1", MODEL), s3_input("input-2", "s3://bucket/test")],
    )  # fmt: skip
    assert [row[:3] for row in tables.rows(evaluated)] == [
        ("s3://bucket/test", "Input", "DataSet"),
        (MODEL, "Input", "Model"),
        (IMAGE, "Input", "Image"),
    ]


def test_a_transform_lists_model_image_and_data(tables: LineageTables) -> None:
    container = {"Image": IMAGE, "ModelDataUrl": MODEL}
    tables.records.put("model", "M", {"ModelName": "M", "PrimaryContainer": container})
    source = {"DataSource": {"S3DataSource": {"S3Uri": "s3://bucket/batch"}}}
    component = tables.complete(
        "transform-job", "Transform", ModelName="M", TransformInput=source,
        TransformOutput={"S3OutputPath": "s3://bucket/out"},
    )  # fmt: skip
    assert [row[:3] for row in tables.rows(component)] == [
        (MODEL, "Input", "Model"),
        (IMAGE, "Input", "Image"),
        ("s3://bucket/batch", "Input", "DataSet"),
        ("s3://bucket/out", "Output", "DataSet"),
    ]


def test_a_version_lists_model_image_approval_and_its_group_with_its_time(
    tables: LineageTables, registry: Registry
) -> None:
    registry.upload(MODEL)
    registry("CreateModelPackageGroup", ModelPackageGroupName="AbaloneGroup")
    container = {"Image": IMAGE, "ModelDataUrl": MODEL}
    arn = registry(
        "CreateModelPackage", ModelPackageGroupName="AbaloneGroup", ModelApprovalStatus="PendingManualApproval",
        InferenceSpecification={"Containers": [container], "SupportedContentTypes": ["text/csv"],
                                "SupportedResponseMIMETypes": ["text/csv"]},
    )["ModelPackageArn"]  # fmt: skip
    tables.events.catch_up()
    created = registry("DescribeModelPackageGroup", ModelPackageGroupName="AbaloneGroup")["CreationTime"]
    rows = tables.rows(tables.lineage.artifact(arn, "Model"))
    assert [row[1:] for row in rows] == [
        ("Input", "Model", "ContributedTo"), ("Input", "Image", "ContributedTo"),
        ("Input", "Approval", "ContributedTo"), ("Output", "ModelGroup", "AssociatedWith"),
    ]  # fmt: skip
    assert rows[2][0].startswith(f"{arns.resource(arn).split('/')[1]}-1-PendingManualApproval-")
    assert rows[3][0] == f"AbaloneGroup-{int(created)}-aws-model-package-group"
