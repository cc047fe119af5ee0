"""Types of AWS's category Management: alarms, log groups, scaling, parameters; and keys."""

from __future__ import annotations

from local_sagemaker.cloudformation.errors import TemplateError
from local_sagemaker.errors import ServiceError
from local_sagemaker.services.cloudformation.handlers.handler import (
    ApiResource,
    DeploymentContext,
    Handler,
    Identity,
    Properties,
    UnnamedHandler,
    fit_to_operation,
    ignore_absent,
    policy_text,
    retag,
)


class Alarm:
    """AWS::CloudWatch::Alarm: put as often as it changes."""

    name_property = "AlarmName"

    def with_name(self, context: DeploymentContext, properties: Properties) -> Properties:
        """An alarm's name has 255 characters at most."""
        return properties if "AlarmName" in properties else {**properties, "AlarmName": context.name(255)}

    def create(self, context: DeploymentContext, properties: Properties) -> Identity:
        """Puts it."""
        context.call("cloudwatch:PutMetricAlarm", fit_to_operation("cloudwatch", "PutMetricAlarm", properties))
        return self.find(context, properties)

    def find(self, context: DeploymentContext, properties: Properties) -> Identity:
        """By its name."""
        name = properties["AlarmName"]
        alarms = context.call("cloudwatch:DescribeAlarms", {"AlarmNames": [name]}).get("MetricAlarms", [])
        if not alarms:
            raise ServiceError(f"Alarm {name} does not exist", code="ResourceNotFound", status=404)
        return Identity(name, name, {"Arn": alarms[0]["AlarmArn"]})

    def update(
        self, context: DeploymentContext, _identity: Identity, before: Properties, after: Properties
    ) -> Identity:
        """Puts the new one; tags are put with a new alarm only."""
        identity = self.create(context, after)
        target = {"ResourceARN": identity.attributes["Arn"]}
        retag(context, ("cloudwatch:TagResource", "cloudwatch:UntagResource"), target, before, after)
        return identity

    def delete(self, context: DeploymentContext, identity: Identity, _properties: Properties) -> None:
        """Deletes it."""
        if identity.physical:
            context.call("cloudwatch:DeleteAlarms", {"AlarmNames": [identity.physical]})


class StackDashboard(ApiResource):
    """AWS::CloudWatch::Dashboard: put as often as it changes."""

    def delete(self, context: DeploymentContext, identity: Identity, _properties: Properties) -> None:
        """Deletes it."""
        if identity.physical:
            with ignore_absent():
                context.call("cloudwatch:DeleteDashboards", {"DashboardNames": [identity.physical]})


def _dashboard(context: DeploymentContext, properties: Properties) -> Identity:
    name = properties["DashboardName"]
    context.call("cloudwatch:GetDashboard", {"DashboardName": name})
    return Identity(name)


class LogGroup:
    """AWS::Logs::LogGroup with its retention."""

    name_property = "LogGroupName"

    def with_name(self, context: DeploymentContext, properties: Properties) -> Properties:
        """A log group's name has 512 characters at most."""
        return properties if "LogGroupName" in properties else {**properties, "LogGroupName": context.name(512)}

    def create(self, context: DeploymentContext, properties: Properties) -> Identity:
        """Makes it."""
        name = properties["LogGroupName"]
        tags = {tag["Key"]: tag["Value"] for tag in properties.get("Tags", [])}
        key = {"kmsKeyId": properties["KmsKeyId"]} if "KmsKeyId" in properties else {}
        context.call("logs:CreateLogGroup", {"logGroupName": name, **key, **({"tags": tags} if tags else {})})
        context.keep(Identity(name))
        return self.update(context, Identity(name), properties, properties)

    def find(self, context: DeploymentContext, properties: Properties) -> Identity:
        """By its name."""
        name = properties["LogGroupName"]
        groups = context.call("logs:DescribeLogGroups", {"logGroupNamePrefix": name}).get("logGroups", [])
        if not any(group["logGroupName"] == name for group in groups):
            raise ServiceError("The specified log group does not exist.", code="ResourceNotFoundException", status=400)
        arn = f"arn:aws:logs:{context.region}:{context.account}:log-group:{name}:*"
        return Identity(name, name, {"Arn": arn})

    def update(self, context: DeploymentContext, identity: Identity, before: Properties, after: Properties) -> Identity:
        """Changes its retention and tags."""
        if before.get("KmsKeyId") != after.get("KmsKeyId"):
            text = "LocalUnsupported: a change of AWS::Logs::LogGroup.KmsKeyId is not executed by the local service"
            raise ServiceError(text, code="InvalidRequest", status=400)
        if before != after:
            arn = {"resourceArn": f"arn:aws:logs:{context.region}:{context.account}:log-group:{identity.physical}"}
            calls = ("logs:TagResource", "logs:UntagResource")
            retag(context, calls, arn, before, after, keys="tagKeys", tags="tags", form="")
        days, name = after.get("RetentionInDays"), identity.physical
        if days is not None:
            context.call("logs:PutRetentionPolicy", {"logGroupName": name, "retentionInDays": int(days)})
        elif before.get("RetentionInDays") is not None:
            context.call("logs:DeleteRetentionPolicy", {"logGroupName": name})
        return self.find(context, {**after, "LogGroupName": name})

    def delete(self, context: DeploymentContext, identity: Identity, _properties: Properties) -> None:
        """Deletes it with its streams."""
        with ignore_absent():
            if identity.physical:
                context.call("logs:DeleteLogGroup", {"logGroupName": identity.physical})


