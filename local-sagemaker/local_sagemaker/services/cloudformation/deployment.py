"""One operation of one stack: its resources are made, changed, replaced and deleted, or set back.

See contracts: delivery 2.3.

Everything that is done is written down before and after: after a crash the same operation goes through its resources
again, and what was made already is found by its name.
"""

from __future__ import annotations

import logging
import re
import threading
import uuid
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import replace

from local_sagemaker.clock import now
from local_sagemaker.cloudformation import dependencies, intrinsics
from local_sagemaker.cloudformation.comparison import Change, change
from local_sagemaker.cloudformation.errors import TemplateError
from local_sagemaker.cloudformation.template import ResourceDeclaration
from local_sagemaker.errors import ServiceError
from local_sagemaker.records.delivery_members import StackResourceRecord, own_resource
from local_sagemaker.records.delivery_status import StackStatus
from local_sagemaker.records.store import Body
from local_sagemaker.services.cloudformation import resource_creation, stack_policies
from local_sagemaker.services.cloudformation.handlers import HANDLERS
from local_sagemaker.services.cloudformation.handlers.handler import (
    Cancelled,
    DeploymentContext,
    Identity,
    MadeByAnother,
)
from local_sagemaker.services.cloudformation.resource_history import KEPT, existing_before, is_touched, state
from local_sagemaker.services.cloudformation.scopes import Scopes
from local_sagemaker.services.cloudformation.stack_store import StackStore

log = logging.getLogger(__name__)
TICK = 0.25
"""Seconds between two looks at a deadline."""
THREADS = 8
"""How many resources of a stack are worked on at once."""
REPLACING = "Requested update requires the creation of a new physical resource; hence creating one."
REPLACED_BY_PROVIDER = "Requested update required the provider to create a new physical resource"
Work = Callable[[str], None]


