"""What belongs to functions: AWS::Lambda::Version, Alias, EventInvokeConfig."""

from __future__ import annotations

from local_sagemaker.errors import ServiceError
from local_sagemaker.services.cloudformation.handlers.handler import (
    DeploymentContext,
    Handler,
    Identity,
    MadeByAnother,
    Properties,
    UnnamedHandler,
    fit_to_operation,
    ignore_absent,
)


class VersionHandler(UnnamedHandler):
    """AWS::Lambda::Version: what the function is when it is made."""

    def create(self, context: DeploymentContext, properties: Properties) -> Identity:
        """Publishes it; a function that has not changed since its last version gets none."""
        present = _numbers(context, properties["FunctionName"])
        made = self.find(context, properties)
        if made.attributes["Version"] in present:
            raise MadeByAnother(
                f"A version for this Lambda function exists ( {made.attributes['Version']} ). Modify the function to "
                "create a new version."
            )
        return made

    def find(self, context: DeploymentContext, properties: Properties) -> Identity:
        """The version of the function as it is."""
        made = context.call("lambda:PublishVersion", fit_to_operation("lambda", "PublishVersion", properties))
        arn, number = made["FunctionArn"], made["Version"]
        return Identity(arn, arn, {"Version": number, "FunctionArn": arn})

    def update(
        self, _context: DeploymentContext, identity: Identity, _before: Properties, _after: Properties
    ) -> Identity:
        """Every change replaces it."""
        return identity

    def delete(self, context: DeploymentContext, identity: Identity, properties: Properties) -> None:
        """Deletes it."""
        if identity.physical:
            request = {"FunctionName": properties["FunctionName"], "Qualifier": identity.attributes["Version"]}
            with ignore_absent():
                context.call("lambda:DeleteFunction", request)


class AliasHandler(UnnamedHandler):
    """AWS::Lambda::Alias: a name for a version."""

    def create(self, context: DeploymentContext, properties: Properties) -> Identity:
        """Makes it."""
        context.call("lambda:CreateAlias", fit_to_operation("lambda", "CreateAlias", properties))
        return self.find(context, properties)

    def find(self, context: DeploymentContext, properties: Properties) -> Identity:
        """By function and name."""
        arn = context.call("lambda:GetAlias", _of(properties, "Name"))["AliasArn"]
        return Identity(arn, arn, {"AliasArn": arn})

    def update(
        self, context: DeploymentContext, identity: Identity, _before: Properties, after: Properties
    ) -> Identity:
        """Gives it another version."""
        context.call("lambda:UpdateAlias", {"Description": "", **fit_to_operation("lambda", "UpdateAlias", after)})
        return identity

    def delete(self, context: DeploymentContext, _identity: Identity, properties: Properties) -> None:
        """Deletes it."""
        with ignore_absent():
            context.call("lambda:DeleteAlias", _of(properties, "Name"))


class EventInvokeConfigHandler(UnnamedHandler):
    """AWS::Lambda::EventInvokeConfig: how often events are tried again."""

    def create(self, context: DeploymentContext, properties: Properties) -> Identity:
        """Puts it; one that exists is another's."""
        try:
            present = self.find(context, properties)
        except ServiceError:
            return self._put(context, properties)
        text = f"Resource with identifier '{present.physical}' already exists."
        raise ServiceError(text, code="AlreadyExists", status=409)

    def _put(self, context: DeploymentContext, properties: Properties) -> Identity:
        operation = "PutFunctionEventInvokeConfig"
        context.call(f"lambda:{operation}", fit_to_operation("lambda", operation, properties))
        return self.find(context, properties)

    def find(self, context: DeploymentContext, properties: Properties) -> Identity:
        """By function and qualifier."""
        context.call("lambda:GetFunctionEventInvokeConfig", _of(properties, "Qualifier"))
        return Identity(f"{properties['FunctionName']}|{properties['Qualifier']}")

    def update(
        self, context: DeploymentContext, _identity: Identity, _before: Properties, after: Properties
    ) -> Identity:
        """Puts the new one."""
        return self._put(context, after)

    def delete(self, context: DeploymentContext, _identity: Identity, properties: Properties) -> None:
        """Deletes it."""
        with ignore_absent():
            context.call("lambda:DeleteFunctionEventInvokeConfig", _of(properties, "Qualifier"))


def _numbers(context: DeploymentContext, function: str) -> set[str]:
    """The numbers of all versions of a function."""
    request, numbers = {"FunctionName": function}, set[str]()
    while True:
        listed = context.call("lambda:ListVersionsByFunction", request)
        numbers |= {version["Version"] for version in listed["Versions"]}
        if not (marker := listed.get("NextMarker")):
            return numbers
        request = {"FunctionName": function, "Marker": marker}


def _of(properties: Properties, member: str) -> Properties:
    return {name: properties[name] for name in ("FunctionName", member)}


HANDLERS: dict[str, Handler] = {
    "AWS::Lambda::Alias": AliasHandler(),
    "AWS::Lambda::EventInvokeConfig": EventInvokeConfigHandler(),
    "AWS::Lambda::Version": VersionHandler(),
}
