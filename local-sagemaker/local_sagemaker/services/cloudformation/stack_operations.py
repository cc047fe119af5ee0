"""What requests begin to do to a stack: once for each token, and worked on from then on."""

from __future__ import annotations

from collections.abc import Callable

from local_sagemaker.api.operations import Request, Response
from local_sagemaker.cloudformation.errors import TemplateError
from local_sagemaker.records import Records
from local_sagemaker.records.delivery_status import StackStatus
from local_sagemaker.records.store import Body
from local_sagemaker.services.cloudformation.stack_runs import StackRuns
from local_sagemaker.services.cloudformation.stack_store import StackStore
from local_sagemaker.services.request_tokens import RequestTokens, TokenRules


def _token_exists(_member: str, _operation: str, _request: Request) -> TemplateError:
    """The code and text of CloudFormation's model for a token of another operation or request."""
    return TemplateError("A client request token already exists.", code="TokenAlreadyExistsException", status=400)


class StackOperations:
    """Begins operations on stacks. A token belongs to one operation of one stack, as long as that exists."""

    def __init__(self, *, records: Records, store: StackStore, runs: StackRuns) -> None:
        self._store, self._runs = store, runs
        self._tokens = RequestTokens(records, TokenRules(mismatch=_token_exists, shared="cloudformation"))

    def earlier(self, operation: str, request: Request, name: str) -> Response | None:
        """The response of the same request before. Raises TokenAlreadyExistsException when it was another one."""
        return self._tokens.earlier(operation, request, scope=name, exists=self._exists)

    def begin(self, operation: str, request: Request, stack: Body, act: Callable[[], object]) -> Response:
        """Does what the request begins, for which nothing is run yet, and lets the stack be worked on."""
        response = {"StackId": stack["StackId"]}

        def act_and_respond() -> Response:
            act()
            return response

        response, new = self._tokens.once(
            operation, request, act_and_respond, scope=stack["StackName"], exists=self._exists
        )  # fmt: skip
        if new:
            self._runs.start(stack["StackId"])
        return response

    def _exists(self, response: Response) -> bool:
        stack = self._store.find(response["StackId"])
        return stack is not None and stack["StackStatus"] != StackStatus.DELETE_COMPLETE
