"""The stacks that are being worked on: a thread each, driven by the stack's status, so that a restart resumes them."""

from __future__ import annotations

import logging
import threading
from typing import Any

from local_sagemaker.api.operations import Call
from local_sagemaker.background import log_failure
from local_sagemaker.clock import now
from local_sagemaker.cloudformation import dependencies, intrinsics
from local_sagemaker.cloudformation.errors import TemplateError
from local_sagemaker.errors import ServiceError
from local_sagemaker.records.delivery_members import StackRecord, own_stack
from local_sagemaker.records.delivery_status import StackStatus
from local_sagemaker.records.store import Body
from local_sagemaker.services.cloudformation import stack_policies
from local_sagemaker.services.cloudformation.deployment import StackDeployment
from local_sagemaker.services.cloudformation.handlers.handler import Cancelled
from local_sagemaker.services.cloudformation.resource_history import existing_before
from local_sagemaker.services.cloudformation.scopes import Scopes
from local_sagemaker.services.cloudformation.stack_store import StackStore, key_of

log = logging.getLogger(__name__)
TAKEN_OVER = (
    "_template", "_values", "Parameters", "Tags", "Capabilities", "Description", "NotificationARNs", "RoleARN",
    "RollbackConfiguration", "ChangeSetId",
)  # fmt: skip
"""What an update changes of a stack's own body; what it was before comes back with a rollback."""
_NO_POLICIES: dict[str, Any] = dict.fromkeys(("_policy_next", "_policy_during"))
_NO_UPDATE: dict[str, Any] = dict.fromkeys(("_next", "_before", "_before_body"))


