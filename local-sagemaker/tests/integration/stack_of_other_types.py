"""More of a stack of all types: what belongs to a function, a dashboard, an old connection, images, a secret."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from tests.support import Service

Look = Callable[[], Any]


def other_types(word: str, name: str) -> dict[str, dict[str, Any]]:
    """The function is ``NAME-function``, which the template has as `Function`."""
    function, alias = f"{name}-function", {"Fn::GetAtt": "Version.Version"}
    version = {"FunctionName": {"Ref": "Function"}, "Description": word}
    live = {"FunctionName": function, "Name": "live", "Description": word, "FunctionVersion": alias}
    tries = {"FunctionName": function, "Qualifier": "live", "MaximumRetryAttempts": 0 if word == "two" else "1"}
    connection = {"ConnectionName": f"{name}-s", "ProviderType": "GitHub", "Tags": [{"Key": "stage", "Value": word}]}
    text = {"widgets": [{"type": "text", "width": 6, "height": 6, "properties": {"markdown": word}}]}
    board = {"DashboardName": f"{name}-board", "DashboardBody": json.dumps(text)}
    tags = [{"Key": "stage", "Value": word}, {"Key": f"only-{word}", "Value": "x"}]
    statement = {"Effect": "Allow", "Principal": "*", "Action": f"ecr:{word}"}
    rule = {"rulePriority": 1, "description": word, "action": {"type": "expire"}, "selection": {
        "tagStatus": "untagged", "countType": "imageCountMoreThan", "countNumber": 1}}  # fmt: skip
    images = {
        "RepositoryName": f"{name}/images", "Tags": tags, "EmptyOnDelete": "true",
        "ImageTagMutability": "IMMUTABLE" if word == "two" else "MUTABLE",
        "ImageScanningConfiguration": {"ScanOnPush": word == "two"},
        "LifecyclePolicy": {"LifecyclePolicyText": json.dumps({"rules": [rule]})},
        "RepositoryPolicyText": {"Version": "2012-10-17", "Statement": [statement]},
    }  # fmt: skip
    secret = {"Name": f"{name}-secret", "Description": word, "SecretString": word, "Tags": tags}
    return {
        "Images": {"Type": "AWS::ECR::Repository", "Properties": images},
        "Secret": {"Type": "AWS::SecretsManager::Secret", "Properties": secret},
        "Board": {"Type": "AWS::CloudWatch::Dashboard", "Properties": board},
        "StarConnection": {"Type": "AWS::CodeStarConnections::Connection", "Properties": connection},
        "Version": {"Type": "AWS::Lambda::Version", "Properties": version},
        "FunctionAlias": {"Type": "AWS::Lambda::Alias", "Properties": live},
        "Tries": {"Type": "AWS::Lambda::EventInvokeConfig", "DependsOn": "FunctionAlias", "Properties": tries},
    }


def looks_at_others(service: Service, name: str) -> dict[str, Look]:
    """What the services say of each. Each raises when there is none."""
    client, function = service.client("lambda"), f"{name}-function"

    def version() -> str:
        _, only = client.list_versions_by_function(FunctionName=function)["Versions"]
        return str(only["Description"])

    def alias() -> tuple[str, str]:
        row = client.get_alias(FunctionName=function, Name="live")
        return row["Description"], row["FunctionVersion"]

    def tries() -> int:
        row = client.get_function_event_invoke_config(FunctionName=function, Qualifier="live")
        return int(row["MaximumRetryAttempts"])

    def connection() -> list[dict[str, str]]:
        star = service.client("codestar-connections")
        rows = [row for row in star.list_connections()["Connections"] if row["ConnectionName"] == f"{name}-s"]
        return list(star.list_tags_for_resource(ResourceArn=rows[0]["ConnectionArn"])["Tags"])

    def board() -> dict[str, Any]:
        found = service.client("cloudwatch").get_dashboard(DashboardName=f"{name}-board")["DashboardBody"]
        return dict(json.loads(found))

    def images() -> list[Any]:
        ecr, one = service.client("ecr"), {"repositoryName": f"{name}/images"}
        row = ecr.describe_repositories(repositoryNames=[f"{name}/images"])["repositories"][0]
        return [
            row["imageTagMutability"], row["imageScanningConfiguration"],
            ecr.list_tags_for_resource(resourceArn=row["repositoryArn"])["tags"],
            ecr.get_repository_policy(**one)["policyText"], ecr.get_lifecycle_policy(**one)["lifecyclePolicyText"],
        ]  # fmt: skip

    def secret() -> list[Any]:
        secrets, wanted = service.client("secretsmanager"), {"SecretId": f"{name}-secret"}
        row = secrets.describe_secret(**wanted)
        return [row["Description"], row["Tags"], secrets.get_secret_value(**wanted)["SecretString"]]

    return {
        "Board": board, "StarConnection": connection, "Version": version, "FunctionAlias": alias, "Tries": tries,
        "Images": images, "Secret": secret,
    }  # fmt: skip
