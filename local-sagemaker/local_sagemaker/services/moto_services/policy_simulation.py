"""IAM SimulatePrincipalPolicy and SimulateCustomPolicy, which moto lacks: the SDK checks roles with the first.

Evaluated truthfully from the policies that IAM here holds for the principal; there are no organizations.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from local_sagemaker.http import RawResponse
from local_sagemaker.integers import natural
from local_sagemaker.json_text import JsonError
from local_sagemaker.services.moto_services import query_responses
from local_sagemaker.services.moto_services.policies import Context, Decision, IamPolicy, decide
from local_sagemaker.services.moto_services.request_inspection import members

_PAGE = 100


@dataclass(frozen=True)
class Principal:
    """The policies of a role or user, and its permissions boundary if it has one."""

    policies: list[IamPolicy]
    boundary: IamPolicy | None = None


class NoSuchEntity(Exception):
    """There is no such role or user."""


def simulate(operation: str, parameters: dict[str, str], iam: Any) -> RawResponse:
    """Serves one of the two operations; `iam` is moto's IAM backend."""
    try:
        policies = [IamPolicy.parse(f"PolicyInputList.{n + 1}", text) for n, text in enumerate(_inputs(parameters))]
    except JsonError as error:
        return query_responses.refusal("iam", 400, "InvalidInput", f"A policy of PolicyInputList is no JSON: {error}")
    try:
        caller = Principal([])
        if operation == "SimulatePrincipalPolicy":
            source = parameters.get("PolicySourceArn", "")
            if not source.startswith("arn:") or ":sts:" in source:
                text = f"Invalid Entity Arn: {source} does not clearly define entity type and name."
                return query_responses.refusal("iam", 400, "InvalidInput", text)
            caller = principal(iam, source)
    except NoSuchEntity as error:
        return query_responses.refusal("iam", 404, "NoSuchEntity", str(error))
    resources = members(parameters, "ResourceArns") or ["*"]
    context = _context(parameters)
    results = [
        _result(action, resource, caller, policies, context)
        for action in members(parameters, "ActionNames")
        for resource in resources
    ]
    start, size = natural(parameters.get("Marker", "0")), natural(str(parameters.get("MaxItems", _PAGE)))
    if start is None or not size:
        return query_responses.refusal("iam", 400, "ValidationError", "Marker or MaxItems is not valid.")
    end = start + size
    more = {"Marker": str(end)} if end < len(results) else {}
    page = {"EvaluationResults": results[start:end], "IsTruncated": bool(more), **more}
    return query_responses.respond("iam", operation, page)


def principal(iam: Any, arn: str) -> Principal:
    """The policies of the role, user or group with an ARN. Raises `NoSuchEntity`."""
    kind, _, name = arn.split(":", 5)[-1].partition("/")
    name = name.rsplit("/", 1)[-1]
    holders = {"role": iam.roles, "user": iam.users, "group": iam.groups}.get(kind, {})
    holder = next((one for one in holders.values() if one.name == name), None)
    if holder is None:
        raise NoSuchEntity(f"The {kind} with name {name} cannot be found.")
    caller = _policies_of(holder)
    if kind == "user":
        for group in iam.groups.values():
            if any(user.name == name for user in group.users):
                caller += _policies_of(group)
    boundary = getattr(holder, "permissions_boundary_arn", None)
    return Principal(
        caller, _parse_managed(iam.managed_policies[boundary]) if boundary in iam.managed_policies else None
    )


def _policies_of(holder: Any) -> list[IamPolicy]:
    inline = [IamPolicy.parse(name, text) for name, text in holder.policies.items()]
    return inline + [_parse_managed(policy) for policy in holder.managed_policies.values()]


def _parse_managed(policy: Any) -> IamPolicy:
    version = next(one for one in policy.versions if one.is_default)
    return IamPolicy.parse(policy.arn, version.document)


def _result(
    action: str, resource: str, caller: Principal, policies: list[IamPolicy], context: Context
) -> dict[str, Any]:
    decision = decide([*caller.policies, *policies], action, resource, context)
    outcome = decision.outcome
    result: dict[str, Any] = {"EvalActionName": action, "EvalResourceName": resource}
    if caller.boundary:
        bounded = decide([caller.boundary], action, resource, context)
        within = bounded.outcome == "allowed"
        if not within:
            outcome = "explicitDeny" if "explicitDeny" in (outcome, bounded.outcome) else "implicitDeny"
        result["PermissionsBoundaryDecisionDetail"] = {"AllowedByPermissionsBoundary": within}
    return {**result, "EvalDecision": outcome, **_reasons(decision)}


def _reasons(decision: Decision) -> dict[str, Any]:
    return {
        "MatchedStatements": [{"SourcePolicyId": name, "SourcePolicyType": "IAM Policy"} for name in decision.matched],
        "MissingContextValues": list(decision.missing),
    }


def _inputs(parameters: dict[str, str]) -> list[str]:
    return members(parameters, "PolicyInputList")


def _context(parameters: dict[str, str]) -> Context:
    context: dict[str, list[str]] = {}
    number = 1
    while (name := parameters.get(f"ContextEntries.member.{number}.ContextKeyName")) is not None:
        context[name.lower()] = members(parameters, f"ContextEntries.member.{number}.ContextKeyValues")
        number += 1
    return context
