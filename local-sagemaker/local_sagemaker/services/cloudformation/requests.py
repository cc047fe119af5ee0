"""What requests that change stacks have in common: template, parameters, capabilities."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import unquote, urlsplit

from local_sagemaker.api.operations import Request
from local_sagemaker.cloudformation import dependencies, parameters, rules, static_checks, template
from local_sagemaker.cloudformation.documents import LARGEST_BODY, LARGEST_OBJECT
from local_sagemaker.cloudformation.errors import TemplateError
from local_sagemaker.cloudformation.template import Template
from local_sagemaker.errors import ServiceError
from local_sagemaker.objects import uris
from local_sagemaker.objects.types import Objects
from local_sagemaker.records.delivery_members import StackRecord, own_stack
from local_sagemaker.records.store import Body
from local_sagemaker.services.cloudformation import supported_properties
from local_sagemaker.services.cloudformation.scopes import Scopes

IAM_TYPES = ("AWS::IAM::Role", "AWS::IAM::Policy", "AWS::IAM::ManagedPolicy", "AWS::IAM::OIDCProvider")
_NAMED = {"AWS::IAM::Role": "RoleName", "AWS::IAM::ManagedPolicy": "ManagedPolicyName"}
KEPT = ("Tags", "Capabilities", "NotificationARNs", "RoleARN", "RollbackConfiguration", "TimeoutInMinutes")


class Requests:
    """Reads the requests of stacks' operations."""

    def __init__(self, objects: Objects, scopes: Scopes, distrusts: Callable[[str, str], bool]) -> None:
        self._objects, self._scopes, self._distrusts = objects, scopes, distrusts

    def check_role(self, request: Request) -> None:
        """Refuses a role that does not trust CloudFormation; one that IAM does not have is taken, as everywhere here.

        The text is that of AWS (awslabs/aws-service-catalog-puppet#568).
        """
        role = request.get("RoleARN")
        if role and self._distrusts(role, "cloudformation.amazonaws.com"):
            raise TemplateError(f"Role {role} is invalid or cannot be assumed")

    def template(self, request: Request, stack: Body | None = None) -> str:
        """The text of the template that a request gives, or of the stack's where it wants the same again."""
        sources = [name for name in ("TemplateBody", "TemplateURL") if request.get(name)]
        if request.get("UsePreviousTemplate"):
            if sources:
                raise TemplateError("You cannot specify both usePreviousTemplate and Template Body/Template URL.")
            if stack is None or "_template" not in stack:
                raise TemplateError("UsePreviousTemplate is only valid for a stack that has one")
            return str(own_stack(stack)["_template"])
        if len(sources) != 1:
            raise TemplateError("Either Template URL or Template Body must be specified.")
        if sources == ["TemplateURL"]:
            return self.document(request["TemplateURL"])
        text = str(request["TemplateBody"])
        if len(text.encode()) > LARGEST_BODY:
            raise TemplateError(
                "1 validation error detected: Value at 'templateBody' failed to satisfy constraint: Member must have "
                f"length less than or equal to {LARGEST_BODY}"
            )
        return text

    def document(self, url: str) -> str:
        """The text of a template or policy in a bucket."""
        bucket, key = _place(url)
        head = self._objects.head(bucket, key) if self._objects.bucket_exists(bucket) else None
        if head is None:
            raise TemplateError(f"S3 error: The specified key does not exist.\nFor more information check {url}")
        if head.size > LARGEST_OBJECT:
            raise TemplateError(f"Template may not exceed {LARGEST_OBJECT} bytes in size.")
        return (self._objects.read(bucket, key) or b"").decode("utf-8", "replace")

    def members_from(self, request: Request, stack: Body) -> tuple[Body, Template]:
        """The members of a stack's body that a request describes, checked as far as possible before anything happens.

        `stack` has the id, the name and, for an update, the present values.
        """
        if request.get("RollbackConfiguration", {}).get("RollbackTriggers"):
            raise TemplateError("LocalUnsupported: RollbackTriggers are not watched by the local service.")
        self.check_role(request)
        text = self.template(request, stack)
        read = template.load(text)
        supported_properties.check(read)
        values = self._values(request, read, stack)
        body = {
            **{name: request[name] for name in KEPT if name in request},
            **StackRecord(_template=text, _values=values),
            "Description": read.description,
        }
        scope = self._scopes.scope({**stack, **body})
        rules.assert_all(read.rules, scope)
        dependencies.graph(scope)
        static_checks.check_values(scope)
        body["Parameters"] = [_describe_parameter(name, read, values, scope.parameters) for name in read.parameters]
        _check_capabilities(request, read)
        return body, read

    @staticmethod
    def _values(request: Request, read: Template, stack: Body) -> dict[str, str]:
        """The given values; where the previous ones are wanted, or nothing is said of a stack's own, the stack's."""
        values, before = {}, own_stack(stack).get("_values", {})
        for parameter in request.get("Parameters", []):
            name = parameter["ParameterKey"]
            if parameter.get("UsePreviousValue"):
                if parameter.get("ParameterValue"):  # this text and the next one: recorded of AWS
                    raise TemplateError(
                        f"Invalid input for parameter key {name}. Cannot specify usePreviousValue as true and non "
                        "empty value for a parameter"
                    )
                if name not in before and "Default" not in read.parameters.get(name, {}):
                    raise TemplateError(
                        f"Invalid input for parameter key {name}. Cannot specify usePreviousValue as true for a "
                        "parameter key not in the previous template"
                    )
                if name in before:
                    values[name] = before[name]
            else:
                values[name] = str(parameter.get("ParameterValue", ""))
        return values


def _place(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    if parts.hostname in ("127.0.0.1", "localhost"):
        bucket, _, key = unquote(parts.path).lstrip("/").partition("/")
        return bucket, key
    try:
        return uris.split(url)
    except ServiceError as error:
        raise TemplateError("TemplateURL must be a supported URL.") from error


def _describe_parameter(
    name: str, read: Template, values: Mapping[str, str], resolved: Mapping[str, Any]
) -> dict[str, str]:
    """A parameter as DescribeStacks has it."""
    rule = read.parameters[name]
    text = values.get(name, parameters.as_text(rule.get("Default", "")))
    if str(rule.get("NoEcho", "")).lower() == "true":
        return {"ParameterKey": name, "ParameterValue": "****"}
    shown = {"ParameterKey": name, "ParameterValue": text}
    if "AWS::SSM::Parameter::Value" in str(rule.get("Type")):
        shown["ResolvedValue"] = parameters.as_text(resolved[name])
    return shown


def capabilities_for(read: Template) -> list[str]:
    """The capabilities that a template needs, and nothing more than the strongest."""
    kinds = [resource for resource in read.resources.values() if resource.type.name in IAM_TYPES]
    named = [kind for kind in kinds if _NAMED.get(kind.type.name, "") in kind.properties]
    return ["CAPABILITY_NAMED_IAM"] if named else ["CAPABILITY_IAM"] if kinds else []


def _check_capabilities(request: Request, read: Template) -> None:
    needed, capabilities = capabilities_for(read), request.get("Capabilities", [])
    enough = {
        "CAPABILITY_IAM": ("CAPABILITY_IAM", "CAPABILITY_NAMED_IAM"),
        "CAPABILITY_NAMED_IAM": ("CAPABILITY_NAMED_IAM",),
    }
    for capability in needed:
        if not any(name in capabilities for name in enough[capability]):
            text = f"Requires capabilities : [{capability}]"
            raise TemplateError(text, code="InsufficientCapabilitiesException", status=400)
