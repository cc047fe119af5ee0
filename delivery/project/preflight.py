"""What has to hold before a project is created: every problem at once, and nothing is made."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError, EndpointConnectionError, NoCredentialsError

from delivery.clients import is_absent
from delivery.command_line import NO_CREDENTIALS, describe_unreachable
from delivery.errors import DeliveryError
from delivery.project import github
from delivery.project.names import Project
from delivery.project.ownership import NAME_TAG, read_parameters
from delivery.project.seed import find_seed_problems
from pipelines import session
from pipelines.checks.preflight import FlavourDecision, decide, probe

ACTIONS: Mapping[str, tuple[str, ...]] = {
    "arn:{partition}:iam::{account}:role/service-role/{prefix}-exec": (
        "iam:CreateRole", "iam:GetRole", "iam:PutRolePolicy", "iam:DeleteRolePolicy", "iam:DeleteRole", "iam:TagRole",
        "iam:PassRole",
    ),
    "arn:{partition}:s3:::{bucket}": (
        "s3:CreateBucket", "s3:PutBucketPolicy", "s3:PutEncryptionConfiguration", "s3:PutBucketVersioning",
        "s3:PutBucketPublicAccessBlock", "s3:PutLifecycleConfiguration", "s3:PutBucketTagging",
    ),
    "arn:{partition}:s3:::{uploads}/{folder}project-template.yml": ("s3:PutObject", "s3:GetObject"),
    "arn:{partition}:sagemaker:{region}:{account}:model-package-group/{group}": (
        "sagemaker:CreateModelPackageGroup", "sagemaker:DescribeModelPackageGroup", "sagemaker:AddTags",
    ),
    "arn:{partition}:codepipeline:{region}:{account}:{prefix}-modelbuild": (
        "codepipeline:CreatePipeline", "codepipeline:GetPipeline", "codepipeline:DeletePipeline",
        "codepipeline:TagResource",
    ),
    "arn:{partition}:codebuild:{region}:{account}:project/{prefix}-modelbuild": (
        "codebuild:CreateProject", "codebuild:BatchGetProjects", "codebuild:DeleteProject",
    ),
    "arn:{partition}:events:{region}:{account}:rule/{prefix}-model": (
        "events:PutRule", "events:PutTargets", "events:RemoveTargets", "events:DeleteRule", "events:TagResource",
    ),
    "arn:{partition}:lambda:{region}:{account}:function:{prefix}-reject": (
        "lambda:CreateFunction", "lambda:GetFunction", "lambda:DeleteFunction", "lambda:AddPermission",
        "lambda:RemovePermission", "lambda:TagResource",
    ),
    "arn:{partition}:logs:{region}:{account}:log-group:/aws/lambda/{prefix}-reject": (
        "logs:CreateLogGroup", "logs:PutRetentionPolicy", "logs:DeleteLogGroup", "logs:TagResource",
    ),
    "arn:{partition}:ssm:{region}:{account}:parameter/sagemaker/{group}/flavour": (
        "ssm:PutParameter", "ssm:GetParameters", "ssm:DeleteParameter", "ssm:AddTagsToResource",
    ),
    "arn:{partition}:cloudformation:{region}:{account}:stack/{stack}/*": (
        "cloudformation:CreateStack", "cloudformation:DescribeStacks", "cloudformation:DescribeStackEvents",
        "cloudformation:DeleteStack",
    ),
}  # fmt: skip
"""What the creator of a project may have to do, by an example of the resources."""
ACTIONS_OF_PROVIDERS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "connection": {"{connection}": ("codeconnections:PassConnection",)},
    "codecommit": {
        "arn:{partition}:codecommit:{region}:{account}:{prefix}-modelbuild": (
            "codecommit:CreateRepository", "codecommit:GetRepository", "codecommit:DeleteRepository",
            "codecommit:TagResource", "codecommit:CreateCommit",
        ),
    },
    "github-actions": {"*": ("iam:ListOpenIDConnectProviders",)},
}  # fmt: skip
"""The same, for what only one provider of the code needs."""
ACTIONS_OF_IDENTITY: Mapping[str, tuple[str, ...]] = {
    "arn:{partition}:iam::{account}:oidc-provider/token.actions.githubusercontent.com": (
        "iam:CreateOpenIDConnectProvider", "iam:GetOpenIDConnectProvider", "iam:DeleteOpenIDConnectProvider",
        "iam:TagOpenIDConnectProvider",
    ),
}  # fmt: skip
"""The same, for GitHub Actions in an account that does not trust GitHub's tokens yet."""
_OF_CODEPIPELINE = ("codepipeline", "codebuild", "events", "lambda", "logs")


