"""Endpoints: created from a configuration, updated, scaled and deleted while they serve (contracts: containers 5).

A record holds what Describe shows and, as ``_spec``, what runs: configuration and models may be deleted since,
and after a restart of the service the endpoint comes back. `endpoints/` runs the processes.
"""

from __future__ import annotations

import threading
from typing import Any

from local_sagemaker.api.operations import Call, Request, Resource, Response, operation
from local_sagemaker.clock import now
from local_sagemaker.config import Settings
from local_sagemaker.endpoints.endpoint_spec import EndpointSpec
from local_sagemaker.endpoints.registry import EndpointRegistry as Hosting
from local_sagemaker.endpoints.running_endpoint import Update
from local_sagemaker.errors import MissingResource, NameTaken, ValidationError
from local_sagemaker.events import Event
from local_sagemaker.records import Records
from local_sagemaker.records.kinds import ENDPOINT
from local_sagemaker.records.own_members import own_endpoint
from local_sagemaker.records.status import EndpointStatus
from local_sagemaker.records.store import Body, public
from local_sagemaker.services.sagemaker import endpoint_records
from local_sagemaker.services.sagemaker.listing import pick
from local_sagemaker.services.sagemaker.resource_records import ResourceRecords
from local_sagemaker.services.sagemaker.tags import Tags

KIND = ENDPOINT.kind
_SERVING = (EndpointStatus.IN_SERVICE, EndpointStatus.UPDATING, EndpointStatus.ROLLING_BACK)
_PATIENCE = 3.0
"""Seconds after a change within which Describe waits for its end: boto3's waiters look only every 30 s."""


