"""Types of AWS's categories Security and Containers: secrets, and repositories of images."""

from __future__ import annotations

import json
from typing import Any

from local_sagemaker.api import models
from local_sagemaker.services.cloudformation.handlers.developer_tools import members
from local_sagemaker.services.cloudformation.handlers.handler import (
    DeploymentContext,
    Handler,
    Identity,
    Properties,
    fit_to_operation,
    ignore_absent,
    policy_text,
    retag,
)


class SecretHandler:
    """AWS::SecretsManager::Secret: its value is given, or generated once for as long as what asks for it stays."""

    name_property = "Name"

    def with_name(self, context: DeploymentContext, properties: Properties) -> Properties:
        """A secret's name has 512 characters at most."""
        return properties if "Name" in properties else {**properties, "Name": context.name(512)}

    def create(self, context: DeploymentContext, properties: Properties) -> Identity:
        """Makes it with its first value."""
        request = fit_to_operation("secretsmanager", "CreateSecret", properties)
        context.call("secretsmanager:CreateSecret", {**request, **_value(context, properties)})
        return self.find(context, properties)

    def find(self, context: DeploymentContext, properties: Properties) -> Identity:
        """By its name."""
        arn = context.call("secretsmanager:DescribeSecret", {"SecretId": properties["Name"]})["ARN"]
        return Identity(arn, arn, {"Id": arn})

    def update(self, context: DeploymentContext, identity: Identity, before: Properties, after: Properties) -> Identity:
        """Changes description, key and tags; the value where its own properties change."""
        request = {"SecretId": identity.physical, "Description": after.get("Description", "")}
        if "KmsKeyId" in after:
            request["KmsKeyId"] = after["KmsKeyId"]
        if any(before.get(name) != after.get(name) for name in ("SecretString", "GenerateSecretString")):
            request |= _value(context, after)
        context.call("secretsmanager:UpdateSecret", request)
        calls = ("secretsmanager:TagResource", "secretsmanager:UntagResource")
        retag(context, calls, {"SecretId": identity.physical}, before, after)
        return identity

    def delete(self, context: DeploymentContext, identity: Identity, _properties: Properties) -> None:
        """At once, as stacks do it on AWS."""
        if identity.physical:
            request = {"SecretId": identity.physical, "ForceDeleteWithoutRecovery": True}
            with ignore_absent():
                context.call("secretsmanager:DeleteSecret", request)


def _value(context: DeploymentContext, properties: Properties) -> Properties:
    """The member of requests that has the value. Without either property a secret has none."""
    if "SecretString" in properties:
        return {"SecretString": str(properties["SecretString"])}
    if "GenerateSecretString" not in properties:
        return {}
    asked = dict(properties["GenerateSecretString"] or {})
    template, key = asked.pop("SecretStringTemplate", None), asked.pop("GenerateStringKey", None)
    request = fit_to_operation("secretsmanager", "GetRandomPassword", asked)
    password = context.call("secretsmanager:GetRandomPassword", request)["RandomPassword"]
    return {"SecretString": json.dumps({**json.loads(template or "{}"), key: password}) if key else password}


class ImageRepositoryHandler:
    """AWS::ECR::Repository."""

    name_property = "RepositoryName"

    def with_name(self, context: DeploymentContext, properties: Properties) -> Properties:
        """A repository's name is in lower case, of 256 characters at most."""
        if "RepositoryName" in properties:
            return properties
        return {**properties, "RepositoryName": context.name(256, lower=True)}

    def create(self, context: DeploymentContext, properties: Properties) -> Identity:
        """Makes it, and gives it its policies."""
        shape: Any = models.operation("ecr", "CreateRepository").input_shape
        names = (
            "RepositoryName",
            "Tags",
            "ImageTagMutability",
            "ImageScanningConfiguration",
            "EncryptionConfiguration",
        )
        context.call(
            "ecr:CreateRepository", members(shape, {name: properties[name] for name in names if name in properties})
        )
        identity = self.find(context, properties)
        context.keep(identity)
        self._put_policies(context, {}, properties)
        return identity

    def find(self, context: DeploymentContext, properties: Properties) -> Identity:
        """By its name."""
        name = properties["RepositoryName"]
        row = context.call("ecr:DescribeRepositories", {"repositoryNames": [name]})["repositories"][0]
        return Identity(name, name, {"Arn": row["repositoryArn"], "RepositoryUri": row["repositoryUri"]})

    def update(self, context: DeploymentContext, identity: Identity, before: Properties, after: Properties) -> Identity:
        """Changes what is not its name or its encryption."""
        name = {"repositoryName": identity.physical}
        mutability = after.get("ImageTagMutability", "MUTABLE")
        context.call("ecr:PutImageTagMutability", {**name, "imageTagMutability": mutability})
        shape: Any = models.operation("ecr", "PutImageScanningConfiguration").input_shape
        scanning = {"ImageScanningConfiguration": after.get("ImageScanningConfiguration", {"ScanOnPush": False})}
        context.call("ecr:PutImageScanningConfiguration", {**name, **members(shape, scanning)})
        self._put_policies(context, before, {**after, "RepositoryName": identity.physical})
        calls = ("ecr:TagResource", "ecr:UntagResource")
        arn = {"resourceArn": identity.attributes["Arn"]}
        retag(context, calls, arn, before, after, keys="tagKeys", tags="tags")
        return identity

    @staticmethod
    def _put_policies(context: DeploymentContext, before: Properties, after: Properties) -> None:
        name = {"repositoryName": after["RepositoryName"]}
        if "RepositoryPolicyText" in after:
            context.call("ecr:SetRepositoryPolicy", {**name, "policyText": policy_text(after["RepositoryPolicyText"])})
        elif "RepositoryPolicyText" in before:
            context.call("ecr:DeleteRepositoryPolicy", name)
        text = after.get("LifecyclePolicy", {}).get("LifecyclePolicyText")
        if text:
            context.call("ecr:PutLifecyclePolicy", {**name, "lifecyclePolicyText": text})
        elif before.get("LifecyclePolicy", {}).get("LifecyclePolicyText"):
            context.call("ecr:DeleteLifecyclePolicy", name)

    def delete(self, context: DeploymentContext, identity: Identity, properties: Properties) -> None:
        """Deletes it; with images in it only where the template says so."""
        if identity.physical:
            force = str(properties.get("EmptyOnDelete", "")).lower() == "true"
            with ignore_absent():
                context.call("ecr:DeleteRepository", {"repositoryName": identity.physical, "force": force})


HANDLERS: dict[str, Handler] = {
    "AWS::SecretsManager::Secret": SecretHandler(),
    "AWS::ECR::Repository": ImageRepositoryHandler(),
}
