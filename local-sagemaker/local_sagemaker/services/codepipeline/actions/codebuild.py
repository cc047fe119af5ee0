"""CodeBuild actions: a build of a project, from the action's artifacts to its artifacts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from local_sagemaker.api.operations import Call
from local_sagemaker.json_text import load
from local_sagemaker.records.delivery_status import BuildStatus
from local_sagemaker.services.codebuild.builds import PipelineOrder
from local_sagemaker.services.codepipeline.actions.action import ActionArtifacts, ActionResult, ActionWork
from local_sagemaker.services.codepipeline.errors import ActionFailure

StartBuild = Callable[[str, PipelineOrder], str]


class BuildAction:
    """Starts a build, or a batch of builds, once for each action, and waits for its end."""

    def __init__(self, call: Call, start: StartBuild, start_batch: StartBuild, artifacts: ActionArtifacts) -> None:
        self._call, self._start, self._start_batch, self._artifacts = call, start, start_batch, artifacts

    def __call__(self, work: ActionWork) -> ActionResult:
        """The build's outcome is the action's; its artifacts are those that the build made."""
        batch = work.configuration.get("BatchEnabled") == "true"
        places = {name: work.place(name) for name in work.outputs}
        external = work.external
        if "externalExecutionId" not in external:
            start = self._start_batch if batch else self._start
            identity = start(work.configuration["ProjectName"], self._order(work, places))
            external = {"externalExecutionId": identity}
            work.note(external)
        identity = external["externalExecutionId"]
        while True:
            build = self._find_batch(identity) if batch else self._find(identity)
            if build is None:
                raise ActionFailure(f"The build {identity} does not exist any more.", "JobFailed")
            if build["buildComplete"]:
                made = {name: place for name, place in places.items() if self._artifacts.exists(place)}
                return self._result(build, external, made)
            work.pause()

    def _find(self, identity: str) -> dict[str, Any] | None:
        return next(iter(self._call("codebuild:BatchGetBuilds", {"ids": [identity]})["builds"]), None)

    def _find_batch(self, identity: str) -> dict[str, Any] | None:
        """A batch with a build's members. It exports no variables: each of its builds has its own."""
        batches = self._call("codebuild:BatchGetBuildBatches", {"ids": [identity]})["buildBatches"]
        return (
            {**batches[0], "buildComplete": batches[0]["complete"], "buildStatus": batches[0]["buildBatchStatus"]}
            if batches
            else None
        )

    @staticmethod
    def _order(work: ActionWork, places: dict[str, dict[str, str]]) -> PipelineOrder:
        settings = work.configuration
        primary = settings.get("PrimarySource") or next(iter(work.inputs))
        names = [primary, *(name for name in work.inputs if name != primary)]
        revisions = [row["revisionId"] for row in work.execution["artifactRevisions"] if row["name"] == primary]
        return PipelineOrder(
            initiator=f"codepipeline/{work.structure['name']}",
            token=work.token,
            sources=[(name, *work.inputs[name]) for name in names],
            artifacts=[(name, place["bucket"], place["key"]) for name, place in places.items()],
            version=revisions[0] if revisions else "",
            variables=_variables(settings.get("EnvironmentVariables", "[]")),
            combined=settings.get("CombineArtifacts") == "true",
        )

    @staticmethod
    def _result(build: dict[str, Any], external: dict[str, str], places: dict[str, dict[str, str]]) -> ActionResult:
        if build["buildStatus"] != BuildStatus.SUCCEEDED:
            contexts = [context for phase in build["phases"] for context in phase.get("contexts", [])]
            words = [context["message"] for context in contexts if context.get("message")]
            text = f"Build terminated with state: {build['buildStatus']}. {' '.join(words)}".strip()
            raise ActionFailure(text, "JobFailed")
        rows = build.get("exportedEnvironmentVariables", [])
        variables = {row["name"]: row["value"] for row in rows}
        return ActionResult(external=external, artifacts=places, variables=variables)


def _variables(text: str) -> list[dict[str, str]]:
    try:
        rows = load(text)
        return [{"name": row["name"], "value": row["value"], "type": row.get("type", "PLAINTEXT")} for row in rows]
    except (ValueError, KeyError, TypeError) as error:
        text = "EnvironmentVariables must be a JSON array of objects with name and value."
        raise ActionFailure(text, "ConfigurationError") from error
