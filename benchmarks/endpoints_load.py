"""An endpoint under the load of 64 clients for a minute while it is updated twice and one of its processes is killed.

Then a third update that an alarm undoes. Checked: no response is wrong; the only errors are ModelErrors of the requests
that the killed process had; each shift sends the share that was asked for; after the way back only the old variant
responses. Every model gives other predictions, so a response tells which one gave it.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import uvloop

from benchmarks.endpoints import BUCKET, IMAGE, archive, model
from benchmarks.executions import ROLE, client
from benchmarks.http_load import Clients, requests, signer
from benchmarks.measure import report_limit
from benchmarks.own_service import own_service
from benchmarks.peers import csv_text
from local_sagemaker.config import Settings

CLIENTS, SECONDS, MODELS, INSTANCES = 64, 60.0, 3, 2
NAME, ALARM = "under-load", "benchmark-alarm"
SHARE, BAKING = 0.2, 10
"""Of the canary: its part of the traffic, and for how many seconds."""
CANARY = {
    "BlueGreenUpdatePolicy": {
        "TrafficRoutingConfiguration": {
            "Type": "CANARY", "WaitIntervalInSeconds": BAKING,
            "CanarySize": {"Type": "CAPACITY_PERCENT", "Value": int(100 * SHARE)},
        },
        "TerminationWaitInSeconds": 0,
    },
    "AutoRollbackConfiguration": {"Alarms": [{"AlarmName": ALARM}]},
}  # fmt: skip


class Answers:
    """What the clients got."""

    def __init__(self, expected: list[Any]) -> None:
        """`expected` are the predictions of each model."""
        self._expected = expected
        self.by_model: Counter[int] = Counter()
        self.errors: list[tuple[float, int, bytes]] = []
        self.wrong: list[str] = []
        self.broken: list[Exception] = []

    def answered(self, turn: int, status: int, body: bytes) -> None:
        """Judges a response."""
        if status != 200:
            self.errors.append((time.monotonic(), status, body))
            return
        value = np.float32(body.decode())
        models = [number for number, each in enumerate(self._expected) if each[turn] == value]
        if models:
            self.by_model[models[0]] += 1
        else:
            self.wrong.append(f"row {turn}: {body!r}")


class Endpoint:
    """The endpoint and the changes made to it."""

    def __init__(self, settings: Settings) -> None:
        self._sagemaker = client(settings, "sagemaker")
        self._s3, self._cloudwatch = client(settings, "s3"), client(settings, "cloudwatch")

    def create(self, boosters: list[Any]) -> None:
        """An endpoint of the first model, and configurations for the others."""
        self._s3.create_bucket(Bucket=BUCKET)
        for number, booster in enumerate(boosters):
            name = f"model-{number}"
            self._s3.put_object(Bucket=BUCKET, Key=f"{name}.tar.gz", Body=archive(booster))
            container = {"Image": IMAGE, "ModelDataUrl": f"s3://{BUCKET}/{name}.tar.gz"}
            self._sagemaker.create_model(ModelName=name, ExecutionRoleArn=ROLE, PrimaryContainer=container)
            variant = {"VariantName": "AllTraffic", "ModelName": name, "InstanceType": "ml.m5.large",
                       "InitialInstanceCount": INSTANCES}  # fmt: skip
            self._sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[variant])
        self._sagemaker.create_endpoint(EndpointName=NAME, EndpointConfigName="model-0")
        self.settled("model-0")
        self._cloudwatch.put_metric_alarm(
            AlarmName=ALARM, MetricName="Invocation5XXErrors", Namespace="AWS/SageMaker", Period=60,
            EvaluationPeriods=1, Threshold=1, ComparisonOperator="GreaterThanThreshold", Statistic="Sum",
        )  # fmt: skip
        self.alarm("OK")

    def alarm(self, state: str) -> None:
        """Sets the alarm that the deployments watch."""
        self._cloudwatch.set_alarm_state(AlarmName=ALARM, StateValue=state, StateReason="benchmark")

    def update(self, number: int, deployment: dict[str, Any] | None = None) -> None:
        """Begins to put another model in service."""
        options = {"DeploymentConfig": deployment} if deployment else {}
        self._sagemaker.update_endpoint(EndpointName=NAME, EndpointConfigName=f"model-{number}", **options)

    def settled(self, config: str) -> None:
        """Waits until nothing changes; the endpoint must have this configuration then."""
        while (description := self._sagemaker.describe_endpoint(EndpointName=NAME))["EndpointStatus"] not in (
            "InService",
            "Failed",
        ):
            time.sleep(0.05)
        if (description["EndpointStatus"], description["EndpointConfigName"]) != ("InService", config):
            raise SystemExit(f"the endpoint is not {config}: {description}")

    def baking(self) -> None:
        """Waits until the canary has its share."""
        while True:
            summary = self._sagemaker.describe_endpoint(EndpointName=NAME).get("PendingDeploymentSummary", {})
            variants = summary.get("ProductionVariants", [{}])
            if variants[0].get("VariantStatus", [{}])[0].get("Status") == "Baking":
                return
            time.sleep(0.02)


def servers() -> list[int]:
    """The first processes of the endpoint's instances: they have its folders mounted."""
    parents = {}
    for process in Path("/proc").iterdir():
        try:
            if process.name.isdigit() and f"/{NAME}/" in (process / "mountinfo").read_text():
                parents[int(process.name)] = int((process / "stat").read_text().rsplit(")", 1)[1].split()[1])
        except OSError:
            continue
    return [pid for pid, parent in parents.items() if parent not in parents]


