"""AWS::Lambda::Version: a version that another published is not the stack's, at no try."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest.mock import MagicMock

import pytest

from local_sagemaker.arns import Arns
from local_sagemaker.cloudformation.template import ResourceDeclaration
from local_sagemaker.errors import ServiceError
from local_sagemaker.records import Records
from local_sagemaker.records.delivery_status import StackStatus
from local_sagemaker.services.cloudformation.deployment import StackDeployment
from local_sagemaker.services.cloudformation.handlers.handler import DeploymentContext
from local_sagemaker.services.cloudformation.stack_store import StackStore

ID = "arn:aws:cloudformation:us-east-1:123456789012:stack/s/1"
KIND = "AWS::Lambda::Version"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[StackStore]:
    records = Records(tmp_path / "records.sqlite")
    yield StackStore(records, Arns("123456789012", "us-east-1"))
    records.close()


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


def test_a_version_of_another_is_refused_at_every_try_and_stays(store: StackStore) -> None:
    functions = Functions()
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
    for verb in ("CREATE", "UPDATE", "UPDATE"):
        with pytest.raises(ServiceError, match=r"A version for this Lambda function exists \( 4 \)"):
            deployment._apply(declared, MagicMock(), {}, verb)
    assert deployment.delete({"V": frozenset()}) == []
    assert (functions.deleted, store.resources(ID)) == ([], {})