class ScalableTarget(UnnamedHandler):
    """AWS::ApplicationAutoScaling::ScalableTarget: known by resource, dimension and namespace."""

    _names = ("ServiceNamespace", "ResourceId", "ScalableDimension")

    def create(self, context: DeploymentContext, properties: Properties) -> Identity:
        """Registers it; again is no error."""
        request = fit_to_operation("application-autoscaling", "RegisterScalableTarget", properties)
        context.call("application-autoscaling:RegisterScalableTarget", request)
        return self.find(context, properties)

    def find(self, _context: DeploymentContext, properties: Properties) -> Identity:
        """Its id is made of its three names."""
        parts = [properties[name] for name in ("ResourceId", "ScalableDimension", "ServiceNamespace")]
        return Identity("|".join(parts), "|".join(parts), {"Id": "|".join(parts)})

    def update(
        self, context: DeploymentContext, _identity: Identity, _before: Properties, after: Properties
    ) -> Identity:
        """Registers the new bounds."""
        return self.create(context, after)

    def delete(self, context: DeploymentContext, _identity: Identity, properties: Properties) -> None:
        """Deregisters it; it may have been deleted with its endpoint."""
        with ignore_absent("No scalable target"):
            request = {name: properties[name] for name in self._names}
            context.call("application-autoscaling:DeregisterScalableTarget", request)


class ScalingPolicy:
    """AWS::ApplicationAutoScaling::ScalingPolicy of a target."""

    name_property = "PolicyName"

    def with_name(self, _context: DeploymentContext, properties: Properties) -> Properties:
        """The name is required."""
        return properties

    @staticmethod
    def _target(properties: Properties) -> Properties:
        if "ScalingTargetId" not in properties:
            return properties
        resource, dimension, namespace = properties["ScalingTargetId"].split("|")
        names = {"ResourceId": resource, "ScalableDimension": dimension, "ServiceNamespace": namespace}
        return {**properties, **names}

    def create(self, context: DeploymentContext, properties: Properties) -> Identity:
        """Puts it."""
        request = fit_to_operation("application-autoscaling", "PutScalingPolicy", self._target(properties))
        arn = context.call("application-autoscaling:PutScalingPolicy", request)["PolicyARN"]
        return Identity(arn, arn, {"Arn": arn})

    def find(self, context: DeploymentContext, properties: Properties) -> Identity:
        """Putting it again is no error."""
        return self.create(context, properties)

    def update(
        self, context: DeploymentContext, _identity: Identity, _before: Properties, after: Properties
    ) -> Identity:
        """Puts the new one."""
        return self.create(context, after)

    def delete(self, context: DeploymentContext, _identity: Identity, properties: Properties) -> None:
        """Deletes it; it may have been deleted with its target."""
        request = self._target(properties)
        names = ("PolicyName", "ServiceNamespace", "ResourceId", "ScalableDimension")
        with ignore_absent("No scaling policy"):
            call = "application-autoscaling:DeleteScalingPolicy"
            context.call(call, {name: request[name] for name in names})


class ParameterHandler:
    """AWS::SSM::Parameter."""

    name_property = "Name"

    def with_name(self, context: DeploymentContext, properties: Properties) -> Properties:
        """CloudFormation names parameters ``CFN-...``."""
        return properties if "Name" in properties else {**properties, "Name": f"CFN-{context.name(200)}"}

    def create(self, context: DeploymentContext, properties: Properties) -> Identity:
        """Puts it."""
        return self._put(context, properties, overwrite=False)

    def _put(
        self, context: DeploymentContext, properties: Properties, *, overwrite: bool, before: Properties | None = None
    ) -> Identity:
        if properties["Type"] not in ("String", "StringList"):  # encrypted ones are not for stacks, on AWS neither
            raise TemplateError(f"Properties validation failed for resource {context.logical} with message:\n"
                                f"[#/Type: {properties['Type']} is not a valid enum value]")  # fmt: skip
        request = fit_to_operation("ssm", "PutParameter", {name: v for name, v in properties.items() if name != "Tags"})
        context.call("ssm:PutParameter", {**request, "Overwrite": overwrite})
        if not overwrite:
            context.keep(Identity(properties["Name"]))
        self._retag(context, {} if not overwrite else before or {}, properties)
        return self.find(context, properties)

    def find(self, context: DeploymentContext, properties: Properties) -> Identity:
        """By its name."""
        parameter = context.call("ssm:GetParameter", {"Name": properties["Name"]})["Parameter"]
        return Identity(parameter["Name"], parameter["Name"], {"Type": parameter["Type"], "Value": parameter["Value"]})

    def update(
        self, context: DeploymentContext, _identity: Identity, before: Properties, after: Properties
    ) -> Identity:
        """Puts the new value."""
        return self._put(context, after, overwrite=True, before=before)

    @staticmethod
    def _retag(context: DeploymentContext, before: Properties, after: Properties) -> None:
        target = {"ResourceType": "Parameter", "ResourceId": after["Name"]}
        retag(context, ("ssm:AddTagsToResource", "ssm:RemoveTagsFromResource"), target, before, after)

    def delete(self, context: DeploymentContext, identity: Identity, _properties: Properties) -> None:
        """Deletes it."""
        with ignore_absent():
            if identity.physical:
                context.call("ssm:DeleteParameter", {"Name": identity.physical})


