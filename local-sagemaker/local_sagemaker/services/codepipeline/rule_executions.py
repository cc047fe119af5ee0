"""What became of the rules of conditions, as ListRuleExecutions has it."""

from __future__ import annotations

from local_sagemaker.api.operations import Request, Resource, Response, operation
from local_sagemaker.services.codepipeline.errors import invalid_token
from local_sagemaker.services.codepipeline.pipeline_store import PipelineStore
from local_sagemaker.services.pagination import page_rows


class RuleExecutions(Resource):
    """ListRuleExecutions."""

    def __init__(self, *, store: PipelineStore) -> None:
        self._store = store

    @operation("ListRuleExecutions")
    def list(self, request: Request) -> Response:
        """Of a pipeline or one of its executions, the newest first."""
        name, chosen = request["pipelineName"], request.get("filter", {})
        self._store.pipeline(name)
        latest = chosen.get("latestInPipelineExecution", {})
        identity = chosen.get("pipelineExecutionId") or latest.get("pipelineExecutionId")
        if identity:
            self._store.execution(name, identity)
        bodies = self._store.rules(name, identity)[::-1]
        if latest.get("startTimeRange") == "Latest":
            newest = {(body["stageName"], body["ruleName"]): body for body in reversed(bodies)}
            bodies = [body for body in bodies if newest[body["stageName"], body["ruleName"]] is body]
        rows, more = page_rows(bodies, request, invalid_token)
        return {"ruleExecutionDetails": rows, **more}
