"""Requests checked against the model's constraints before an operation sees them, in AWS's words.

AWS reports all violations of a request at once: ``2 validation errors detected: Value 'x' at 'modelName' failed to
satisfy constraint: ...; Value ...``. Where AWS's recorded wording differs from botocore's model, the recorded one is
used.
"""

from __future__ import annotations

import re
import uuid
from typing import Any

from local_sagemaker.api import models
from local_sagemaker.api.members import refuse_unsupported
from local_sagemaker.api.patterns import compile_pattern
from local_sagemaker.api.scalars import Shape
from local_sagemaker.api.tag_numbers import count_tags
from local_sagemaker.errors import MalformedXML, ServiceError

CODES = {
    "sagemaker-runtime": "ValidationError",
    "iam": "ValidationError",
    "sts": "ValidationError",
    "cloudwatch": "ValidationError",
    "sns": "ValidationError",
    "logs": "InvalidParameterException",
    "apigateway": "BadRequestException",
    "s3": "InvalidArgument",
}
"""The code of a violated constraint, where it is not ValidationException."""

_REPOSITORY_NAME = (
    "The repository name is not valid. Repository names can be any valid combination of letters, numbers, periods, "
    "underscores, and dashes between 1 and 100 characters in length. Names are case sensitive. For more information, "
    "see Limits in the AWS CodeCommit User Guide. "
)
RECORDED = {
    r"[a-zA-Z0-9]([\-a-zA-Z0-9]*[a-zA-Z0-9])?": r"^[a-zA-Z0-9](-*[a-zA-Z0-9])*",
    r"[a-zA-Z0-9](-*[a-zA-Z0-9])*": r"^[a-zA-Z0-9](-*[a-zA-Z0-9])*",
    r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}": r"^[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}",
}
"""Patterns as SageMaker's messages quote them; the model has dropped their beginnings."""

_TYPES: dict[str, tuple[type, ...]] = {
    "structure": (dict,), "map": (dict,), "list": (list, tuple), "string": (str,), "boolean": (bool,),
    "integer": (int,), "long": (int,), "float": (int, float), "double": (int, float), "timestamp": (int, float),
}  # fmt: skip
_BYTES = (bytes, bytearray, str)
_EARLIEST, _LATEST = -62_135_596_800, 253_402_300_799
"""The years 1 to 9999, in seconds since the epoch."""
_JAVA = {
    "string": "a String", "boolean": "a Boolean", "integer": "an Integer", "long": "a Long", "float": "a Float",
    "double": "a Double", "timestamp": "a Timestamp", "blob": "a Blob",
}  # fmt: skip


def check(name: str, request: dict[str, Any]) -> None:
    """Checks the request of ``"sagemaker:CreateTrainingJob"``; fills in an idempotency token that is absent.

    Raises `ServiceError`: SerializationException for a wrong type, the service's code for violated constraints, else
    NotSupported for a member that the local service refuses.
    """
    service, _, operation_name = name.partition(":")
    operation = models.operation(service, operation_name)
    shape = operation.input_shape
    if shape is None:
        return
    for member in operation.idempotent_members:
        request.setdefault(member, str(uuid.uuid4()))
    problems: list[str] = []
    if name == "sagemaker:StartPipelineExecution":
        _check_parameter_values(request)
    _check(shape, request, "", problems)
    if problems and service == "s3":
        problems = _refuse_for_s3(shape, problems)
    if service == "iam":
        problems = [_CHOICES.sub("", _VALUE.sub("Value at '", problem)) for problem in problems]
    if (
        service == "codecommit"
        and request.get("repositoryName")
        and any("at 'repositoryName'" in one for one in problems)
    ):
        raise ServiceError(_REPOSITORY_NAME, code="InvalidRepositoryNameException", status=400)
    if problems:
        plural = "" if len(problems) == 1 else "s"
        text = f"{len(problems)} validation error{plural} detected: {'; '.join(problems)}"
        raise ServiceError(text, code=CODES.get(service, "ValidationException"), status=400)
    if service == "sagemaker":
        _refuse_repeated_tags(request.get("Tags") or [])
    refuse_unsupported(name, request)