class StackRuns:
    """Starts and resumes the work on stacks. One thread a stack."""

    def __init__(self, store: StackStore, scopes: Scopes, call: Call) -> None:
        self._store, self._scopes, self._call = store, scopes, call
        self._ended = threading.Event()
        self._threads: dict[str, threading.Thread] = {}
        self._deployments: dict[str, StackDeployment] = {}
        self._lock = threading.Lock()
        store.subscribe(self._publish)

    def start(self, stack_id: str) -> None:
        """Works on a stack whose status says what is to be done, until its status is a final one."""
        with self._lock:
            if stack_id in self._threads:
                return
            thread = threading.Thread(target=self._run, args=(stack_id,), name=f"stack-{stack_id}", daemon=True)
            self._threads[stack_id] = thread
            thread.start()

    def cancel_update(self, stack_id: str, token: str | None) -> None:
        """Has an update taken back. Raises when none is under way."""

        def change(body: Body) -> None:
            if body["StackStatus"] != StackStatus.UPDATE_IN_PROGRESS:
                raise TemplateError("CancelUpdateStack cannot be called from current stack status")
            body.update({**StackRecord(_cancelling=True, _token=token)})

        self._store.update(stack_id, change)
        self.break_off(stack_id)

    def break_off(self, stack_id: str) -> None:
        """Has a creation or an update that is under way begin nothing new."""
        if deployment := self._deployments.get(stack_id):
            deployment.cancel()

    def resume(self) -> None:
        """Works on all stacks whose work was interrupted, and publishes what was not yet."""
        with log_failure(log, "notifications of stacks"):
            self._store.notifications.publish(self._call)
        for body in self._store.stacks():
            if body["StackStatus"] in STATES:
                self.start(body["StackId"])

    def close(self) -> None:
        """Ends all threads; the stacks stay as they are written down."""
        self._ended.set()
        with self._lock:
            threads = list(self._threads.values())
        for thread in threads:
            thread.join(timeout=10)

    def reset(self) -> None:
        """Ends all threads, for a service that continues empty."""
        self.close()
        self._ended.clear()

    def _run(self, stack_id: str) -> None:
        try:
            body = self._store.require(stack_id)
            while body["StackStatus"] in STATES and not self._ended.is_set():
                self._publish(stack_id)
                self._advance(body)
                body = self._store.require(stack_id)
        except Cancelled:
            log.info("the work on stack %s stops with the service", stack_id)
            return
        finally:
            self._publish(stack_id)
            with self._lock:
                self._threads.pop(stack_id, None)
        # What was begun since the last look found this thread still there, and started none.
        if not self._ended.is_set() and (last := self._store.find(stack_id)) and last["StackStatus"] in STATES:
            self.start(stack_id)

    def _publish(self, stack_id: str) -> None:
        with log_failure(log, "notifications of stack %s", stack_id):
            self._store.notifications.publish(self._call, key_of(stack_id))

    def _advance(self, body: Body) -> None:
        step = STATES[body["StackStatus"]]
        try:
            deadline = _deadline(body)
            step(self, body, StackDeployment(body["StackId"], self._store, self._scopes, self._ended, deadline))
        except Cancelled:
            raise
        except Exception as error:
            # What the service itself could not do ends the step, too: the stack is left in no status that nobody ends.
            if not isinstance(error, ServiceError):
                log.exception("stack %s: %s", body["StackId"], body["StackStatus"])
            reason = error.message if isinstance(error, ServiceError) else "Internal Failure"
            self._leave(body, _FAILED[body["StackStatus"]], reason)

    def _leave(self, body: Body, status: StackStatus, reason: str = "", **members: Any) -> bool:
        """Enters the next status; not where another request has changed the stack's, as a deletion does."""
        with self._store.transaction():
            if self._store.require(body["StackId"])["StackStatus"] != body["StackStatus"]:
                return False
            self._store.enter(body["StackId"], status, reason, **members)
            return True

    def _create(self, body: Body, deployment: StackDeployment) -> None:
        stack_id, reason = body["StackId"], ""
        self._deployments[stack_id] = deployment
        try:
            if self._store.require(stack_id)["StackStatus"] != body["StackStatus"]:  # to be deleted by now
                return
            failed = deployment.apply(body, "CREATE")
        finally:
            del self._deployments[stack_id]
        if deployment.timed_out:
            reason = "Stack creation time exceeded the specified timeout. "
        elif not failed:
            try:
                outputs, exports = self._outputs(body)
            except ServiceError as error:
                reason = error.message
            else:
                with self._store.transaction():
                    if self._leave(body, StackStatus.CREATE_COMPLETE, Outputs=outputs):
                        self._store.put_exports(stack_id, exports)
                return
        else:
            reason = f"The following resource(s) failed to create: [{', '.join(sorted(failed))}]. "
        on_failure = own_stack(body).get("_on_failure", "ROLLBACK")
        if on_failure == "DO_NOTHING":
            self._leave(body, StackStatus.CREATE_FAILED, reason)
        elif on_failure == "DELETE":
            self._leave(body, StackStatus.DELETE_IN_PROGRESS, f"{reason}Delete requested by user.")
        else:
            self._leave(body, StackStatus.ROLLBACK_IN_PROGRESS, f"{reason}Rollback requested by user.")

    def _outputs(self, body: Body) -> tuple[list[dict[str, Any]], dict[str, str]]:
        scope = self._scopes.scope(body)
        outputs, exports = [], {}
        for name, declared in scope.template.outputs.items():
            if "Condition" in declared and not intrinsics.condition(declared["Condition"], scope):
                continue
            value = intrinsics.output_text(intrinsics.evaluate(declared["Value"], scope))
            output = {"OutputKey": name, "OutputValue": self._scopes.dynamic.resolve(value)}
            if "Description" in declared:
                output["Description"] = declared["Description"]
            if "Export" in declared:
                export = str(intrinsics.evaluate(declared["Export"]["Name"], scope))
                output["ExportName"] = export
                exports[export] = output["OutputValue"]
            outputs.append(output)
        self._check_exports(body["StackId"], exports)
        return outputs, exports

    def _check_exports(self, stack_id: str, exports: dict[str, str]) -> None:
        for body in self._store.exports():
            name, own = body["Name"], body["ExportingStackId"] == stack_id
            if name in exports and not own:
                other = body["ExportingStackId"].split("/")[1]
                raise TemplateError(f"Export with name {name} is already exported by stack {other}.")
            if own and exports.get(name) != body["Value"]:
                users = self._store.importers(name)
                if users:
                    verb = "updated" if name in exports else "deleted"
                    raise TemplateError(f"Export {name} cannot be {verb} as it is in use by {' and '.join(users)}")

    def _roll_back(self, body: Body, deployment: StackDeployment) -> None:
        failed = deployment.delete(self._dependencies(body), new=True)
        if failed:
            self._store.enter(body["StackId"], StackStatus.ROLLBACK_FAILED, _failure_text(failed))
        else:
            self._store.enter(body["StackId"], StackStatus.ROLLBACK_COMPLETE)

    def _dependencies(self, body: Body, *names: str) -> dict[str, frozenset[str]]:
        """What the stack's resources (or those named) wait for; of those that the template lacks, nothing."""
        try:
            graph = dependencies.graph(self._scopes.scope(body))
        except ServiceError:  # a parameter of Systems Manager no longer exists: the order is lost, the deletion is not
            graph = {}
        existing = self._store.resources(body["StackId"])
        return {logical: graph.get(logical, frozenset()) for logical in names or existing}

    def _update(self, body: Body, deployment: StackDeployment) -> None:
        wanted = {**body, **own_stack(body)["_next"]}
        stack_id, reason = body["StackId"], ""
        self._deployments[stack_id] = deployment
        try:
            if own_stack(self._store.require(stack_id)).get("_cancelling"):  # before a restart, or just now
                deployment.cancel()
            failed = self._denied_removals(wanted) or deployment.apply(wanted, "UPDATE")
        finally:
            del self._deployments[stack_id]
        if not failed:
            try:
                self._complete_update(wanted)
            except ServiceError as error:
                reason = error.message
            else:
                return
        else:
            reason = (
                f"The following resource(s) failed to {self._verb(stack_id, failed)}: [{', '.join(sorted(failed))}]. "
            )
        with self._store.transaction():  # an update that is cancelled is taken back
            if own_stack(self._store.require(stack_id)).get("_cancelling"):
                self._take_back(stack_id)
            elif body.get("DisableRollback"):
                self._store.enter(stack_id, StackStatus.UPDATE_FAILED, reason)
            else:
                self._store.enter(stack_id, StackStatus.UPDATE_ROLLBACK_IN_PROGRESS, reason)

    def _take_back(self, stack_id: str) -> None:
        self._store.enter(stack_id, StackStatus.UPDATE_ROLLBACK_IN_PROGRESS, "User Initiated", _cancelling=None)

    def _complete_update(self, wanted: Body) -> None:
        outputs, exports = self._outputs(wanted)
        stack_id, members = wanted["StackId"], {name: wanted[name] for name in TAKEN_OVER if name in wanted}
        with self._store.transaction():  # an update is either complete or taken back
            own = own_stack(self._store.require(stack_id))
            if own.get("_cancelling"):
                self._take_back(stack_id)
                return
            self._store.put_exports(stack_id, exports)
            self._store.enter(
                stack_id, StackStatus.UPDATE_COMPLETE_CLEANUP_IN_PROGRESS, Outputs=outputs, **members,
                **_NO_POLICIES, _policy=own.get("_policy_next", own.get("_policy")),
            )  # fmt: skip

    def _denied_removals(self, wanted: Body) -> list[str]:
        """The logical ids of resources that the update would delete against the stack's policy, which fail it."""
        policy, stack_id, denied = stack_policies.in_force(wanted), wanted["StackId"], []
        kept = dependencies.graph(self._scopes.scope(wanted)) if policy else {}
        for logical, resource in self._store.resources(stack_id).items() if policy else ():
            if logical in kept:
                continue
            try:
                stack_policies.check(policy, stack_policies.DELETE, logical, resource["ResourceType"])
            except TemplateError as error:
                self._store.put_resource(stack_id, resource, StackStatus.UPDATE_FAILED, error.message)
                denied.append(logical)
        return denied

    def _verb(self, stack_id: str, failed: list[str]) -> str:
        resources = self._store.resources(stack_id)
        created = all(resources.get(name, {}).get("ResourceStatus") == StackStatus.CREATE_FAILED for name in failed)
        return "create" if created else "update"

    def _clean_up_update(self, body: Body, deployment: StackDeployment) -> None:
        """Deletes what the new template lacks, and what was replaced; no failure here fails the update."""
        deployment.clean_up()
        wanted = dependencies.graph(self._scopes.scope(body))
        removed = [name for name in self._store.resources(body["StackId"]) if name not in wanted]
        for logical in deployment.delete(
            self._dependencies({**body, **own_stack(body)["_before_body"]}, *removed) if removed else {}
        ):
            self._store.drop_resource(body["StackId"], logical)
        self._store.enter(body["StackId"], StackStatus.UPDATE_COMPLETE, "", **_NO_UPDATE)

    def _roll_back_update(self, body: Body, deployment: StackDeployment) -> None:
        skipped = own_stack(body).get("_skip") or []
        before = {name: resource for name, resource in own_stack(body)["_before"].items() if name not in skipped}
        for name in skipped:
            if name in own_stack(body)["_before"]:
                self._store.put_resource(body["StackId"], own_stack(body)["_before"][name], StackStatus.UPDATE_COMPLETE)
        failed = deployment.set_back(before)
        if failed:
            reason = f"The following resource(s) failed to update: [{', '.join(sorted(failed))}]. "
            self._store.enter(body["StackId"], StackStatus.UPDATE_ROLLBACK_FAILED, reason)
        else:
            status = StackStatus.UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS
            self._store.enter(body["StackId"], status, _skip=None, **_NO_POLICIES)

    def _clean_up_rollback(self, body: Body, deployment: StackDeployment) -> None:
        deployment.clean_up()
        existing = existing_before(own_stack(body)["_before"])
        new = [name for name in self._store.resources(body["StackId"]) if name not in existing]
        for logical in deployment.delete(
            self._dependencies({**body, **own_stack(body)["_next"]}, *new) if new else {}, new=True
        ):
            self._store.drop_resource(body["StackId"], logical)
        self._store.enter(body["StackId"], StackStatus.UPDATE_ROLLBACK_COMPLETE, "", **_NO_UPDATE)

    def _delete(self, body: Body, deployment: StackDeployment) -> None:
        stack_id = body["StackId"]
        for export in self._store.exports():
            users = self._store.importers(export["Name"]) if export["ExportingStackId"] == stack_id else []
            if users:
                text = f"Export {export['Name']} cannot be deleted as it is in use by {' and '.join(users)}"
                self._store.enter(stack_id, StackStatus.DELETE_FAILED, text)
                return
        deployment.clean_up()
        failed = deployment.delete(self._dependencies(body), tuple(own_stack(body).get("_retained", ())))
        if failed:
            self._store.enter(stack_id, StackStatus.DELETE_FAILED, _failure_text(failed))
            return
        self._store.put_exports(stack_id, {})
        self._store.enter(stack_id, StackStatus.DELETE_COMPLETE, DeletionTime=now())