class StackDeployment:
    """Works on one stack in the calling thread. `ended` is set when the service stops: the work is left as it is.

    At `deadline`, a time of the service's clock, what is under way is cancelled; `timed_out` says so.
    """

    def __init__(
        self, stack_id: str, store: StackStore, scopes: Scopes, ended: threading.Event, deadline: float | None = None
    ) -> None:
        self._id, self._store, self._scopes, self._ended = stack_id, store, scopes, ended
        self._deadline, self.timed_out = deadline, False
        self._cancelled, self._taken_back = threading.Event(), False

    def cancel(self) -> None:
        """Begins nothing new, and lets what is under way end or be broken off."""
        self._taken_back = True
        self._cancelled.set()

    def apply(self, template_of: Body, verb: str) -> list[str]:
        """Makes the stack's resources what its template says; the logical ids of those that failed.

        `template_of` is the stack's body with the template and values to apply; `verb` is CREATE or UPDATE.
        """
        scope = self._scopes.scope(template_of)
        graph = dependencies.graph(scope)

        def work(logical: str) -> None:
            self._apply(scope.template.resources[logical], scope, template_of, verb)

        return self._walk(graph, work)

    def delete(
        self, logicals: Mapping[str, frozenset[str]], retained: tuple[str, ...] = (), *, new: bool = False
    ) -> list[str]:
        """Deletes resources in the reverse order of their dependencies; the logical ids of those that failed.

        `new` says that the stack's creation failed, which RetainExceptOnCreate is about.
        """
        waits: dict[str, set[str]] = {logical: set() for logical in logicals}
        for logical, needs in logicals.items():
            for need in needs & logicals.keys():
                waits[need].add(logical)
        graph = {logical: frozenset(others) for logical, others in waits.items()}
        return self._walk(graph, lambda logical: self._remove(logical, retained, new=new), stop=False)

    def set_back(self, before: Mapping[str, Body]) -> list[str]:
        """Undoes an update: each resource becomes what it was; the logical ids of those that failed.

        One that did not exist before is left to the clean-up.
        """
        now, earlier = self._store.resources(self._id), existing_before(before)
        changed = [name for name, body in earlier.items() if is_touched(now.get(name, {}), body)]
        return self._walk({name: frozenset() for name in changed}, lambda name: self._restore(name, earlier[name]))

    def _walk(self, graph: Mapping[str, frozenset[str]], work: Work, *, stop: bool = True) -> list[str]:
        """Does the work on each resource after those it waits for; `stop` begins nothing new after a failure."""
        waiting, done, failed = dict(graph), set[str](), list[str]()
        running: dict[Future[None], str] = {}
        with ThreadPoolExecutor(THREADS, thread_name_prefix="stack") as pool:
            while waiting or running:
                if not ((failed and stop) or self._taken_back or self._ended.is_set() or self.timed_out):
                    for logical in [name for name, needs in waiting.items() if needs <= done]:
                        del waiting[logical]
                        running[pool.submit(work, logical)] = logical
                if not running:
                    break
                if self._deadline is not None and not failed and now() > self._deadline:
                    self.timed_out = True
                    self._cancelled.set()
                tick = None if self._deadline is None else TICK
                for future in wait(running, tick, return_when=FIRST_COMPLETED).done:
                    logical = running.pop(future)
                    if future.exception() is None:
                        done.add(logical)
                        continue
                    failed.append(logical)
                    if stop:
                        self._cancelled.set()
                    if not isinstance(future.exception(), ServiceError | Cancelled):
                        log.error("stack %s: %s", self._id, logical, exc_info=future.exception())
                        self._break_off(logical)
        if self._ended.is_set():
            raise Cancelled
        return failed

    def _break_off(self, logical: str) -> None:
        """What the service itself could not do is a failure of the resource, too."""
        body = self._store.resource(self._id, logical)
        if body and body["ResourceStatus"].endswith("_IN_PROGRESS"):
            verb = body["ResourceStatus"].removesuffix("_IN_PROGRESS")
            self._store.put_resource(self._id, body, StackStatus(f"{verb}_FAILED"), "Internal Failure")

    def _context(self, resource: Body) -> DeploymentContext:
        cancelled = self._cancelled if not self._ended.is_set() else self._ended
        return self._scopes.context(self._id, resource["LogicalResourceId"], resource["ResourceType"], cancelled)

    def _apply(self, declared: ResourceDeclaration, scope: intrinsics.Scope, stack: Body, verb: str) -> None:
        logical = declared.logical
        before = self._store.resource(self._id, logical)
        resource = {
            "LogicalResourceId": logical, "ResourceType": declared.type.name,
            **StackResourceRecord(_policies=[declared.deletion_policy, declared.replace_policy]),
        }  # fmt: skip
        try:
            properties = self._scopes.with_tags(
                declared.type, intrinsics.evaluate(declared.properties, scope), stack, logical
            )
            if before is None or own_resource(before).get("_creating") or "PhysicalResourceId" not in before:
                self._create(resource, before, properties, "CREATE" if before is None or verb == "CREATE" else verb)
            else:
                policy = stack_policies.in_force(stack) if verb == "UPDATE" else None
                self._change(resource, before, properties, declared, policy)
        except Cancelled:
            current = self._store.resource(self._id, logical) or resource
            made = "PhysicalResourceId" in current and not own_resource(current).get("_creating")
            self._fail(logical, resource, verb, f"Resource {'update' if made else 'creation'} cancelled")
            raise
        except ServiceError as error:
            self._fail(logical, resource, verb, _reason(error))
            raise

    def _fail(self, logical: str, resource: Body, verb: str, reason: str) -> None:
        if self._ended.is_set():
            return
        current = self._store.resource(self._id, logical) or resource
        verb = "CREATE" if own_resource(current).get("_creating") or "PhysicalResourceId" not in current else verb
        self._store.put_resource(self._id, current, StackStatus(f"{verb}_FAILED"), reason)

    def _create(self, resource: Body, attempt: Body | None, properties: Body, verb: str) -> None:
        """Makes a resource. Its name is written down first: after a crash, what has that name is it.

        Until just before the call that makes it, and when that call failed, what has the name is counted as another's.
        """
        handler = HANDLERS[resource["ResourceType"]]
        calls = resource_creation.CallsOfCreation(self._context(resource).call)
        context = replace(
            self._context(resource),
            call=calls, keep=lambda made: self._add_to_record(pending, _members_of(made)),
        )  # fmt: skip
        named = handler.with_name(context, {**properties, **own_resource(attempt or {}).get("_names", {})})
        names = {name: value for name, value in named.items() if name not in properties}
        pending = {**resource, **StackResourceRecord(_creating=True, _names=names, _properties=properties)}
        pending |= resource_creation.from_attempt(resource["ResourceType"], attempt)
        again = bool(attempt and own_resource(attempt).get("_creating") and not own_resource(attempt).get("_foreign"))
        foreign = StackResourceRecord() if again else StackResourceRecord(_foreign=True)
        self._store.put_resource(
            self._id, {**pending, **foreign}, StackStatus(f"{verb}_IN_PROGRESS"),
            REPLACING if "_replaced" in pending else "",
        )  # fmt: skip
        values, own_resource(pending)["_led_to"] = self._scopes.dynamic.resolve_and_note(named)
        if not again and resource_creation.is_free(resource["ResourceType"], context, values, names):
            self._add_to_record(pending, {})
        try:
            identity = self._make(pending, context, values, again=again)
        except Exception as error:
            perhaps = again or calls.made_anything or self._ended.is_set()
            if isinstance(error, MadeByAnother) or not perhaps:
                self._add_to_record(pending, {**StackResourceRecord(_foreign=True)})
            raise
        made = {**pending, **_members_of(identity)}
        own_resource(made).pop("_creating")
        if verb == "CREATE":
            self._store.note(self._id, made, StackStatus.CREATE_IN_PROGRESS, "Resource creation Initiated")
        self._store.put_resource(self._id, made, StackStatus(f"{verb}_COMPLETE"))

    def _make(self, pending: Body, context: DeploymentContext, values: Body, *, again: bool) -> Identity:
        """Makes what is pending; what was made with its record before a crash is that."""
        kind = pending["ResourceType"]
        if kind not in resource_creation.MADE_WITH_RECORD:
            return resource_creation.create_once(kind, context, values, again=again)
        if again and "PhysicalResourceId" in pending:
            return _identity(pending)
        resource_creation.load_models(kind)  # which may take a second
        with self._store.transaction():
            identity = resource_creation.create_once(kind, context, values, again=again)
            self._add_to_record(pending, _members_of(identity))
        return identity

    def _add_to_record(self, resource: Body, members: Body) -> None:
        """Writes down what has become known of a resource; its status stays."""
        record = self._store.resource(self._id, resource["LogicalResourceId"]) or {}
        status: Body = {name: record[name] for name in ("ResourceStatus", "LastUpdatedTimestamp") if name in record}
        self._store.keep_resource(self._id, {**resource, **status, **members})

    def _replace(self, resource: Body, before: Body, properties: Body) -> None:
        handler = HANDLERS[resource["ResourceType"]]
        name = handler.name_property
        earlier = own_resource(before)["_properties"]
        if name is not None and name in properties and properties[name] == earlier.get(name):
            raise TemplateError(
                "CloudFormation cannot update a stack when a custom-named resource requires replacing. Rename "
                f"{properties[name]} and update the stack again."
            )
        replaced = {key: before[key] for key in KEPT if key in before}
        attempt = StackResourceRecord(_replaced=[*own_resource(before).get("_replaced", []), replaced])
        self._create(resource, {**attempt}, properties, "UPDATE")

    def _change(
        self, resource: Body, before: Body, properties: Body, declared: ResourceDeclaration, policy: str | None
    ) -> None:
        earlier = self._scopes.dynamic.as_written(own_resource(before)["_properties"], properties)
        known = before["ResourceType"] == declared.type.name
        match change(declared.type, earlier, properties) if known else Change.REPLACE:
            case Change.REPLACE:
                stack_policies.check(policy, stack_policies.REPLACE, declared.logical, before["ResourceType"])
                self._replace(resource, before, properties)
            case Change.UPDATE:
                stack_policies.check(policy, stack_policies.MODIFY, declared.logical, before["ResourceType"])
                kept = {**resource, **{key: before[key] for key in KEPT if key in before}}
                self._update(kept, earlier, properties)
            case Change.NONE:
                policies = own_resource(resource)["_policies"]
                kept = {**before, **StackResourceRecord(_policies=policies, _properties=earlier)}
                if kept != before:
                    self._store.keep_resource(self._id, kept)

    def _update(self, resource: Body, before: Body, after: Body) -> None:
        handler, names = HANDLERS[resource["ResourceType"]], own_resource(resource).get("_names", {})
        self._store.put_resource(
            self._id,
            {**resource, **StackResourceRecord(_properties=before, _wanted=after)},
            StackStatus.UPDATE_IN_PROGRESS,
        )
        context = self._context(resource)
        noted = own_resource(resource).get("_led_to", {})
        present, wanted, led_to = self._scopes.dynamic.resolve_both({**before, **names}, {**after, **names}, noted)
        identity = handler.update(context, _identity(resource), present, wanted)
        updated = {**resource, **_members_of(identity), **StackResourceRecord(_properties=after, _led_to=led_to)}
        if identity.replaces:
            replaced = {key: resource[key] for key in KEPT if key in resource and key != "_replaced"}
            replaced |= StackResourceRecord(_properties=before)
            own_resource(updated)["_replaced"] = [*own_resource(resource).get("_replaced", []), replaced]
            self._store.note(self._id, updated, StackStatus.UPDATE_IN_PROGRESS, REPLACED_BY_PROVIDER)
        self._store.put_resource(self._id, updated, StackStatus.UPDATE_COMPLETE)

    def _restore(self, logical: str, before: Body) -> None:
        """Sets one resource back; a replacement's old resource remains, and the new one goes in the clean-up."""
        current = self._store.resource(self._id, logical)
        try:
            if current is None or current.get("PhysicalResourceId") != before["PhysicalResourceId"]:
                new = [{key: current[key] for key in KEPT if key in current}] if current else []
                restored = {
                    **before,
                    **StackResourceRecord(_replaced=[item for item in new if "PhysicalResourceId" in item]),
                }
                self._store.put_resource(self._id, restored, StackStatus.UPDATE_COMPLETE)
            elif "_wanted" not in current and state(current) == state(before):  # refused before it was begun
                self._store.put_resource(self._id, before, StackStatus.UPDATE_COMPLETE)
            else:
                present, earlier = own_resource(current)["_properties"], own_resource(before)["_properties"]
                wanted = own_resource(current).get("_wanted") or present
                self._update(
                    {**before, **{key: current[key] for key in KEPT if key in current}},
                    present if wanted == earlier else wanted,  # equal: a restart interrupted the setting back
                    earlier,
                )
        except ServiceError as error:
            self._store.put_resource(self._id, current or before, StackStatus.UPDATE_FAILED, _reason(error))
            raise

    def clean_up(self) -> None:
        """Deletes what was replaced; of a failure only an event stays (contracts: delivery 2.3)."""
        for logical, body in reversed(self._store.resources(self._id).items()):
            for old in own_resource(body).get("_replaced", []):
                self._delete_replaced(logical, body, old, retain=own_resource(body)["_policies"][1] == "Retain")
            if own_resource(body).get("_replaced"):
                settled = {key: value for key, value in body.items() if key != "_replaced"}
                self._store.keep_resource(self._id, settled)

    def _delete_replaced(self, logical: str, body: Body, old: Body, *, retain: bool) -> None:
        shown = {**old, "LogicalResourceId": logical, "ResourceType": old.get("ResourceType", body["ResourceType"])}
        if retain:
            self._store.note(self._id, shown, StackStatus.DELETE_SKIPPED)
            return
        self._store.note(self._id, shown, StackStatus.DELETE_IN_PROGRESS)
        try:
            properties = self._scopes.dynamic.known(
                {**own_resource(old)["_properties"], **own_resource(old).get("_names", {})}
            )
            HANDLERS[shown["ResourceType"]].delete(self._context(shown), _identity(old), properties)
            self._store.note(self._id, shown, StackStatus.DELETE_COMPLETE)
        except ServiceError as error:
            self._store.note(self._id, shown, StackStatus.DELETE_FAILED, _reason(error))

    def _remove(self, logical: str, retained: tuple[str, ...], *, new: bool) -> None:
        body = self._store.resource(self._id, logical)
        if body is None:
            return
        keeping = ("Retain",) if new else ("Retain", "RetainExceptOnCreate")
        if logical in retained or own_resource(body)["_policies"][0] in keeping:
            self._store.put_resource(self._id, body, StackStatus.DELETE_SKIPPED)
            self._store.drop_resource(self._id, logical)
            return
        self._store.put_resource(self._id, body, StackStatus.DELETE_IN_PROGRESS)
        try:
            handler, context = HANDLERS[body["ResourceType"]], self._context(body)
            own = own_resource(body)
            if "PhysicalResourceId" in body or (own.get("_creating") and not own.get("_foreign")):
                properties = self._scopes.dynamic.known({**own["_properties"], **own.get("_names", {})})
                with _nothing_of_a_refused_name("PhysicalResourceId" in body):
                    handler.delete(context, _identity(body), properties)
        except ServiceError as error:
            self._store.put_resource(self._id, body, StackStatus.DELETE_FAILED, _reason(error))
            raise
        self._store.put_resource(self._id, body, StackStatus.DELETE_COMPLETE)
        self._store.drop_resource(self._id, logical)


