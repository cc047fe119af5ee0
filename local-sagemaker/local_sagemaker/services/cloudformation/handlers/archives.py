"""AWS::Events::Archive: an archive of a bus's events."""

from __future__ import annotations

import json

from local_sagemaker.services.cloudformation.handlers.handler import (
    DeploymentContext,
    Handler,
    Identity,
    Properties,
    ignore_absent,
)


class StackArchive:
    """An archive; its bus is ``SourceArn`` here."""

    name_property = "ArchiveName"

    def with_name(self, context: DeploymentContext, properties: Properties) -> Properties:
        """An archive's name has 48 characters at most."""
        return properties if "ArchiveName" in properties else {**properties, "ArchiveName": context.name(48)}

    def create(self, context: DeploymentContext, properties: Properties) -> Identity:
        """Makes it."""
        request = {**_settings(properties), "EventSourceArn": properties["SourceArn"]}
        context.call("events:CreateArchive", request)
        return self.find(context, properties)

    def find(self, context: DeploymentContext, properties: Properties) -> Identity:
        """By its name, which Ref gives."""
        name = properties["ArchiveName"]
        arn = context.call("events:DescribeArchive", {"ArchiveName": name})["ArchiveArn"]
        return Identity(name, name, {"ArchiveName": name, "Arn": arn})

    def update(
        self, context: DeploymentContext, _identity: Identity, _before: Properties, after: Properties
    ) -> Identity:
        """Changes it; what the template no longer has gets its default."""
        nothing: Properties = {"Description": "", "EventPattern": "", "RetentionDays": 0}
        context.call("events:UpdateArchive", {**nothing, **_settings(after)})
        return self.find(context, after)

    def delete(self, context: DeploymentContext, _identity: Identity, properties: Properties) -> None:
        """Deletes it with its events."""
        with ignore_absent():
            context.call("events:DeleteArchive", {"ArchiveName": properties["ArchiveName"]})


def _settings(properties: Properties) -> Properties:
    """The members that making and changing an archive have in common."""
    request: Properties = {name: properties[name] for name in ("ArchiveName", "Description") if name in properties}
    if "RetentionDays" in properties:
        request["RetentionDays"] = int(properties["RetentionDays"])
    if "EventPattern" in properties:
        pattern = properties["EventPattern"]
        request["EventPattern"] = pattern if isinstance(pattern, str) else json.dumps(pattern)
    return request


HANDLERS: dict[str, Handler] = {"AWS::Events::Archive": StackArchive()}
