"""S3's types: buckets with their settings, and their policies."""

from __future__ import annotations

from typing import Any

from local_sagemaker.api import models
from local_sagemaker.errors import ServiceError
from local_sagemaker.services.cloudformation.handlers.handler import (
    DeploymentContext,
    Handler,
    Identity,
    Properties,
    UnnamedHandler,
    coerce,
    ignore_absent,
    policy_text,
)


def _encryption(value: Any) -> Properties:
    rules = []
    for rule in value["ServerSideEncryptionConfiguration"]:
        default = rule.get("ServerSideEncryptionByDefault")
        applied = {"ApplyServerSideEncryptionByDefault": default} if default else {}
        key = {"BucketKeyEnabled": rule["BucketKeyEnabled"]} if "BucketKeyEnabled" in rule else {}
        rules.append({**applied, **key})
    return {"ServerSideEncryptionConfiguration": {"Rules": rules}}


def _cors(value: Any) -> Properties:
    names = {"ExposedHeaders": "ExposeHeaders", "MaxAge": "MaxAgeSeconds", "Id": "ID"}
    return {"CORSConfiguration": {"CORSRules": [_rename(rule, names) for rule in value["CorsRules"]]}}


def _lifecycle(value: Any) -> Properties:
    return {"LifecycleConfiguration": {"Rules": [_lifecycle_rule(rule) for rule in value["Rules"]]}}


def _lifecycle_rule(rule: Properties) -> Properties:
    """A rule in S3's form: CloudFormation has expirations, transitions and filters in names of their own."""
    row = _rename(rule, {"Id": "ID"})
    names = {
        "ExpirationInDays": "Days",
        "ExpirationDate": "Date",
        "ExpiredObjectDeleteMarker": "ExpiredObjectDeleteMarker",
    }
    expiration = {to: row.pop(name) for name, to in names.items() if name in row}
    if expiration:
        row["Expiration"] = expiration
    if "NoncurrentVersionExpirationInDays" in row:
        row["NoncurrentVersionExpiration"] = {"NoncurrentDays": row.pop("NoncurrentVersionExpirationInDays")}
    for name, days in (("Transition", "Days"), ("NoncurrentVersionTransition", "NoncurrentDays")):
        single = [row.pop(name)] if name in row else []
        moves = [*row.pop(f"{name}s", []), *single]
        if moves:
            row[f"{name}s"] = [_rename(move, {"TransitionInDays": days, "TransitionDate": "Date"}) for move in moves]
    row["Filter"] = _lifecycle_filter(row)
    return row


def _lifecycle_filter(row: Properties) -> Properties:
    """The filter of a rule, whose members are taken out of it: one alone stands for itself, several in `And`."""
    tags = row.pop("TagFilters", [])
    names = ("Prefix", "ObjectSizeGreaterThan", "ObjectSizeLessThan")
    plain: Properties = {name: row.pop(name) for name in names if name in row}
    if len(tags) + len(plain) > 1:
        return {"And": {**plain, **({"Tags": tags} if tags else {})}}
    return {"Tag": tags[0]} if tags else plain or {"Prefix": ""}


def _notifications(value: Any) -> Properties:
    switch = value.get("EventBridgeConfiguration")
    enabled = switch is not None and str(switch.get("EventBridgeEnabled", True)).lower() == "true"
    other = set(value) - {"EventBridgeConfiguration"}
    if other:
        text = f"LocalUnsupported: NotificationConfiguration.{min(other)} is not executed by the local service"
        raise ServiceError(text, code="InvalidRequest", status=400)
    return {"NotificationConfiguration": {"EventBridgeConfiguration": {}} if enabled else {}}


def _tags(value: Any) -> Properties:
    """Without CloudFormation's own tags: their prefix ``aws:`` is refused in requests."""
    return {"Tagging": {"TagSet": [tag for tag in value if not tag["Key"].startswith("aws:")]}}


def _rename(value: Any, names: dict[str, str]) -> Properties:
    return {names.get(name, name): part for name, part in value.items()}


SETTINGS: dict[str, tuple[str, str, Any]] = {
    "VersioningConfiguration": ("PutBucketVersioning", "", lambda value: {"VersioningConfiguration": value}),
    "BucketEncryption": ("PutBucketEncryption", "DeleteBucketEncryption", _encryption),
    "PublicAccessBlockConfiguration": (
        "PutPublicAccessBlock", "DeletePublicAccessBlock", lambda value: {"PublicAccessBlockConfiguration": value},
    ),
    "OwnershipControls": (
        "PutBucketOwnershipControls", "DeleteBucketOwnershipControls", lambda value: {"OwnershipControls": value},
    ),
    "CorsConfiguration": ("PutBucketCors", "DeleteBucketCors", _cors),
    "LifecycleConfiguration": ("PutBucketLifecycleConfiguration", "DeleteBucketLifecycle", _lifecycle),
    "NotificationConfiguration": ("PutBucketNotificationConfiguration", "", _notifications),
    "LoggingConfiguration": (
        "PutBucketLogging", "",
        lambda value: {"BucketLoggingStatus": {"LoggingEnabled": {
            "TargetBucket": value.get("DestinationBucketName", ""), "TargetPrefix": value.get("LogFilePrefix", ""),
        }}},
    ),
    "Tags": ("PutBucketTagging", "DeleteBucketTagging", _tags),
}  # fmt: skip
"""Each property, the operations that put and delete it, and the request's members."""


