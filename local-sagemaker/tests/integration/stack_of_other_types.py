"""More of a stack of all types: what belongs to a function, a dashboard, a connection of the old name."""

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
    return {
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

    return {"Board": board, "StarConnection": connection, "Version": version, "FunctionAlias": alias, "Tries": tries}
