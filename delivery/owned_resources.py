"""What one maker has made and AWS still keeps, each thing with its price class and the requests that delete it.

Found by tag, never by name, so that nothing of anybody else is taken; only S3 objects by the prefix that is the
maker's own, as what endpoints capture there carries no tag. The kinds are in the order in which they have to go.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import ClientError

from delivery import artifacts, ownership, registry, serverless
from delivery.clients import Clients, is_absent
from delivery.deletion import Deletion
from delivery.endpoints import LOGS

HOURLY, STORED, PER_REQUEST, FREE = "per instance hour", "per GB and month", "per request", "nothing"


@dataclass(frozen=True)
class OwnerFilter:
    """Whose things, and which of them: all names if ``name`` is None."""

    maker: str
    name: str | None
    buckets: Sequence[str]

    def matches(self, tags: dict[str, str]) -> bool:
        return tags.get(ownership.MADE_BY) == self.maker and self.name in (None, tags.get(ownership.NAME))


@dataclass(frozen=True)
class OwnedResource:
    """A resource with its price class, its usage so far, and the requests that delete it, in their order."""

    kind: str
    name: str
    billed: str
    usage: str
    deletions: tuple[Deletion, ...]


Finder = Callable[[Clients, OwnerFilter], Iterator[OwnedResource]]


def endpoints(clients: Clients, selection: OwnerFilter) -> Iterator[OwnedResource]:
    listed = _list(clients, "list_endpoints", "Endpoints")
    for item in _filter_by_tags(clients, selection, listed, "EndpointArn"):
        name = item["EndpointName"]
        requests = (
            Deletion("sagemaker", "delete_endpoint", {"EndpointName": name}),
            Deletion("logs", "delete_log_group", {"logGroupName": f"{LOGS}{name}"}),
        )
        yield OwnedResource("endpoint", name, HOURLY, instance_hours(clients, name), requests)


def instance_hours(clients: Clients, endpoint: str) -> str:
    """``2 x ml.m5.large since 2026-01-02 10:00: 7.0 instance hours``"""
    try:
        described: Any = clients.sagemaker.describe_endpoint(EndpointName=endpoint)
        name = described["EndpointConfigName"]
        variants: Any = clients.sagemaker.describe_endpoint_config(EndpointConfigName=name)["ProductionVariants"]
    except (ClientError, KeyError):
        return "unknown"
    counts = {item["VariantName"]: item.get("CurrentInstanceCount") for item in described.get("ProductionVariants", [])}
    hours = (datetime.now(UTC) - described["CreationTime"]).total_seconds() / 3600
    shares = [
        (counts.get(item["VariantName"]) or item["InitialInstanceCount"], item["InstanceType"])
        for item in variants
        if "InstanceType" in item
    ]
    machines = " + ".join(f"{count} x {kind}" for count, kind in shares) or "serverless"
    total = sum(count for count, _ in shares) * hours
    return f"{machines} since {described['CreationTime']:%Y-%m-%d %H:%M}: {total:.2f} instance hours"


def configurations(clients: Clients, selection: OwnerFilter) -> Iterator[OwnedResource]:
    for item in _filter_by_tags(
        clients, selection, _list(clients, "list_endpoint_configs", "EndpointConfigs"), "EndpointConfigArn"
    ):
        name = item["EndpointConfigName"]
        requests = (Deletion("sagemaker", "delete_endpoint_config", {"EndpointConfigName": name}),)
        yield OwnedResource("endpoint configuration", name, FREE, "", requests)


def models(clients: Clients, selection: OwnerFilter) -> Iterator[OwnedResource]:
    for item in _filter_by_tags(clients, selection, _list(clients, "list_models", "Models"), "ModelArn"):
        name = item["ModelName"]
        yield OwnedResource("model", name, FREE, "", (Deletion("sagemaker", "delete_model", {"ModelName": name}),))


def versions_and_groups(clients: Clients, selection: OwnerFilter) -> Iterator[OwnedResource]:
    """Versions that were registered here, and groups that were made here and then hold no other version."""
    listed = _list(clients, "list_model_package_groups", "ModelPackageGroupSummaryList")
    for group in _filter_by_tags(clients, selection, listed, "ModelPackageGroupArn"):
        name, arn = group["ModelPackageGroupName"], group["ModelPackageGroupArn"]
        packages = clients.sagemaker.get_paginator("list_model_packages").paginate(ModelPackageGroupName=name)
        others = 0
        for package in [item["ModelPackageArn"] for page in packages for item in page["ModelPackageSummaryList"]]:
            described: Any = clients.sagemaker.describe_model_package(ModelPackageName=package)
            if selection.matches(described.get("CustomerMetadataProperties", {})):
                version = f"{name}/{described['ModelPackageVersion']}"
                requests = (Deletion("sagemaker", "delete_model_package", {"ModelPackageName": package}),)
                yield OwnedResource("model version", version, FREE, "", requests)
            else:
                others += 1
        if not others and _tags_of(clients, arn).get(registry.MADE) == registry.OWN:
            requests = (Deletion("sagemaker", "delete_model_package_group", {"ModelPackageGroupName": name}),)
            yield OwnedResource("model group", name, FREE, "", requests)


def functions(clients: Clients, selection: OwnerFilter) -> Iterator[OwnedResource]:
    for name, tags in serverless.list_functions(clients):
        if selection.matches(tags):
            requests = (Deletion("lambda", "delete_function", {"FunctionName": name}),)
            yield OwnedResource("Lambda function", name, PER_REQUEST, "", requests)


def log_groups(clients: Clients, selection: OwnerFilter) -> Iterator[OwnedResource]:
    for name, size, tags in serverless.list_log_groups(clients):
        if selection.matches(tags):
            usage = f"{size / 1e9:.6f} GB"
            requests = (Deletion("logs", "delete_log_group", {"logGroupName": name}),)
            yield OwnedResource("log group", name, STORED, usage, requests)


def roles(clients: Clients, selection: OwnerFilter) -> Iterator[OwnedResource]:
    for name, tags in serverless.list_roles(clients):
        if selection.matches(tags):
            yield OwnedResource("IAM role", name, FREE, "", tuple(serverless.plan_role(clients, name)))


def apis(clients: Clients, selection: OwnerFilter) -> Iterator[OwnedResource]:
    for identity, name, tags in serverless.list_apis(clients):
        if selection.matches(tags):
            shown = f"{name} ({identity})"
            requests = (Deletion("apigateway", "delete_rest_api", {"restApiId": identity}),)
            yield OwnedResource("REST API", shown, PER_REQUEST, "", requests)


def objects(clients: Clients, selection: OwnerFilter) -> Iterator[OwnedResource]:
    """What was uploaded, and what endpoints have captured below the same prefix."""
    prefix = artifacts.prefix(selection.maker, selection.name) if selection.name else artifacts.folder(selection.maker)
    for bucket in selection.buckets:
        try:
            pages = list(clients.s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix))
        except ClientError as error:
            if not is_absent(error):
                raise
            continue
        contents = [item for page in pages for item in page.get("Contents", [])]
        if contents:
            usage = f"{len(contents)} objects, {sum(item['Size'] for item in contents) / 1e9:.6f} GB"
            requests = tuple(plan_objects(bucket, [item["Key"] for item in contents]))
            yield OwnedResource("S3 objects", f"s3://{bucket}/{prefix}", STORED, usage, requests)


def plan_objects(bucket: str, keys: Sequence[str]) -> Iterator[Deletion]:
    """The requests that delete objects, of as many as DeleteObjects takes."""
    for start in range(0, len(keys), 1000):
        objects = [{"Key": key} for key in keys[start : start + 1000]]
        request = {"Bucket": bucket, "Delete": {"Objects": objects, "Quiet": True}}
        yield Deletion("s3", "delete_objects", request, text=f"s3 delete_objects: {len(objects)} of {bucket}")


SERVERLESS: tuple[Finder, ...] = (functions, log_groups, roles, apis)
KINDS: tuple[Finder, ...] = (
    endpoints,
    configurations,
    models,
    *SERVERLESS,
    versions_and_groups,
    objects,
)


def _list(clients: Clients, operation: str, member: str) -> list[dict[str, Any]]:
    paginator: Any = clients.sagemaker.get_paginator(operation)  # type: ignore[call-overload]
    return [item for page in paginator.paginate() for item in page[member]]


def _filter_by_tags(
    clients: Clients, selection: OwnerFilter, listed: Sequence[dict[str, Any]], arn: str
) -> Iterator[dict[str, Any]]:
    """Those that have the maker's tags. Several requests at a time, as an account may hold thousands."""
    with ThreadPoolExecutor(8) as workers:
        tags = workers.map(lambda item: _tags_of(clients, item[arn]), listed)
        yield from [item for item, own in zip(listed, tags, strict=True) if selection.matches(own)]


def _tags_of(clients: Clients, arn: str) -> dict[str, str]:
    try:
        pages = clients.sagemaker.get_paginator("list_tags").paginate(ResourceArn=arn)
        return {tag["Key"]: tag["Value"] for page in pages for tag in page["Tags"]}
    except ClientError as error:
        if is_absent(error):  # deleted since it was listed
            return {}
        raise
