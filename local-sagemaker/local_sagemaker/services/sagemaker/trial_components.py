"""Trial components: the parameters, inputs, outputs and metrics of one stage of a trial, often of one job."""

from __future__ import annotations

import re
from contextlib import suppress

from local_sagemaker.api.operations import Request, Resource, Response, operation
from local_sagemaker.config import Settings
from local_sagemaker.errors import ServiceError, ValidationError
from local_sagemaker.records import Records, kinds
from local_sagemaker.records.store import Body
from local_sagemaker.services.sagemaker import job_components
from local_sagemaker.services.sagemaker.component_metrics import ComponentMetrics
from local_sagemaker.services.sagemaker.experiment_entities import Entities
from local_sagemaker.services.sagemaker.experiments import ASSOCIATION, association
from local_sagemaker.services.sagemaker.listing import pick
from local_sagemaker.services.sagemaker.tags import Tags

# SageMaker names the component of a job like this (Experiments guide); its source is that job.
_OF_JOB = re.compile(r"(.+)-aws-(training|processing|transform)-job", re.IGNORECASE)
_DELETED = "deleted-trial-component"
"""The kind of what remains of a job's component that was deleted, so that no request makes it again."""
_MAPS = ("Parameters", "InputArtifacts", "OutputArtifacts")