CONNECTION = re.compile(r"arn:aws[a-z-]*:code(star-)?connections:[a-z0-9-]+:\d{12}:connection/\S+")
REPOSITORY = re.compile(r"[\w.-]+(/[\w.-]+)+")


@dataclass(frozen=True)
class ProjectRequest:
    """The project that is to be created. `connection`, `boundary` and `identity`, the account's provider of GitHub's
    tokens, are ARNs, empty where there is none; `uploads` is the bucket of template and seeds, by default the SDK's.
    """

    project: Project
    provider: str
    connection: str = ""
    boundary: str = ""
    repository: str = ""
    uploads: str = ""
    identity: str = ""

    def actions(self) -> Iterator[tuple[str, tuple[str, ...]]]:
        """What its creator has to do: patterns of resources, and actions."""
        for pattern, actions in ACTIONS.items():
            if self.provider != "github-actions" or pattern.split(":")[2] not in _OF_CODEPIPELINE:
                yield pattern, actions
        if self.provider != "connection" or CONNECTION.fullmatch(self.connection):
            yield from ACTIONS_OF_PROVIDERS[self.provider].items()
        if self.provider == "github-actions" and not self.identity:
            yield from ACTIONS_OF_IDENTITY.items()

    def find_problems(self) -> Iterator[str]:
        """What is wrong with the repository's name."""
        pattern = github.REPOSITORY if self.provider == "github-actions" else REPOSITORY
        if self.provider != "codecommit" and not pattern.fullmatch(self.repository):
            state = f"{self.repository!r} is none" if self.repository else "none is named"
            yield f"the repository has to be OWNER/NAME, and {state}: --repository"


