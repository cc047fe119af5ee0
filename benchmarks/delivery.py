"""EventBridge's matching with many rules, and how long a stack of twelve resources takes."""

from __future__ import annotations

import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.executions import client
from benchmarks.measure import report_limit
from benchmarks.own_service import own_service
from local_sagemaker.arns import Arns
from local_sagemaker.records import Records
from local_sagemaker.services.events.rule_store import DEFAULT, RuleStore

RULES, EVENTS, RESOURCES = 1_000, 10_000, 12
MOST_MS, MOST_SECONDS = 1.0, 2.0


def pattern(number: int) -> dict[str, Any]:
    """A pattern of a project's rules; each event matches those of one number."""
    detail: dict[str, Any] = {"ModelPackageGroupName": [f"group-{number % 100}"], "ModelApprovalStatus": ["Approved"]}
    if number % 3 == 0:
        detail["$or"] = [{"UpdatedModelPackageFields": ["ModelApprovalStatus"]},
                         {"UpdatedModelPackageFields": [{"exists": False}]}]  # fmt: skip
    if number % 3 == 1:
        detail["ModelPackageVersion"] = [{"numeric": [">", 0, "<", 1000]}]
    return {"source": ["aws.sagemaker"], "detail-type": ["SageMaker Model Package State Change"], "detail": detail}


def event(number: int) -> dict[str, Any]:
    return {
        "version": "0", "id": str(number), "source": "aws.sagemaker", "account": "123456789012",
        "detail-type": "SageMaker Model Package State Change", "region": "us-east-1", "resources": [],
        "detail": {
            "ModelPackageGroupName": f"group-{number % 100}", "ModelPackageVersion": number % 1000 + 1,
            "ModelApprovalStatus": "Approved", "UpdatedModelPackageFields": ["ModelApprovalStatus"],
        },
    }  # fmt: skip


def matching(folder: Path) -> list[bool]:
    """The milliseconds of an event with all rules, and how they grow with the number of events."""
    store = RuleStore(Records(folder / "records.db", "us-east-1"), Arns("123456789012", "us-east-1"))
    for number in range(RULES):
        store.put(DEFAULT, {"Name": f"rule-{number}", "State": "ENABLED", "EventPattern": json.dumps(pattern(number))})
    events = [event(number) for number in range(EVENTS)]
    matches = store.matching(DEFAULT, events[0])  # parses the patterns
    assert len(matches) == RULES // 100, len(matches)
    start, half = time.process_time(), EVENTS // 2
    for one in events[:half]:
        store.matching(DEFAULT, one)
    middle = time.process_time()
    for one in events[half:]:
        store.matching(DEFAULT, one)
    end = time.process_time()
    return [
        report_limit(f"{RULES:,} rules, {EVENTS:,} events: ms an event", 1000 * (end - start) / EVENTS, MOST_MS),
        report_limit("the second half of the events against the first, times", (end - middle) / (middle - start), 1.5),
    ]


def stack() -> bool:
    """Seconds from CreateStack to CREATE_COMPLETE of twelve resources, in a service that is warm."""
    resources = {
        f"R{number}": {"Type": "AWS::SSM::Parameter", "Properties": {"Type": "String", "Value": str(number)}}
        if number % 2
        else {"Type": "AWS::SNS::Topic"}
        for number in range(RESOURCES)
    }
    body = json.dumps({"Resources": resources})
    with own_service() as service:
        stacks: Any = client(service.settings, "cloudformation")

        def create(name: str) -> float:
            start = time.perf_counter()
            stacks.create_stack(StackName=name, TemplateBody=body)
            while stacks.describe_stacks(StackName=name)["Stacks"][0]["StackStatus"] != "CREATE_COMPLETE":
                time.sleep(0.02)
            return time.perf_counter() - start

        create("warm")
        took = sorted(create(f"stack-{number}") for number in range(5))
    return report_limit(f"a stack of {RESOURCES} resources: seconds", took[len(took) // 2], MOST_SECONDS)


def main() -> bool:
    """Prints the figures; says whether all targets are met."""
    with tempfile.TemporaryDirectory(prefix="bench-delivery-") as folder:
        results = matching(Path(folder))
    return all([*results, stack()])


if __name__ == "__main__":
    sys.exit(0 if main() else 1)