def check_of_client(name: str, request: dict[str, Any]) -> None:
    """`check`, and the refusal of what only AWS's own services may do: CloudFormation sets tags of its own, and its
    first commit of a repository is bounded by the size of an archive alone (that it is by no count is inferred).
    """
    check(name, request)
    if name == "codecommit:CreateCommit":
        files = sum(len(request.get(member) or []) for member in ("putFiles", "deleteFiles", "setFileModes"))
        if files > MOST_FILES:
            raise ServiceError(_TOO_MANY_FILES, code="MaximumFileEntriesExceededException", status=400)
    if name.startswith("codepipeline:"):
        keys = [tag["key"] for tag in request.get("tags") or []]
        if any(key.lower().startswith("aws:") for key in [*keys, *(request.get("tagKeys") or [])]):
            raise ServiceError(_SYSTEM_TAGS, code="InvalidTagsException", status=400)
    if name.startswith("sagemaker:"):
        keys = [tag["Key"] for tag in request.get("Tags") or []]
        for key in [*keys, *(request.get("TagKeys") or [])]:
            if key.lower().startswith("aws:"):
                raise ServiceError(RESERVED.format(key), code="ValidationException", status=400)


MOST_FILES = 100
"""Of a commit that a client makes (CodeCommit user guide, "Quotas")."""
_TOO_MANY_FILES = (
    "The number of specified files to change as part of this commit exceeds the maximum number of files that can be "
    "changed in a single commit. Consider using a Git client for these changes."
)
_SYSTEM_TAGS = (
    "Not allowed to modify system tags. System tags start with 'aws:'. msg=[Caller is an end user and not allowed to "
    "mutate system tags]"
)
RESERVED = "System prefix 'aws:' reserved for AWS usage in tag key: {}"
"""Recorded for DeleteTags (aws/sagemaker-python-sdk issue 1301)."""


def _refuse_repeated_tags(tags: list[dict[str, str]]) -> None:
    """The text is on record for CreateTrialComponent."""
    if len({tag["Key"] for tag in tags}) < len(tags):
        raise ServiceError("Duplicate tag key", code="ValidationException", status=400)


def _refuse_for_s3(shape: Shape, problems: list[str]) -> list[str]:
    """S3 has codes of its own for some values, and one error for everything in its documents.

    Which regions there are is for CreateBucket to say: the model's list of them has gaps.
    """
    problems = [problem for problem in problems if "createBucketConfiguration.locationConstraint" not in problem]
    for place, (code, text) in _OF_S3.items():
        if len(problems) == 1 and f" at '{place}' " in problems[0]:
            raise ServiceError(text, code=code, status=400)
    if _in_document(shape, problems):
        raise MalformedXML()
    return problems


_CHOICES = re.compile(r"(?<=enum value set): \[.*", re.DOTALL)
_VALUE = re.compile(r"Value '.*' at '(?=[^']*' failed)", re.DOTALL)
"""IAM quotes no values, and no choices of an enumeration (recorded in 2025; patterns are quoted)."""

_OF_S3 = {
    "encodingType": ("InvalidArgument", "Invalid Encoding Method specified in Request"),
    "storageClass": ("InvalidStorageClass", "The storage class you specified is not valid"),
    "checksumAlgorithm": (
        "InvalidRequest", "Checksum algorithm provided is unsupported. Please try again with any of the valid types: "
        "[CRC32, CRC32C, CRC64NVME, SHA1, SHA256]",
    ),
}  # fmt: skip


def _in_document(shape: Shape, problems: list[str]) -> bool:
    """Whether a violation is in S3's XML, for which it has one error."""
    payload = shape.serialization.get("payload")
    return bool(payload) and any(f"'{_join('', payload)}" in problem for problem in problems)


