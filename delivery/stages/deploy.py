"""Creates or updates a stack from a template and a TemplateConfiguration and waits for it: what CodePipeline's
CloudFormation action does, for GitHub Actions and for a tour of the delivery on one machine.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
from botocore.exceptions import ClientError

from delivery.stages.pauses import Pauses

REPLACEABLE = ("ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "CREATE_FAILED", "DELETE_FAILED", "UPDATE_ROLLBACK_FAILED")


class DeploymentFailed(Exception):
    """The stack did not become complete. The text has the resources that failed."""


@dataclass(frozen=True)
class Stack:
    """A stack as it is to be. Parameters and tags are those of the configuration."""

    name: str
    template: str
    configuration: dict[str, dict[str, str]]
    role: str | None = None

    def request(self) -> dict[str, Any]:
        """Of CreateStack and UpdateStack."""
        parameters, tags = self.configuration.get("Parameters", {}), self.configuration.get("Tags", {})
        return {
            "StackName": self.name,
            "TemplateBody": self.template,
            "Parameters": [{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()],
            "Tags": [{"Key": key, "Value": value} for key, value in tags.items()],
            **({"RoleARN": self.role} if self.role else {}),
        }


def deploy(cloudformation: Any, stack: Stack) -> str:
    """``created``, ``updated`` or ``unchanged``. A stack in a failed state is replaced.

    :raises DeploymentFailed: if it ends in any other state than complete.
    """
    status = read_status(cloudformation, stack.name)
    if status in REPLACEABLE:
        cloudformation.delete_stack(StackName=stack.name)
        wait_for_stack(cloudformation, stack.name)
        status = None
    if status is None:
        cloudformation.create_stack(**stack.request())
        expected, done = "CREATE_COMPLETE", "created"
    else:
        try:
            cloudformation.update_stack(**stack.request())
        except ClientError as error:
            if "No updates are to be performed" in error.response["Error"]["Message"]:
                return "unchanged"
            raise
        expected, done = "UPDATE_COMPLETE", "updated"
    ended = wait_for_stack(cloudformation, stack.name)
    if ended != expected:
        raise DeploymentFailed(f"{stack.name} is {ended}:\n" + "\n".join(find_failures(cloudformation, stack.name)))
    return done


def read_status(cloudformation: Any, name: str) -> str | None:
    """The status of a stack; None if it does not exist."""
    try:
        (described,) = cloudformation.describe_stacks(StackName=name)["Stacks"]
    except ClientError as error:
        if "does not exist" in error.response["Error"]["Message"]:
            return None
        raise
    return str(described["StackStatus"])


def wait_for_stack(cloudformation: Any, name: str) -> str | None:
    """The status of a stack when nothing is done to it any more; None if it does not exist."""
    pauses = Pauses()
    while (status := read_status(cloudformation, name)) is not None and status.endswith("_IN_PROGRESS"):
        pauses.rest()
    return status


def find_failures(cloudformation: Any, name: str) -> list[str]:
    """The reasons of the resources that failed, oldest first."""
    events = cloudformation.describe_stack_events(StackName=name)["StackEvents"]
    return [
        f"  {event['LogicalResourceId']}: {event.get('ResourceStatusReason', event['ResourceStatus'])}"
        for event in reversed(events)
        if event["ResourceStatus"].endswith("_FAILED")
    ]


def main(argv: Sequence[str] | None = None) -> int:
    """The exit code: 0 if the stack is complete, 1 if not."""
    parser = argparse.ArgumentParser("python -m delivery.stages.deploy")
    parser.add_argument("--stack", required=True)
    parser.add_argument("--template", type=Path, required=True)
    parser.add_argument("--configuration", type=Path, required=True)
    parser.add_argument("--role-arn", help="the role of CloudFormation")
    arguments = parser.parse_args(argv)
    configuration = json.loads(arguments.configuration.read_text("utf-8"))
    stack = Stack(arguments.stack, arguments.template.read_text("utf-8"), configuration, arguments.role_arn)
    try:
        print(f"{stack.name}: {deploy(boto3.client('cloudformation'), stack)}")
    except DeploymentFailed as error:
        print(f"deploy: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