@dataclass(frozen=True)
class Preflight:
    """Looks at an account. Only a probe creates anything, and deletes it again."""

    region: str

    def client(self, service: str) -> Any:
        """A client in the region."""
        clients: Any = session.boto_session(self.region)
        return clients.client(service)

    def find_problems(self, wish: ProjectRequest) -> Iterator[str]:
        """One line each; without credentials only that one."""
        try:
            identity = self.client("sts").get_caller_identity()
        except NoCredentialsError:
            yield NO_CREDENTIALS
            return
        except EndpointConnectionError as error:
            yield describe_unreachable(error)
            return
        except (BotoCoreError, ClientError) as error:
            yield f"the credentials do not work: {error}"
            return
        account = str(identity["Account"])
        wrong_names = list(wish.project.find_problems(account))
        yield from wrong_names
        if not wrong_names:  # AWS refuses to look for what can have no such name
            yield from self._bucket(wish.project.bucket(account))
            yield from self._names(wish.project)
        yield from self._connection(wish)
        yield from wish.find_problems()
        if wish.provider == "codecommit":
            yield from find_seed_problems()
        yield from self._boundary(wish)
        if not wrong_names:
            yield from self._rights(wish, identity)

    def flavour(self, project: Project, probe_with: str = "") -> FlavourDecision:
        """Which checks and monitors the account can run.

        :param probe_with: a bucket: then a monitor is created and deleted where nothing shows that it may be.
        :raises DeliveryError: if the caller has no role for that.
        """
        sagemaker = self.client("sagemaker")
        decision = decide(sagemaker, project.group)
        if decision.flavour == "managed" or not probe_with:
            return decision
        from delivery.project.images import find_monitor_images

        try:
            role = session.find_role(self.region)  # the project's own roles do not exist yet
        except ValueError as error:
            raise DeliveryError(f"--probe: {error}") from error
        return probe(sagemaker, find_monitor_images(self.region)[0], role, probe_with)

    def _bucket(self, name: str) -> Iterator[str]:
        try:
            self.client("s3").head_bucket(Bucket=name)
        except ClientError as error:
            if error.response["Error"]["Code"] == "403":
                yield f"the bucket {name} belongs to another account: choose another project id"
            elif not is_absent(error):
                yield f"it cannot be seen whether there is a bucket {name}: {_text(error)}"
            return
        yield f"the bucket {name} exists already: delete it, or choose another project id"

    def _names(self, project: Project) -> Iterator[str]:
        """Those that another project may have already: the endpoints' have only the name, the stack's only the id."""
        try:
            for page in self.client("cloudformation").get_paginator("describe_stacks").paginate():
                for stack in page["Stacks"]:
                    if stack["StackName"] == project.stack:
                        yield f"the stack {project.stack} exists already: choose another project id"
                    elif read_parameters(stack).get(NAME_TAG) == project.name:
                        yield (f"the stack {stack['StackName']} is a project of the name {project.name}, too, and "
                               "would have the same endpoints: choose another name")  # fmt: skip
            for name in (f"{project.name}-staging", f"{project.name}-prod"):
                if self._has_endpoint(name):
                    yield f"the endpoint {name} exists already: choose another name"
        except ClientError as error:
            yield f"it cannot be seen whether the names are free: {_text(error)}"

    def _has_endpoint(self, name: str) -> bool:
        try:
            self.client("sagemaker").describe_endpoint(EndpointName=name)
        except ClientError as error:
            if is_absent(error):
                return False
            raise
        return True

    def _connection(self, wish: ProjectRequest) -> Iterator[str]:
        if wish.provider != "connection":
            return
        if not wish.connection:
            yield "no connection is named: --connection-arn, or --source codecommit"
            return
        if not CONNECTION.fullmatch(wish.connection):
            yield f"{wish.connection} is no ARN of a connection: aws codeconnections list-connections shows them"
            return
        try:
            connection = self.client("codeconnections").get_connection(ConnectionArn=wish.connection)["Connection"]
        except (BotoCoreError, ClientError) as error:
            yield f"the connection {wish.connection} cannot be read: {_text(error)}"
            return
        status = connection["ConnectionStatus"]
        if status != "AVAILABLE":
            yield f"the connection {wish.connection} is {status}: complete it in the console of the developer tools"

    def _boundary(self, wish: ProjectRequest) -> Iterator[str]:
        if not wish.boundary:
            return
        try:
            self.client("iam").get_policy(PolicyArn=wish.boundary)
        except ClientError as error:
            yield f"the permissions boundary {wish.boundary} cannot be read: {_text(error)}"

    def _rights(self, wish: ProjectRequest, identity: Mapping[str, Any]) -> Iterator[str]:
        caller, project, iam = str(identity["Arn"]), wish.project, self.client("iam")
        if caller.endswith(":root"):
            return  # it may do everything, and only users and roles have policies that are simulated
        account = str(identity["Account"])
        try:
            principal = find_principal(caller, iam)
        except ClientError as error:
            yield f"the rights of {caller} are not known, as its role cannot be read (iam:GetRole): {_text(error)}"
            return
        if wish.provider == "github-actions":
            wish = replace(wish, identity=self._identity())
        names = {
            "partition": caller.split(":")[1], "account": account, "region": self.region, "prefix": project.prefix,
            "bucket": project.bucket(account), "group": project.group, "stack": project.stack, "name": project.name,
            "connection": wish.connection, "uploads": wish.uploads or f"sagemaker-{self.region}-{account}",
            "folder": project.uploads,
        }  # fmt: skip
        for pattern, actions in wish.actions():
            resource = pattern.format(**names)
            try:
                results = iam.simulate_principal_policy(
                    PolicySourceArn=principal, ActionNames=list(actions), ResourceArns=[resource]
                )["EvaluationResults"]
            except ClientError as error:
                yield f"the rights of {principal} cannot be simulated (iam:SimulatePrincipalPolicy): {_text(error)}"
                return
            for result in results:
                if result["EvalDecision"] != "allowed":
                    yield f"{principal} may not {result['EvalActionName']} on {resource}"

    def _identity(self) -> str:
        try:
            return github.find_identity(self.client("iam"))
        except ClientError:
            return ""  # the simulation names the right that is missing


def find_principal(caller: str, iam: Any) -> str:
    """The user or role whose policies count: of an assumed role's session its role, whose path only IAM knows.

    :raises ClientError: if the role cannot be read.
    """
    kind, _, rest = caller.split(":")[5].partition("/")
    if kind != "assumed-role":
        return caller
    return str(iam.get_role(RoleName=rest.partition("/")[0])["Role"]["Arn"])


def _text(error: Exception) -> str:
    return error.response["Error"]["Message"] if isinstance(error, ClientError) else str(error)
