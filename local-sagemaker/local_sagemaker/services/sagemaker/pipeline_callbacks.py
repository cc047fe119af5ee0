"""The two operations that bring back a Callback step's token: SendPipelineExecutionStepSuccess and ...StepFailure."""

from __future__ import annotations

from functools import partial

from local_sagemaker.api.operations import Request, Resource, Response, operation
from local_sagemaker.engine.callback_tokens import Deliveries, Delivery
from local_sagemaker.errors import ValidationError
from local_sagemaker.records import Records
from local_sagemaker.services.request_tokens import RequestTokens


class PipelineCallbacks(Resource):
    """Delivers results to steps. Nothing runs here: the written result wakes the execution."""

    def __init__(self, *, records: Records) -> None:
        self._deliveries, self._tokens = Deliveries(records), RequestTokens(records)

    @operation("SendPipelineExecutionStepSuccess")
    def succeed(self, request: Request) -> Response:
        """Completes the step with its outputs, which the step checks against what it declares."""
        outputs = request.get("OutputParameters", [])
        values = {output["Name"]: output["Value"] for output in outputs}
        if len(values) < len(outputs):
            raise ValidationError("The names of OutputParameters must be unique.")
        return self._deliver("SendPipelineExecutionStepSuccess", request, Delivery(True, values))

    @operation("SendPipelineExecutionStepFailure")
    def fail(self, request: Request) -> Response:
        """Fails the step; the reason becomes the step's."""
        outcome = Delivery(False, reason=request.get("FailureReason", ""))
        return self._deliver("SendPipelineExecutionStepFailure", request, outcome)

    def _deliver(self, name: str, request: Request, outcome: Delivery) -> Response:
        act = partial(self._deliveries.deliver, request["CallbackToken"], outcome)
        response, _ = self._tokens.once(name, request, lambda: {"PipelineExecutionArn": act()})
        return response
