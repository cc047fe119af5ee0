"""A template as frozen values, checked as far as that needs no parameter values (contracts: delivery 2.2)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from local_sagemaker.cloudformation.documents import read
from local_sagemaker.cloudformation.errors import TemplateError, UnsupportedTemplate
from local_sagemaker.cloudformation.resource_types import ResourceType, resource_type

SECTIONS = (
    "AWSTemplateFormatVersion", "Description", "Metadata", "Parameters", "Mappings", "Conditions", "Resources",
    "Outputs", "Rules",
)  # fmt: skip
NOT_EXECUTED = ("Transform", "Hooks")
ATTRIBUTES = (
    "Type", "Properties", "DependsOn", "Condition", "DeletionPolicy", "UpdateReplacePolicy", "Metadata",
)  # fmt: skip
POLICIES = ("Delete", "Retain", "RetainExceptOnCreate")
MOST = {"Resources": 500, "Parameters": 200, "Outputs": 200, "Mappings": 200}
LONGEST_DESCRIPTION = 1024
_LOGICAL = re.compile(r"[A-Za-z0-9]{1,255}")


@dataclass(frozen=True)
class ResourceDeclaration:
    """One entry of Resources, its properties still with functions in them."""

    logical: str
    type: ResourceType
    properties: dict[str, Any]
    depends_on: tuple[str, ...] = ()
    condition: str | None = None
    deletion_policy: str = "Delete"
    replace_policy: str = "Delete"
    metadata: Any = None


@dataclass(frozen=True)
class Template:
    """A template. Sections that are plain mappings stay as they are written."""

    resources: dict[str, ResourceDeclaration]
    description: str | None = None
    metadata: Any = None
    parameters: dict[str, dict[str, Any]] = field(default_factory=dict)
    mappings: dict[str, Any] = field(default_factory=dict)
    conditions: dict[str, Any] = field(default_factory=dict)
    outputs: dict[str, dict[str, Any]] = field(default_factory=dict)
    rules: dict[str, dict[str, Any]] = field(default_factory=dict)


def load(text: str) -> Template:
    """The template of a text. Raises `TemplateError` in CloudFormation's words."""
    document = read(text)
    for name in document:
        if name in NOT_EXECUTED:
            raise UnsupportedTemplate(name, name)
        if name not in SECTIONS:
            raise TemplateError(f"Invalid template property or properties [{name}]")
    names = ("Parameters", "Mappings", "Conditions", "Resources", "Outputs", "Rules")
    sections = {name: _section(document, name) for name in names}
    if not sections["Resources"]:
        raise TemplateError("Template format error: At least one Resources member must be defined.")
    _refuse_unsupported_functions(document)
    template = Template(
        resources={name: _resource(name, value) for name, value in sections["Resources"].items()},
        description=_description(document),
        metadata=document.get("Metadata"),
        parameters=sections["Parameters"],
        mappings=sections["Mappings"],
        conditions=sections["Conditions"],
        outputs=sections["Outputs"],
        rules=sections["Rules"],
    )
    _check_references(template)
    return template


def _section(document: Mapping[str, Any], name: str) -> dict[str, Any]:
    section = document.get(name) or {}
    if not isinstance(section, dict):
        raise TemplateError(f"Template format error: {name} must be an object.")
    if len(section) > MOST.get(name, len(section)):
        raise TemplateError(f"Template format error: Number of {name.lower()}, {len(section)}, is greater than maximum "
                            f"allowed, {MOST[name]}")  # fmt: skip
    for key, value in section.items():
        if name != "Conditions" and not isinstance(value, dict):
            raise TemplateError(f"Template format error: Every {name} member must be an object: {key}.")
        if name in ("Resources", "Outputs", "Parameters") and not _LOGICAL.fullmatch(str(key)):
            raise TemplateError(f"Template format error: {name} name {key} is non alphanumeric.")
    return section


def _description(document: Mapping[str, Any]) -> str | None:
    text = document.get("Description")
    if text is None:
        return None
    if not isinstance(text, str):
        raise TemplateError("Template format error: Description must be a string.")
    if len(text.encode()) > LONGEST_DESCRIPTION:
        raise TemplateError("Template format error: 'Description' length is greater than 1024.")
    return text


