"""Every resource type but those of endpoints and monitors (see test_cloudformation_monitoring and test_projects)."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.integration.calls_of_stacks import wrongly_told
from tests.integration.stack_of_all_types import seen, template
from tests.integration.stack_operations import events, physical, settled
from tests.support import Service


@pytest.mark.timeout(600)
def test_every_type_is_made_changed_replaced_and_deleted(service: Service) -> None:
    """DEL-9, DEL-11: what each type's own operations say after each operation on the stack."""
    stacks = service.client("cloudformation")
    request = {"StackName": "all-types", "Capabilities": ["CAPABILITY_NAMED_IAM"]}

    def deploy(call: Any, document: dict[str, Any]) -> str:
        call(**request, TemplateBody=json.dumps(document))
        return str(settled(stacks, "all-types")["StackStatus"])

    assert deploy(stacks.create_stack, template("one")) == "CREATE_COMPLETE", failures(stacks)
    for logical, look in seen(service).items():
        text = json.dumps(look(), default=str)
        assert "two" not in text, logical
    assert wrongly_told(service, template("one")["Resources"], there=True) == [], "a second stack would take it over"
    assert wrongly_told(service, template("one", "another")["Resources"], there=False) == []
    first, before = physical(stacks, "all-types"), {name: look() for name, look in seen(service).items()}
    assert set(first) == set(before)

    assert deploy(stacks.update_stack, template("two")) == "UPDATE_COMPLETE", failures(stacks)
    after = {name: look() for name, look in seen(service).items()}
    unchanged = {name for name in before if after[name] == before[name]}
    assert unchanged <= {"Alias"}, unchanged
    stale = {name for name, value in after.items() if '"one"' in json.dumps(value, default=str)
             or "only-one" in json.dumps(value, default=str)}  # fmt: skip
    assert stale == set()
    ids = physical(stacks, "all-types")
    assert {name for name in ids if ids[name] != first[name]} == {"Permission"}

    assert deploy(stacks.update_stack, template("two", "other")) == "UPDATE_COMPLETE", failures(stacks)
    for look in seen(service, "other").values():
        look()
    left = [name for name, look in seen(service).items() if _exists(look)]
    assert left == []

    stacks.delete_stack(StackName="all-types")
    identity = next(row["StackId"] for row in stacks.list_stacks()["StackSummaries"] if row["StackName"] == "all-types")
    assert settled(stacks, identity)["StackStatus"] == "DELETE_COMPLETE", failures(stacks, identity)
    assert [name for name, look in seen(service, "other").items() if _exists(look)] == []


def failures(stacks: Any, name: str = "all-types") -> list[tuple[str, str, str]]:
    return [row for row in events(stacks, name) if row[1].endswith("_FAILED") or "ROLLBACK" in row[1]]


def _exists(look: Callable[[], Any]) -> bool:
    try:
        look()
    except (ClientError, LookupError):
        return False
    return True
