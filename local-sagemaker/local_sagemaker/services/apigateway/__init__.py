"""API Gateway's REST APIs: their resources as records, and the door that serves what is deployed."""

from __future__ import annotations

from local_sagemaker.api.operations import Call, Resource
from local_sagemaker.config import Settings
from local_sagemaker.records import Records
from local_sagemaker.services.apigateway.deployments import Deployments
from local_sagemaker.services.apigateway.execute_api import SERVICE, Address, ExecuteApi
from local_sagemaker.services.apigateway.integrations import Integrations
from local_sagemaker.services.apigateway.invoke_method import MethodTests
from local_sagemaker.services.apigateway.methods import Methods
from local_sagemaker.services.apigateway.resources import Resources
from local_sagemaker.services.apigateway.rest_apis import RestApis
from local_sagemaker.services.apigateway.stages import Stages
from local_sagemaker.services.apigateway.store import ApiStore

__all__ = ["SERVICE", "Address", "ExecuteApi", "build"]


def build(*, settings: Settings, records: Records, call: Call) -> tuple[list[Resource], ExecuteApi]:
    """The resources whose marked methods are the operations, and what serves the APIs' own clients."""
    store = ApiStore(records=records, settings=settings)
    door = ExecuteApi(store=store, call=call, settings=settings)
    resources = [
        RestApis(store=store),
        Resources(store=store),
        Methods(store=store),
        Integrations(store=store),
        Deployments(store=store),
        Stages(store=store),
        MethodTests(store=store, door=door),
    ]
    return resources, door