def _resource(logical: str, value: dict[str, Any]) -> ResourceDeclaration:
    if not isinstance(value.get("Type"), str):
        place = f"[/Resources/{logical}]"
        raise TemplateError(f"Template format error: {place} Every Resources object must contain a Type member.")
    for attribute in value:
        if attribute in ("CreationPolicy", "UpdatePolicy"):
            raise UnsupportedTemplate(attribute, f"Resources/{logical}")
        if attribute not in ATTRIBUTES:
            raise TemplateError(f"Invalid template resource property '{attribute}'")
    kind = resource_type(value["Type"], logical)
    properties = value.get("Properties") or {}
    for option in branches(properties):
        if not isinstance(option, dict):
            raise TemplateError(f"Template format error: [/Resources/{logical}/Properties] must be an object.")
        kind.check(logical, option)
    depends = value.get("DependsOn") or []
    depends = depends if isinstance(depends, list) else [depends]
    if not all(isinstance(name, str) for name in depends):
        raise TemplateError("Template format error: DependsOn must be a string or list of strings.")
    if not isinstance(value.get("Condition", ""), str):
        place = f"[/Resources/{logical}/Condition]"
        raise TemplateError(f"Template format error: {place} every Condition member must be a string.")
    return ResourceDeclaration(
        logical=logical,
        type=kind,
        properties=properties,
        depends_on=tuple(depends),
        condition=value.get("Condition"),
        deletion_policy=_policy(value, "DeletionPolicy"),
        replace_policy=_policy(value, "UpdateReplacePolicy"),
        metadata=value.get("Metadata"),
    )


def _policy(value: Mapping[str, Any], name: str) -> str:
    policy = value.get(name, "Delete")
    if policy == "Snapshot":
        kind = "deletion" if name == "DeletionPolicy" else "update replace"
        raise TemplateError(f"Template error: resource type {value['Type']} does not support {kind} policy Snapshot")
    if policy not in POLICIES or (name == "UpdateReplacePolicy" and policy == "RetainExceptOnCreate"):
        raise TemplateError(f"Template format error: Unrecognized {name} {policy} for resource")
    return str(policy)


UNSUPPORTED_FUNCTIONS = frozenset({"Fn::Transform", "Fn::Length", "Fn::ToJsonString", "Fn::GetStackOutput"})


def _refuse_unsupported_functions(document: Mapping[str, Any]) -> None:
    for section in ("Conditions", "Resources", "Outputs"):
        for key in _keys(document.get(section)):
            if key in UNSUPPORTED_FUNCTIONS or key.startswith("Fn::ForEach"):
                raise UnsupportedTemplate(key, section)