_CODES = {
    "AccessDenied": "AccessDenied", "NotFound": "NotFound", "NoSuch": "NotFound", "AlreadyExists": "AlreadyExists",
    "InUse": "ResourceConflict", "Conflict": "ResourceConflict", "Throttl": "Throttling", "LimitExceeded":
    "ServiceLimitExceeded", "Validation": "InvalidRequest", "Invalid": "InvalidRequest",
}  # fmt: skip


def _members_of(identity: Identity) -> Body:
    return {
        "PhysicalResourceId": identity.physical,
        **StackResourceRecord(_reference=identity.reference or identity.physical, _attributes=identity.attributes),
    }


def _identity(body: Body) -> Identity:
    own = own_resource(body)
    return Identity(body.get("PhysicalResourceId", ""), own.get("_reference", ""), own.get("_attributes", {}))


@contextmanager
def _nothing_of_a_refused_name(made: bool) -> Iterator[None]:
    """A resource that was never made, of a name that its service refuses: there is nothing to delete."""
    try:
        yield
    except ServiceError as error:
        if made or not re.search("Validation|Invalid", error.code):
            raise


def _reason(error: ServiceError) -> str:
    """The status reason of a resource that failed, as resource handlers give it."""
    if isinstance(error, TemplateError):
        return error.message
    code = next((name for part, name in _CODES.items() if part in error.code), "GeneralServiceException")
    return (
        f'Resource handler returned message: "{error.message}" (RequestToken: {uuid.uuid4()}, HandlerErrorCode: {code})'
    )