class TrialComponents(Resource):
    """Operations on trial components and their places in trials."""

    def __init__(self, *, settings: Settings, records: Records, tags: Tags) -> None:
        self._records = records
        self._components = Entities(kinds.TRIAL_COMPONENT, settings=settings, records=records, tags=tags)
        self._trials = Entities(kinds.TRIAL, settings=settings, records=records, tags=tags)
        self._metrics = ComponentMetrics(records)

    @operation("CreateTrialComponent", atomic=True)
    def create(self, request: Request) -> Response:
        """Adds a component; one that is named like a job's has that job as its source."""
        job = self._job(request["TrialComponentName"])
        if job is None:
            return self._components.create(request)
        noun, body = job
        source = {"SourceArn": body[f"{noun}Arn"], "SourceType": f"SageMaker{noun}"}
        response = self._components.create({**request, "Source": source})
        self._records.delete(_DELETED, request["TrialComponentName"].lower())
        return response

    @operation("DescribeTrialComponent")
    def describe(self, request: Request) -> Response:
        """One component; one of a job shows the job, and what was added to the component since."""
        return self._describe(self._find_or_make(request["TrialComponentName"]))

    def _describe(self, body: Body) -> Body:
        empty: Body = {name: {} for name in _MAPS}
        metrics = self._metrics.summaries(body)
        source = self._job(body["TrialComponentName"]) if "Source" in body else None
        if source is None:
            return {**empty, "Metrics": metrics, **body}
        noun, job = source
        shown = {**empty, **job_components.describe_job(noun, job, self._model(job))}
        maps = {name: {**shown[name], **body.get(name, {})} for name in _MAPS}
        return {**shown, **body, **maps, "Metrics": [*shown["Metrics"], *metrics]}

    def _model(self, job: Body) -> Body | None:
        row = self._records.find("model", job["ModelName"]) if "ModelName" in job else None
        return row[1] if row else None

    def _find_or_make(self, name: str) -> Body:
        """The record of a component. A job has one since it was started; one that an older version of the service
        started, from the first time that somebody requests it."""
        name = name.rsplit("/", 1)[-1]
        deleted = self._records.get(_DELETED, name.lower()) is not None
        if self._components.find(name) is None and not deleted and self._job(name) is not None:
            with suppress(ValidationError):  # it was made in the meantime
                self.create({"TrialComponentName": name})
        return self._components.require(name)

    @operation("ListTrialComponents")
    def list_components(self, request: Request) -> Response:
        """Components, of one trial, experiment or source if requested, newest first."""
        members = ("Status", "StartTime", "EndTime", "CreatedBy", "LastModifiedBy")
        if not {"TrialName", "ExperimentName", "SourceArn"} & set(request):
            return self._with_status(self._components.list_page(request, *members))
        bodies = self._of_source(request["SourceArn"]) if "SourceArn" in request else None
        if {"TrialName", "ExperimentName"} & set(request):
            names = self._names_of_trials(request)
            if bodies is None:
                bodies = [body for name in names if (body := self._components.find(name))]
            else:
                bodies = [body for body in bodies if body["TrialComponentName"] in names]
        return self._with_status(self._components.list_among(bodies or [], request, *members))

    def _of_source(self, arn: str) -> list[Body]:
        """The component of a job, whose name is the job's."""
        component = _component_of(arn)
        if component is None:
            return []
        with suppress(ServiceError):
            self._find_or_make(component)
        body = self._components.find(component)
        return [body] if body and body.get("Source", {}).get("SourceArn") == arn else []

    def _names_of_trials(self, request: Request) -> dict[str, None]:
        """The names of the components in one trial, or in those of one experiment, in the order they were added."""
        if "TrialName" in request:
            trials = [self._trials.require(request["TrialName"])["TrialName"]]
        else:
            name = request["ExperimentName"].lower()
            trials = [trial["TrialName"] for trial in self._trials.all() if trial["ExperimentName"].lower() == name]
        places = [place for trial in trials for place in self._records.list(ASSOCIATION, association(trial, ""))]
        return dict.fromkeys(place["TrialComponentName"] for place in places)

    def _with_status(self, response: Response) -> Response:
        """A List response in which components of jobs have the status and times of these."""
        for summary in response["TrialComponentSummaries"]:
            shown = self._describe(self._components.require(summary["TrialComponentName"]))
            summary.update(pick(shown, "Status", "StartTime", "EndTime"))
        return response

    @operation("UpdateTrialComponent", atomic=True)
    def update(self, request: Request) -> Response:
        """Merges the given parameters and artifacts, removes those named for it, replaces the rest."""

        def change(body: Body) -> None:
            for name in _MAPS:
                merged = {**body.get(name, {}), **request.get(name, {})}
                for key in request.get(f"{name}ToRemove", ()):
                    merged.pop(key, None)
                body.pop(name, None)
                if merged:
                    body[name] = merged
            body.update(pick(request, "DisplayName", "Status", "StartTime", "EndTime"))

        self._find_or_make(request["TrialComponentName"])
        return self._components.change(request["TrialComponentName"], change)

    @operation("DeleteTrialComponent", atomic=True)
    def delete(self, request: Request) -> Response:
        """Removes a component that is in no trial."""
        name = self._components.require(request["TrialComponentName"])["TrialComponentName"]
        if any(key.endswith(association("", name)) for key, _ in self._records.items(ASSOCIATION)):
            raise ValidationError(
                f"TrialComponent '{self._components.arn(name)}' is in trials; disassociate it from them first."
            )
        if self._job(name) is not None:
            self._records.put(_DELETED, name.lower(), {"TrialComponentName": name})
        self._metrics.delete(name)
        return self._components.remove(name)

    @operation("AssociateTrialComponent", atomic=True)
    def associate(self, request: Request) -> Response:
        """Puts a component into a trial; nothing happens when it exists."""
        trial, component = self._both(request)
        key = association(trial["TrialName"], component["TrialComponentName"])
        names = {"TrialName": trial["TrialName"], "TrialComponentName": component["TrialComponentName"]}
        self._records.put(ASSOCIATION, key, names | {"ExperimentName": trial["ExperimentName"]})
        return {"TrialArn": trial["TrialArn"], "TrialComponentArn": component["TrialComponentArn"]}

    @operation("DisassociateTrialComponent", atomic=True)
    def disassociate(self, request: Request) -> Response:
        """Takes a component out of a trial."""
        trial, component = self._both(request)
        self._records.delete(ASSOCIATION, association(trial["TrialName"], component["TrialComponentName"]))
        return {"TrialArn": trial["TrialArn"], "TrialComponentArn": component["TrialComponentArn"]}

    def _both(self, request: Request) -> tuple[Body, Body]:
        return self._trials.require(request["TrialName"]), self._find_or_make(request["TrialComponentName"])

    def _job(self, component: str) -> tuple[str, Body] | None:
        """The noun and record of the job that a component's name stands for, if there is one."""
        match = _OF_JOB.fullmatch(component)
        if not match:
            return None
        job = self._records.find(f"{match[2].lower()}-job", match[1])
        return (f"{match[2].title()}Job", job[1]) if job else None


def _component_of(arn: str) -> str | None:
    """The name of the component of a job, by the job's ARN."""
    kind, _, name = arn.rpartition(":")[2].partition("/")
    component = f"{name}-aws-{kind}"
    return component if _OF_JOB.fullmatch(component) else None
