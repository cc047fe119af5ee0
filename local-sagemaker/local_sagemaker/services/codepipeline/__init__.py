"""CodePipeline: pipelines of both types, their executions, approvals and triggers (contracts: delivery 4)."""

from __future__ import annotations

import threading

from local_sagemaker.api.operations import Call, Resource
from local_sagemaker.config import Settings
from local_sagemaker.objects.types import Objects
from local_sagemaker.records import Records
from local_sagemaker.services.codebuild.build_sources import FindRepository, checkout
from local_sagemaker.services.codepipeline.action_run import ActionRuns
from local_sagemaker.services.codepipeline.actions.action import ActionArtifacts, Provider
from local_sagemaker.services.codepipeline.actions.cloudformation import StackAction
from local_sagemaker.services.codepipeline.actions.codebuild import BuildAction, StartBuild
from local_sagemaker.services.codepipeline.actions.lambda_ import FunctionAction
from local_sagemaker.services.codepipeline.actions.manual_approval import Approvals
from local_sagemaker.services.codepipeline.actions.s3_deploy import StoreAction
from local_sagemaker.services.codepipeline.actions.sources import GitSources, ObjectSource
from local_sagemaker.services.codepipeline.conditions import Conditions
from local_sagemaker.services.codepipeline.engine import Engine
from local_sagemaker.services.codepipeline.execution_start import ExecutionStart
from local_sagemaker.services.codepipeline.executions import DeliveryExecutions
from local_sagemaker.services.codepipeline.job_results import JobResults
from local_sagemaker.services.codepipeline.pending_approvals import WaitingApprovals
from local_sagemaker.services.codepipeline.pipeline_state import PipelineStates
from local_sagemaker.services.codepipeline.pipeline_store import PipelineStore
from local_sagemaker.services.codepipeline.pipelines import DeliveryPipelines
from local_sagemaker.services.codepipeline.rule_executions import RuleExecutions
from local_sagemaker.services.codepipeline.source_triggers import SourceTriggers


def build(
    *,
    settings: Settings,
    records: Records,
    objects: Objects,
    repositories: FindRepository,
    start_build: StartBuild,
    start_batch: StartBuild,
    call: Call,
) -> tuple[list[Resource], WaitingApprovals]:
    """The resources whose marked methods are the operations, and the approvals that wait."""
    store, artifacts = PipelineStore(records, settings.arns), ActionArtifacts(objects)
    git = GitSources(artifacts, repositories, checkout, call)
    building = BuildAction(call, start_build, start_batch, artifacts)
    providers: dict[tuple[str, str], Provider] = {
        ("Source", "CodeCommit"): git.code_commit,
        ("Source", "CodeStarSourceConnection"): git.connection,
        ("Source", "S3"): ObjectSource(artifacts, objects),
        ("Build", "CodeBuild"): building,
        ("Test", "CodeBuild"): building,
        ("Deploy", "CloudFormation"): StackAction(call, artifacts),
        ("Deploy", "S3"): StoreAction(artifacts, objects, settings.jobs),
        ("Invoke", "Lambda"): FunctionAction(call, store, settings.account),
    }
    signal = threading.Event()
    runs = ActionRuns(store, providers, Approvals(call), signal.set)
    engine = Engine(store, runs, Conditions(store, call), signal)
    caller = f"arn:{settings.arns.partition}:iam::{settings.account}:root"
    starter = ExecutionStart(store, engine.wake, caller)
    engine.starter = starter
    engine.look = SourceTriggers(store, starter, repositories, objects).look
    records.events.subscribe(engine.on_event)
    resources: list[Resource] = [
        DeliveryPipelines(store=store, starter=starter, wake=engine.wake),
        DeliveryExecutions(store=store, starter=starter, engine=engine),
        PipelineStates(store=store, wake=engine.wake, caller=caller),
        JobResults(store=store),
        RuleExecutions(store=store),
    ]
    return resources, WaitingApprovals(store, call)