def _check_parameter_values(request: dict[str, Any]) -> None:
    """Pipeline parameters are checked by a JSON schema, whose wording AWS passes on (contracts: api-errors 3)."""
    parameters = request.get("PipelineParameters")
    for parameter in parameters if isinstance(parameters, list) else ():
        if isinstance(parameter, dict) and parameter.get("Value") == "":
            text = '[string "" is too short (length: 0, required minimum: 1)]'
            raise ServiceError(text, code="ValidationException", status=400)


def _check(shape: Shape, value: Any, path: str, problems: list[str]) -> None:
    kind = shape.type_name
    _check_type(kind, value, path)
    if kind == "structure":
        if not getattr(shape, "is_document_type", False):
            _check_structure(shape, value, path, problems)
        return
    if kind in ("boolean", "timestamp") or (kind == "blob" and not isinstance(value, bytes | bytearray | str)):
        return
    for failed in _violations(shape, value):
        problems.append(_violation(value, path, failed))
    if kind == "list":
        _check_items(shape, value, path, problems)
    elif kind == "map":
        _check_entries(shape, value, path, problems)


def _check_structure(shape: Shape, value: dict[str, Any], path: str, problems: list[str]) -> None:
    members = shape.members
    for name in shape.required_members:
        if value.get(name) is None:
            problems.append(
                f"Value null at '{_join(path, name)}' failed to satisfy constraint: Member must not be null"
            )
    for name, element in value.items():
        member = members.get(name)
        if member is None:
            problems.append(f"Unknown member '{_join(path, name)}'")
        elif element is not None:
            _check(member, element, _join(path, name), problems)


def _check_items(shape: Shape, value: list[Any], path: str, problems: list[str]) -> None:
    """Scalars in a list are reported for the list, as AWS does; structures by their own path."""
    member = shape.member
    if member.type_name in ("structure", "list", "map"):
        for index, item in enumerate(value, 1):
            _check(member, item, f"{path}.{index}.member", problems)
        return
    for item in value:
        _check_type(member.type_name, item, path)
        if any(_violations(member, item)):
            problems.append(_violation(value, path, f"Member must satisfy constraint: [{_constraints(member)}]"))
            return


def _check_entries(shape: Shape, value: dict[str, Any], path: str, problems: list[str]) -> None:
    if any(any(_violations(shape.key, key)) for key in value):
        problems.append(_violation(value, path, f"Map keys must satisfy constraint: [{_constraints(shape.key)}]"))
    member = shape.value
    if member.type_name in ("structure", "list", "map"):
        for key, item in value.items():
            _check(member, item, f"{path}.{key}.member", problems)
        return
    for item in value.values():
        _check_type(member.type_name, item, path)
        if any(_violations(member, item)):
            problems.append(_violation(value, path, f"Map value must satisfy constraint: [{_constraints(member)}]"))
            return


def _violations(shape: Shape, value: Any) -> list[str]:
    """The constraints of one shape that a value (its items apart) violates."""
    constraints = shape.metadata
    if not constraints:
        return []
    what, size = ("value", value) if shape.type_name in ("integer", "long", "float", "double") else ("length", None)
    failed = []
    lowest, highest = constraints.get("min"), constraints.get("max")
    if (lowest is not None or highest is not None) and size is None:
        size = len(value)
    if highest is not None and size > highest and not _is_of_tags(shape, value, highest):
        failed.append(f"Member must have {what} less than or equal to {highest}")
    if lowest is not None and size < lowest:
        failed.append(f"Member must have {what} greater than or equal to {lowest}")
    pattern = constraints.get("pattern")
    if pattern and isinstance(value, str) and not compile_pattern(pattern).fullmatch(value):
        failed.append(f"Member must satisfy regular expression pattern: {RECORDED.get(pattern, pattern)}")
    if "enum" in constraints and value not in constraints["enum"]:
        failed.append(f"Member must satisfy enum value set: [{', '.join(constraints['enum'])}]")
    return failed


