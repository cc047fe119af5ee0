"""Tags of AWS's own, which CloudFormation adds, do not count against the limits that moto has for tags.

The rule is in IAM's user guide, "Tagging" ("quotas"), and in AWS's general rules for tags.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from local_sagemaker.api.tag_numbers import count_tags

MOST_TAGS = 50


def count_tags_apart() -> None:
    """Has moto count so; done once."""
    from moto.iam.models import IAMBackend
    from moto.sns.models import SNSBackend
    from moto.sqs.models import SQSBackend

    if getattr(SNSBackend.tag_resource, "counts_apart", False):
        return
    for backend, name, tagging in (
        (SNSBackend, "tag_resource", _tag_topic),
        (SQSBackend, "tag_queue", _queue_tagging(SQSBackend.tag_queue)),
        (IAMBackend, "_tag_verification", _role_tagging(IAMBackend._tag_verification)),
    ):
        vars(tagging)["counts_apart"] = True
        setattr(backend, name, tagging)


def _tag_topic(own: Any, resource_arn: str, tags: Mapping[str, str]) -> None:
    """What moto's does, which counts the tags that the topic has, too."""
    from moto.sns.exceptions import ResourceNotFoundError, TagLimitExceededError

    topic = own.topics.get(resource_arn)
    if topic is None:
        raise ResourceNotFoundError
    changed = {**topic._tags, **tags}
    if count_tags(changed) > MOST_TAGS:
        raise TagLimitExceededError
    topic._tags = changed


def _queue_tagging(plain: Callable[..., None]) -> Callable[..., None]:
    def tag_queue(own: Any, queue_name: str, tags: Mapping[str, str]) -> None:
        system = {key: value for key, value in tags.items() if not count_tags([key])}
        plain(own, queue_name, {key: value for key, value in tags.items() if key not in system} or tags)
        own.get_queue(queue_name).tags.update(system)

    return tag_queue


def _role_tagging(plain: Callable[..., Any]) -> Callable[..., Any]:
    def verify(own: Any, tags: list[dict[str, str]]) -> Any:
        system = [tag for tag in tags if not count_tags([tag["Key"]])]
        return {**plain(own, [tag for tag in tags if tag not in system]), **plain(own, system)}

    return verify