class Story:
    """What happens to the endpoint, in a thread of its own while the clients ask."""

    def __init__(self, endpoint: Endpoint, answers: Answers, finished: Callable[[], None]) -> None:
        self._endpoint, self._answers, self._finished = endpoint, answers, finished
        self.killed = 0.0
        self.shares: list[float] = []
        self.after_rollback: Counter[int] = Counter()
        self.error: BaseException | None = None
        self.thread = threading.Thread(target=self._guarded, daemon=True)

    def _guarded(self) -> None:
        try:
            self._tell()
        except BaseException as error:
            self.error = error
        finally:
            self._finished()

    def _tell(self) -> None:
        began = time.monotonic()
        time.sleep(SECONDS / 6)
        self._endpoint.update(1)
        self._endpoint.settled("model-1")
        time.sleep(SECONDS / 6)
        running = servers()
        if len(running) != INSTANCES:
            raise SystemExit(f"{len(running)} servers instead of {INSTANCES}")
        self.killed = time.monotonic()
        os.kill(running[0], signal.SIGKILL)
        time.sleep(SECONDS / 6)
        if len(after := servers()) != INSTANCES or running[0] in after or running[1] not in after:
            raise SystemExit(f"of {running} the first was killed, and now there are {after}")
        self._endpoint.update(2, CANARY)
        self._watch_share(2)
        self._endpoint.settled("model-2")
        time.sleep(max(0.0, began + SECONDS - time.monotonic()))
        self._endpoint.update(0, CANARY)
        self._watch_share(0)
        self._endpoint.alarm("ALARM")
        self._endpoint.settled("model-2")
        before = self._answers.by_model.copy()
        time.sleep(3)
        self.after_rollback = self._answers.by_model - before

    def _watch_share(self, number: int) -> None:
        """Measures the canary's part of the responses for most of its time."""
        self._endpoint.baking()
        time.sleep(0.2)
        before = self._answers.by_model.copy()
        time.sleep(BAKING / 2)
        seen = self._answers.by_model - before
        self.shares.append(seen[number] / seen.total())


def _proper(error: tuple[float, int, bytes]) -> bool:
    """Whether an error is the ModelError of a container that ended."""
    _, status, body = error
    document = json.loads(body)
    return status == 424 and document["OriginalStatusCode"] == 0 and "ended without a response" in document["Message"]


def main() -> bool:
    """Prints what was found; says whether all of it is as it must be."""
    boosters = [model(seed)[0] for seed in range(MODELS)]
    rows = model()[1][:500]
    with own_service() as service:
        url = f"{service.url}/endpoints/{NAME}/invocations"
        endpoint = Endpoint(service.settings)
        endpoint.create(boosters)
        answers = Answers([booster.inplace_predict(rows) for booster in boosters])
        made = requests(url, [csv_text([row]).encode() for row in rows.tolist()], signer(service.settings, url))
        clients = Clients(url, made, answers.answered, answers.broken.append)
        story = Story(endpoint, answers, lambda: setattr(clients, "over", True))
        began = time.monotonic()
        uvloop.run(_asked(clients, story))
        return _judged(answers, story, time.monotonic() - began)


async def _asked(clients: Clients, story: Story) -> None:
    story.thread.start()
    await clients.run(CLIENTS)
    await asyncio.to_thread(story.thread.join)


def _judged(answers: Answers, story: Story, seconds: float) -> bool:
    if story.error is not None:
        raise SystemExit(f"the endpoint could not be changed: {story.error}")
    improper = [error for error in answers.errors if not _proper(error) or not -0.1 < error[0] - story.killed < 5]
    for example in [*improper[:3], *answers.wrong[:3], *answers.broken[:3]]:
        print(f"  {example!r:.300}")
    total = answers.by_model.total()
    print(
        f"endpoint under load: {total} responses in {seconds:.0f} s, by model {dict(sorted(answers.by_model.items()))}"
    )
    return all([
        report_limit("wrong responses", len(answers.wrong), 0),
        report_limit("broken connections", len(answers.broken), 0),
        report_limit("errors that are no ModelError of the killed process", len(improper), 0),
        report_limit("requests lost with the killed process", len(answers.errors) - len(improper), CLIENTS),
        *[report_limit(f"canary: {share:.4f} of the responses, off by", abs(share - SHARE), 0.01)
          for share in story.shares],
        report_limit("responses of the new variant after the way back", story.after_rollback[0], CLIENTS),
        report_limit("old variant silent after the way back (1: yes)", float(not story.after_rollback[2]), 0),
    ])  # fmt: skip
