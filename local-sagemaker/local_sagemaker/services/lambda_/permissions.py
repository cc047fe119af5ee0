"""Resource policies of functions: kept and shown, not enforced (the local service enforces no IAM policy)."""

from __future__ import annotations

import json
from typing import Any

from local_sagemaker.api.operations import Request, Resource, Response, operation
from local_sagemaker.records.own_members import own_function
from local_sagemaker.records.store import Body
from local_sagemaker.services.lambda_.errors import LambdaConflict, LambdaNotFound
from local_sagemaker.services.lambda_.names import FunctionReference
from local_sagemaker.services.lambda_.store import FunctionStore

_CONDITIONS = (
    ("SourceAccount", "StringEquals", "AWS:SourceAccount"),
    ("PrincipalOrgID", "StringEquals", "aws:PrincipalOrgID"),
    ("EventSourceToken", "StringEquals", "lambda:EventSourceToken"),
    ("FunctionUrlAuthType", "StringEquals", "lambda:FunctionUrlAuthType"),
    ("InvokedViaFunctionUrl", "Bool", "lambda:InvokedViaFunctionUrl"),
    ("SourceArn", "ArnLike", "AWS:SourceArn"),
)
"""The members of AddPermission that become conditions of the statement (API reference, AddPermission)."""


class Permissions(Resource):
    """AddPermission and its kin. Statements are kept by qualifier."""

    def __init__(self, *, store: FunctionStore) -> None:
        self._store = store

    @operation("AddPermission")
    def add(self, request: Request) -> Response:
        """Adds a statement to the policy."""
        reference = FunctionReference.parse(request["FunctionName"], request.get("Qualifier"))
        self._store.find(reference)
        statement = self._statement(reference, request)

        def change(body: Body) -> None:
            statements = own_function(body).setdefault("_policy", {}).setdefault(reference.qualifier or "", [])
            if any(known["Sid"] == statement["Sid"] for known in statements):
                raise LambdaConflict(
                    f"The statement id ({statement['Sid']}) provided already exists. Please provide a new statement "
                    "id, or remove the existing statement."
                )
            statements.append(statement)

        self._store.change(reference, request.get("RevisionId"), change)
        return {"Statement": json.dumps(statement, separators=(",", ":"))}

    @operation("RemovePermission")
    def remove(self, request: Request) -> Response:
        """Removes a statement by its id."""
        reference = FunctionReference.parse(request["FunctionName"], request.get("Qualifier"))

        def change(body: Body) -> None:
            statements = own_function(body).get("_policy", {}).get(reference.qualifier or "", [])
            kept = [statement for statement in statements if statement["Sid"] != request["StatementId"]]
            if len(kept) == len(statements):
                raise LambdaNotFound("No policy is associated with the given resource.")
            own_function(body)["_policy"][reference.qualifier or ""] = kept

        self._store.change(reference, request.get("RevisionId"), change)
        return {}

    @operation("GetPolicy")
    def get(self, request: Request) -> Response:
        """The policy as JSON."""
        reference = FunctionReference.parse(request["FunctionName"], request.get("Qualifier"))
        body = self._store.latest(reference)
        statements = own_function(body).get("_policy", {}).get(reference.qualifier or "", [])
        if not statements:
            raise LambdaNotFound("The resource you requested does not exist.")
        policy = {"Version": "2012-10-17", "Id": "default", "Statement": statements}
        return {"Policy": json.dumps(policy, separators=(",", ":")), "RevisionId": body["RevisionId"]}

    def _statement(self, reference: FunctionReference, request: Request) -> Body:
        name = request["Principal"]
        principal: Any = name
        if name.endswith((".amazonaws.com", ".amazonaws.com.cn")):
            principal = {"Service": name}
        elif name != "*":
            principal = {"AWS": name if name.startswith("arn:") else f"arn:aws:iam::{name}:root"}
        conditions: dict[str, dict[str, str]] = {}
        for member, operator, key in _CONDITIONS:
            if member in request:
                value = request[member]
                text = str(value).lower() if isinstance(value, bool) else value
                conditions.setdefault(operator, {})[key] = text
        return {
            "Sid": request["StatementId"],
            "Effect": "Allow",
            "Principal": principal,
            "Action": request["Action"],
            "Resource": self._store.arn(reference.name, reference.qualifier),
            **({"Condition": conditions} if conditions else {}),
        }
