"""The names of a project's resources, and the lengths that AWS allows."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

NAME = re.compile(r"[a-zA-Z](-*[a-zA-Z0-9])*")
ID = re.compile(r"[a-z0-9](-*[a-z0-9])*")
LONGEST_NAME, LONGEST_ID = 32, 20
RULES = ("build", "code", "mon", "model", "ep")
"""Of what starts the three pipelines."""
REJECTION_RULE = "reject"
"""Of what writes a rejected approval into the version's life cycle."""
EXPERIMENT_RULES = ("exp", "gone")
"""Of branches that run the pipeline under names of their own, where they are wanted."""
ROLES = ("exec", "mon", "cfn", "build", "deploy", "test", "pipe", "events", "reject", "ghb", "ghd")
BUILDS = ("modelbuild", "modeldeploy", "modelmonitor", "test", "experiment")
"""The projects of CodeBuild."""
STACKS = ("modelmonitor-prod", "modelmonitor-staging", "deploy-prod", "deploy-staging")
"""The stages' stacks in the order of their deletion: an endpoint that is monitored can't be deleted."""
LONGEST_RULE = LONGEST_ROLE = 64
LONGEST_BUCKET = 63


@dataclass(frozen=True)
class Project:
    """A project by its name and id."""

    name: str
    id: str

    @property
    def prefix(self) -> str:
        """What the names of its resources begin with."""
        return f"sagemaker-{self.name}-{self.id}"

    @property
    def group(self) -> str:
        """Its model package group."""
        return f"{self.name}-{self.id}"

    @property
    def stack(self) -> str:
        """The stack of the project itself, named as the service names it."""
        return f"SP-{self.id}"

    @property
    def uploads(self) -> str:
        """What the keys of its template and of its repositories' first contents begin with, in the account's bucket."""
        return f"delivery/{self.id}/"

    def bucket(self, account: str) -> str:
        """Its artifact bucket."""
        return f"sagemaker-project-{self.id}-{account}"

    def find_problems(self, account: str) -> Iterator[str]:
        """What is wrong with the names, one line each."""
        for what, text, pattern, longest in (
            ("name", self.name, NAME, LONGEST_NAME), ("id", self.id, ID, LONGEST_ID),
        ):  # fmt: skip
            if not pattern.fullmatch(text):
                yield f"the project's {what} {text!r} must match {pattern.pattern}"
            if len(text) > longest:
                yield f"the project's {what} {text!r} has {len(text)} characters, {longest} are allowed"
        longest_rule = max(
            (f"{self.prefix}-{suffix}" for suffix in (*RULES, REJECTION_RULE, *EXPERIMENT_RULES)), key=len
        )
        if len(longest_rule) > LONGEST_RULE:
            yield f"the event rule {longest_rule} would have {len(longest_rule)} characters, {LONGEST_RULE} are allowed"
        longest_role = max((f"{self.prefix}-{suffix}" for suffix in ROLES), key=len)
        if len(longest_role) > LONGEST_ROLE:
            yield f"the role {longest_role} would have {len(longest_role)} characters, {LONGEST_ROLE} are allowed"
        bucket = self.bucket(account)
        if len(bucket) > LONGEST_BUCKET:
            yield f"the bucket {bucket} would have {len(bucket)} characters, {LONGEST_BUCKET} are allowed"
