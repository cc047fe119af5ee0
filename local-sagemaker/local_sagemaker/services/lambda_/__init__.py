"""AWS Lambda: functions as records, their code as files; `functions/` runs them."""

from __future__ import annotations

from local_sagemaker.api.operations import Call, Resource
from local_sagemaker.config import Settings
from local_sagemaker.functions.sandboxes import Sandboxes
from local_sagemaker.records import Records
from local_sagemaker.services.lambda_.code import Code
from local_sagemaker.services.lambda_.functions import Functions
from local_sagemaker.services.lambda_.invocations import Invocations
from local_sagemaker.services.lambda_.permissions import Permissions
from local_sagemaker.services.lambda_.store import FunctionStore
from local_sagemaker.services.lambda_.versions import Versions


def build(*, settings: Settings, records: Records, sandboxes: Sandboxes, call: Call) -> list[Resource]:
    """The resources whose marked methods are the operations of Lambda."""
    store = FunctionStore(settings=settings, records=records)
    code = Code(folder=settings.functions, call=call)
    versions = Versions(store=store, code=code, sandboxes=sandboxes)
    return [
        Functions(store=store, code=code, sandboxes=sandboxes, versions=versions),
        versions,
        Permissions(store=store),
        Invocations(store=store, records=records, code=code, sandboxes=sandboxes),
    ]
