"""Dynamic references, ``{{resolve:SERVICE:REFERENCE}}`` (user guide, "Get values stored in other services using dynamic
references").

They are resolved behind the functions, since Fn::Sub and Fn::Join may write them, and only where a value is used: what
is written down of a stack has the references.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from local_sagemaker.api.operations import Call, Request
from local_sagemaker.cloudformation.comparison import changes
from local_sagemaker.cloudformation.errors import TemplateError
from local_sagemaker.cloudformation.template import ResourceDeclaration
from local_sagemaker.errors import ServiceError
from local_sagemaker.json_text import load

_REFERENCE = re.compile(r"\{\{resolve:(ssm|ssm-secure|secretsmanager):([^{}]*)\}\}")
_PARAMETER = re.compile(r"[\w./-]+(:\d+)?")
_COLONS_OF_AN_ARN = 7


class DynamicReferences:
    """Reads what references lead to, by calls of the service's own operations."""

    def __init__(self, call: Call) -> None:
        self._call = call

    def resolve(self, value: Any) -> Any:
        """A value with what its references lead to. Raises `TemplateError`."""
        return _exchange(value, self._read)

    def resolve_and_note(self, value: Any) -> tuple[Any, dict[str, str]]:
        """A value as `resolve` gives it, and by reference a digest of what it led to. Raises `TemplateError`."""
        values, resolved = self._read_all(value)
        return resolved, {reference: _digest(content) for reference, content in values.items()}

    def resolve_both(
        self, before: dict[str, Any], after: dict[str, Any], noted: Mapping[str, str]
    ) -> tuple[dict[str, Any], dict[str, Any], dict[str, str]]:
        """Two states of properties, and the digests of the second: a reference in both is the same value in both.

        It stays in the first where its digest in `noted` is of another value, and where only the first has it: what it
        led to is not known any more. Raises `TemplateError`.
        """
        values, wanted = self._read_all(after)
        digests = {reference: _digest(value) for reference, value in values.items()}
        same = {name: value for name, value in values.items() if noted.get(name, digests[name]) == digests[name]}
        return _exchange(before, lambda match: same.get(match[0], match[0])), wanted, digests

    def _read_all(self, value: Any) -> tuple[dict[str, str], Any]:
        values: dict[str, str] = {}

        def read(match: re.Match[str]) -> str:
            values[match[0]] = self._read(match)
            return values[match[0]]

        resolved = _exchange(value, read)
        return values, resolved

    def as_written(self, before: dict[str, Any], after: dict[str, Any]) -> dict[str, Any]:
        """`before` with the references of `after` where it has the values that these lead to.

        Records of stacks by earlier versions hold values.
        """
        written = {
            name: after[name]
            for name in changes(before, after)
            if name in before and _has_references(after.get(name)) and not _has_references(before[name])
            and not changes({name: before[name]}, {name: self.known(after[name])})
        }  # fmt: skip
        return {**before, **written}

    def known(self, value: Any) -> Any:
        """As `resolve`, for a value that is given up: where what it refers to does not exist, the references stay."""
        try:
            return self.resolve(value)
        except ServiceError:
            return value

    def parameter(self, name: str) -> str:
        """The value of a parameter of Systems Manager, ``NAME`` or ``NAME:VERSION``."""
        try:
            return str(self._call("ssm:GetParameter", {"Name": name, "WithDecryption": True})["Parameter"]["Value"])
        except ServiceError as error:
            raise TemplateError(
                f"Unable to fetch parameters [{name}] from parameter store for this account."
            ) from error

    def _read(self, match: re.Match[str]) -> str:
        service, reference = match[1], match[2]
        if service == "secretsmanager":
            return self._secret(reference)
        if not _PARAMETER.fullmatch(reference):
            raise TemplateError(f"Incorrect format is used in the following SSM reference: [{match[0]}]")
        if service == "ssm-secure":
            raise TemplateError(f"SSM Secure reference is not supported in: [{match[0]}]")
        return self.parameter(reference)

    def _secret(self, reference: str) -> str:
        """``ID[:SecretString[:KEY[:STAGE[:VERSION]]]]``; an ARN has six colons in it."""
        parts = reference.split(":")
        count = _COLONS_OF_AN_ARN if reference.startswith("arn:") else 1
        member, key, stage, version = [*parts[count:], "", "", "", ""][:4]
        if member not in ("", "SecretString") or len(parts) > count + 4:
            raise TemplateError(f"Incorrect format is used in the following secret reference: {reference}")
        request: Request = {"SecretId": ":".join(parts[:count])}
        request |= {"VersionStage": stage} if stage else {}
        request |= {"VersionId": version} if version else {}
        try:
            text = str(self._call("secretsmanager:GetSecretValue", request).get("SecretString", ""))
        except ServiceError as error:
            raise TemplateError(error.message) from error
        return _member(text, key) if key else text


def _exchange(value: Any, read: Callable[[re.Match[str]], str]) -> Any:
    if isinstance(value, dict):
        return {name: _exchange(part, read) for name, part in value.items()}
    if isinstance(value, list):
        return [_exchange(part, read) for part in value]
    return _REFERENCE.sub(read, value) if isinstance(value, str) else value


def _digest(value: str) -> str:
    return hashlib.sha256(value.encode()).hexdigest()


def _has_references(value: Any) -> bool:
    return any(_REFERENCE.search(text) for _, text in _texts(value, ""))


def _member(text: str, key: str) -> str:
    try:
        value = load(text)[key]
    except (ValueError, KeyError, TypeError) as error:
        raise TemplateError("Could not find a value associated with JSONKey in SecretString") from error
    return value if isinstance(value, str) else str(value)


def refuse_secure(resource: ResourceDeclaration) -> None:
    """Raises where a property refers to an encrypted parameter: on AWS, none of the types that are here may."""
    places = [place for place, text in _texts(resource.properties, "Properties") if "{{resolve:ssm-secure:" in text]
    if places:
        listed = ",".join(f"{resource.type.name}/{place}" for place in places)
        raise TemplateError(f"SSM Secure reference is not supported in: [{listed}]")


def _texts(value: Any, place: str) -> Iterator[tuple[str, str]]:
    """All texts of a value with the names that lead there; items of lists have none, as in AWS's text."""
    if isinstance(value, str):
        yield place, value
    elif isinstance(value, dict):
        for name, part in value.items():
            yield from _texts(part, place if str(name).startswith("Fn::") else f"{place}/{name}")
    elif isinstance(value, list):
        for part in value:
            yield from _texts(part, place)
