"""Copying a version into another group, region or account: its files, and everything that it was registered with.

A version of another account can't be deployed when that account ends or takes its rights back, so the files are copied,
too. The copy waits for an approval of its own, and names the version that it is a copy of.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from botocore.exceptions import ClientError

from delivery import ownership, registry, versions
from delivery.artifacts import prefix
from delivery.clients import Clients, is_absent, split
from delivery.errors import DeliveryError, NotFoundError
from delivery.registry import Registration
from delivery.versions import DeliveredVersion
from pipelines import session

SOURCE = "delivery:copied-from"
"""Property of a copy: the ARN of the version that it is a copy of."""
FIELDS = (
    "InferenceSpecification", "AdditionalInferenceSpecifications", "ModelMetrics", "DriftCheckBaselines",
    "MetadataProperties", "CustomerMetadataProperties", "ModelPackageDescription", "Domain", "Task", "SamplePayloadUrl",
    "SkipModelValidation",
)  # fmt: skip
"""What of DescribeModelPackage CreateModelPackage takes and a copy keeps."""
_URIS = ("S3Uri", "ManifestS3Uri", "ModelDataUrl", "SamplePayloadUrl")
_OF_SOURCE = ("ImageDigest", "ModelDataETag", "ETag", "ManifestEtag")
"""What a container says of the image and the files of the source: the copies have others."""
_SOURCE = re.compile(r"arn:[^:]+:sagemaker:[^:]+:(\d{12}):")
_ECR = re.compile(r"\d{12}\.dkr\.ecr\.(?P<region>[a-z0-9-]+)\.amazonaws\.com(\.cn)?/(?P<name>[^:@]+):(?P<tag>.+)")


@dataclass(frozen=True)
class RoleClients(Clients):
    """Clients of another account, with the credentials of a role there."""

    role: str = ""

    @cached_property
    def _session(self) -> Any:
        import boto3

        response = session.boto_session(self.region).client("sts").assume_role(
            RoleArn=self.role, RoleSessionName="model-registry-copy"
        )  # fmt: skip
        keys = response["Credentials"]
        return boto3.Session(keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"], self.region)

    @cached_property
    def sagemaker(self) -> Any:
        return self._session.client("sagemaker")

    @cached_property
    def s3(self) -> Any:
        return self._session.client("s3")

    @cached_property
    def account(self) -> str:
        """The account of the role."""
        return str(self._session.client("sts").get_caller_identity()["Account"])


@dataclass(frozen=True)
class Promotion:
    """Copies versions from one place to another."""

    source: Clients
    target: Clients
    bucket: str
    image: str = ""

    def copy(self, version: DeliveredVersion, group: str, approval: str = "PendingManualApproval") -> Registration:
        """The copy; one that exists already is not made again.

        :raises DeliveryError: if a file can't be read, or an image is of another region.
        """
        existing = self._find_copy(group, version.arn)
        if existing is not None:
            return Registration(existing, new=False)
        described = versions.describe(self.source, version)
        request = {name: described[name] for name in FIELDS if described.get(name)}
        for specification in _specifications(request):
            specification["Containers"] = [
                {**_without(container, _OF_SOURCE), "Image": self._find_image(container["Image"])}
                for container in specification["Containers"]
            ]
        copied = self._copy_files(request, group)
        properties = {**copied.pop("CustomerMetadataProperties", {}), SOURCE: version.arn}
        registry.ensure_group(self.target, group)
        response = self.target.sagemaker.create_model_package(
            ModelPackageGroupName=group,
            ModelApprovalStatus=approval,  # type: ignore[arg-type]
            CustomerMetadataProperties={**properties, **ownership.make_mapping(ownership.REGISTRY, group)},
            **copied,
        )
        return Registration(versions.find(self.target, response["ModelPackageArn"]), new=True)

    def remarks(self, version: DeliveredVersion) -> Iterator[str]:
        """What a copy in another account still needs: an image of the source's own registry is not copied."""
        described = versions.describe(self.target, version)
        for specification in _specifications(described):
            for image in {container["Image"] for container in specification["Containers"]}:
                owner, source = (
                    image.partition(".dkr.ecr.")[0],
                    _SOURCE.match(described["CustomerMetadataProperties"][SOURCE]),
                )
                account = version.arn.split(":")[4]
                if source and owner == source[1] != account:
                    yield (
                        f"{image} is in the registry of account {owner}: its repository's policy must let account "
                        f"{account} pull it, or name a copy with --image"
                    )

    def _find_copy(self, group: str, arn: str) -> DeliveredVersion | None:
        try:
            listed = versions.list_versions(self.target, group)
        except NotFoundError:
            return None
        for candidate in listed:
            properties = versions.describe(self.target, candidate).get("CustomerMetadataProperties") or {}
            if properties.get(SOURCE) == arn:
                return candidate
        return None

    def _find_image(self, image: str) -> str:
        """The image in the target's region."""
        if self.image:
            return self.image
        match = _ECR.fullmatch(image)
        if not match or match["region"] == self.target.region:
            return image
        framework = {"sagemaker-xgboost": "xgboost", "sagemaker-scikit-learn": "sklearn"}.get(match["name"])
        if framework is None:
            raise DeliveryError(f"{image} is of {match['region']}: name the one of {self.target.region} with --image")
        from delivery.images import find_image

        return find_image(framework, self.target.region, match["tag"])

    def _copy_files(self, value: Any, group: str) -> Any:
        """The same request with the URIs of the copies."""
        return replace_uris(value, lambda uri: self._copy_file(uri, group))

    def _copy_file(self, uri: str, group: str) -> str:
        """An object, or all below a prefix that ends with a slash; the copy's URI."""
        bucket, key = split(uri)
        folder = hashlib.sha256(uri.encode()).hexdigest()[:16]
        start = f"{prefix(ownership.REGISTRY, group)}copies/{folder}/"
        base = key if key.endswith("/") else key.rpartition("/")[0] + "/"
        for name in self._keys(bucket, key) if key.endswith("/") else [key]:
            self._copy_object(bucket, name, start + name.removeprefix(base))
        return f"s3://{self.bucket}/{start}{'' if key.endswith('/') else key.rpartition('/')[2]}"

    def _keys(self, bucket: str, start: str) -> Iterator[str]:
        for page in self.source.s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=start):
            for item in page.get("Contents", []):
                yield item["Key"]

    def _copy_object(self, bucket: str, key: str, target: str) -> None:
        """Through this machine: the two sides need not see each other."""
        try:
            body: Any = self.source.s3.get_object(Bucket=bucket, Key=key)["Body"]
        except ClientError as error:
            if not is_absent(error):
                raise
            raise NotFoundError(f"the version's file s3://{bucket}/{key} no longer exists") from error
        self.target.s3.upload_fileobj(body, self.bucket, target)


def _specifications(request: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The version's inference specification, and its additional ones, that have containers."""
    for specification in (request.get("InferenceSpecification"), *request.get("AdditionalInferenceSpecifications", [])):
        if specification and specification.get("Containers"):
            yield specification


def _without(value: Any, names: Collection[str]) -> Any:
    """The same structure without fields of these names."""
    if isinstance(value, Mapping):
        return {key: _without(item, names) for key, item in value.items() if key not in names}
    return [_without(item, names) for item in value] if isinstance(value, list) else value


def replace_uris(value: Any, replace: Callable[[str], str], name: str = "") -> Any:
    """The same structure with other S3 URIs, where a field holds one."""
    if isinstance(value, Mapping):
        return {key: replace_uris(item, replace, key) for key, item in value.items()}
    if isinstance(value, list):
        return [replace_uris(item, replace, name) for item in value]
    if name in _URIS and isinstance(value, str) and value.startswith("s3://"):
        return replace(value)
    return value