class Endpoints(Resource):
    """CreateEndpoint, Describe, List, Update, UpdateEndpointWeightsAndCapacities, Delete."""

    def __init__(self, *, settings: Settings, records: Records, tags: Tags, call: Call, hosting: Hosting) -> None:
        self._call = call
        self._endpoints = ResourceRecords(
            ENDPOINT, settings=settings, records=records, tags=tags,
            missing=lambda _, arn: MissingResource(f'Could not find endpoint "{arn}".'),
            taken=lambda _, arn: NameTaken(f'Cannot create already existing endpoint "{arn}".'),
        )  # fmt: skip
        self._hosting = hosting
        self._changed = threading.Condition()
        records.events.subscribe(self._notify)
        self._found = [body["EndpointName"] for body in records.list(KIND)]
        for body in records.list(KIND):
            if body["EndpointStatus"] in _SERVING:
                hosting.expect(body["EndpointName"])

    @operation("CreateEndpoint")
    def create(self, request: Request) -> Response:
        """Returns at once; the endpoint is Creating until its servers are healthy."""
        name = request["EndpointName"]
        arn = self._endpoints.arn(name)
        self._endpoints.refuse_taken(name)
        config = self._config(request["EndpointConfigName"])
        spec = endpoint_records.spec(name, arn, config, self._call)
        body = endpoint_records.new_record(spec, config, now())
        if "DeploymentConfig" in request:
            body["LastDeploymentConfig"] = request["DeploymentConfig"]
        self._endpoints.insert(body, request.get("Tags"))
        self._hosting.create(spec, self)
        return {"EndpointArn": arn}

    @operation("DescribeEndpoint")
    def describe(self, request: Request) -> Response:
        """The endpoint as it is; right after a change, as it is when the change has ended or three seconds passed."""
        body = self._endpoints.require(request["EndpointName"])
        name, deadline = body["EndpointName"], own_endpoint(body)["_changed"] + _PATIENCE
        with self._changed:
            while not EndpointStatus(body["EndpointStatus"]).is_final and (left := deadline - now()) > 0:
                self._changed.wait(left)
                body = self._endpoints.require(name)
        return endpoint_records.describe(public(body))

    @operation("ListEndpoints")
    def list_endpoints(self, request: Request) -> Response:
        """Newest first unless requested otherwise."""
        chosen, token = self._endpoints.page(request)
        members = ("EndpointName", "EndpointArn", "CreationTime", "LastModifiedTime", "EndpointStatus")
        return {"Endpoints": [pick(body, *members) for body in chosen], **token}

    @operation("UpdateEndpoint")
    def update(self, request: Request) -> Response:
        """Brings another configuration into service beside the one that runs, and moves the traffic."""
        body = self._idle(request["EndpointName"])
        name, arn = body["EndpointName"], body["EndpointArn"]
        config = self._config(request["EndpointConfigName"])
        if (
            config["EndpointConfigName"] == body["EndpointConfigName"]
            and body["EndpointStatus"] == EndpointStatus.IN_SERVICE
        ):
            raise ValidationError(
                f'Endpoint "{arn}" already uses endpoint configuration "{config["EndpointConfigName"]}": to update it, '
                "create another configuration."
            )
        spec = endpoint_records.spec(name, arn, config, self._call)
        if request.get("RetainAllVariantProperties"):
            excluded = {one["VariantPropertyType"] for one in request.get("ExcludeRetainedVariantProperties", ())}
            spec, config = endpoint_records.retain(spec, config, body, excluded)
        self._refuse_scaled(name, own_endpoint(body)["_config"], config)
        deployment = request.get("DeploymentConfig")
        if request.get("RetainDeploymentConfig"):
            deployment = body.get("LastDeploymentConfig")
        endpoint_records.check_deployment(deployment or {}, spec, EndpointSpec.from_record(own_endpoint(body)["_spec"]))

        def change(body: Body) -> None:
            endpoint_records.begin_update(body, spec, config, deployment, now())

        self._start_change(name, change)
        running = self._hosting.find(name)
        if running is None:
            self._hosting.create(spec, self)
        else:
            running.update(spec, deployment or {})
        return {"EndpointArn": arn}

    @operation("UpdateEndpointWeightsAndCapacities")
    def scale(self, request: Request) -> Response:
        """Changes shares of traffic and numbers of instances of the variants that run."""
        body = self._idle(request["EndpointName"])
        running = self._hosting.find(body["EndpointName"])
        if body["EndpointStatus"] != EndpointStatus.IN_SERVICE or running is None:
            raise ValidationError(f'Cannot update endpoint "{body["EndpointArn"]}": it is {body["EndpointStatus"]}.')
        wanted = request["DesiredWeightsAndCapacities"]
        spec = endpoint_records.scale(
            EndpointSpec.from_record(own_endpoint(body)["_spec"]), wanted, body["EndpointArn"]
        )

        def change(body: Body) -> None:
            endpoint_records.scaling(body, spec, now())

        self._start_change(body["EndpointName"], change)
        running.scale(spec)
        return {"EndpointArn": body["EndpointArn"]}

    @operation("DeleteEndpoint")
    def delete(self, request: Request) -> Response:
        """Ends the endpoint when its requests are served; its name is free then."""
        body = self._idle(request["EndpointName"])

        def change(body: Body) -> None:
            body["EndpointStatus"] = EndpointStatus.DELETING

        self._start_change(body["EndpointName"], change)
        running = self._hosting.find(body["EndpointName"])
        if running is None:
            self.on_remove(body["EndpointName"])
        else:
            running.delete()
        return {}

    def progress(self, name: str, stage: str, share: float) -> None:
        """A deployment got further."""
        self._endpoints.update(name, lambda body: endpoint_records.record_progress(body, stage, share, now()))

    def on_return(self, name: str) -> None:
        """Requests need not wait any longer for what served before the service ended."""
        self._hosting.on_return(name)

    def on_settle(self, name: str, status: str, reason: str | None, spec: EndpointSpec | None) -> None:
        """A change has ended."""
        self._hosting.on_return(name)
        self._endpoints.update(name, lambda body: endpoint_records.settle(body, status, reason, spec, now()))

    def on_remove(self, name: str) -> None:
        """The endpoint no longer exists."""
        self._hosting.forget(name)
        self._endpoints.delete(name)

    def resume(self) -> None:
        """Brings back what ran when the service ended, and carries on the change that was under way."""
        for name in self._found:
            body = self._endpoints.find(name)
            if body is None or self._hosting.find(name):
                continue  # deleted or updated since the start
            if body["EndpointStatus"] == EndpointStatus.DELETING:
                self.on_remove(name)
            elif body["EndpointStatus"] != EndpointStatus.FAILED:
                self._bring_back(body)

    def _bring_back(self, body: Body) -> None:
        running, coming = EndpointSpec.from_record(own_endpoint(body)["_spec"]), own_endpoint(body).get("_next")
        if coming is None or body["EndpointStatus"] == EndpointStatus.ROLLING_BACK:
            self._hosting.create(running, self)
        elif "PendingDeploymentSummary" in body:
            update = Update(EndpointSpec.from_record(coming["spec"]), body.get("LastDeploymentConfig", {}))
            self._hosting.create(running, self, update)
        else:  # other weights or numbers of instances: the fleet is started with them
            self._hosting.create(EndpointSpec.from_record(coming["spec"]), self)

    def reset(self) -> None:
        """Ends all endpoints."""
        self._hosting.reset()

    def close(self) -> None:
        """Ends all endpoints; they come back at the next start."""
        self._hosting.close()

    def _refuse_scaled(self, name: str, old: Body, new: Body) -> None:
        """A variant whose instances policies change must stay as it is (text: AWS's, of public threads)."""
        kept = {variant["VariantName"]: variant.get("InstanceType") for variant in new["ProductionVariants"]}
        removed = {
            f"endpoint/{name}/variant/{variant['VariantName']}": variant["VariantName"]
            for variant in old["ProductionVariants"]
            if kept.get(variant["VariantName"]) != variant.get("InstanceType")
        }
        if not removed:
            return
        request = {"ServiceNamespace": "sagemaker", "ResourceIds": list(removed)}
        targets = self._call("application-autoscaling:DescribeScalableTargets", request)["ScalableTargets"]
        scaled = [f'"{removed[target["ResourceId"]]}"' for target in targets if target["ResourceId"] in removed]
        if scaled:
            raise ValidationError(
                f'The variant(s) "[{",".join(scaled)}]" must be deregistered as scalable target with AutoScaling '
                "before they can be removed or have their instance type updated."
            )

    def _config(self, name: str) -> Body:
        return self._call("sagemaker:DescribeEndpointConfig", {"EndpointConfigName": name})

    def _start_change(self, name: str, change: Any) -> None:
        """Changes the record at the start of a change; refused when another one is under way by now, or has ended the
        endpoint."""

        def apply(body: Body) -> None:
            self._refuse_changing(body)
            change(body)
            body["LastModifiedTime"] = now()
            own_endpoint(body)["_changed"] = (
                0 if "BlueGreenUpdatePolicy" in str(body.get("LastDeploymentConfig")) else now()
            )

        if self._endpoints.update(name, apply) is None:
            self._endpoints.require(name)

    def _idle(self, name: str) -> Body:
        """An endpoint that is not being changed."""
        body = self._endpoints.require(name)
        self._refuse_changing(body)
        return body

    def _refuse_changing(self, body: Body) -> None:
        if not EndpointStatus(body["EndpointStatus"]).is_final:
            raise ValidationError(f'Cannot update in-progress endpoint "{body["EndpointArn"]}".')

    def _notify(self, event: Event) -> None:
        if event.kind == KIND:
            with self._changed:
                self._changed.notify_all()
