"""What belongs to a function of a stack of all types: a version, an alias, and how events are tried."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.support import Service

Look = Callable[[], Any]


def function_parts(word: str, name: str) -> dict[str, dict[str, Any]]:
    """Of the function ``NAME-function``, which the template has as `Function`."""
    function, alias = f"{name}-function", {"Fn::GetAtt": "Version.Version"}
    version = {"FunctionName": {"Ref": "Function"}, "Description": word}
    live = {"FunctionName": function, "Name": "live", "Description": word, "FunctionVersion": alias}
    tries = {"FunctionName": function, "Qualifier": "live", "MaximumRetryAttempts": 0 if word == "two" else "1"}
    return {
        "Version": {"Type": "AWS::Lambda::Version", "Properties": version},
        "FunctionAlias": {"Type": "AWS::Lambda::Alias", "Properties": live},
        "Tries": {"Type": "AWS::Lambda::EventInvokeConfig", "DependsOn": "FunctionAlias", "Properties": tries},
    }


def looks_at_function(service: Service, name: str) -> dict[str, Look]:
    """What Lambda says of each. Each raises when there is none."""
    client, function = service.client("lambda"), f"{name}-function"

    def version() -> str:
        _latest, only = client.list_versions_by_function(FunctionName=function)["Versions"]
        return str(only["Description"])

    def alias() -> tuple[str, str]:
        row = client.get_alias(FunctionName=function, Name="live")
        return row["Description"], row["FunctionVersion"]

    def tries() -> int:
        row = client.get_function_event_invoke_config(FunctionName=function, Qualifier="live")
        return int(row["MaximumRetryAttempts"])

    return {"Version": version, "FunctionAlias": alias, "Tries": tries}
