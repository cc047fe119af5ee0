"""What an execution of a pipeline costs on AWS: the sum over its steps of duration x instances x price, and storage.

Everything is in the pipeline's definition and in the list of its steps, so that no right is needed beside those to
follow an execution.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pipelines import conditions, progress
from pipelines.cost import prices
from pipelines.cost.estimate import HOURS_OF_MONTH, CostItem, Estimate
from pipelines.cost.prices import PriceTable, UnknownPriceError
from pipelines.definition import Definition, Step, steps

if TYPE_CHECKING:
    from pipelines.session import AwsClients

STORAGE = "instance storage"
WITH_ENDPOINT = ("MODEL_BIAS", "MODEL_EXPLAINABILITY")
"""The managed checks that Clarify makes an endpoint of the model for, as long as they run."""
MINUTES_ON_AWS = 5.0
"""What a small job takes there from the image's load to the upload of its results: an assumption, no measurement."""
UNCOUNTED = ("Lambda", "Callback", "EMR", "AutoML", "EMRServerless", "NotebookJob")
ASSUMPTIONS = (
    "a job takes as long as its step took; what AWS needs to start an instance is not billed",
    "without requests to S3, data transfer, free tiers and savings plans",
)


@dataclass(frozen=True)
class StepFleet:
    """The instances of a step's job."""

    instance: str
    count: float
    gigabytes: float


def estimate_run(
    definition: Definition,
    run: Mapping[str, Step],
    parameters: Mapping[str, Any],
    table: PriceTable,
    minutes: float = 0.0,
) -> Estimate:
    """Of an execution that has ended.

    :param run: the execution's steps by name, as ListPipelineExecutionSteps lists them.
    :param parameters: the execution's own parameters.
    :param minutes: that a job takes at least, to load its image and data: on one machine that takes no time.
    """
    defaults = {item["Name"]: item.get("DefaultValue") for item in definition.get("Parameters") or []}
    values = {**defaults, **parameters}
    hours: dict[str, float] = defaultdict(float)
    months, notes = 0.0, []
    for step in steps(definition):
        seconds = _seconds(run.get(step["Name"], {}))
        if not seconds:
            continue
        seconds = max(seconds, minutes * 60)
        if step["Type"] in UNCOUNTED:
            notes.append(f"{step['Name']} is not counted: {step['Type']} has no price here")
        for fleet in _fleets(step, values):
            if not _is_priced(table, fleet.instance):
                notes.append(f"{step['Name']} is not counted: the table has no price of {fleet.instance}")
                continue
            hours[fleet.instance] += seconds / 3600 * fleet.count
            months += seconds / 3600 / HOURS_OF_MONTH * fleet.gigabytes * fleet.count
    items = [CostItem(f"jobs on {instance}", instance, amount) for instance, amount in sorted(hours.items())]
    if months:
        items.append(CostItem("volumes of the jobs", STORAGE, months))
    least = (f"a job takes {minutes:g} minutes at least",) if minutes else ()
    return Estimate("This execution on AWS", "run", table, items, (*ASSUMPTIONS, *least, *notes))


def own_parameters(values: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters among the values that conditions compare (`conditions.read_parameters`)."""
    own = {name.removeprefix("Parameters."): value for name, value in values.items() if name.startswith("Parameters.")}
    return {name: json.loads(value) if str(value).startswith('"') else value for name, value in own.items()}


def read_run(clients: AwsClients, execution: str, minutes: float = 0.0) -> Estimate:
    """Of an execution of the account, also while it runs: of the steps that have ended."""
    response = clients.sagemaker.describe_pipeline_definition_for_execution(PipelineExecutionArn=execution)
    definition: Definition = json.loads(response["PipelineDefinition"])
    values = conditions.read_parameters(clients, definition, execution)
    run = progress.list_steps(clients.sagemaker, execution)
    return estimate_run(definition, run, own_parameters(values), prices.load(clients.region), minutes)


def _seconds(ran: Step) -> float:
    """How long a step's own job ran; 0 for one that did not run or whose results were reused."""
    if not ran.get("EndTime") or not ran.get("StartTime"):
        return 0.0
    if "CacheHitResult" in ran or "SelectiveExecutionResult" in ran:
        return 0.0
    return float((ran["EndTime"] - ran["StartTime"]).total_seconds())


def _fleets(step: Step, values: Mapping[str, Any]) -> Iterator[StepFleet]:
    """The job's instances, and those of the endpoint that a managed check of a model makes."""
    arguments = step["Arguments"] if isinstance(step["Arguments"], Mapping) else {}
    parallel = 1.0
    tuning = arguments.get("HyperParameterTuningJobConfig")
    if tuning:
        parallel = _number(tuning.get("ResourceLimits", {}).get("MaxParallelTrainingJobs"), values)
        arguments = arguments.get("TrainingJobDefinition", {})
    for place in (
        (arguments.get("ProcessingResources") or {}).get("ClusterConfig"),
        arguments.get("ResourceConfig"),
        arguments.get("TransformResources"),
    ):
        if not place or "InstanceType" not in place:
            continue
        instance = str(_value(place["InstanceType"], values))
        count = _number(place.get("InstanceCount", 1), values) * parallel
        yield StepFleet(instance, count, _number(place.get("VolumeSizeInGB", 0), values))
        if step["Type"] == "ClarifyCheck" and step.get("CheckType") in WITH_ENDPOINT:
            yield StepFleet(instance, 1, 0)


def _value(expression: Any, values: Mapping[str, Any]) -> Any:
    """A parameter's value, or the expression itself."""
    path = expression.get("Get", "") if isinstance(expression, Mapping) else ""
    return values.get(path.removeprefix("Parameters."), json.dumps(expression)) if path else expression


def _number(expression: Any, values: Mapping[str, Any]) -> float:
    try:
        return float(_value(expression, values))
    except (TypeError, ValueError):  # an output of another step
        return 1.0


def _is_priced(table: PriceTable, instance: str) -> bool:
    try:
        table.find(instance)
    except UnknownPriceError:
        return False
    return True
