"""Experiments and trials: what the executions of a pipeline are grouped under."""

from __future__ import annotations

from local_sagemaker.api.operations import Request, Resource, Response, operation
from local_sagemaker.config import Settings
from local_sagemaker.errors import ValidationError
from local_sagemaker.records import Records, kinds
from local_sagemaker.records.store import Body
from local_sagemaker.services.sagemaker.experiment_entities import Entities
from local_sagemaker.services.sagemaker.listing import pick
from local_sagemaker.services.sagemaker.tags import Tags

ASSOCIATION = "trial-component-association"


def association(trial: str, component: str) -> str:
    """The record key of a trial component's place in a trial."""
    return f"{trial.lower()}/{component.lower()}"


class Experiments(Resource):
    """Operations on experiments and on the trials in them."""

    def __init__(self, *, settings: Settings, records: Records, tags: Tags) -> None:
        self._records = records
        self._experiments = Entities(kinds.EXPERIMENT, settings=settings, records=records, tags=tags)
        self._trials = Entities(kinds.TRIAL, settings=settings, records=records, tags=tags)

    @operation("CreateExperiment", atomic=True)
    def create(self, request: Request) -> Response:
        """Adds an experiment."""
        return self._experiments.create(request)

    @operation("DescribeExperiment")
    def describe(self, request: Request) -> Response:
        """One experiment."""
        return self._experiments.require(request["ExperimentName"])

    @operation("ListExperiments")
    def list_experiments(self, request: Request) -> Response:
        """All experiments, newest first."""
        return self._experiments.list_page(request)

    @operation("UpdateExperiment", atomic=True)
    def update(self, request: Request) -> Response:
        """Changes display name and description."""
        changes = pick(request, "DisplayName", "Description")
        return self._experiments.change(request["ExperimentName"], lambda body: body.update(changes))

    @operation("DeleteExperiment", atomic=True)
    def delete(self, request: Request) -> Response:
        """Removes an experiment that has no trials."""
        name = request["ExperimentName"]
        if self._trials_of(name):
            raise ValidationError(f"Experiment '{self._experiments.arn(name)}' has trials; delete them first.")
        return self._experiments.remove(name)

    @operation("CreateTrial", atomic=True)
    def create_trial(self, request: Request) -> Response:
        """Adds a trial to an experiment that exists."""
        experiment = self._experiments.require(request["ExperimentName"])
        return self._trials.create({**request, "ExperimentName": experiment["ExperimentName"]})

    @operation("DescribeTrial")
    def describe_trial(self, request: Request) -> Response:
        """One trial."""
        return self._trials.require(request["TrialName"])

    @operation("ListTrials")
    def list_trials(self, request: Request) -> Response:
        """Trials, of one experiment or with one component if requested, newest first."""
        equals: Body = {}
        if "ExperimentName" in request:
            equals = pick(self._experiments.require(request["ExperimentName"]), "ExperimentName")
        if "TrialComponentName" not in request:
            return self._trials.list_page(request, equals=equals)
        component = request["TrialComponentName"]
        bodies = [
            body
            for body in self._trials.all()
            if equals.items() <= body.items()
            and self._records.get(ASSOCIATION, association(body["TrialName"], component))
        ]
        return self._trials.list_among(bodies, request)

    @operation("UpdateTrial", atomic=True)
    def update_trial(self, request: Request) -> Response:
        """Changes the display name."""
        changes = pick(request, "DisplayName")
        return self._trials.change(request["TrialName"], lambda body: body.update(changes))

    @operation("DeleteTrial", atomic=True)
    def delete_trial(self, request: Request) -> Response:
        """Removes a trial that no component is associated with."""
        name = request["TrialName"]
        self._trials.require(name)
        if self._records.has_any(ASSOCIATION, association(name, "")):
            raise ValidationError(f"Trial '{self._trials.arn(name)}' has trial components; disassociate them first.")
        return self._trials.remove(name)

    def _trials_of(self, experiment: str) -> list[Body]:
        return [body for body in self._trials.all() if body["ExperimentName"].lower() == experiment.lower()]
