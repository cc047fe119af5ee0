"""IAM's types: roles with their policies, policies of their own, providers of OpenID Connect."""

from __future__ import annotations

from local_sagemaker.services.cloudformation.handlers.handler import (
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


def _quietly(context: DeploymentContext, name: str, request: Properties) -> None:
    """Calls an operation of a deletion: what no longer exists is no error."""
    with ignore_absent():
        context.call(name, request)


class Role:
    """A role: its trust policy, its inline policies, the managed ones that are attached."""

    name_property = "RoleName"

    def with_name(self, context: DeploymentContext, properties: Properties) -> Properties:
        """A role's name has 64 characters at most."""
        return properties if "RoleName" in properties else {**properties, "RoleName": context.name(64)}

    def create(self, context: DeploymentContext, properties: Properties) -> Identity:
        """Makes the role, then its policies."""
        request = fit_to_operation("iam", "CreateRole", properties)
        request["AssumeRolePolicyDocument"] = policy_text(properties["AssumeRolePolicyDocument"])
        context.call("iam:CreateRole", request)
        self._settle(context, {}, properties)
        return self.find(context, properties)

    def find(self, context: DeploymentContext, properties: Properties) -> Identity:
        """A role is known by its name."""
        role = context.call("iam:GetRole", {"RoleName": properties["RoleName"]})["Role"]
        return Identity(role["RoleName"], role["RoleName"], {"Arn": role["Arn"], "RoleId": role["RoleId"]})

    def update(self, context: DeploymentContext, identity: Identity, before: Properties, after: Properties) -> Identity:
        """Changes policies, description, session length, boundary and tags in place."""
        name = {"RoleName": identity.physical}
        trust = {**name, "PolicyDocument": policy_text(after["AssumeRolePolicyDocument"])}
        context.call("iam:UpdateAssumeRolePolicy", trust)
        context.call("iam:UpdateRole", fit_to_operation("iam", "UpdateRole", {**after, **name}))
        self._bound(context, name, before.get("PermissionsBoundary"), after.get("PermissionsBoundary"))
        retag(context, ("iam:TagRole", "iam:UntagRole"), name, before, after)
        self._settle(context, before, {**after, **name})
        return identity

    @staticmethod
    def _bound(context: DeploymentContext, name: Properties, before: str | None, after: str | None) -> None:
        if after and after != before:
            context.call("iam:PutRolePermissionsBoundary", {**name, "PermissionsBoundary": after})
        elif before and not after:
            context.call("iam:DeleteRolePermissionsBoundary", name)

    def delete(self, context: DeploymentContext, identity: Identity, properties: Properties) -> None:
        """Takes its policies away, then the role."""
        properties = {**properties, "RoleName": identity.physical or properties["RoleName"]}
        empty = {"RoleName": properties["RoleName"]}
        with ignore_absent():
            self._settle(context, properties, empty)
        _quietly(context, "iam:DeleteRole", empty)

    @staticmethod
    def _settle(context: DeploymentContext, before: Properties, after: Properties) -> None:
        role = {"RoleName": after["RoleName"]}
        wanted = {policy["PolicyName"]: policy for policy in after.get("Policies", [])}
        for policy in before.get("Policies", []):
            if policy["PolicyName"] not in wanted:
                _quietly(context, "iam:DeleteRolePolicy", {**role, "PolicyName": policy["PolicyName"]})
        for name, policy in wanted.items():
            document = policy_text(policy["PolicyDocument"])
            context.call("iam:PutRolePolicy", {**role, "PolicyName": name, "PolicyDocument": document})
        attached = after.get("ManagedPolicyArns", [])
        for arn in before.get("ManagedPolicyArns", []):
            if arn not in attached:
                _quietly(context, "iam:DetachRolePolicy", {**role, "PolicyArn": arn})
        for arn in attached:
            context.call("iam:AttachRolePolicy", {**role, "PolicyArn": arn})


class InlinePolicy:
    """AWS::IAM::Policy: one document that is put into roles under one name."""

    name_property = "PolicyName"

    def with_name(self, _context: DeploymentContext, properties: Properties) -> Properties:
        """The name is required."""
        return properties

    def create(self, context: DeploymentContext, properties: Properties) -> Identity:
        """Puts it into its roles."""
        return self.update(context, Identity(context.name(64)), {}, properties)

    def find(self, _context: DeploymentContext, properties: Properties) -> Identity:
        """It has nothing of its own to be found by."""
        return Identity(properties["PolicyName"])

    def update(self, context: DeploymentContext, identity: Identity, before: Properties, after: Properties) -> Identity:
        """Puts the new document into the roles named, and takes it out of others."""
        document, name = policy_text(after["PolicyDocument"]), after["PolicyName"]
        for role in after.get("Roles", []):
            request = {"RoleName": role, "PolicyName": name, "PolicyDocument": document}
            context.call("iam:PutRolePolicy", request)
        previous = str(before.get("PolicyName", name))
        renamed = previous != name
        removed = [role for role in before.get("Roles", []) if renamed or role not in after.get("Roles", [])]
        self._take(context, removed, previous)
        return identity

    def delete(self, context: DeploymentContext, _identity: Identity, properties: Properties) -> None:
        """Takes it out of its roles."""
        self._take(context, properties.get("Roles", []), properties["PolicyName"])

    @staticmethod
    def _take(context: DeploymentContext, roles: list[str], name: str) -> None:
        for role in roles:
            _quietly(context, "iam:DeleteRolePolicy", {"RoleName": role, "PolicyName": name})


class ManagedPolicy:
    """AWS::IAM::ManagedPolicy: a policy with an ARN, attached to roles."""

    name_property = "ManagedPolicyName"

    def with_name(self, context: DeploymentContext, properties: Properties) -> Properties:
        """A policy's name has 128 characters at most."""
        return (
            properties if "ManagedPolicyName" in properties else {**properties, "ManagedPolicyName": context.name(128)}
        )

    def create(self, context: DeploymentContext, properties: Properties) -> Identity:
        """Makes it and attaches it."""
        request = fit_to_operation("iam", "CreatePolicy", {**properties, "PolicyName": properties["ManagedPolicyName"]})
        request["PolicyDocument"] = policy_text(properties["PolicyDocument"])
        context.call("iam:CreatePolicy", request)
        identity = self.find(context, properties)
        context.keep(identity)
        self._attach(context, identity.physical, [], properties.get("Roles", []))
        return identity

    def find(self, context: DeploymentContext, properties: Properties) -> Identity:
        """By its ARN, which follows from path and name."""
        path = properties.get("Path", "/")
        arn = f"arn:aws:iam::{context.account}:policy{path}{properties['ManagedPolicyName']}"
        context.call("iam:GetPolicy", {"PolicyArn": arn})
        return Identity(arn, arn, {"PolicyArn": arn})

    def update(self, context: DeploymentContext, identity: Identity, before: Properties, after: Properties) -> Identity:
        """A new default version of its document."""
        arn = identity.physical
        document = policy_text(after["PolicyDocument"])
        context.call("iam:CreatePolicyVersion", {"PolicyArn": arn, "PolicyDocument": document, "SetAsDefault": True})
        self._drop_versions(context, arn)
        self._attach(context, arn, before.get("Roles", []), after.get("Roles", []))
        return identity

    def delete(self, context: DeploymentContext, identity: Identity, properties: Properties) -> None:
        """Detaches and deletes it."""
        if not identity.physical:
            return
        with ignore_absent():
            self._attach(context, identity.physical, properties.get("Roles", []), [])
            self._drop_versions(context, identity.physical)
        _quietly(context, "iam:DeletePolicy", {"PolicyArn": identity.physical})

    @staticmethod
    def _drop_versions(context: DeploymentContext, arn: str) -> None:
        for version in context.call("iam:ListPolicyVersions", {"PolicyArn": arn})["Versions"]:
            if not version["IsDefaultVersion"]:
                context.call("iam:DeletePolicyVersion", {"PolicyArn": arn, "VersionId": version["VersionId"]})

    @staticmethod
    def _attach(context: DeploymentContext, arn: str, before: list[str], after: list[str]) -> None:
        for role in before:
            if role not in after:
                _quietly(context, "iam:DetachRolePolicy", {"RoleName": role, "PolicyArn": arn})
        for role in after:
            context.call("iam:AttachRolePolicy", {"RoleName": role, "PolicyArn": arn})


class OidcProvider(UnnamedHandler):
    """AWS::IAM::OIDCProvider: whose tokens roles may trust."""

    def create(self, context: DeploymentContext, properties: Properties) -> Identity:
        """Makes it."""
        names = {"ClientIdList": "ClientIDList"}
        request = {names.get(name, name): value for name, value in properties.items()}
        arn = context.call(
            "iam:CreateOpenIDConnectProvider", fit_to_operation("iam", "CreateOpenIDConnectProvider", request)
        )
        return Identity(arn["OpenIDConnectProviderArn"], "", {"Arn": arn["OpenIDConnectProviderArn"]})

    def find(self, context: DeploymentContext, properties: Properties) -> Identity:
        """By its URL."""
        host = properties["Url"].removeprefix("https://")
        arn = f"arn:aws:iam::{context.account}:oidc-provider/{host}"
        context.call("iam:GetOpenIDConnectProvider", {"OpenIDConnectProviderArn": arn})
        return Identity(arn, arn, {"Arn": arn})

    def update(self, context: DeploymentContext, identity: Identity, before: Properties, after: Properties) -> Identity:
        """Changes thumbprints and client ids."""
        arn = {"OpenIDConnectProviderArn": identity.physical}
        if after.get("ThumbprintList"):
            request = {**arn, "ThumbprintList": after["ThumbprintList"]}
            context.call("iam:UpdateOpenIDConnectProviderThumbprint", request)
        if set(before.get("ClientIdList", [])) != set(after.get("ClientIdList", [])):
            # IAM here has no operation for one client id: the provider is made anew, and has the same ARN.
            context.call("iam:DeleteOpenIDConnectProvider", arn)
            made = None
            try:
                made = self.create(context, after)
            finally:
                if made is None:
                    self.create(context, before)
            return made
        calls = ("iam:TagOpenIDConnectProvider", "iam:UntagOpenIDConnectProvider")
        retag(context, calls, arn, before, after)
        return identity

    def delete(self, context: DeploymentContext, identity: Identity, _properties: Properties) -> None:
        """Deletes it."""
        _quietly(context, "iam:DeleteOpenIDConnectProvider", {"OpenIDConnectProviderArn": identity.physical})


HANDLERS: dict[str, Handler] = {
    "AWS::IAM::Role": Role(),
    "AWS::IAM::Policy": InlinePolicy(),
    "AWS::IAM::ManagedPolicy": ManagedPolicy(),
    "AWS::IAM::OIDCProvider": OidcProvider(),
}