WITHOUT_ACL = ("Private", "BucketOwnerFullControl")
"""The values of AccessControl that a bucket without ACLs takes: they give nobody else anything."""


class BucketHandler:
    """A bucket with its settings. Only an empty one can be deleted."""

    name_property = "BucketName"

    def with_name(self, context: DeploymentContext, properties: Properties) -> Properties:
        """Names of buckets are in lower case."""
        return properties if "BucketName" in properties else {**properties, "BucketName": context.name(63, lower=True)}

    def create(self, context: DeploymentContext, properties: Properties) -> Identity:
        """Makes the bucket, then its settings."""
        self._check(properties)
        name = properties["BucketName"]
        place = {} if context.region == "us-east-1" else {"LocationConstraint": context.region}
        request: Properties = {"Bucket": name, **({"CreateBucketConfiguration": place} if place else {})}
        if not self._exists(context, name):
            context.call("s3:CreateBucket", request)
            context.keep(Identity(name))
        elif "BucketName" in properties:
            raise ServiceError(f"{name} already exists", code="BucketAlreadyExists", status=409)
        self._settle(context, name, {}, properties)
        return self.find(context, properties)

    @staticmethod
    def _check(properties: Properties) -> None:
        access = properties.get("AccessControl", "Private")
        if access not in WITHOUT_ACL:
            text = f"LocalUnsupported: AWS::S3::Bucket.AccessControl {access} is not executed by the local service"
            raise ServiceError(text, code="InvalidRequest", status=400)

    @staticmethod
    def _exists(context: DeploymentContext, name: str) -> bool:
        try:
            context.call("s3:HeadBucket", {"Bucket": name})
        except ServiceError as error:
            if error.status == 404:
                return False
            raise
        return True

    def find(self, context: DeploymentContext, properties: Properties) -> Identity:
        """By its name."""
        name, domain = properties["BucketName"], "amazonaws.com"
        context.call("s3:HeadBucket", {"Bucket": name})
        return Identity(name, name, {
            "Arn": f"arn:aws:s3:::{name}", "DomainName": f"{name}.s3.{domain}",
            "RegionalDomainName": f"{name}.s3.{context.region}.{domain}",
            "DualStackDomainName": f"{name}.s3.dualstack.{context.region}.{domain}",
            "WebsiteURL": f"http://{name}.s3-website-{context.region}.{domain}",
        })  # fmt: skip

    def update(self, context: DeploymentContext, identity: Identity, before: Properties, after: Properties) -> Identity:
        """Changes its settings."""
        self._check(after)
        self._settle(context, identity.physical, before, after)
        return identity

    def delete(self, context: DeploymentContext, identity: Identity, _properties: Properties) -> None:
        """Deletes it; a bucket with objects in it is refused."""
        if not identity.physical:
            return
        with ignore_absent():
            context.call("s3:DeleteBucket", {"Bucket": identity.physical})

    @staticmethod
    def _settle(context: DeploymentContext, name: str, before: Properties, after: Properties) -> None:
        for member, (put, delete, request_of) in SETTINGS.items():
            if member in after and after[member] != before.get(member):
                shape = models.operation("s3", put).input_shape
                context.call(f"s3:{put}", {"Bucket": name, **coerce(shape, request_of(after[member]))})
            elif member in before and member not in after and delete:
                context.call(f"s3:{delete}", {"Bucket": name})


class BucketPolicy(UnnamedHandler):
    """The policy of a bucket."""

    def create(self, context: DeploymentContext, properties: Properties) -> Identity:
        """Puts it."""
        text = policy_text(properties["PolicyDocument"])
        context.call("s3:PutBucketPolicy", {"Bucket": properties["Bucket"], "Policy": text})
        return self.find(context, properties)

    def find(self, _context: DeploymentContext, properties: Properties) -> Identity:
        """By its bucket."""
        return Identity(properties["Bucket"])

    def update(
        self, context: DeploymentContext, _identity: Identity, _before: Properties, after: Properties
    ) -> Identity:
        """Puts the new one."""
        return self.create(context, after)

    def delete(self, context: DeploymentContext, _identity: Identity, properties: Properties) -> None:
        """Takes it away."""
        with ignore_absent():
            context.call("s3:DeleteBucketPolicy", {"Bucket": properties["Bucket"]})


HANDLERS: dict[str, Handler] = {"AWS::S3::Bucket": BucketHandler(), "AWS::S3::BucketPolicy": BucketPolicy()}
