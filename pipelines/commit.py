"""The commit that a build runs for: it is written into what the build registers, and on the execution that it starts.

Builds say it in their environment: CodeBuild and GitHub Actions by variables of their own, and the delivery's pipeline
adds the repository and the branch, which CodeBuild does not know below CodePipeline.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pipelines.definition import Definition, steps

LONGEST = 1024  # characters of a field of MetadataProperties
_COMMIT = re.compile(r"[0-9a-fA-F]{7,64}")
_NO_TAG = re.compile(r"[^\w\s.:/=+\-@]")  # what values of tags do not take


@dataclass(frozen=True)
class SourceCommit:
    """A commit's id; its repository and branch are empty where the build does not say them."""

    id: str
    repository: str = ""
    branch: str = ""

    def describe(self) -> str:
        """For people: ``1a2b3c4 on main of owner/name``."""
        return f"{self.id[:12]}{f' on {self.branch}' if self.branch else ''}{self._of()}"

    def _of(self) -> str:
        return f" of {self.repository}" if self.repository else ""

    def tags(self) -> list[dict[str, str]]:
        """Of the pipeline that is made from it."""
        values = {"commit": self.id, "branch": self.branch, "repository": self.repository}
        return [
            {"Key": f"delivery:{key}", "Value": _NO_TAG.sub("_", value)[:256]} for key, value in values.items() if value
        ]

    def execution(self) -> dict[str, str]:
        """Fields of StartPipelineExecution."""
        return {
            "PipelineExecutionDisplayName": f"commit-{self.id[:12]}",
            "PipelineExecutionDescription": f"Commit {self.describe()}"[:3072],
        }


def find_commit(environment: Mapping[str, str]) -> SourceCommit | None:
    """The commit of the build whose environment this is; None outside of builds, and for sources without commits."""
    get = environment.get
    if _COMMIT.fullmatch(get("GITHUB_SHA", "")):
        place = "/".join(filter(None, (get("GITHUB_SERVER_URL", ""), get("GITHUB_REPOSITORY", ""))))
        return SourceCommit(environment["GITHUB_SHA"], place, get("GITHUB_REF_NAME", ""))
    own = get("CODEBUILD_RESOLVED_SOURCE_VERSION", "")
    if _COMMIT.fullmatch(own):
        repository = get("SOURCE_REPOSITORY") or get("CODEBUILD_SOURCE_REPO_URL", "")
        return SourceCommit(own, repository, get("SOURCE_BRANCH") or get("CODEBUILD_WEBHOOK_HEAD_REF", ""))
    return None


def with_commit(definition: Definition, commit: SourceCommit) -> dict[str, Any]:
    """A copy whose registrations name the commit and the execution. What a step says itself has priority."""
    changed = copy.deepcopy(dict(definition))
    named = {"CommitId": commit.id, "Repository": commit.repository}
    for step in steps(changed):
        if step["Type"] != "RegisterModel":
            continue
        own = step["Arguments"].get("MetadataProperties") or {}
        made_by = {"GeneratedBy": {"Get": "Execution.PipelineExecutionArn"}}
        known = {key: value[:LONGEST] for key, value in named.items() if value}
        step["Arguments"]["MetadataProperties"] = {**made_by, **known, **own}
    return changed
