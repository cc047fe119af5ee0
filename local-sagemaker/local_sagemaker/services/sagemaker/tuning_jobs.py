"""Hyperparameter tuning jobs: many training jobs, of which the best is wanted."""

from __future__ import annotations

import logging
import math
import secrets
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path

from local_sagemaker.api.operations import Call, Request, Response, operation
from local_sagemaker.clock import now
from local_sagemaker.config import Settings
from local_sagemaker.errors import ResourceNotFound, ServiceError
from local_sagemaker.jobs.metric_search import MetricSearch
from local_sagemaker.logs import Logs
from local_sagemaker.records import Records
from local_sagemaker.records.kinds import TUNING_JOB
from local_sagemaker.records.own_members import own_tuned_job, own_tuning_job
from local_sagemaker.records.store import Body, public
from local_sagemaker.services.sagemaker.job_resource import JobResource
from local_sagemaker.services.sagemaker.listing import order, page, select
from local_sagemaker.services.sagemaker.tags import Tags
from local_sagemaker.services.sagemaker.training_jobs import KIND as TRAINING_JOB
from local_sagemaker.services.sagemaker.training_jobs import LOG_GROUP
from local_sagemaker.tuning import training_jobs, warm_start
from local_sagemaker.tuning.checks import check, total
from local_sagemaker.tuning.definitions import definitions, objective
from local_sagemaker.tuning.policy import not_improving
from local_sagemaker.tuning.run import TuningServices
from local_sagemaker.tuning.runs import Runs
from local_sagemaker.tuning.sampling import SearchState
from local_sagemaker.tuning.training_jobs import TunedTrainingJobs

log = logging.getLogger(__name__)
KIND = TUNING_JOB.kind


