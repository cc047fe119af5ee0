"""BatchPutMetrics and BatchGetMetrics: values of trial components' metrics (SDK v2's `Run.log_metric`)."""

from __future__ import annotations

import math
from typing import Any

from local_sagemaker import arns
from local_sagemaker.api.operations import Call, Request, Resource, Response, operation
from local_sagemaker.clock import now
from local_sagemaker.errors import NotSupported, ServiceError
from local_sagemaker.records.store import Body
from local_sagemaker.services.sagemaker.component_metrics import ComponentMetrics, statistic

_OLDEST, _NEWEST = 14 * 86400, 2 * 3600
"""Seconds before and after now that a value's time may have (SDK v2)."""
_COMPONENT = "experiment-trial-component/"


class MetricValues(Resource):
    """The two operations."""

    def __init__(self, *, metrics: ComponentMetrics, call: Call) -> None:
        self._metrics, self._call = metrics, call

    @operation("BatchPutMetrics")
    def put(self, request: Request) -> Response:
        """Keeps what is valid; says of each other value why it is not, by its index."""
        component = self._component(request["TrialComponentName"])
        values = request["MetricData"]
        wrong = [index for index, value in enumerate(values) if component is None or not _is_valid(value)]
        if component is not None:
            self._metrics.add(component, [value for index, value in enumerate(values) if index not in wrong])
        errors = [{"Code": "VALIDATION_ERROR", "MetricIndex": index} for index in wrong]
        return {"Errors": errors} if errors else {}

    @operation("BatchGetMetrics")
    def get(self, request: Request) -> Response:
        """The values of each query by iteration."""
        return {"MetricQueryResults": [self._evaluate(query) for query in request["MetricQueries"]]}

    def _evaluate(self, query: Body) -> Body:
        if (query["XAxisType"], query["Period"]) != ("IterationNumber", "IterationNumber"):
            raise NotSupported(
                "An XAxisType or a Period of time is not supported by the local service, which has IterationNumber: "
                "which unit and beginning AWS gives the periods of time is not documented."
            )
        none: Body = {"XAxisValues": [], "MetricValues": []}
        resource = arns.resource(query["ResourceArn"])
        component = self._component(resource.removeprefix(_COMPONENT)) if resource.startswith(_COMPONENT) else None
        if component is None:
            return {"Status": "ValidationError", "Message": f"There is no {query['ResourceArn']}.", **none}
        steps: dict[int, list[float]] = {}
        for value in self._metrics.values(component["TrialComponentName"], query["MetricName"]):
            if "Step" in value and query.get("Start", 0) <= value["Step"] <= query.get("End", value["Step"]):
                steps.setdefault(value["Step"], []).append(value["Value"])
        ordered = sorted(steps)
        return {
            "Status": "Complete",
            "XAxisValues": ordered,
            "MetricValues": [statistic(query["MetricStat"], steps[step]) for step in ordered],
        }

    def _component(self, name: str) -> Body | None:
        """A component as DescribeTrialComponent shows it, None where there is none."""
        try:
            return self._call("sagemaker:DescribeTrialComponent", {"TrialComponentName": name})
        except ServiceError:
            return None


def _is_valid(value: dict[str, Any]) -> bool:
    return math.isfinite(value["Value"]) and now() - _OLDEST <= value["Timestamp"] <= now() + _NEWEST
