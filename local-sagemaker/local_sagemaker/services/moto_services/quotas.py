"""Limits of SQS, SNS, IAM and Parameter Store that moto does not have.

The numbers are those of the services' references and quota pages. Texts are those that public reports show (of message
attributes, policies and their numbers, parameters' names, sizes and patterns, display names), that botocore's model has
(of hierarchies) or that moto has of AWS (of a queue's tags); the others are named in the differences from AWS. What was
taken before a limit was known is taken again after a restart.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from local_sagemaker.api.tag_numbers import count_tags
from local_sagemaker.json_text import load
from local_sagemaker.services.call_replay import is_replay
from local_sagemaker.services.moto_services.policy_documents import is_of_old_version
from local_sagemaker.services.moto_services.regular_expressions import BoundedPattern
from local_sagemaker.services.moto_services.tag_limits import MOST_TAGS, count_tags_apart

Arguments = Mapping[str, Any]
Check = Callable[[Any, Arguments], None]
"""Of a call of moto's backend, by the names of its arguments."""
MOST_ATTRIBUTES = 10
"""Of a message."""
LONGEST_DISPLAY_NAME = 100
TRUST, INLINE, MANAGED, ATTACHED = 2048, 10_240, 6144, 10
"""Characters without white space of a trust policy, of a role's inline policies together, of a managed policy; managed
policies of a role."""
TIERS = {"Standard": 4096, "Advanced": 8192}
"""Bytes of a parameter's value."""
DEPTH = 15
_TIER_TEXT = (
    "Standard tier parameters support a maximum parameter value of 4096 characters. To create a larger parameter "
    "value, upgrade the parameter to use the advanced-parameter tier. For more information, see "
    "https://docs.aws.amazon.com/systems-manager/latest/userguide/parameter-store-advanced-parameters.html"
)
_NAME_TEXT = (
    'Parameter name: can\'t be prefixed with "ssm" (case-insensitive). If formed as a path, it can consist of '
    "sub-paths divided by slash symbol; each sub-path can be formed as a mix of letters, numbers and the following 3 "
    "symbols .-_"
)


@cache
def limit_parameters(service: str) -> None:
    """Has Parameter Store keep to its limits; does so once, when it is first used: moto's module of it loads EC2's with
    its types of instances, which takes a second and 115 MB.
    """
    if service == "ssm":
        from moto.ssm.models import SimpleSystemManagerBackend

        _put_before(SimpleSystemManagerBackend, "put_parameter", _put_parameter)
        _put_before(SimpleSystemManagerBackend, "add_tags_to_resource", _tag_parameter)


def install() -> None:
    """Has the other services keep to them; done once."""
    from moto.iam.models import IAMBackend
    from moto.sns.models import SNSBackend
    from moto.sqs.models import SQSBackend

    count_tags_apart()
    for backend, checks in (
        (SQSBackend, {"tag_queue": _tag_queue, "create_queue": _create_queue, "send_message": _send}),
        (SNSBackend, {
            "create_topic": _create_topic, "set_topic_attribute": _set_topic_attribute, "publish": _publish,
        }),
        (IAMBackend, {
            "create_role": _trust, "update_assume_role_policy": _trust, "put_role_policy": _put_inline,
            "attach_role_policy": _attach, "create_policy": _managed, "create_policy_version": _managed,
        }),
    ):  # fmt: skip
        for name, check in checks.items():
            _put_before(backend, name, check)


def _put_before(backend: Any, name: str, check: Check) -> None:
    plain = getattr(backend, name)
    if getattr(plain, "is_checked", False):
        return
    signature = inspect.signature(plain)

    def checked(own: Any, *arguments: Any, **members: Any) -> Any:
        if not is_replay():
            bound = signature.bind(own, *arguments, **members)
            bound.apply_defaults()
            check(own, bound.arguments)
        return plain(own, *arguments, **members)

    vars(checked)["is_checked"] = True
    setattr(backend, name, checked)


def _tag_queue(own: Any, sent: Arguments) -> None:
    queue = sent["queue_name"]
    _check_queue_tags(queue, {**own.get_queue(queue).tags, **sent["tags"]})


def _create_queue(_own: Any, sent: Arguments) -> None:
    _check_queue_tags(sent["name"], sent["tags"] or {})


def _check_queue_tags(queue: str, tags: dict[str, str]) -> None:
    if count_tags(tags) > MOST_TAGS:
        raise _refuse_queue("InvalidParameterValue", f"Too many tags added for queue {queue}.")
    for key, value in tags.items():
        for what, text, least, most in (("key", key, 1, 128), ("value", value, 0, 256)):
            if not least <= len(text) <= most:
                raise _refuse_queue("InvalidParameterValue", f"Tag {what} must be {least} to {most} characters long.")


def _send(_own: Any, sent: Arguments) -> None:
    attributes = sent["members"].get("message_attributes") or {}  # as `queue_attributes` takes them
    if len(attributes) > MOST_ATTRIBUTES:
        text = f"Number of message attributes [{len(attributes)}] exceeds the allowed maximum [{MOST_ATTRIBUTES}]."
        raise _refuse_queue("InvalidParameterValue", text)
    if re.search("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", sent["message_body"] or ""):
        raise _refuse_queue("InvalidMessageContents", "The message contains characters outside the allowed set.")


