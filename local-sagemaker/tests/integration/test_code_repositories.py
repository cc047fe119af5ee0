"""Code repositories: SageMaker's, by name, and differences in CodeCommit's."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError

from tests.support import Service

GIT = {"RepositoryUrl": "https://example.com/churn.git", "Branch": "main"}
SECRET = "arn:aws:secretsmanager:us-east-1:123456789012:secret:git"


def test_a_repository_is_kept_with_its_tags(service: Service) -> None:
    sagemaker, tags = service.client("sagemaker"), [{"Key": "team", "Value": "churn"}]
    arn = sagemaker.create_code_repository(CodeRepositoryName="Churn", GitConfig=GIT, Tags=tags)["CodeRepositoryArn"]
    assert arn == "arn:aws:sagemaker:us-east-1:123456789012:code-repository/churn"
    with pytest.raises(ClientError, match="Cannot create already existing"):
        sagemaker.create_code_repository(CodeRepositoryName="churn", GitConfig=GIT)
    assert sagemaker.list_tags(ResourceArn=arn)["Tags"] == tags
    sagemaker.update_code_repository(CodeRepositoryName="churn", GitConfig={"SecretArn": SECRET})
    described = sagemaker.describe_code_repository(CodeRepositoryName="churn")
    assert described["GitConfig"] == {**GIT, "SecretArn": SECRET}
    sagemaker.create_code_repository(CodeRepositoryName="Another-churn", GitConfig=GIT)
    listed = sagemaker.list_code_repositories(NameContains="hurn")["CodeRepositorySummaryList"]
    assert [row["CodeRepositoryName"] for row in listed] == ["Another-churn", "Churn"]  # by name, upwards
    for name in ("churn", "another-churn"):
        sagemaker.delete_code_repository(CodeRepositoryName=name)
    with pytest.raises(ClientError, match=f'Cannot find CodeRepository: "{arn}"'):
        sagemaker.describe_code_repository(CodeRepositoryName="Churn")


def test_differences_come_in_pages(service: Service) -> None:
    code = service.client("codecommit")
    code.create_repository(repositoryName="differences")
    files = [{"filePath": f"{name}.txt", "fileContent": b"1"} for name in "abc"]
    commit = code.create_commit(repositoryName="differences", branchName="main", putFiles=files)["commitId"]
    request = {"repositoryName": "differences", "afterCommitSpecifier": commit}
    first = code.get_differences(**request, MaxResults=2)
    second = code.get_differences(**request, MaxResults=2, NextToken=first["NextToken"])
    assert (len(first["differences"]), len(second["differences"]), "NextToken" in second) == (2, 1, False)
    assert first["differences"] + second["differences"] == code.get_differences(**request)["differences"]
    with pytest.raises(code.exceptions.InvalidRepositoryNameException, match="The repository name is not valid"):
        code.get_repository(repositoryName="a b")
    with pytest.raises(code.exceptions.InvalidContinuationTokenException):
        code.get_differences(**request, NextToken="x")
