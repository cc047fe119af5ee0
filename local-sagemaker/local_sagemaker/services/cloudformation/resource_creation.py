"""How one resource of a stack is made: whose it is when its name is taken, and what a crash left half made."""

from __future__ import annotations

from local_sagemaker.api import models
from local_sagemaker.api.operations import Call, Request, Response
from local_sagemaker.errors import ServiceError
from local_sagemaker.records.store import Body
from local_sagemaker.services.cloudformation.handlers import HANDLERS
from local_sagemaker.services.cloudformation.handlers.handler import (
    ApiResource,
    DeploymentContext,
    Identity,
    MadeByAnother,
)

TAKING_OVER = frozenset((
    "AWS::CloudWatch::Alarm", "AWS::CloudWatch::Dashboard", "AWS::Events::Rule", "AWS::SNS::Topic", "AWS::SQS::Queue",
))  # fmt: skip
"""Types whose creation takes over what has the name already, so that it is looked for before."""
MADE_IN_STEPS = frozenset((
    "AWS::CodeCommit::Repository", "AWS::CodePipeline::Pipeline", "AWS::ECR::Repository", "AWS::IAM::ManagedPolicy",
    "AWS::IAM::Role", "AWS::Logs::LogGroup", "AWS::S3::Bucket", "AWS::SageMaker::ModelPackageGroup",
))  # fmt: skip
"""Types that take several calls, of which the first gives the name: a crash may have come between them."""
MADE_WITH_RECORD = {"AWS::Lambda::Version": ("lambda", "PublishVersion")}
"""Types of which nobody can tell whose one is: it is made in the transaction that records it, so a crash leaves both
or neither. Their creation is calls that do nothing but read and write records; here is one, by service and name."""
WITHOUT_A_NAME = frozenset((
    "AWS::ApplicationAutoScaling::ScalableTarget", "AWS::ApplicationAutoScaling::ScalingPolicy", "AWS::CDK::Metadata",
    "AWS::CodeConnections::Connection", "AWS::CodeStarConnections::Connection", "AWS::IAM::Policy", "AWS::KMS::Key",
    "AWS::Lambda::EventSourceMapping", "AWS::Lambda::Permission", "AWS::Lambda::Version", "AWS::S3::BucketPolicy",
    "AWS::SNS::Subscription", "AWS::SNS::TopicPolicy", "AWS::SQS::QueuePolicy",
))  # fmt: skip
"""Types of which nothing can be looked for: they belong to another resource, or many may have the same name."""
_RECORDED = ("PhysicalResourceId", "_reference", "_attributes")
_READING = ("Describe", "Get", "List", "Head", "BatchGet")
"""How operations begin that change nothing."""


class CallsOfCreation:
    """The calls of a handler that makes a resource; the first that changes anything is the one that gives the name."""

    def __init__(self, call: Call) -> None:
        self._call, self.made_anything = call, False

    def __call__(self, operation: str, request: Request) -> Response:
        """Calls the operation."""
        response = self._call(operation, request)
        if not operation.partition(":")[2].startswith(_READING):
            self.made_anything = True
        return response


def load_models(kind: str) -> None:
    """Loads what the creation of a `MADE_WITH_RECORD` type needs to know: others wait for its transaction."""
    models.operation(*MADE_WITH_RECORD[kind])


def from_attempt(kind: str, attempt: Body | None) -> Body:
    """What a new attempt has of the one before: what it is to replace, and what was made with its record."""
    names = ("_replaced", *(_RECORDED if kind in MADE_WITH_RECORD else ()))
    return {name: attempt[name] for name in names if name in attempt} if attempt else {}


def is_free(kind: str, context: DeploymentContext, named: Body, made_for_it: Body) -> bool:
    """Whether nothing has the resource's name yet; a name made for it is free.

    Raises where the creation would take over what has it; the others' services refuse a second one themselves.
    """
    handler = HANDLERS[kind]
    name = handler.name_property
    if kind in WITHOUT_A_NAME or name in made_for_it:
        return True
    look = handler.describe if isinstance(handler, ApiResource) else handler.find
    try:
        look(context, named)
    except ServiceError:
        return True
    if kind in TAKING_OVER and name is not None:
        text = f"Resource with identifier '{named[name]}' already exists."
        raise ServiceError(text, code="AlreadyExists", status=409)
    return False


def create_once(kind: str, context: DeploymentContext, named: Body, *, again: bool) -> Identity:
    """Makes a resource of a type; `again` says that it was being made before, under a name that was free then."""
    handler = HANDLERS[kind]
    try:
        return handler.create(context, named)
    except ServiceError as error:
        if not again or isinstance(error, MadeByAnother) or not _exists_already(error):
            raise
    identity = handler.find(context, named)
    if kind not in MADE_IN_STEPS:
        return identity
    handler.delete(context, identity, named)
    return handler.create(context, named)


def _exists_already(error: ServiceError) -> bool:
    return "exist" in error.message.lower() or "exist" in error.code.lower() or error.code == "ResourceInUse"
