"""What an update that is taken back leaves of resources that were half made, half changed, or never made."""

from __future__ import annotations

from typing import Any, cast
from unittest.mock import MagicMock

import pytest

from local_sagemaker.api.operations import Call
from local_sagemaker.records.delivery_status import StackStatus
from local_sagemaker.services.cloudformation import deployment
from local_sagemaker.services.cloudformation.handlers.handler import DeploymentContext, Identity
from local_sagemaker.services.cloudformation.resource_history import KEPT
from local_sagemaker.services.cloudformation.scopes import Scopes
from local_sagemaker.services.cloudformation.stack_runs import StackRuns
from local_sagemaker.services.cloudformation.stack_store import StackStore

ID = "arn:aws:cloudformation:us-east-1:123456789012:stack/s/1"
OLD, NEW = {"Value": "old"}, {"Value": "new"}
MADE = {"LogicalResourceId": "A", "ResourceType": "Custom::A", "PhysicalResourceId": "a", "_properties": OLD,
        "_policies": ["Delete", "Delete"], "_reference": "a", "_attributes": {}, "_names": {}}  # fmt: skip
ATTEMPT = {"LogicalResourceId": "A", "ResourceType": "Custom::A", "_properties": NEW, "_creating": True, "_names": {},
           "_policies": ["Delete", "Delete"], "ResourceStatus": StackStatus.CREATE_FAILED}  # fmt: skip
IN_PROGRESS, COMPLETE = StackStatus.UPDATE_IN_PROGRESS, StackStatus.UPDATE_COMPLETE


class Provider:
    """A handler that writes down what it is told."""

    def __init__(self) -> None:
        self.told: list[tuple[Any, ...]] = []

    def update(self, _context: DeploymentContext, identity: Identity, before: Any, after: Any) -> Identity:
        self.told.append(("update", identity.physical, before, after))
        return identity

    def delete(self, _context: DeploymentContext, identity: Identity, _properties: Any) -> None:
        self.told.append(("delete", identity.physical))


@pytest.fixture
def provider(monkeypatch: pytest.MonkeyPatch) -> Provider:
    provider = Provider()
    monkeypatch.setitem(cast(dict[str, Any], deployment.HANDLERS), "Custom::A", provider)
    return provider


def rolled_back(store: StackStore, before: dict[str, Any], now: dict[str, Any]) -> dict[str, Any]:
    """The stack's resources when the rollback of an update has ended."""
    store.insert({
        "StackId": ID, "StackName": "s", "StackStatus": StackStatus.UPDATE_ROLLBACK_IN_PROGRESS, "_before": before,
        "_next": {}, "_before_body": {},
    })  # fmt: skip
    for resource in now.values():
        store.keep_resource(ID, resource)
    scopes = MagicMock(spec=Scopes)
    scopes.scope.side_effect = lambda _: MagicMock(template=MagicMock(resources={}))
    scopes.dynamic = MagicMock()
    scopes.dynamic.resolve_both.side_effect = lambda one, other, _: (one, other, {})
    runs = StackRuns(store, scopes, cast(Call, None))
    runs._run(ID)
    assert store.require(ID)["StackStatus"] == StackStatus.UPDATE_ROLLBACK_COMPLETE
    return store.resources(ID)


@pytest.mark.parametrize(
    ("properties", "wanted"),
    [(OLD, NEW), (NEW, OLD)],
    ids=["the update was interrupted", "the setting back was interrupted"],
)
def test_a_change_that_a_restart_interrupted_is_set_back(
    store: StackStore, provider: Provider, properties: Any, wanted: Any
) -> None:
    """The provider may have the new values already."""
    before = {**MADE, "ResourceStatus": StackStatus.CREATE_COMPLETE}
    now = {**MADE, "_properties": properties, "_wanted": wanted, "ResourceStatus": IN_PROGRESS}
    (after,) = rolled_back(store, {"A": before}, {"A": now}).values()
    assert provider.told == [("update", "a", NEW, OLD)]
    assert (after["ResourceStatus"], after["_properties"], "_wanted" in after) == (COMPLETE, OLD, False)


def test_what_was_not_changed_is_left_alone(store: StackStore, provider: Provider) -> None:
    before = {**MADE, "ResourceStatus": StackStatus.CREATE_COMPLETE}
    assert rolled_back(store, {"A": before}, {"A": before}) == {"A": before}
    assert provider.told == []


@pytest.mark.parametrize(
    ("now", "told"),
    [
        ({**MADE, "_properties": NEW, "ResourceStatus": COMPLETE}, [("delete", "a")]),
        (ATTEMPT, [("delete", "")]),
        ({**ATTEMPT, "_foreign": True}, []),
    ],
    ids=["made since", "not made", "another's"],
)
def test_what_had_never_been_made_goes(store: StackStore, provider: Provider, now: Any, told: Any) -> None:
    """A stack that keeps what failed (DisableRollback) is updated, and the update fails."""
    assert rolled_back(store, {"A": ATTEMPT}, {"A": now}) == {}
    assert provider.told == told


def test_what_a_failed_replacement_was_to_replace_comes_back(store: StackStore, provider: Provider) -> None:
    """The replacement failed in one update (DisableRollback), and was made in the next one, which failed."""
    before = {**ATTEMPT, "_replaced": [{key: MADE[key] for key in KEPT if key in MADE}]}
    now = {**MADE, "PhysicalResourceId": "b", "_properties": NEW, "_replaced": before["_replaced"],
           "ResourceStatus": COMPLETE}  # fmt: skip
    (after,) = rolled_back(store, {"A": before}, {"A": now}).values()
    assert provider.told == [("delete", "b")]
    assert (after["PhysicalResourceId"], after["_properties"], "_creating" in after) == ("a", OLD, False)