class TuningJobs(JobResource[str]):
    """The operations on tuning jobs, each of which runs by its name."""

    kind = TUNING_JOB
    summary = ("HyperParameterTuningEndTime",)

    def __init__(
        self, *, settings: Settings, records: Records, tags: Tags, call: Call, logs: Logs,
        check_training_job: Callable[[Request], None], link_training_job: Callable[[str, str], None],
        suggest: Callable[[SearchState], dict[str, str]],
    ) -> None:  # fmt: skip
        """`check_training_job` refuses what CreateTrainingJob would, `link_training_job` notes in a training job (by
        name) that a tuning job (by ARN) made it; `suggest` says what to try next."""
        self._check_training_job, self._records, self._logs = check_training_job, records, logs
        super().__init__(settings=settings, records=records, tags=tags, call=call)
        self._trials = TunedTrainingJobs(records)
        self._searches: dict[str, MetricSearch] = {}
        self._printed: dict[str, Path] = {}  # logs by training job, as looking for one means to look at all
        self._runs = Runs(
            TuningServices(
                call=call,
                events=records.events,
                trials=self._trials,
                read=lambda name: records.get(KIND, name),
                change=self.change,
                linked=link_training_job,
                tags=tags.of,
                suggest=suggest,
                series=self._series,
            )
        )

    def check(self, request: Request) -> None:
        """Raises ValidationError for ranges, objective and training job definitions that can't be used."""
        check(request, self._check_training_job)

    def defaults(self, request: Request) -> Request:
        """The request as Describe shows it."""
        return _fill(request)

    def new(self, request: Request) -> Body:
        """The record, with what the parents of a warm start have learned."""
        body = super().new(request)
        own_tuning_job(body)["_seed"] = secrets.randbits(31)
        body.update(warm_start.take_over(request, self.require, self._trials))
        if math.isfinite(points := total(request)):
            own_tuning_job(body)["_combinations"] = int(points)
        return body

    def work(self, body: Body) -> str:
        """The name."""
        return str(body["HyperParameterTuningJobName"])

    def launch(self, work: str) -> None:
        """Begins the job's thread."""
        self._runs.start(work)

    def halt(self, body: Body) -> None:
        """Has the thread stop the training jobs that run; the tuning job is Stopped when they are."""
        self._runs.wake(body["HyperParameterTuningJobName"])

    def restart(self, body: Body) -> None:
        """Begins the thread again, which also stops what was being stopped."""
        self.launch(self.work(body))

    def not_found(self, name: str) -> ServiceError:
        """ResourceNotFound, unlike other jobs (code and text: amazon-sagemaker-operator-for-k8s, clientwrapper)."""
        return ResourceNotFound(f"Amazon SageMaker can't find a tuning job with name {name}")

    def describe(self, request: Request) -> Response:
        """The request with what has become of it."""
        body = self.require(request["HyperParameterTuningJobName"])
        trials = self._trials_of(body)
        response = {**public(body), **_counters(trials)}
        best = training_jobs.best_first(trials)
        if best:
            response["BestTrainingJob"] = public(best[0])
        overall = warm_start.overall(body, best)
        if overall:
            response["OverallBestTrainingJob"] = overall
        seconds = body.get("HyperParameterTuningEndTime", now()) - body["CreationTime"]
        response["ConsumedResources"] = {"RuntimeInSeconds": math.ceil(seconds)}
        response["TuningJobCompletionDetails"] = {"NumberOfTrainingJobsObjectiveNotImproving": not_improving(trials)}
        return response

    def list_jobs(self, request: Request) -> Response:
        """By name unless requested otherwise (API reference)."""
        sorting = {"SortBy": "Name", "SortOrder": "Ascending"}
        response = super().list_jobs({**sorting, **request})
        for summary in response["HyperParameterTuningJobSummaries"]:
            body = self.require(summary["HyperParameterTuningJobName"])
            config = body["HyperParameterTuningJobConfig"]
            summary.update(
                Strategy=config["Strategy"], ResourceLimits=config["ResourceLimits"], **_counters(self._trials_of(body))
            )
        return response

    @operation("ListTrainingJobsForHyperParameterTuningJob")
    def list_training_jobs(self, request: Request) -> Response:
        """By name unless requested otherwise; by FinalObjectiveMetricValue only those that have one (API reference)."""
        trials = self._trials_of(self.require(request["HyperParameterTuningJobName"]))
        trials = select(trials, request, name="TrainingJobName", status="TrainingJobStatus")
        if request.get("SortBy") == "FinalObjectiveMetricValue":
            known = [(value, trial) for trial in trials if (value := training_jobs.value(trial)) is not None]
            known.sort(key=lambda pair: pair[0], reverse=request.get("SortOrder") == "Descending")
            trials = [trial for _, trial in known]
        else:
            members = {"Name": "TrainingJobName", "Status": "TrainingJobStatus"}
            trials = order(trials, request, members=members, by="Name", direction="Ascending")
        chosen, token = page([public(trial) for trial in trials], request)
        return {"TrainingJobSummaries": chosen, **token}

    @operation("DeleteHyperParameterTuningJob", atomic=True)
    def delete(self, request: Request) -> Response:
        """Forgets a tuning job that has ended; its training jobs and their models stay."""
        name = self.require(request["HyperParameterTuningJobName"])["HyperParameterTuningJobName"]
        super().delete({"HyperParameterTuningJobName": name})
        self._trials.drop(name)
        return {}

    def close(self) -> None:
        """Ends the threads; what they run continues at the next `resume`."""
        self._runs.end_all()

    def reset(self) -> None:
        """Ends the threads, before all records are removed."""
        self._runs.end_all()

    def _series(self, name: str, metric: str) -> list[float]:
        """What the first host of a training job has printed of a metric."""
        job = self._records.get(TRAINING_JOB, name) or {"AlgorithmSpecification": {}}
        wanted = [one for one in job["AlgorithmSpecification"].get("MetricDefinitions", []) if one["Name"] == metric]
        if name not in self._printed:
            streams = [stream.name for stream in self._logs.streams(LOG_GROUP, f"{name}/algo-1")]
            if not streams:
                return []
            self._printed[name] = self._logs.file(LOG_GROUP, streams[-1])
        if name not in self._searches:
            self._searches[name] = MetricSearch(wanted[-1:], log.warning)
        return self._searches[name].all_values([self._printed[name]]).get(metric, [])

    def _trials_of(self, body: Body) -> list[Body]:
        """The training jobs; those that run, as they are at this moment."""
        all_definitions = definitions(body)
        return [
            trial
            if training_jobs.has_ended(trial)
            else self._live(trial, objective(body, all_definitions[own_tuned_job(trial)["_definition"]]))
            for trial in self._trials.of(body["HyperParameterTuningJobName"])
            if "TrainingJobArn" in trial  # else it is only about to be made
        ]

    def _live(self, trial: Body, wanted: dict[str, str]) -> Body:
        job = self._records.get(TRAINING_JOB, trial["TrainingJobName"])
        return training_jobs.update(trial, job, wanted) if job else trial


def _counters(trials: list[Body]) -> Body:
    return {
        "TrainingJobStatusCounters": training_jobs.status_counters(trials),
        "ObjectiveStatusCounters": training_jobs.objective_counters(trials),
    }


def _fill(request: Request) -> Request:
    filled = deepcopy(request)
    config = filled["HyperParameterTuningJobConfig"]
    config.setdefault("TrainingJobEarlyStoppingType", "Off")
    for definition in definitions(filled):
        for member in ("EnableNetworkIsolation", "EnableInterContainerTrafficEncryption", "EnableManagedSpotTraining"):
            definition.setdefault(member, False)
    return filled
