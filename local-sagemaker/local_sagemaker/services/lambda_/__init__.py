"""AWS Lambda: functions as records, their code as files; `functions/` runs them."""

from __future__ import annotations

from local_sagemaker.api.operations import Call, Resource
from local_sagemaker.config import Settings
from local_sagemaker.functions.sandboxes import Sandboxes
from local_sagemaker.records import Records
from local_sagemaker.services.lambda_.code import CodeArchives
from local_sagemaker.services.lambda_.event_invoke_configs import EventInvokeConfigs
from local_sagemaker.services.lambda_.event_source_mappings import EventSourceMappings
from local_sagemaker.services.lambda_.functions import FunctionOperations
from local_sagemaker.services.lambda_.invocations import FunctionInvocations
from local_sagemaker.services.lambda_.permissions import Permissions
from local_sagemaker.services.lambda_.resource_tags import ResourceTags
from local_sagemaker.services.lambda_.store import FunctionStore
from local_sagemaker.services.lambda_.versions import FunctionVersions


def build(*, settings: Settings, records: Records, sandboxes: Sandboxes, call: Call) -> list[Resource]:
    """The resources whose marked methods are the operations of Lambda."""
    store = FunctionStore(settings=settings, records=records)
    code = CodeArchives(folder=settings.functions, call=call)
    versions = FunctionVersions(store=store, code=code, sandboxes=sandboxes)
    return [
        FunctionOperations(store=store, code=code, sandboxes=sandboxes, versions=versions),
        versions,
        Permissions(store=store),
        EventInvokeConfigs(store=store),
        FunctionInvocations(store=store, records=records, code=code, sandboxes=sandboxes),
        ResourceTags(store=store, records=records),
        EventSourceMappings(settings=settings, records=records, store=store, call=call),
    ]