def _keys(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for key, part in value.items():
            yield str(key)
            yield from _keys(part)
    elif isinstance(value, list):
        for part in value:
            yield from _keys(part)


PSEUDO = frozenset({
    "AWS::AccountId", "AWS::NotificationARNs", "AWS::NoValue", "AWS::Partition", "AWS::Region", "AWS::StackId",
    "AWS::StackName", "AWS::URLSuffix",
})  # fmt: skip
_SUBSTITUTION = re.compile(r"\$\{([^!}][^}]*)\}")


def substitutions(text: str) -> list[str]:
    """The names inside of ``${...}`` of a Fn::Sub text, without literals (``${!Name}``)."""
    return [name.strip() for name in _SUBSTITUTION.findall(text)]


GET_ATT = (
    "Template error: every Fn::GetAtt object requires two non-empty parameters, the resource name and the resource "
    "attribute"
)


def sub_arguments(argument: Any) -> tuple[str, dict[str, Any]]:
    """The text of Fn::Sub and its own variables. Raises `TemplateError`."""
    match argument:
        case str() as text:
            return text, {}
        case [str() as text, dict() as own]:
            return text, own
    raise TemplateError(
        "Template error: One or more Fn::Sub intrinsic functions don't specify expected arguments. Specify a string as "
        "first argument, and an optional second argument to specify a mapping of values to replace in the string"
    )


def attributes_of(value: Any) -> Iterator[tuple[str, str]]:
    """The names and attributes of each Fn::GetAtt in a value; an attribute is "" where a function gives it.

    Raises `TemplateError` for one without a name.
    """
    for part in value if isinstance(value, list) else value.values() if isinstance(value, dict) else ():
        yield from attributes_of(part)
    if isinstance(value, dict) and len(value) == 1 and "Fn::GetAtt" in value:
        parts = value["Fn::GetAtt"]
        rest = [parts.partition(".")[2]] if isinstance(parts, str) else parts[1:] if isinstance(parts, list) else []
        yield next(references(value)), ".".join(rest) if all(isinstance(part, str) for part in rest) else ""


def references(value: Any) -> Iterator[str]:
    """Names that Ref, GetAtt and Sub lead to: parameters, pseudo parameters and logical ids."""
    if isinstance(value, list):
        for part in value:
            yield from references(part)
    if not isinstance(value, dict):
        return
    if len(value) == 1:
        ((key, inner),) = value.items()
        if key == "Ref" and isinstance(inner, str):
            yield inner
            return
        if key == "Fn::GetAtt":
            parts = list(inner.partition(".")[::2]) if isinstance(inner, str) else inner
            if not isinstance(parts, list) or not parts or not isinstance(parts[0], str):
                raise TemplateError(GET_ATT)
            yield parts[0]
            yield from references(parts[1:])
            return
        if key == "Fn::Sub":
            text, own = sub_arguments(inner)
            yield from (name.partition(".")[0] for name in substitutions(text) if name not in own)
            yield from references(own)
            return
    for part in value.values():
        yield from references(part)


def is_function(value: Any) -> bool:
    """Whether a value is a function's call, whose result is not known yet."""
    if not isinstance(value, dict) or len(value) != 1:
        return False
    ((name, argument),) = value.items()
    return name == "Ref" or name.startswith("Fn::") or (name == "Condition" and isinstance(argument, str))


def branches(value: Any) -> Iterator[Any]:
    """What a value may turn out to be: both branches of Fn::If, else itself; of other functions nothing is known."""
    if not is_function(value):
        yield value
    elif isinstance(options := value.get("Fn::If"), list) and len(options) == 3:
        yield from branches(options[1])
        yield from branches(options[2])


def _check_references(template: Template) -> None:
    known = {*template.parameters, *template.resources, *PSEUDO}
    for logical, resource in template.resources.items():
        _refuse_undefined(resource.properties, template)
        missing = [name for name in resource.depends_on if name not in template.resources]
        missing += [name for name in references(resource.properties) if name not in known]
        _refuse_missing(missing, "Resources", "Template format error: ")
        if resource.condition is not None and resource.condition not in template.conditions:
            raise TemplateError(
                f"Template format error: Unresolved condition dependency {resource.condition} in the Resources block "
                "of the template"
            )
        if logical in template.parameters:
            raise TemplateError(f"Template format error: {logical} is both a parameter and a resource.")
    for output in template.outputs.values():
        if "Value" not in output:
            raise TemplateError("Template format error: Every Outputs member must contain a Value object")
        _refuse_undefined(output, template)
        _refuse_missing([name for name in references(output) if name not in known], "Outputs", "")
    for condition in template.conditions.values():
        known_there = {*template.parameters, *PSEUDO}
        _refuse_missing([name for name in references(condition) if name not in known_there], "Conditions",
                        "Template format error: ")  # fmt: skip
    for rule in template.rules.values():
        _refuse_missing([name for name in references(rule) if name not in {*template.parameters, *PSEUDO}], "Rules",
                        "Template format error: ")  # fmt: skip


def _refuse_undefined(value: Any, template: Template) -> None:
    """Refuses attributes of resources that are not in the template, and those that a type's schema does not have."""
    for name, attribute in attributes_of(value):
        if name not in template.resources:
            raise TemplateError(f"Template error: instance of Fn::GetAtt references undefined resource {name}")
        kind = template.resources[name].type
        if attribute and not kind.open and attribute.partition(".")[0] not in {*kind.properties, *kind.read_only}:
            raise TemplateError(
                f"Template error: resource {name} does not support attribute type {attribute} in Fn::GetAtt"
            )


def _refuse_missing(names: list[str], block: str, prefix: str) -> None:
    if names:
        listed = ", ".join(dict.fromkeys(names))
        raise TemplateError(f"{prefix}Unresolved resource dependencies [{listed}] in the {block} block of the template")
