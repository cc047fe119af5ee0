"""CloudFormation: stacks of the resource types that the local service has."""

from __future__ import annotations

from collections.abc import Callable

from local_sagemaker.api.operations import Call, Resource
from local_sagemaker.config import Settings
from local_sagemaker.objects.types import Objects
from local_sagemaker.records import Records
from local_sagemaker.services.cloudformation.change_sets import ChangeSets
from local_sagemaker.services.cloudformation.custom_responses import CustomResponses
from local_sagemaker.services.cloudformation.requests import Requests
from local_sagemaker.services.cloudformation.scopes import Scopes
from local_sagemaker.services.cloudformation.stack_contents import StackContents
from local_sagemaker.services.cloudformation.stack_operations import StackOperations
from local_sagemaker.services.cloudformation.stack_policies import StackPolicies
from local_sagemaker.services.cloudformation.stack_runs import StackRuns
from local_sagemaker.services.cloudformation.stack_store import StackStore
from local_sagemaker.services.cloudformation.stacks import Stacks


def build(
    *, settings: Settings, records: Records, objects: Objects, call: Call, distrusts: Callable[[str, str], bool],
    responses: CustomResponses,
) -> list[Resource]:  # fmt: skip
    """The service's resources. `distrusts` says whether a role exists and does not let a service assume it; the
    providers of custom resources respond by HTTP."""
    store = StackStore(records, settings.arns)
    scopes = Scopes(settings, store, call, responses)
    requests, runs = Requests(objects, scopes, distrusts), StackRuns(store, scopes, call)
    operations = StackOperations(records=records, store=store, runs=runs)
    stacks = Stacks(store=store, requests=requests, runs=runs, operations=operations)
    change_sets = ChangeSets(
        records=records, arns=settings.arns, store=store, scopes=scopes, requests=requests, stacks=stacks,
        operations=operations,
    )  # fmt: skip
    policies = StackPolicies(store=store, requests=requests)
    return [stacks, StackContents(store=store, requests=requests), policies, change_sets]
