"""Policies of stacks: which changes an update may make to which resources.

Source: user guide, "Prevent updates to stack resources": with a policy everything is denied that no statement allows,
and a statement that denies wins. Texts as recorded and logged by public repositories; `{}` allows all.
"""

from __future__ import annotations

import fnmatch
from collections.abc import Mapping
from typing import Any

from local_sagemaker.api.operations import Request, Resource, Response, operation
from local_sagemaker.cloudformation.errors import TemplateError
from local_sagemaker.json_text import load
from local_sagemaker.records.delivery_members import StackRecord, own_stack
from local_sagemaker.records.store import Body
from local_sagemaker.services.cloudformation.requests import Requests
from local_sagemaker.services.cloudformation.stack_store import StackStore

MODIFY, REPLACE, DELETE = "Update:Modify", "Update:Replace", "Update:Delete"
STORED = ("StackPolicyBody", "StackPolicyURL")
DURING_UPDATE = ("StackPolicyDuringUpdateBody", "StackPolicyDuringUpdateURL")
_ACTIONS = {MODIFY, REPLACE, DELETE, "Update:*"}
_CONDITIONS = {"StringEquals", "StringLike"}
_MEMBERS = {"Sid", "Effect", "Action", "NotAction", "Principal", "Resource", "NotResource", "Condition"}


class StackPolicies(Resource):
    """GetStackPolicy, SetStackPolicy."""

    def __init__(self, *, store: StackStore, requests: Requests) -> None:
        self._store, self._requests = store, requests

    @operation("SetStackPolicy")
    def set_policy(self, request: Request) -> Response:
        """Sets the policy of a stack for the updates to come."""
        stack = self._store.require(request["StackName"], "Stack [{}] does not exist")
        text = read_from(self._requests, request) or "{}"

        def change(body: Body) -> None:
            own_stack(body).pop("_policy_next", None)  # the one of an update under way came before
            body.update({**StackRecord(_policy=text)})

        self._store.update(stack["StackId"], change)
        return {}

    @operation("GetStackPolicy")
    def get_policy(self, request: Request) -> Response:
        """The policy of a stack; that of an update while it lasts."""
        text = in_force(self._store.require(request["StackName"], "Stack [{}] does not exist"))
        return {} if text is None else {"StackPolicyBody": text}


def read_from(requests: Requests, request: Request, members: tuple[str, str] = STORED) -> str | None:
    """The checked text of the policy that a request has in one of two members, as text or as its address."""
    body, url = (request.get(name) for name in members)
    if body is not None and url is not None:
        raise TemplateError(f"You cannot specify both {members[1]} and {members[0]}")
    text = str(body) if url is None else requests.document(url)
    if body is None and url is None:
        return None
    statements(text)
    return text


def policies_of_update(requests: Requests, request: Request) -> StackRecord:
    """The policies that UpdateStack's request brings."""
    policies = StackRecord()
    if (later := read_from(requests, request)) is not None:
        policies |= StackRecord(_policy_next=later)
    if (during := read_from(requests, request, DURING_UPDATE)) is not None:
        policies |= StackRecord(_policy_during=during)
    return policies


def in_force(stack: Body) -> str | None:
    """The text of the policy that an update of the stack follows now."""
    during = own_stack(stack).get("_policy_during")
    return during if during is not None else own_stack(stack).get("_policy")


def check(policy: str | None, action: str, logical: str, kind: str) -> None:
    """Raises when the policy does not let an update do `action` to a resource of a type."""
    rules = statements(policy) if policy else []
    if not rules:
        return
    meant = [(number, rule) for number, rule in enumerate(rules, 1) if _concerns(rule, action, logical, kind)]
    for number, rule in meant:
        if rule["Effect"] == "Deny":
            actions, resources = (", ".join(_both(rule, name)) for name in ("Action", "Resource"))
            raise TemplateError(
                f"Action denied by stack policy: Statement [#{number}] does not allow [{actions}] for resource "
                f"[{resources}];"
            )
    if not meant:
        raise TemplateError("Action not allowed by stack policy")


def statements(text: str) -> list[dict[str, Any]]:
    """The statements of a policy; none of an empty one. Raises for what is no policy of stacks."""
    try:
        document = load(text)
    except ValueError:
        document = None
    rules = document.get("Statement", []) if isinstance(document, dict) else None
    rules = [rules] if isinstance(rules, dict) else rules
    if not isinstance(rules, list) or not all(_is_statement(rule) for rule in rules):
        raise TemplateError("Error validating stack policy: Invalid stack policy")
    return rules


def _is_statement(rule: Any) -> bool:
    if not isinstance(rule, dict) or set(rule) - _MEMBERS or rule.get("Effect") not in ("Allow", "Deny"):
        return False
    if any({name, f"Not{name}"} <= rule.keys() for name in ("Action", "Resource")):
        return False
    actions, resources = _both(rule, "Action"), _both(rule, "Resource")
    if rule.get("Principal") != "*" or not actions or not set(actions) <= _ACTIONS:
        return False
    conditions = rule.get("Condition", {})
    return (
        all(text == "*" or text.startswith("LogicalResourceId/") for text in resources)
        and isinstance(conditions, dict)
        and set(conditions) <= _CONDITIONS
        and all(isinstance(keys, dict) and set(keys) == {"ResourceType"} for keys in conditions.values())
    )


def _both(rule: Mapping[str, Any], name: str) -> list[str]:
    """The words of a member or of its opposite, of which a statement has one."""
    return _words(rule.get(name, rule.get(f"Not{name}")))


def _words(value: Any) -> list[str]:
    return [] if value is None else [str(word) for word in value] if isinstance(value, list) else [str(value)]


def _concerns(rule: Mapping[str, Any], action: str, logical: str, kind: str) -> bool:
    for name, value in (("Action", action), ("Resource", f"LogicalResourceId/{logical}")):
        named = any(fnmatch.fnmatchcase(value, word) for word in _both(rule, name))
        if named == (f"Not{name}" in rule):
            return False
    for operator, keys in rule.get("Condition", {}).items():
        types = _words(keys["ResourceType"])
        if not any(fnmatch.fnmatchcase(kind, word) if operator == "StringLike" else kind == word for word in types):
            return False
    return True