class Key(UnnamedHandler):
    """AWS::KMS::Key: an id, no secret."""

    def create(self, context: DeploymentContext, properties: Properties) -> Identity:
        """Makes it."""
        names = ("Description", "KeySpec", "KeyUsage", "MultiRegion")
        request = fit_to_operation("kms", "CreateKey", {name: properties[name] for name in names if name in properties})
        if "KeyPolicy" in properties:
            request["Policy"] = policy_text(properties["KeyPolicy"])
        key = context.call("kms:CreateKey", request)["KeyMetadata"]
        identity = Identity(key["KeyId"], key["KeyId"], {"Arn": key["Arn"], "KeyId": key["KeyId"]})
        context.keep(identity)
        self._describe(context, {"KeyId": key["KeyId"]}, {}, properties)
        if str(properties.get("EnableKeyRotation", "")).lower() == "true":
            context.call("kms:EnableKeyRotation", {"KeyId": key["KeyId"]})
        return identity

    def find(self, context: DeploymentContext, properties: Properties) -> Identity:
        """It has nothing of its own to be found by."""
        return self.create(context, properties)

    @staticmethod
    def _describe(context: DeploymentContext, key: Properties, before: Properties, after: Properties) -> None:
        """Its tags, its description, and whether it may be used."""
        retag(context, ("kms:TagResource", "kms:UntagResource"), key, before, after, form="TagKey TagValue")
        if before and before.get("Description") != after.get("Description"):
            context.call("kms:UpdateKeyDescription", {**key, "Description": after.get("Description", "")})
        on = [str(values.get("Enabled", True)).lower() == "true" for values in (before, after)]
        if on[0] != on[1]:
            context.call(f"kms:{'Enable' if on[1] else 'Disable'}Key", key)

    def update(self, context: DeploymentContext, identity: Identity, before: Properties, after: Properties) -> Identity:
        """Changes policy, rotation, description and tags."""
        key = {"KeyId": identity.physical}
        fixed = [name for name in ("KeySpec", "KeyUsage", "MultiRegion") if before.get(name) != after.get(name)]
        if fixed:
            text = f"You cannot modify property {fixed[0]} of an existing key."
            raise ServiceError(text, code="InvalidRequest", status=400)
        self._describe(context, key, before, after)
        if "KeyPolicy" in after:
            context.call(
                "kms:PutKeyPolicy", {**key, "PolicyName": "default", "Policy": policy_text(after["KeyPolicy"])}
            )
        on = str(after.get("EnableKeyRotation", "")).lower() == "true"
        context.call(f"kms:{'Enable' if on else 'Disable'}KeyRotation", key)
        return identity

    def delete(self, context: DeploymentContext, identity: Identity, properties: Properties) -> None:
        """KMS deletes keys after a while only."""
        if identity.physical:
            days = int(properties.get("PendingWindowInDays", 30))
            context.call("kms:ScheduleKeyDeletion", {"KeyId": identity.physical, "PendingWindowInDays": days})


def _alias(context: DeploymentContext, properties: Properties) -> Identity:
    name = properties["AliasName"]
    context.call("kms:DescribeKey", {"KeyId": name})
    return Identity(name)


HANDLERS: dict[str, Handler] = {
    "AWS::CloudWatch::Alarm": Alarm(),
    "AWS::CloudWatch::Dashboard": StackDashboard(
        "cloudwatch", create="PutDashboard", update="PutDashboard", delete="DeleteDashboards",
        name_property="DashboardName", longest=255, find=_dashboard,
    ),
    "AWS::Logs::LogGroup": LogGroup(),
    "AWS::ApplicationAutoScaling::ScalableTarget": ScalableTarget(),
    "AWS::ApplicationAutoScaling::ScalingPolicy": ScalingPolicy(),
    "AWS::SSM::Parameter": ParameterHandler(),
    "AWS::KMS::Key": Key(),
    "AWS::KMS::Alias": ApiResource(
        "kms", create="CreateAlias", update="UpdateAlias", delete="DeleteAlias", name_property="AliasName", find=_alias,
    ),
}  # fmt: skip
