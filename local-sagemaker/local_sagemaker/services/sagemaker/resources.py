"""All resources of Amazon SageMaker's API, listed in `build`."""

from __future__ import annotations

from typing import Any

from local_sagemaker.api.operations import Call, Resource
from local_sagemaker.config import Settings
from local_sagemaker.endpoints.registry import EndpointRegistry as Hosting
from local_sagemaker.jobs.runner import JobRunner
from local_sagemaker.logs import Logs
from local_sagemaker.objects.disk import DiskObjects
from local_sagemaker.processes import Processes
from local_sagemaker.records import Records
from local_sagemaker.services.sagemaker.code_repositories import SageMakerRepositories
from local_sagemaker.services.sagemaker.endpoint_configs import EndpointConfigs
from local_sagemaker.services.sagemaker.endpoints import Endpoints
from local_sagemaker.services.sagemaker.experiments import Experiments
from local_sagemaker.services.sagemaker.lineage import build as build_lineage
from local_sagemaker.services.sagemaker.model_package_groups import ModelPackageGroups
from local_sagemaker.services.sagemaker.model_packages import ModelPackages
from local_sagemaker.services.sagemaker.models import ModelOperations
from local_sagemaker.services.sagemaker.monitoring.alerts import MonitoringAlerts
from local_sagemaker.services.sagemaker.monitoring.job_definitions import DEFINITIONS
from local_sagemaker.services.sagemaker.monitoring.schedules import MonitoringSchedules
from local_sagemaker.services.sagemaker.pipeline_callbacks import PipelineCallbacks
from local_sagemaker.services.sagemaker.pipeline_executions import PipelineExecutions
from local_sagemaker.services.sagemaker.pipelines import Pipelines
from local_sagemaker.services.sagemaker.processing_jobs import ProcessingJobs
from local_sagemaker.services.sagemaker.projects import SageMakerProjects
from local_sagemaker.services.sagemaker.search import Search
from local_sagemaker.services.sagemaker.tags import Tags
from local_sagemaker.services.sagemaker.temporary_endpoints import TemporaryEndpointService
from local_sagemaker.services.sagemaker.training_jobs import TrainingJobs
from local_sagemaker.services.sagemaker.transform_jobs import TransformJobs
from local_sagemaker.services.sagemaker.trial_components import TrialComponents
from local_sagemaker.services.sagemaker.tuning_jobs import TuningJobs
from local_sagemaker.services.sagemaker.unsupported_resources import FeatureGroups, Images
from local_sagemaker.tuning.suggestions import Suggestions


def build(
    *,
    settings: Settings,
    records: Records,
    objects: DiskObjects,
    logs: Logs,
    runner: JobRunner,
    hosting: Hosting,
    temporary_endpoints: TemporaryEndpointService,
    processes: Processes,
    call: Call,
) -> list[Resource]:
    """All resources, in the order in which they are resumed: jobs before executions. A new resource is one line."""
    tags = Tags(records, call)
    stored: dict[str, Any] = {"settings": settings, "records": records, "tags": tags}
    jobs = {**stored, "objects": objects, "runner": runner, "call": call}
    training_jobs = TrainingJobs(**jobs)
    return [
        tags,
        ModelOperations(**stored, objects=objects, call=call),
        ModelPackageGroups(**stored), ModelPackages(**stored),
        Experiments(**stored), TrialComponents(**stored),
        ProcessingJobs(**jobs),
        training_jobs,
        TuningJobs(
            **stored, call=call, logs=logs, check_training_job=training_jobs.check,
            link_training_job=training_jobs.link, suggest=Suggestions(processes, settings.jobs),
        ),
        TransformJobs(**jobs),
        temporary_endpoints, EndpointConfigs(**stored, call=call),
        Endpoints(**stored, call=call, hosting=hosting),
        Pipelines(**stored, call=call),
        PipelineExecutions(settings=settings, records=records, objects=objects, logs=logs, call=call),
        PipelineCallbacks(records=records),
        *(definitions(**stored, call=call) for definitions in DEFINITIONS),
        MonitoringSchedules(**stored, call=call, flush=hosting.flush_captures), MonitoringAlerts(records=records),
        *build_lineage(**stored), Search(records=records, tags=tags, call=call),
        SageMakerProjects(**stored, call=call), SageMakerRepositories(**stored), Images(), FeatureGroups(),
    ]  # fmt: skip
