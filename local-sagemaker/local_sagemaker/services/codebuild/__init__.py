"""CodeBuild: projects and builds, each build in a process of its own (contracts: delivery 3)."""

from __future__ import annotations

from collections.abc import Mapping

from local_sagemaker.api.operations import Call, Resource
from local_sagemaker.config import Settings
from local_sagemaker.logs import Logs
from local_sagemaker.objects.types import Objects
from local_sagemaker.processes.spec import Processes
from local_sagemaker.records import Records
from local_sagemaker.services.codebuild.batch_store import BatchStore
from local_sagemaker.services.codebuild.batches import BuildBatches
from local_sagemaker.services.codebuild.build_run import BuildServices
from local_sagemaker.services.codebuild.build_sources import FindRepository
from local_sagemaker.services.codebuild.build_store import BuildStore
from local_sagemaker.services.codebuild.builds import Builds
from local_sagemaker.services.codebuild.projects import Projects, RolesOfServices
from local_sagemaker.services.codebuild.reports import ReportStore, TestReports

__all__ = ["BuildBatches", "Builds", "build"]


def build(
    *,
    settings: Settings,
    records: Records,
    objects: Objects,
    logs: Logs,
    processes: Processes,
    environment: Mapping[str, str],
    repositories: FindRepository,
    roles: RolesOfServices,
    call: Call,
) -> tuple[list[Resource], Builds, BuildBatches]:
    """The resources whose marked methods are the operations; builds and batches, which pipelines start, too."""
    store, reports = BuildStore(records, settings.arns), ReportStore(records, settings.arns)
    services = BuildServices(
        settings=settings, store=store, objects=objects, logs=logs, processes=processes, environment=environment,
        repositories=repositories, roles=roles, reports=reports, call=call,
    )  # fmt: skip
    builds = Builds(store=store, services=services)
    batches = BuildBatches(store=BatchStore(store), builds=builds, services=services)
    # Batches before builds: those that end with the service start no build any more.
    return [Projects(store=store, roles=roles), batches, builds, TestReports(store=reports)], builds, batches
