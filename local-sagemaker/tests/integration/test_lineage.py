"""Lineage through unmodified boto3: what clients make, and what jobs, versions, approvals and deployments make."""

from __future__ import annotations

import re
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.integration.endpoint_models import Made, archive, booster
from tests.support import SCIKIT_LEARN, XGBOOST, Service, create_pipeline, finished, script_step, start, until

CODE = "print('done')"


@pytest.fixture(scope="module")
def sagemaker(service: Service) -> Any:
    return service.client("sagemaker")


def test_entities_of_clients(sagemaker: Any) -> None:
    data = sagemaker.create_artifact(
        Source={"SourceUri": "s3://lineage/data"}, ArtifactType="DataSet", Properties={"rows": "10"}
    )["ArtifactArn"]
    action = sagemaker.create_action(
        ActionName="clean", ActionType="Cleaning", Source={"SourceUri": "s3://lineage/script"}, Status="InProgress"
    )["ActionArn"]
    context = sagemaker.create_context(
        ContextName="project", ContextType="Project", Source={"SourceUri": "https://example.com"}
    )["ContextArn"]
    sagemaker.update_action(ActionName="clean", Status="Completed", Properties={"a": "1"})
    assert sagemaker.describe_action(ActionName="clean")["Status"] == "Completed"
    sagemaker.update_artifact(ArtifactArn=data, PropertiesToRemove=["rows"])
    assert sagemaker.describe_artifact(ArtifactArn=data)["Properties"] == {}
    sagemaker.add_association(SourceArn=data, DestinationArn=action, AssociationType="ContributedTo")
    sagemaker.add_association(SourceArn=action, DestinationArn=context, AssociationType="AssociatedWith")
    found = sagemaker.list_associations(DestinationArn=action)["AssociationSummaries"]
    assert [(one["SourceArn"], one["SourceType"], one["DestinationName"]) for one in found] == [
        (data, "DataSet", "clean")
    ]
    answer = sagemaker.query_lineage(StartArns=[context], Direction="Ascendants", IncludeEdges=True)
    assert [(one["Arn"], one["Type"], one["LineageType"]) for one in answer["Vertices"]] == [
        (action, "Cleaning", "Action"),
        (data, "DataSet", "Artifact"),
    ]
    assert len(answer["Edges"]) == 2
    near = sagemaker.query_lineage(StartArns=[context], Direction="Ascendants", MaxDepth=1)["Vertices"]
    assert [one["Arn"] for one in near] == [action]
    only = sagemaker.query_lineage(
        StartArns=[data], Direction="Descendants", Filters={"LineageTypes": ["Context"]}, IncludeEdges=False
    )
    assert [one["Arn"] for one in only["Vertices"]] == [context]
    assert only["Edges"] == [], "the SDK reads them in any case"
    with pytest.raises(ClientError, match="associations"):
        sagemaker.delete_context(ContextName="project")
    with pytest.raises(ClientError, match="already exists"):
        sagemaker.add_association(SourceArn=data, DestinationArn=action)
    sagemaker.delete_association(SourceArn=action, DestinationArn=context)
    sagemaker.delete_context(ContextName="project")
    with pytest.raises(ClientError) as error:
        sagemaker.describe_context(ContextName="project")
    assert error.value.response["Error"]["Code"] == "ResourceNotFound"


def test_a_production_endpoint_leads_back_to_its_data(service: Service, sagemaker: Any) -> None:
    """From the endpoint to the version, its approval, its model data, and the job that wrote it."""
    made = Made(service)
    model_data = made.upload("lineage/model.tar.gz", archive(xgboost_model=bytes(booster().save_raw())))
    create_pipeline(sagemaker, "lineage", script_step("Prepare", CODE))
    finished(sagemaker, start(sagemaker, "lineage"))
    sagemaker.create_model_package_group(ModelPackageGroupName="lineage")
    version = sagemaker.create_model_package(
        ModelPackageGroupName="lineage", ModelApprovalStatus="PendingManualApproval",
        InferenceSpecification={
            "Containers": [{"Image": XGBOOST, "ModelDataUrl": model_data}],
            "SupportedContentTypes": ["text/csv"], "SupportedResponseMIMETypes": ["text/csv"],
        },
    )["ModelPackageArn"]  # fmt: skip
    sagemaker.update_model_package(ModelPackageArn=version, ModelApprovalStatus="Approved")
    sagemaker.create_model(
        ModelName="lineage", ExecutionRoleArn=service.role_arn, PrimaryContainer={"ModelPackageName": version}
    )
    endpoint = made.endpoint(made.config("lineage"))
    arn = sagemaker.describe_endpoint(EndpointName=endpoint)["EndpointArn"]
    context = sagemaker.list_contexts(SourceUri=arn)["ContextSummaries"][0]["ContextArn"]
    answer = sagemaker.query_lineage(StartArns=[context], Direction="Ascendants")
    kinds = [(one["Type"], one["LineageType"]) for one in answer["Vertices"]]
    assert ("ModelDeployment", "Action") in kinds
    assert kinds.count(("Approval", "Action")) == 2
    sources = [
        sagemaker.describe_artifact(ArtifactArn=one["Arn"])["Source"]["SourceUri"]
        for one in answer["Vertices"]
        if one["LineageType"] == "Artifact"
    ]
    assert {version, model_data, XGBOOST} <= set(sources)
    group = sagemaker.list_contexts(ContextType="ModelGroup")["ContextSummaries"]
    names = [one["ContextName"] for one in group]
    assert any(re.fullmatch(r"lineage-\d{10}-aws-model-package-group", name) for name in names), names
    job = sagemaker.list_processing_jobs(NameContains="Prepare")["ProcessingJobSummaries"][0]
    component = until(
        lambda: sagemaker.list_trial_components(SourceArn=job["ProcessingJobArn"])["TrialComponentSummaries"],
        "the job's trial component",
    )[0]["TrialComponentArn"]
    upstream = sagemaker.list_associations(DestinationArn=component)["AssociationSummaries"]
    assert (SCIKIT_LEARN, "Image") in [(_source(sagemaker, one["SourceArn"]), one["SourceType"]) for one in upstream]


def _source(sagemaker: Any, arn: str) -> str:
    return str(sagemaker.describe_artifact(ArtifactArn=arn)["Source"]["SourceUri"])
