"""The values that a stack's template sees: its parameters, its resources, what other stacks export."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from local_sagemaker.api.operations import Call
from local_sagemaker.cloudformation import parameters, template
from local_sagemaker.cloudformation.dynamic_references import DynamicReferences
from local_sagemaker.cloudformation.errors import TemplateError
from local_sagemaker.cloudformation.intrinsics import Scope
from local_sagemaker.cloudformation.resource_types import CUSTOM, ResourceType, is_custom
from local_sagemaker.config import Settings
from local_sagemaker.records.delivery_members import StackRecord, own_resource, own_stack
from local_sagemaker.records.store import Body
from local_sagemaker.services.cloudformation.custom_responses import CustomResponses
from local_sagemaker.services.cloudformation.handlers.handler import DeploymentContext
from local_sagemaker.services.cloudformation.stack_store import StackStore


class Scopes:
    """Makes the scope of a stack, and the contexts of its handlers."""

    def __init__(self, settings: Settings, store: StackStore, call: Call, responses: CustomResponses) -> None:
        self._settings, self._store, self._call, self._responses = settings, store, call, responses
        self.dynamic = DynamicReferences(call)

    def context(self, stack_id: str, logical: str, kind: str, cancelled: threading.Event) -> DeploymentContext:
        """What the handler of a resource of a type works with."""
        return DeploymentContext(
            self._call, self._settings.account, self._settings.region, stack_id.split("/")[1], logical, cancelled,
            stack_id=stack_id, kind=kind, responses=self._responses,
        )  # fmt: skip

    def scope(self, stack: Body) -> Scope:
        """The scope of a stack's body, which holds the template's text and the values of its parameters."""
        read = template.load(own_stack(stack)["_template"])
        stack_id = stack["StackId"]
        pseudo: dict[str, Any] = {
            "AWS::AccountId": self._settings.account,
            "AWS::Region": self._settings.region,
            "AWS::Partition": self._settings.arns.partition,
            "AWS::URLSuffix": "amazonaws.com.cn" if self._settings.region.startswith("cn-") else "amazonaws.com",
            "AWS::StackId": stack_id,
            "AWS::StackName": stack["StackName"],
            "AWS::NotificationARNs": stack.get("NotificationARNs", []),
        }
        return Scope(
            read,
            parameters.resolve(read, own_stack(stack)["_values"], self.dynamic.parameter),
            pseudo,
            reference=lambda logical: str(own_resource(self._resource(stack_id, logical))["_reference"]),
            attribute=lambda logical, name: self._attribute(stack_id, logical, name),
            export=self._importer(stack),
        )

    def _resource(self, stack_id: str, logical: str) -> Body:
        body = self._store.resource(stack_id, logical)
        if body is None or "_reference" not in body:
            raise TemplateError(f"Resource {logical} does not exist for stack {stack_id}")
        return body

    def _attribute(self, stack_id: str, logical: str, name: str) -> Any:
        attributes = own_resource(self._resource(stack_id, logical))["_attributes"]
        if name not in attributes:
            kind = self._resource(stack_id, logical)["ResourceType"]
            if kind == CUSTOM.name or is_custom(kind):  # as seen on AWS: aws-samples/aws-cdk-examples#561
                raise TemplateError(
                    f"CustomResource attribute error: Vendor response doesn't contain {name} key in object "
                    f"{stack_id}|{logical} in S3 bucket cloudformation-custom-resource-storage-"
                    f"{self._settings.region.replace('-', '')}"
                )
            raise TemplateError(
                f"Template error: resource {logical} does not support attribute type {name} in Fn::GetAtt "
                f"({kind}: {', '.join(sorted(attributes)) or 'none'})"
            )
        return attributes[name]

    def _importer(self, stack: Body) -> Callable[[str], str]:
        def export(name: str) -> str:
            value = self._store.export(name)
            imports = own_stack(self._store.require(stack["StackId"])).get("_imports", [])
            if name not in imports:
                self._store.update(
                    stack["StackId"], lambda body: body.update({**StackRecord(_imports=[*imports, name])})
                )
            return value

        return export

    def with_tags(self, kind: ResourceType, properties: Body, stack: Body, logical: str) -> Body:
        """The properties with the stack's tags, and CloudFormation's own where the type's schema has them."""
        if kind.tags is None:
            return properties
        tags = {tag["Key"]: tag["Value"] for tag in stack.get("Tags", [])}
        if kind.system_tags:
            tags |= {
                "aws:cloudformation:stack-name": stack["StackName"],
                "aws:cloudformation:stack-id": stack["StackId"],
                "aws:cloudformation:logical-id": logical,
            }
        own = properties.get(kind.tags, {} if kind.properties[kind.tags] == "object" else [])
        if isinstance(own, dict):
            tags |= own
            merged: Any = tags
        else:
            tags |= {tag["Key"]: tag["Value"] for tag in own}
            merged = [{"Key": key, "Value": value} for key, value in tags.items()]
        return {**properties, kind.tags: merged} if merged else properties