def _refuse_queue(code: str, text: str) -> Exception:
    from moto.sqs.exceptions import SQSException

    return SQSException(code, text)


def _create_topic(_own: Any, sent: Arguments) -> None:
    from moto.sns.exceptions import InvalidParameterValue, TagLimitExceededError

    if count_tags(sent["tags"] or {}) > MOST_TAGS:
        raise TagLimitExceededError()
    if len((sent["attributes"] or {}).get("DisplayName") or "") > LONGEST_DISPLAY_NAME:
        raise InvalidParameterValue("Invalid parameter: Attributes Reason: DisplayName")


def _set_topic_attribute(_own: Any, sent: Arguments) -> None:
    from moto.sns.exceptions import InvalidParameterValue

    if sent["attribute_name"] == "display_name" and len(sent["attribute_value"] or "") > LONGEST_DISPLAY_NAME:
        raise InvalidParameterValue("Invalid parameter: DisplayName")


def _publish(_own: Any, sent: Arguments) -> None:
    from moto.sns.exceptions import InvalidParameterValue

    subject = sent["subject"]  # "UTF-8 text with no line breaks or control characters" (API reference)
    if subject is not None and not re.fullmatch(r"[^\x00-\x1f\x7f-\x9f\u2028\u2029]+", subject):
        raise InvalidParameterValue("Invalid parameter: Subject")


def _size(document: str) -> int:
    return len(re.sub(r"\s", "", document))


def _is_json(document: str) -> bool:
    """Of what is none, that is said."""
    try:
        load(document)
    except ValueError:
        return False
    return True


def _exceeded(text: str) -> Exception:
    from moto.iam.exceptions import LimitExceededException

    return LimitExceededException(text)


def _trust(_own: Any, sent: Arguments) -> None:
    document = sent.get("assume_role_policy_document") or sent["policy_document"]
    if _size(document) > TRUST and _is_json(document):
        raise _exceeded(f"Cannot exceed quota for ACLSizePerRole: {TRUST}")


def _put_inline(own: Any, sent: Arguments) -> None:
    role = sent["role_name"]
    present = {**own.get_role(role).policies, sent["policy_name"]: sent["policy_json"]}
    if sum(map(_size, present.values())) > INLINE and _is_json(sent["policy_json"]):
        raise _exceeded(f"Maximum policy size of {INLINE} bytes exceeded for role {role}")


def _attach(own: Any, sent: Arguments) -> None:
    attached = own.get_role(sent["role_name"]).managed_policies
    if sent["policy_arn"] not in attached and len(attached) >= ATTACHED:
        raise _exceeded(f"Cannot exceed quota for PoliciesPerRole: {ATTACHED}")


def _managed(_own: Any, sent: Arguments) -> None:
    from moto.iam.exceptions import MalformedPolicyDocument

    if is_of_old_version(sent["policy_document"]):  # inline policies may be
        raise MalformedPolicyDocument("Policy document must be version 2012-10-17 or greater.")
    if _size(sent["policy_document"]) > MANAGED and _is_json(sent["policy_document"]):
        raise _exceeded(f"Cannot exceed quota for PolicySize: {MANAGED}")


def _tag_parameter(own: Any, sent: Arguments) -> None:
    present = own._resource_tags.get(sent["resource_type"], {}).get(sent["resource_id"], {})
    _check_parameter_tags({**present, **sent["tags"]})


def _check_parameter_tags(tags: Mapping[str, str]) -> None:
    if count_tags(tags) > MOST_TAGS:
        raise _refuse_parameter("TooManyTagsError", f"A resource can have a maximum of {MOST_TAGS} tags.")


def _put_parameter(_own: Any, sent: Arguments) -> None:
    name, value, pattern = sent["name"], sent["value"] or "", sent["allowed_pattern"]
    tier = sent["tier"] or "Standard"
    most = TIERS.get("Advanced" if tier == "Intelligent-Tiering" else tier)
    if most and len(value.encode()) > most:
        text = f"{tier} tier parameters support a maximum parameter value of {most} characters."
        raise _refuse_parameter("ValidationException", _TIER_TEXT if tier == "Standard" else text)
    if not re.fullmatch(r"[a-zA-Z0-9_./-]{1,1011}", name):
        raise _refuse_parameter("ValidationException", _NAME_TEXT)
    _check_parameter_tags({tag["Key"]: tag["Value"] for tag in sent["tags"] or ()})
    if name.count("/") > DEPTH:
        text = f"A hierarchy can have a maximum of {DEPTH} levels."
        raise _refuse_parameter("HierarchyLevelLimitExceededException", text)
    if pattern and BoundedPattern(f"(?:{pattern})", 0).fullmatch(value) is None:
        text = f"Parameter value, cannot be validated against allowedPattern: {pattern}"
        raise _refuse_parameter("ParameterPatternMismatchException", text)


def _refuse_parameter(code: str, text: str) -> Exception:
    from moto.ssm.exceptions import SSMException

    return SSMException(code, text)
