"""Looking a resource up by its name: CreateModel over HTTP at 2,000 models and at 50 (``make structure`` runs it)."""

from __future__ import annotations

import itertools
import json
import os
from contextlib import ExitStack
from typing import Any

from benchmarks.executions import ROLE, SCIKIT_LEARN, client
from benchmarks.measure import in_turn, report, seconds
from benchmarks.own_service import OwnService, own_service, settle
from local_sagemaker.records import Records

FEW, MANY = 50, 2_000
TARGET = 1.5
MODEL = {"Image": SCIKIT_LEARN}


def fill(service: OwnService, models: int) -> Any:
    """A client of the service, which has so many models then: one is made, the others are copies of its record."""
    sagemaker = client(service.settings, "sagemaker")
    sagemaker.create_model(ModelName="model-0", ExecutionRoleArn=ROLE, PrimaryContainer=MODEL)
    records = Records(service.settings.records_file, service.settings.region)
    [(key, body)] = records.items("model")
    text = json.dumps(body)
    with records.transaction():
        for number in range(1, models):
            records.insert("model", f"model-{number}", json.loads(text.replace(key, f"model-{number}")))
    records.close()
    settle(service.pid)  # rules have looked at the events of all of them
    return sagemaker


def main() -> bool:
    """Compares two services, request by request in turn."""
    os.environ["LOCAL_SAGEMAKER_PRELOAD"] = "no"
    names = (f"new-{number}" for number in itertools.count())

    def create(sagemaker: Any) -> float:
        name = next(names)
        return seconds(lambda: sagemaker.create_model(ModelName=name, ExecutionRoleArn=ROLE, PrimaryContainer=MODEL))

    with ExitStack() as stack:
        many, few = (fill(stack.enter_context(own_service()), count) for count in (MANY, FEW))
        pairs = in_turn(lambda: create(many), lambda: create(few), 200)
        return report(f"CreateModel at {MANY:,} models / at {FEW}", pairs, TARGET)