def _is_of_tags(shape: Shape, value: Any, highest: int) -> bool:
    """Whether a value has so many tags at most, but for those of AWS, which CloudFormation adds."""
    if shape.name not in ("TagList", "Tags", "tagListType"):
        return False
    tags = value if isinstance(value, dict) else [tag for tag in value if isinstance(tag, dict)]
    keys = [tag if isinstance(tag, str) else str(tag.get("Key", tag.get("key"))) for tag in tags]
    return len(keys) == len(value) and count_tags(keys) <= highest


def _constraints(shape: Shape) -> str:
    """All constraints of a scalar, as AWS lists them for the items of lists and maps."""
    constraints = shape.metadata
    what = "value" if shape.type_name in ("integer", "long", "float", "double") else "length"
    texts = []
    if "max" in constraints:
        texts.append(f"Member must have {what} less than or equal to {constraints['max']}")
    if "min" in constraints:
        texts.append(f"Member must have {what} greater than or equal to {constraints['min']}")
    if "pattern" in constraints:
        pattern = constraints["pattern"]
        texts.append(f"Member must satisfy regular expression pattern: {RECORDED.get(pattern, pattern)}")
    if "enum" in constraints:
        texts.append(f"Member must satisfy enum value set: [{', '.join(constraints['enum'])}]")
    return ", ".join(texts)


def _check_type(kind: str, value: Any, path: str) -> None:
    if type(value) is str and kind == "string":  # most members are texts
        return
    if _is_of(kind, value):
        return
    if kind in ("structure", "map", "list"):
        text = f"Unexpected value: a {'list' if kind == 'list' else 'structure or map'} is expected"
    elif isinstance(value, dict):
        text = "Start of structure or map found where not expected."
    elif isinstance(value, list | tuple):
        text = "Start of list found where not expected"
    else:
        text = f"{_token(value)} can not be converted to {_JAVA[kind]}"
    raise ServiceError(f"{text} (at '{path}')" if path else text, code="SerializationException", status=400)


def _is_of(kind: str, value: Any) -> bool:
    if kind == "blob":
        return isinstance(value, _BYTES) or hasattr(value, "read")
    expected = _TYPES.get(kind)
    if expected is not None and not (
        isinstance(value, expected) and (kind == "boolean" or not isinstance(value, bool))
    ):
        return False
    if kind == "timestamp":
        return bool(_EARLIEST <= value <= _LATEST)
    if kind in ("integer", "long"):
        bits = 31 if kind == "integer" else 63
        return bool(-(1 << bits) <= value < 1 << bits)
    return not (kind in ("float", "double") and isinstance(value, int) and abs(value) >= 1 << 1000)


def _token(value: Any) -> str:
    """How AWS's JSON reader names what it found."""
    if isinstance(value, bool):
        return "TRUE_VALUE" if value else "FALSE_VALUE"
    if isinstance(value, int | float):
        return "DECIMAL_VALUE" if isinstance(value, float) else "NUMBER_VALUE"
    return "NULL_VALUE" if value is None else "STRING_VALUE"


_VALUES_UNSAID = {"logGroupIdentifier"}
"""Members whose values are not repeated: moto's tests `aws_verified` have it so from AWS."""


def _violation(value: Any, path: str, constraint: str) -> str:
    if path in _VALUES_UNSAID:
        return f"Value at '{path}' failed to satisfy constraint: {constraint}"
    return f"Value '{_text(value)}' at '{path}' failed to satisfy constraint: {constraint}"


def _text(value: Any) -> str:
    """A value as Java prints it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}={_text(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_text(item) for item in value) + "]"
    return str(value)


def _join(path: str, name: str) -> str:
    """Member paths begin with a small letter at each step, as in ``productionVariants.1.member.modelName``."""
    name = name[:1].lower() + name[1:]
    return f"{path}.{name}" if path else name
