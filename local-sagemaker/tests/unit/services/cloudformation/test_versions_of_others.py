"""AWS::Lambda::Version: a version that another published is not the stack's, at no try."""

from __future__ import annotations

from typing import Any
from unittest.mock import MagicMock

import pytest

from local_sagemaker.cloudformation.template import ResourceDeclaration
from local_sagemaker.errors import ServiceError
from local_sagemaker.records.delivery_status import StackStatus
from local_sagemaker.services.cloudformation.deployment import StackDeployment
from local_sagemaker.services.cloudformation.handlers.handler import DeploymentContext
from local_sagemaker.services.cloudformation.stack_store import StackStore

ID = "arn:aws:cloudformation:us-east-1:123456789012:stack/s/1"
KIND = "AWS::Lambda::Version"


class Functions:
    """Lambda with a function whose versions were all published by hand, two of them a page."""

    def __init__(self) -> None:
        self.deleted: list[str] = []

    def __call__(self, operation: str, request: dict[str, Any]) -> dict[str, Any]:
        if operation == "lambda:DeleteFunction":
            self.deleted.append(request["Qualifier"])
        if operation == "lambda:ListVersionsByFunction":
            start = int(request.get("Marker", "0"))
            page = [{"Version": number} for number in ("$LATEST", "1", "2", "3", "4")[start : start + 2]]
            return {"Versions": page, **({"NextMarker": str(start + 2)} if start < 4 else {})}
        return {"FunctionArn": "arn:f:4", "Version": "4"}


def deployment_of(store: StackStore, functions: Any) -> tuple[StackDeployment, MagicMock]:
    """The deployment of a stack with one version, and its declaration."""
    store.insert({"StackId": ID, "StackName": "s", "StackStatus": StackStatus.UPDATE_IN_PROGRESS})
    scopes = MagicMock()
    scopes.context.side_effect = lambda stack, logical, kind, cancelled: DeploymentContext(
        functions, "123456789012", "us-east-1", stack, logical, cancelled, kind=kind
    )
    scopes.dynamic.resolve_and_note.side_effect = lambda values: (values, {})
    scopes.dynamic.known.side_effect = lambda values: values
    scopes.with_tags.side_effect = lambda _kind, properties, *_: properties
    declared = MagicMock(spec=ResourceDeclaration)
    declared.configure_mock(logical="V", properties={"FunctionName": "f"}, deletion_policy="Delete",
                            replace_policy="Delete")  # fmt: skip
    declared.type = MagicMock()
    declared.type.name = KIND
    deployment = StackDeployment(ID, store, scopes, MagicMock(is_set=lambda: False))
    return deployment, declared


def test_a_version_of_another_is_refused_at_every_try_and_stays(store: StackStore) -> None:
    functions = Functions()
    deployment, declared = deployment_of(store, functions)
    for verb in ("CREATE", "UPDATE", "UPDATE"):
        with pytest.raises(ServiceError, match=r"A version for this Lambda function exists \( 4 \)"):
            deployment._apply(declared, MagicMock(), {}, verb)
    assert deployment.delete({"V": frozenset()}) == []
    assert (functions.deleted, store.resources(ID)) == ([], {})


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_crash_around_the_publication_takes_no_version_of_another(store: StackStore, moment: str) -> None:
    """What another publishes before the restart stays theirs; what was published with the record is the stack's."""
    present: list[str] = []

    def functions(operation: str, request: dict[str, Any]) -> dict[str, Any]:
        if operation == "lambda:DeleteFunction":
            present.remove(request["Qualifier"])
        if operation == "lambda:PublishVersion":
            if moment == "before" and not present:
                raise KeyboardInterrupt  # and its transaction is rolled back
            present[:] = present or ["1"]
        if operation == "lambda:ListVersionsByFunction":
            return {"Versions": [{"Version": number} for number in ("$LATEST", *present)]}
        return {"FunctionArn": "arn:f:1", "Version": "1"}

    def crash(_: str) -> None:
        if present:
            raise KeyboardInterrupt

    deployment, declared = deployment_of(store, functions)
    store.subscribe(crash)
    with pytest.raises(KeyboardInterrupt):
        deployment._apply(declared, MagicMock(), {}, "CREATE")
    store._listeners.clear()
    if moment == "before":
        present.append("1")  # another's
        with pytest.raises(ServiceError, match="A version for this Lambda function exists"):
            deployment._apply(declared, MagicMock(), {}, "CREATE")
    else:
        deployment._apply(declared, MagicMock(), {}, "CREATE")
    assert deployment.delete({"V": frozenset()}) == []
    assert present == (["1"] if moment == "before" else [])