def _deadline(body: Body) -> float | None:
    """Until when a stack may be created; other steps have no limit (API reference, CreateStack)."""
    minutes = body.get("TimeoutInMinutes")
    if not minutes or body["StackStatus"] != StackStatus.CREATE_IN_PROGRESS:
        return None
    return float(body["CreationTime"] + 60 * minutes)


def _failure_text(failed: list[str]) -> str:
    return f"The following resource(s) failed to delete: [{', '.join(sorted(failed))}]. "


STATES = {
    StackStatus.CREATE_IN_PROGRESS: StackRuns._create,
    StackStatus.ROLLBACK_IN_PROGRESS: StackRuns._roll_back,
    StackStatus.UPDATE_IN_PROGRESS: StackRuns._update,
    StackStatus.UPDATE_COMPLETE_CLEANUP_IN_PROGRESS: StackRuns._clean_up_update,
    StackStatus.UPDATE_ROLLBACK_IN_PROGRESS: StackRuns._roll_back_update,
    StackStatus.UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS: StackRuns._clean_up_rollback,
    StackStatus.DELETE_IN_PROGRESS: StackRuns._delete,
}
"""What is done in each status in which a stack is worked on."""
_FAILED = {
    StackStatus.CREATE_IN_PROGRESS: StackStatus.ROLLBACK_IN_PROGRESS,
    StackStatus.ROLLBACK_IN_PROGRESS: StackStatus.ROLLBACK_FAILED,
    StackStatus.UPDATE_IN_PROGRESS: StackStatus.UPDATE_ROLLBACK_IN_PROGRESS,
    StackStatus.UPDATE_COMPLETE_CLEANUP_IN_PROGRESS: StackStatus.UPDATE_COMPLETE,
    StackStatus.UPDATE_ROLLBACK_IN_PROGRESS: StackStatus.UPDATE_ROLLBACK_FAILED,
    StackStatus.UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS: StackStatus.UPDATE_ROLLBACK_COMPLETE,
    StackStatus.DELETE_IN_PROGRESS: StackStatus.DELETE_FAILED,
}
"""Where a stack is when a whole step fails, before any of its resources."""
