"""Endpoints that live as long as a job needs a model: Clarify makes, queries and deletes one (contracts: clarify 6)."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from local_sagemaker.api.operations import Call, Resource
from local_sagemaker.clock import now
from local_sagemaker.endpoints.registry import EndpointRegistry as Hosting
from local_sagemaker.errors import MISSING, ServiceError
from local_sagemaker.model_servers.inference_pipeline import InferencePipeline
from local_sagemaker.records import Records
from local_sagemaker.records.kinds import ENDPOINT
from local_sagemaker.records.status import EndpointStatus

KIND = "temporary-endpoint"
_LONGEST = 63  # of an endpoint's name
_QUICK, _PAUSE = 2.0, 0.1  # seconds


class TemporaryEndpointService(Resource):
    """Implements `jobs.spec.TemporaryEndpoints`."""

    def __init__(self, *, records: Records, call: Call, hosting: Hosting) -> None:
        self._records, self._call, self._hosting = records, call, hosting
        # Looked up now, since jobs that are resumed, or requests, may make others before `resume` is called.
        self._interrupted = records.items(KIND)

    @contextmanager
    def of(self, model: str, predictor: Mapping[str, Any]) -> Iterator[str]:
        """An endpoint of a model, by the ``predictor`` of an analysis; its address. Deleted in any case.

        Raises ServiceError, with the FailureReason, when the endpoint does not come into service.
        """
        ending = f"{int(now())}-{secrets.token_hex(2)}"
        config = f"sm-clarify-config-{ending}"
        prefix = f"{predictor.get('endpoint_name_prefix') or 'sm-clarify'}-{model}"
        name = f"{prefix[: _LONGEST - len(ending) - 1]}-{ending}"
        self._records.put(KIND, name, {"config": config})
        chain: InferencePipeline | None = None
        try:
            self._create(name, config, model, predictor)
            urls = self._urls(name)
            chain = InferencePipeline(urls) if len(urls) > 1 else None
            yield chain.url if chain else urls[0]
        finally:
            if chain:
                chain.close()
            self._delete(name, config)

    def resume(self) -> None:
        """Deletes those of jobs that a crash of the service interrupted: the jobs run again and make their own.

        Nothing runs of them any more; `Endpoints.resume`, which comes later, removes what is Deleting.
        """
        interrupted, self._interrupted = self._interrupted, []
        for name, body in interrupted:
            with self._records.transaction():
                self._records.update(
                    ENDPOINT.kind, name, lambda endpoint: endpoint | {ENDPOINT.status: EndpointStatus.DELETING}
                )
                self._request_deletion("EndpointConfig", body["config"])
                self._records.delete(KIND, name)

    def reset(self) -> None:
        """Forgets what was interrupted, as its records are about to be removed."""
        self._interrupted = []

    def _create(self, name: str, config: str, model: str, predictor: Mapping[str, Any]) -> None:
        variant = {
            "VariantName": "AllTraffic",
            "ModelName": model,
            "InstanceType": predictor.get("instance_type") or "ml.m5.xlarge",
            "InitialInstanceCount": predictor.get("initial_instance_count") or 1,
        }
        self._call("sagemaker:CreateEndpointConfig", {"EndpointConfigName": config, "ProductionVariants": [variant]})
        self._call("sagemaker:CreateEndpoint", {"EndpointName": name, "EndpointConfigName": config})
        description: dict[str, Any] = {"EndpointStatus": EndpointStatus.CREATING}
        while (
            description["EndpointStatus"] == EndpointStatus.CREATING
        ):  # Describe itself waits for the change, a few seconds at first
            if "EndpointName" in description and now() - description["CreationTime"] > _QUICK:
                time.sleep(_PAUSE)
            description = self._call("sagemaker:DescribeEndpoint", {"EndpointName": name})
        if description["EndpointStatus"] != EndpointStatus.IN_SERVICE:
            raise ServiceError(description.get("FailureReason", f"Endpoint {name} is {description['EndpointStatus']}."))

    def _urls(self, name: str) -> list[str]:
        running = self._hosting.find(name)
        route = running.route if running else None
        if route is None:
            raise ServiceError(f"Endpoint {name} no longer exists.")
        return route.fleet.production[0].instances[0].urls

    def _delete(self, name: str, config: str) -> None:
        self._request_deletion("EndpointConfig", config)
        self._request_deletion("Endpoint", name)
        self._records.delete(KIND, name)

    def _request_deletion(self, noun: str, name: str) -> None:
        try:
            self._call(f"sagemaker:Delete{noun}", {f"{noun}Name": name})
        except MISSING:
            return
